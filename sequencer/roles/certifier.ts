/**
 * Runs one member of the validator set: gives the step function of `consensus/simplex.ts` what
 * happens and carries out what it says, in order. Nothing after a `persist` or `deliver` is begun
 * before that is durable. What gathers while a write is under way shares the next one: a record of
 * votes replaces the one before it, so that the newest makes all of them durable.
 */
import { BLOCK_RECORDS_MAX, type Block, blockHash, compareViews } from "../consensus/block.ts";
import { type BlockCertificate, type Nullification, votesOf } from "../consensus/certificate.ts";
import { ANSWER_BLOCKS_MAX, type Message } from "../consensus/message.ts";
import { type Step, start, step } from "../consensus/simplex.ts";
import {
  type ConsensusConfig,
  type ConsensusEffect,
  type ConsensusEvent,
  type ConsensusState,
  type TimerName,
  tipBlock,
} from "../consensus/state.ts";
import { leaderOf } from "../consensus/validatorSet.ts";
import { type Evidence, faultOf, type VerificationRules } from "../consensus/verification.ts";
import type { SignedVote } from "../consensus/vote.ts";
import type { CertificationStore, FinalBlock, Logger, MemberNetwork } from "../ports.ts";
import type { ExecutedLog } from "./executedLog.ts";
import { messageOf } from "./loop.ts";

/** Time as the driver needs it. */
export interface Scheduler {
  /** Runs `action` after `ms` unless the returned function is called before. */
  after(ms: number, action: () => void): () => void;
}

/** Where the log must be taken to, if need be from another member. */
export interface LogTarget {
  readonly to: number;
  readonly logHash: string;
}

export interface CertifierOptions {
  readonly consensus: ConsensusConfig;
  readonly rules: VerificationRules;
  readonly store: CertificationStore;
  readonly network: MemberNetwork;
  readonly log: ExecutedLog;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** A quorum vouches for the records up to here: whoever has them may be asked for them. */
  want(target: LogTarget): void;
  /** Told of each block as soon as it is final: its certificate is proof by itself. */
  onFinal?(final: FinalBlock): void;
}

export interface CertifierProgress {
  readonly term: number;
  /** Place of the term's leader in the set. */
  readonly leader: number;
  readonly final: FinalBlock | null;
  readonly evidence: number;
  readonly halted: string | null;
}

export interface Certifier {
  /** Goes on from what was made durable; resolves when it votes no more, with the reason. */
  run(signal: AbortSignal): Promise<string | undefined>;
  progress(): CertifierProgress;
}

interface Parts {
  readonly options: CertifierOptions;
  readonly timers: Map<TimerName, () => void>;
  readonly others: readonly number[];
  state: ConsensusState;
  queue: ConsensusEffect[];
  isPumping: boolean;
  isLeadingSoon: boolean;
  /** The block that is to be executed, until it has been. */
  executing: Block | undefined;
  synchronizing: FinalBlock | undefined;
  final: FinalBlock | undefined;
  evidence: number;
  /** It does nothing from then on; the reason where it must not. */
  ended: { readonly reason: string | undefined } | undefined;
  end(reason: string | undefined): void;
}

export function createCertifier(options: CertifierOptions): Certifier {
  const { consensus, log, network, store, logger } = options;
  const { validators, self } = consensus;
  const parts: Parts = {
    options,
    timers: new Map(),
    others: validators.members.map((_, member) => member).filter((member) => member !== self),
    state: start(consensus).state,
    ...{ queue: [], isPumping: false, isLeadingSoon: false, evidence: 0 },
    ...{ executing: undefined, synchronizing: undefined, final: undefined, ended: undefined },
    end: () => undefined,
  };
  return {
    run: async (signal) => {
      const memory = await store.load();
      parts.final = memory.delivered;
      const ended = new Promise<string | undefined>((resolve) => {
        parts.end = (reason) => {
          parts.ended ??= { reason };
          for (const cancel of parts.timers.values()) cancel();
          resolve(reason);
        };
      });
      signal.addEventListener("abort", () => parts.end(undefined), { once: true });
      if (signal.aborted) parts.end(undefined);
      take(parts, start(consensus, memory));
      network.onMessage((from, message) => receive(parts, from, message));
      log.onGrowth(() => onGrowth(parts));
      logger.info("certifying", { self, session: validators.session, term: parts.state.term });
      return ended;
    },
    progress: () => ({
      term: parts.state.term,
      leader: leaderOf(validators, parts.state.term),
      final: parts.final ?? null,
      evidence: parts.evidence,
      halted: parts.state.halted ?? parts.ended?.reason ?? null,
    }),
  };
}

/** What is wrong with a message, for which its sender is to blame; or takes it. */
function receive(parts: Parts, from: number, message: Message): string | undefined {
  if (parts.ended !== undefined) return undefined;
  const fault = faultOf(parts.options.rules, message);
  if (fault !== undefined) return fault;
  const forgotten = forgottenVote(parts, message);
  if (forgotten !== undefined) {
    fail(parts, `it has lost its record of votes: it once cast \`${forgotten.kind}\``);
    return undefined;
  }
  happen(parts, { type: "received", from, message });
  return undefined;
}

/**
 * A vote of this very member that it knows nothing of. Every vote is durable before anybody sees
 * it, so the record was lost or is an old copy, and to go on voting would be to lie.
 */
function forgottenVote({ state }: Parts, message: Message): SignedVote | undefined {
  const { own, config } = state;
  const votes = certificatesIn(message).flatMap(votesOf);
  if (message.type === "vote" || message.type === "proposal") votes.push(message.vote);
  return votes.find((vote) => {
    if (vote.validator !== config.self) return false;
    if (vote.kind === "nullify") return vote.term > (own.nullify?.vote.term ?? 0);
    const newest = vote.kind === "notarize" ? own.notarize?.view : own.finalize?.view;
    return newest === undefined || compareViews(vote.view, newest) > 0;
  });
}

/** Every certificate of a message, the one of a nullification's tip too. */
function certificatesIn(message: Message): (BlockCertificate | Nullification)[] {
  if (message.type === "request" || message.type === "blocks") return [];
  const certificate = message.type === "proposal" ? message.reason : message.certificate;
  const tip = certificate?.kind === "nullify" ? certificate.tip.certificate : null;
  return [certificate, tip].filter((found) => found !== null);
}

function happen(parts: Parts, event: ConsensusEvent): void {
  if (parts.ended !== undefined) return;
  try {
    take(parts, step(parts.state, event));
  } catch (error) {
    fail(parts, messageOf(error));
  }
}

function take(parts: Parts, { state, effects }: Step): void {
  parts.state = state;
  parts.queue.push(...effects);
  void pump(parts);
  if (parts.executing !== undefined) wantIfCertified(parts, parts.executing);
  leadSoon(parts);
}

/** Carries out what waits, a durable write at a time. */
async function pump(parts: Parts): Promise<void> {
  if (parts.isPumping) return;
  parts.isPumping = true;
  try {
    while (parts.queue.length > 0 && parts.ended === undefined) {
      const effects = parts.queue;
      parts.queue = [];
      const first = effects.findIndex(isDurable);
      const isFree = first === -1;
      for (const effect of isFree ? effects : effects.slice(0, first)) carryOut(parts, effect);
      if (isFree) continue;
      const rest = effects.slice(first);
      // Needs no write of ours: the certificate proves it to whoever hears of it.
      for (const final of deliveredIn(rest)) {
        parts.final = final;
        parts.options.onFinal?.(final);
      }
      await parts.options.store.save(changeOf(rest));
      if (parts.ended !== undefined) return;
      for (const effect of rest) carryOut(parts, effect);
    }
  } catch (error) {
    // Nobody knows what a disk has kept that failed once.
    fail(parts, `its votes cannot be made durable: ${messageOf(error)}`);
  } finally {
    parts.isPumping = false;
  }
}

function isDurable({ type }: ConsensusEffect): boolean {
  return type === "persist" || type === "deliver";
}

function changeOf(effects: readonly ConsensusEffect[]) {
  const votes = effects.filter((effect) => effect.type === "persist").at(-1);
  return { durable: votes?.durable, delivered: deliveredIn(effects) };
}

function deliveredIn(effects: readonly ConsensusEffect[]): FinalBlock[] {
  return effects
    .filter((effect) => effect.type === "deliver")
    .map(({ block, certificate }) => ({ block, certificate }));
}

function carryOut(parts: Parts, effect: ConsensusEffect): void {
  const { network, scheduler, logger } = parts.options;
  switch (effect.type) {
    case "persist":
    case "deliver":
      break;
    case "broadcast":
      network.send(parts.others, effect.message);
      break;
    case "send":
      network.send([effect.to], effect.message);
      break;
    case "startTimer": {
      const { name, id, ms } = effect;
      parts.timers.get(name)?.();
      const fire = (): void => happen(parts, { type: "timer", name, id });
      parts.timers.set(name, scheduler.after(ms, fire));
      break;
    }
    case "execute":
      parts.executing = effect.block;
      wantIfCertified(parts, effect.block);
      void execute(parts, effect.block);
      break;
    case "lead":
      logger.info("leading", { term: effect.term, from: effect.base.to });
      leadSoon(parts);
      break;
    case "answer":
      void answer(parts, effect.to, effect.block);
      break;
    case "evidence":
      accuse(parts, effect.evidence);
      break;
    case "synchronize":
      parts.synchronizing = { block: effect.block, certificate: effect.certificate };
      parts.options.want(effect.block);
      void synchronize(parts);
      break;
    case "halt":
      fail(parts, effect.reason);
      break;
  }
}

function fail(parts: Parts, reason: string): void {
  if (parts.ended !== undefined) return;
  parts.options.logger.error("votes no more: somebody must look", { reason });
  parts.end(reason);
}

function onGrowth(parts: Parts): void {
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
function wantIfCertified({ state, options }: Parts, block: Block): void {
  if (compareViews(block.view, state.tip.view) <= 0) options.want(block);
}

/** Tells what the own log, which holds only what was executed, says of the block. */
async function execute(parts: Parts, block: Block): Promise<void> {
  const { log } = parts.options;
  if (block.to > log.head().to) return;
  try {
    const hash = blockHash(block);
    const parent = parts.state.blocks.get(block.parent) ?? parts.state.delivered;
    if (blockHash(parent) !== block.parent) return;
    const place = await log.placeAt(parent, block.to);
    if (place === undefined || parts.executing !== block) return;
    parts.executing = undefined;
    const root = place.logHash === block.logHash ? place.root : null;
    if (root === null) {
      const { to, logHash } = block;
      parts.options.logger.error("a block is of another log", { to, logHash, own: place.logHash });
    }
    happen(parts, { type: "executed", block: hash, root });
  } catch (error) {
    fail(parts, messageOf(error));
  }
}

/** Adopts a final block that is too far ahead to be reached one by one. */
async function synchronize(parts: Parts): Promise<void> {
  const final = parts.synchronizing;
  const { log, store } = parts.options;
  try {
    if (final === undefined) return;
    const place = await log.placeAt(parts.state.delivered, final.block.to);
    if (place === undefined || parts.synchronizing !== final) return;
    parts.synchronizing = undefined;
    const { block } = final;
    if (place.logHash !== block.logHash || place.root !== block.root) {
      fail(parts, `block \`${block.height}\` is final with another log or root than the own`);
      return;
    }
    if (block.height <= parts.state.delivered.height) return;
    parts.final = final;
    parts.options.onFinal?.(final);
    await store.save({ delivered: [final] });
    happen(parts, { type: "adopted", ...final });
  } catch (error) {
    fail(parts, messageOf(error));
  }
}

/** Tells once a turn how far the log has come, as long as this member leads. */
function leadSoon(parts: Parts): void {
  const { state } = parts;
  if (parts.isLeadingSoon || state.leading !== state.term || parts.ended !== undefined) return;
  if (growthTarget(parts) === undefined) return;
  parts.isLeadingSoon = true;
  setImmediate(() => {
    parts.isLeadingSoon = false;
    void tellGrowth(parts);
  });
}

async function tellGrowth(parts: Parts): Promise<void> {
  const target = growthTarget(parts);
  if (target === undefined || parts.ended !== undefined) return;
  const { term, base, to } = target;
  try {
    const place = await parts.options.log.placeAt(base, to);
    if (place === undefined || parts.state.leading !== term) return;
    happen(parts, { type: "grew", growth: { term, ...place } });
  } catch (error) {
    fail(parts, messageOf(error));
  }
}

/** Up to where the next block may go, if that is news. */
function growthTarget({ state, options }: Parts) {
  const { term, growth } = state;
  const base = tipBlock(state);
  if (base === undefined || state.leading !== term) return undefined;
  const to = Math.min(options.log.head().to, base.to + BLOCK_RECORDS_MAX);
  const told = growth?.term === term ? growth.to : base.to;
  return to > Math.max(base.to, told) ? { term, base, to } : undefined;
}

async function answer(parts: Parts, to: number, target: string): Promise<void> {
  const { store, network, logger } = parts.options;
  try {
    const blocks: Block[] = [];
    let block = await store.block(target);
    while (block !== undefined && blocks.length < ANSWER_BLOCKS_MAX) {
      blocks.push(block);
      block = await store.block(block.parent);
    }
    if (blocks.length > 0) network.send([to], { type: "blocks", blocks });
  } catch (error) {
    logger.warn("a block could not be read for another member", { error: messageOf(error) });
  }
}

function accuse(parts: Parts, evidence: Evidence): void {
  const { logger, store } = parts.options;
  parts.evidence += 1;
  const { first, second } = evidence;
  logger.error("a member lies: two votes prove it", { first, second });
  store.accuse(evidence).catch((error: unknown) => {
    logger.warn("evidence could not be stored", { error: messageOf(error) });
  });
}
