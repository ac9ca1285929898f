/**
 * Runs one member of the validator set: gives the step function of `consensus/simplex.ts` what
 * happens and carries out what it says, in order. Nothing after a `persist` or `deliver` is begun
 * before that is durable. What gathers while a write is under way shares the next one: a record of
 * votes replaces the one before it, so that the newest makes all of them durable.
 */
import { type Block, compareViews } from "../consensus/block.ts";
import { type BlockCertificate, type Nullification, votesOf } from "../consensus/certificate.ts";
import { ANSWER_BLOCKS_MAX, type Message } from "../consensus/message.ts";
import { type Step, start, step } from "../consensus/simplex.ts";
import {
  type ConsensusConfig,
  type ConsensusEffect,
  type ConsensusEvent,
  type ConsensusState,
  isVoter,
  type TimerName,
} from "../consensus/state.ts";
import { leaderOf } from "../consensus/validatorSet.ts";
import { type Evidence, faultOf, type VerificationRules } from "../consensus/verification.ts";
import type { SignedVote } from "../consensus/vote.ts";
import type { CertificationStore, FinalBlock, LogEnd, Logger, MemberNetwork } from "../ports.ts";
import {
  type BlockParts,
  cutOff,
  execute,
  leadSoon,
  type Moving,
  onGrowth,
  parentOf,
  synchronize,
  wantIfCertified,
} from "./certifiedBlocks.ts";
import type { ExecutedLog, ExecutedPlace } from "./executedLog.ts";
import { messageOf } from "./loop.ts";

/** Time as the driver needs it. */
export interface Scheduler {
  /** Runs `action` after `ms` unless the returned function is called before. */
  after(ms: number, action: () => void): () => void;
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
  want(target: LogEnd): void;
  /** Told of each block as soon as it is final: its certificate is proof by itself. */
  onFinal?(final: FinalBlock): void;
  /** Absent: there is one sequencer, whoever leads. */
  readonly moving?: Moving | undefined;
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
  /** The term must end: its leader shows a log that breaks the rules, or cannot lead. */
  resign(term: number): void;
  /** The own log was cut off there. */
  rewound(place: ExecutedPlace): void;
  /** What the leader's sequencer sends does not continue the own log. */
  contradicted(): void;
}

interface Parts extends BlockParts {
  readonly options: CertifierOptions;
  readonly timers: Map<TimerName, () => void>;
  readonly others: readonly number[];
  state: ConsensusState;
  queue: ConsensusEffect[];
  isPumping: boolean;
  /** Term that was last told of, and that was last given up. */
  toldTerm: number;
  givenUpTerm: number;
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
    ...{ toldTerm: 0, givenUpTerm: 0, cutFor: new Set<string>() },
    end: () => undefined,
    happen: (event) => happen(parts, event),
    fail: (reason) => fail(parts, reason),
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
      if (mayHaveLed(parts, memory.durable?.term)) {
        happen(parts, { type: "resigned", term: parts.state.term });
      }
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
    resign: (term) => happen(parts, { type: "resigned", term }),
    rewound: (place) => {
      log.rewound(place);
      happen(parts, { type: "rewound", to: place.to });
    },
    contradicted: () => {
      const { executing, state } = parts;
      const parent = executing === undefined ? undefined : parentOf(parts, executing);
      const to = Math.max(parent?.to ?? 0, state.delivered.to);
      if (log.head().to > to) cutOff(parts, to, { isLeaderWrong: false });
      else happen(parts, { type: "resigned", term: state.term });
    },
  };
}

/**
 * Whether the own sequencer may have written in this term before this node began: then it does not
 * write in it again. What others have of it they could not tell from what it would write now.
 */
function mayHaveLed({ options, state }: Parts, term: number | undefined): boolean {
  const { validators, self } = options.consensus;
  return options.moving !== undefined && term === state.term && leaderOf(validators, term) === self;
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
  tellTerm(parts);
  parts.queue.push(...effects);
  void pump(parts);
  if (parts.executing !== undefined) wantIfCertified(parts, parts.executing);
  leadSoon(parts);
}

function tellTerm(parts: Parts): void {
  const { term, config } = parts.state;
  const { moving } = parts.options;
  if (parts.toldTerm !== term) {
    parts.toldTerm = term;
    parts.cutFor.clear();
    moving?.onTerm(term, leaderOf(config.validators, term));
  }
  if (isVoter(parts.state) || parts.givenUpTerm === term) return;
  parts.givenUpTerm = term;
  moving?.onGivenUp();
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
      parts.options.moving?.onLead(effect.term, effect.base);
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
