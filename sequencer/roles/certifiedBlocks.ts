/**
 * The certifier's side towards its own log: what it says of blocks, how far a leader's goes, and
 * what of it must be cut off where the sequencer moves with the leader.
 */
import { BLOCK_RECORDS_MAX, type Block, blockHash, compareViews } from "../consensus/block.ts";
import { type BlockCertificate, votesOf } from "../consensus/certificate.ts";
import {
  type ConsensusEvent,
  type ConsensusState,
  type Durable,
  tipBlock,
} from "../consensus/state.ts";
import type { FinalBlock, LogEnd, Logger } from "../ports.ts";
import type { ExecutedLog, ExecutedPlace } from "./executedLog.ts";
import { messageOf } from "./loop.ts";

/**
 * Where the sequencer moves with the leader: the records of a term are written by its leader's
 * sequencer, and bear the term as their epoch.
 */
export interface Moving {
  /** A term has begun: `leader`'s sequencer writes the log from its first block's parent on. */
  onTerm(term: number, leader: number): void;
  /** This member leads: its sequencer is to go on after the block. */
  onLead(term: number, base: Block): void;
  /** This member votes in its term no more: what its sequencer writes in it nobody takes. */
  onGivenUp(): void;
  /**
   * What the own log holds from `to` on is not what the others go on with: it is to be cut off.
   * `isLeaderWrong`: the leader's sequencer wrote that, so it is no source for what is true.
   */
  onStale(to: number, isLeaderWrong: boolean): void;
}

/** What of a certifier its blocks need. */
export interface BlockParts {
  readonly options: {
    readonly log: ExecutedLog;
    readonly logger: Logger;
    readonly moving?: Moving | undefined;
    want(target: LogEnd): void;
    onFinal?(final: FinalBlock): void;
  };
  readonly state: ConsensusState;
  readonly ended: object | undefined;
  /** Blocks for which the log was cut off in this term. */
  readonly cutFor: Set<string>;
  isLeadingSoon: boolean;
  /** The block that is to be executed, until it has been. */
  executing: Block | undefined;
  synchronizing: FinalBlock | undefined;
  final: FinalBlock | undefined;
  happen(event: ConsensusEvent): void;
  /** Resolves when the block, and those that became final before it, are durable as such. */
  saveFinal(final: FinalBlock): Promise<void>;
  /** It votes no more. */
  fail(reason: string): void;
}

export function onGrowth(parts: BlockParts): void {
  if (parts.ended !== undefined) return;
  const { executing, synchronizing } = parts;
  const { to } = parts.options.log.head();
  if (executing !== undefined && to >= executing.to) void execute(parts, executing);
  if (synchronizing !== undefined && to >= synchronizing.block.to) void synchronize(parts);
  leadSoon(parts);
}

/**
 * Records that only their proposer vouches for are taken from the sequencer alone: what a quorum
 * has notarized, honest members have executed, so that any member will do to copy it from.
 */
export function wantIfCertified(parts: BlockParts, block: Block): void {
  if (isCertified(parts, block)) parts.options.want(block);
}

/** Whether a quorum is behind the block: it is the tip, or the tip descends from it. */
function isCertified({ state: { tip, blocks } }: BlockParts, block: Block): boolean {
  const own = blockHash(block);
  for (let hash = tip.block; hash !== own; ) {
    const above = blocks.get(hash);
    if (above === undefined || above.height <= block.height) return false;
    hash = above.parent;
  }
  return true;
}

/** Tells what the own log, which holds only what was executed, says of the block. */
export async function execute(parts: BlockParts, block: Block): Promise<void> {
  const { log, moving } = parts.options;
  if (block.to > log.head().to) return;
  try {
    const parent = parentOf(parts, block);
    if (parent === undefined) return;
    const place = await log.placeAt(parent, block.to);
    if (place === undefined || parts.executing !== block) return;
    const isSame = place.logHash === block.logHash;
    if (!isSame && moving !== undefined) {
      differ(parts, block, { parent, place });
      return;
    }
    parts.executing = undefined;
    const isOfTerm =
      moving === undefined || block.to === block.from || place.epoch === block.view.term;
    const root = isSame && isOfTerm ? place.root : null;
    if (root === null) {
      const { to, logHash } = block;
      parts.options.logger.error("a block is of another log", { to, logHash, own: place.logHash });
    }
    parts.happen({ type: "executed", block: blockHash(block), root });
  } catch (error) {
    parts.fail(messageOf(error));
  }
}

function parentOf({ state }: BlockParts, { parent }: Block): Block | undefined {
  const block = state.blocks.get(parent) ?? state.delivered;
  return blockHash(block) === parent ? block : undefined;
}

/** The newest block up to the tip that was executed here: what was voted for is not cut off. */
export function executedTip({ tip, blocks, verdicts, delivered }: ConsensusState): Block {
  for (let hash = tip.block; ; ) {
    const block = blocks.get(hash);
    if (block === undefined || block.height <= delivered.height) return delivered;
    if (verdicts.get(hash) === true) return block;
    hash = block.parent;
  }
}

/** Whether no vote of this member in the certificate waits for the disk. */
export function isSayable(
  certificate: BlockCertificate,
  self: number,
  durable: Durable | undefined,
): boolean {
  if (!votesOf(certificate).some(({ validator }) => validator === self)) return true;
  const cast = durable?.own.finalize?.view;
  return cast !== undefined && compareViews(certificate.view, cast) <= 0;
}

/**
 * The own log ends otherwise than the block. What the sequencer of an earlier term wrote there is
 * cut off. Where it is this term's, its leader shows different logs: without a quorum behind the
 * block nobody knows which counts, and the term must end; with one, the block's does.
 */
function differ(
  parts: BlockParts,
  block: Block,
  { parent, place }: { readonly parent: Block; readonly place: ExecutedPlace },
): void {
  const { term, tip } = parts.state;
  const isStale = place.epoch !== term;
  const isOfQuorum = isCertified(parts, block);
  const isProposed = block.view.term === term && compareViews(block.view, tip.view) > 0;
  // Nobody goes on with it: what the own log holds in its place is not wrong.
  if (!isOfQuorum && !isProposed) return;
  const hash = blockHash(block);
  if (!isStale && !isOfQuorum) {
    parts.happen({ type: "resigned", term });
    return;
  }
  if (parts.cutFor.has(hash)) return;
  parts.cutFor.add(hash);
  cutOff(parts, parent.to, { isLeaderWrong: !isStale });
  if (isOfQuorum) parts.options.want(block);
}

export function cutOff(
  parts: BlockParts,
  from: number,
  { isLeaderWrong }: { isLeaderWrong: boolean },
): void {
  const { moving, log, logger } = parts.options;
  // What is final stays.
  const to = Math.max(from, parts.state.delivered.to);
  if (moving === undefined || log.head().to <= to) return;
  logger.warn("the own log is cut off", { to, from: log.head().to, isLeaderWrong });
  moving.onStale(to, isLeaderWrong);
}

/** Adopts a final block that is too far ahead to be reached one by one. */
export async function synchronize(parts: BlockParts): Promise<void> {
  const final = parts.synchronizing;
  const { options } = parts;
  const { log } = options;
  try {
    if (final === undefined) return;
    const place = await log.placeAt(parts.state.delivered, final.block.to);
    if (place === undefined || parts.synchronizing !== final) return;
    const { block } = final;
    const hash = blockHash(block);
    const isOther = place.logHash !== block.logHash;
    if (isOther && options.moving !== undefined && !parts.cutFor.has(hash)) {
      parts.cutFor.add(hash);
      cutOff(parts, parts.state.delivered.to, { isLeaderWrong: false });
      options.want(block);
      return;
    }
    parts.synchronizing = undefined;
    if (place.logHash !== block.logHash || place.root !== block.root) {
      parts.fail(`block \`${block.height}\` is final with another log or root than the own`);
      return;
    }
    if (block.height <= parts.state.delivered.height) return;
    parts.final = final;
    parts.options.onFinal?.(final);
    await parts.saveFinal(final);
    parts.happen({ type: "adopted", ...final });
  } catch (error) {
    parts.fail(messageOf(error));
  }
}

/** Tells once a turn how far the log has come, as long as this member leads. */
export function leadSoon(parts: BlockParts): void {
  const { state } = parts;
  if (parts.isLeadingSoon || state.leading !== state.term || parts.ended !== undefined) return;
  if (growthTarget(parts) === undefined) return;
  parts.isLeadingSoon = true;
  setImmediate(() => {
    parts.isLeadingSoon = false;
    void tellGrowth(parts);
  });
}

async function tellGrowth(parts: BlockParts): Promise<void> {
  const target = growthTarget(parts);
  if (target === undefined || parts.ended !== undefined) return;
  const { term, base, to } = target;
  try {
    const place = await parts.options.log.placeAt(base, to);
    if (place === undefined || parts.state.leading !== term) return;
    const { epoch, ...growth } = place;
    // What another term's sequencer wrote after the base is not this one's to propose.
    if (parts.options.moving !== undefined && epoch !== term) return;
    parts.happen({ type: "grew", growth: { term, ...growth } });
  } catch (error) {
    parts.fail(messageOf(error));
  }
}

/** Up to where the next block may go, if that is news. */
function growthTarget({ state, options }: BlockParts) {
  const { term, growth } = state;
  const base = tipBlock(state);
  if (base === undefined || state.leading !== term) return undefined;
  const to = Math.min(options.log.head().to, base.to + BLOCK_RECORDS_MAX);
  const told = growth?.term === term ? growth.to : base.to;
  return to > Math.max(base.to, told) ? { term, base, to } : undefined;
}
