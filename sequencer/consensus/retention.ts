/** The end of a step: what must be durable first, and what need not be kept any longer. */
import type { Block } from "./block.ts";
import {
  type ConsensusEffect,
  type ConsensusState,
  type Draft,
  type Durable,
  RECENT_BLOCKS_MAX,
  writable,
} from "./state.ts";
import { isKept } from "./voting.ts";

/** Puts the vote's durability before everything that tells of it. */
export function closeDraft(draft: Draft): {
  state: ConsensusState;
  effects: readonly ConsensusEffect[];
} {
  const durable = draft.isVoting ? durableOf(draft) : undefined;
  if (hasMoved(draft)) forget(draft);
  const { effects, before: _before, copied: _copied, isVoting: _isVoting, ...state } = draft;
  if (durable === undefined) return { state, effects };
  return { state, effects: [{ type: "persist", durable }, ...effects] };
}

/** `deliver` comes after `persist`: headers that this step delivers are still needed. */
function durableOf(draft: Draft): Durable {
  const { term, own, tip, finalized, opening } = draft;
  const delivered = (draft.before ?? draft).delivered.height;
  const blocks: Block[] = [];
  draft.blocks.forEach((block) => {
    if (block.height > delivered) blocks.push(block);
  });
  return { term, own, tip, finalized, opening, blocks };
}

function hasMoved({ before, term, tip, delivered }: Draft): boolean {
  if (before === null) return true;
  return before.term !== term || before.tip !== tip || before.delivered !== delivered;
}

function forget(draft: Draft): void {
  draft.votes.forEach((vote, key) => {
    if (!isKept(draft, vote)) writable(draft, "votes").delete(key);
  });
  draft.proposals.forEach((hash, key) => {
    const view = draft.blocks.get(hash)?.view;
    const isNear = view && isKept(draft, { kind: "notarize", term: view.term, view, block: hash });
    if (!isNear) writable(draft, "proposals").delete(key);
  });
  forgetBlocks(draft);
}

/** Keeps recent final blocks, those on the way to certified ones, and proposals. */
function forgetBlocks(draft: Draft): void {
  const { delivered, finalized, tip, proposals } = draft;
  const wanted = new Set<string>();
  proposals.forEach((hash) => {
    wanted.add(hash);
  });
  for (const target of [finalized.block, tip.block]) {
    let hash = target;
    for (let block = draft.blocks.get(hash); block !== undefined; block = draft.blocks.get(hash)) {
      if (block.height <= delivered.height) break;
      wanted.add(hash);
      hash = block.parent;
    }
  }
  draft.blocks.forEach((block, hash) => {
    const isRecent =
      block.height <= delivered.height && block.height > delivered.height - RECENT_BLOCKS_MAX;
    if (isRecent || wanted.has(hash)) return;
    writable(draft, "blocks").delete(hash);
    writable(draft, "verdicts").delete(hash);
  });
}
