/** The blocks behind certificates: fetching, executing and delivering them in order. */
import { type Block, blockHash, brokenLink, compareViews } from "./block.ts";
import { ANSWER_BLOCKS_MAX, type BlocksMessage } from "./message.ts";
import { currentView, type Draft, LAG_BLOCKS_MAX, viewKey, writable } from "./state.ts";
import { broadcast, giveUp } from "./voting.ts";

export interface PlacedBlock {
  readonly hash: string;
  readonly block: Block;
}

/** Blocks after the delivered one up to some block; or the first missing; or why there is none. */
export type Path =
  | { readonly blocks: readonly PlacedBlock[] }
  | { readonly missing: string }
  | { readonly broken: string };

export function pathTo(draft: Draft, target: string): Path {
  const blocks: PlacedBlock[] = [];
  for (let hash = target; hash !== draft.deliveredHash; ) {
    const block = draft.blocks.get(hash);
    if (block === undefined) return { missing: hash };
    if (block.height <= draft.delivered.height) return { broken: "it forks what is final" };
    const after = blocks.at(-1);
    const fault = after && brokenLink(block, after.block);
    if (fault !== undefined) return { broken: fault };
    blocks.push({ hash, block });
    hash = block.parent;
  }
  const first = blocks.at(-1);
  const fault = first && brokenLink(draft.delivered, first.block);
  return fault === undefined ? { blocks: blocks.reverse() } : { broken: fault };
}

/** The leader's block for the view that comes next, if it has been seen. */
export function candidateOf(draft: Draft): PlacedBlock | undefined {
  const hash = draft.proposals.get(viewKey(currentView(draft)));
  const block = hash === undefined ? undefined : draft.blocks.get(hash);
  return hash === undefined || block === undefined ? undefined : { hash, block };
}

export function halt(draft: Draft, reason: string): void {
  draft.halted = reason;
  draft.effects.push({ type: "halt", reason });
}

/** Hands over the next finalized block, once it has been executed here with the same root. */
export function deliverNext(draft: Draft): boolean {
  const { certificate, block: target, view } = draft.finalized;
  if (certificate === null || compareViews(view, draft.delivered.view) <= 0) return false;
  const path = pathTo(draft, target);
  if ("broken" in path) {
    halt(draft, `block \`${target}\` was finalized, but ${path.broken}`);
    return false;
  }
  if ("missing" in path) return false;
  const { hash, block } = path.blocks[0]!;
  if (draft.verdicts.get(hash) !== true) return false;
  draft.delivered = block;
  draft.deliveredHash = hash;
  draft.effects.push({ type: "deliver", block, certificate });
  return true;
}

/** Asks for the next block on the way to be executed; judges those that have been. */
export function executeNext(draft: Draft): boolean {
  const certified = pathTo(draft, draft.tip.block);
  if ("blocks" in certified) {
    const next = certified.blocks.find(({ hash }) => draft.verdicts.get(hash) !== true);
    if (next !== undefined && draft.verdicts.get(next.hash) === false) {
      halt(draft, `a quorum notarized block \`${next.hash}\`, which leads to another root here`);
      return false;
    }
  }
  const candidate = candidateOf(draft);
  const path = pathTo(draft, candidate?.hash ?? draft.tip.block);
  if ("missing" in path) return false;
  if ("broken" in path) return reject(draft, candidate);
  const next = path.blocks.find(({ hash }) => draft.verdicts.get(hash) !== true);
  if (next === undefined) return false;
  if (draft.verdicts.get(next.hash) === false) return reject(draft, candidate);
  if (draft.executing === next.hash) return false;
  draft.executing = next.hash;
  draft.effects.push({ type: "execute", block: next.block });
  return true;
}

/** A proposal that is wrong in itself ends its leader's term. */
function reject(draft: Draft, candidate: PlacedBlock | undefined): boolean {
  if (candidate !== undefined) giveUp(draft);
  return false;
}

/** Whether everything up to the block has been executed here with the stated roots. */
export function isGood(draft: Draft, target: string): boolean {
  const path = pathTo(draft, target);
  return "blocks" in path && path.blocks.every(({ hash }) => draft.verdicts.get(hash) === true);
}

/** Asks whoever led to it, or everybody, for a block that is needed and not there. */
export function requestMissing(draft: Draft, from: number | undefined): void {
  const missing = firstMissing(draft);
  const isNew = missing !== null && missing !== draft.requested;
  draft.requested = missing;
  if (!isNew) return;
  const message = { type: "request", block: missing } as const;
  if (from === undefined) broadcast(draft, message);
  else draft.effects.push({ type: "send", to: from, message });
}

function firstMissing(draft: Draft): string | null {
  const { finalized, tip, delivered } = draft;
  const candidate = candidateOf(draft);
  const targets = [finalized, tip]
    .filter(({ view }) => compareViews(view, delivered.view) > 0)
    .map(({ block }) => block);
  for (const target of [...targets, ...(candidate === undefined ? [] : [candidate.hash])]) {
    const path = pathTo(draft, target);
    if ("missing" in path) return path.missing;
  }
  return null;
}

/** Takes blocks that were asked for: each hash is known from the one above it. */
export function takeBlocks(draft: Draft, { blocks }: BlocksMessage): void {
  let expected = draft.requested;
  for (const block of blocks) {
    if (expected === null || blockHash(block) !== expected) return;
    const isFar = block.height - draft.delivered.height > LAG_BLOCKS_MAX;
    if (!isFar || expected === draft.finalized.block)
      writable(draft, "blocks").set(expected, block);
    if (isFar) {
      fallBehind(draft);
      return;
    }
    expected = draft.blocks.has(block.parent) ? null : block.parent;
  }
}

/** The newest final block will do: what came before it is in its root. */
function fallBehind(draft: Draft): void {
  const { certificate, block: hash } = draft.finalized;
  const block = draft.blocks.get(hash);
  if (certificate === null || block === undefined) return;
  draft.effects.push({ type: "synchronize", block, certificate });
}

export function answerRequest(draft: Draft, from: number, target: string): void {
  const blocks: Block[] = [];
  for (let hash = target; blocks.length < ANSWER_BLOCKS_MAX; ) {
    const block = draft.blocks.get(hash);
    if (block === undefined) break;
    blocks.push(block);
    hash = block.parent;
  }
  if (blocks.length === 0) draft.effects.push({ type: "answer", to: from, block: target });
  else draft.effects.push({ type: "send", to: from, message: { type: "blocks", blocks } });
}
