/**
 * Runs one member of the validator set: gives the step function of `consensus/simplex.ts` what
 * happens and carries out what it says. What others hear of leaves in order, and nothing after a
 * `persist` before that is durable. What gathers in one turn of the event loop, or while a write is
 * under way, shares the next one: a record of votes replaces the one before it, so that the newest
 * makes all of them durable. Final blocks go into the same write; without a vote they wait a
 * little, since their certificates prove them to whoever has lost them.
 */
import { compareViews } from "../consensus/block.ts";
import { type BlockCertificate, type Nullification, votesOf } from "../consensus/certificate.ts";
import type { Message } from "../consensus/message.ts";
import { type Step, start, step } from "../consensus/simplex.ts";
import {
  type ConsensusConfig,
  type ConsensusEffect,
  type ConsensusEvent,
  type ConsensusState,
  type Durable,
  isVoter,
  type TimerName,
} from "../consensus/state.ts";
import { leaderOf } from "../consensus/validatorSet.ts";
import { type Evidence, faultOf, type VerificationRules } from "../consensus/verification.ts";
import type { SignedVote } from "../consensus/vote.ts";
import type { CertificationStore, FinalBlock, LogEnd, Logger, MemberNetwork } from "../ports.ts";
import { createBlockAnswers } from "./blockAnswers.ts";
import {
  type BlockParts,
  cutOff,
  execute,
  executedTip,
  isSayable,
  leadSoon,
  type Moving,
  onGrowth,
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

/** Final blocks without a vote to share a write with are written after so long (ms). */
const FINAL_WAIT_MS = 50;

interface Parts extends BlockParts {
  readonly options: CertifierOptions;
  readonly timers: Map<TimerName, () => void>;
  readonly others: readonly number[];
  state: ConsensusState;
  /** What waits until the votes before it are durable. */
  queue: ConsensusEffect[];
  isPumping: boolean;
  /** Final blocks that have not been written, and those of which nobody has been told. */
  unsaved: FinalBlock[];
  untold: FinalBlock[];
  /** The newest record of votes on the disk. */
  durable: Durable | undefined;
  readonly answer: ReturnType<typeof createBlockAnswers>;
  /** Cancels the write of them that is due later. */
  cancelSaving: (() => void) | undefined;
  /** The newest write: one at a time, or an older one could be the last. */
  saving: Promise<void>;
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
    ...{ unsaved: [], untold: [], durable: undefined },
    ...{ cancelSaving: undefined, saving: Promise.resolve() },
    ...{ executing: undefined, synchronizing: undefined, final: undefined, ended: undefined },
    answer: createBlockAnswers(options),
    ...{ toldTerm: 0, givenUpTerm: 0, cutFor: new Set<string>() },
    end: () => undefined,
    happen: (event) => happen(parts, event),
    saveFinal: (final) => {
      parts.unsaved.push(final);
      return save(parts, undefined);
    },
    fail: (reason) => fail(parts, reason),
  };
  return {
    run: async (signal) => {
      const memory = await store.load();
      parts.final = memory.delivered;
      parts.durable = memory.durable;
      const ended = new Promise<string | undefined>((resolve) => {
        parts.end = (reason) => {
          parts.ended ??= { reason };
          for (const cancel of parts.timers.values()) cancel();
          parts.cancelSaving?.();
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
      const { state } = parts;
      const to = executedTip(state).to;
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
  for (const effect of effects) {
    if (isInward(effect)) carryOut(parts, effect);
    else parts.queue.push(effect);
  }
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

/** Tells nobody anything: it need not wait for votes to be durable. */
function isInward({ type }: ConsensusEffect): boolean {
  return type === "execute" || type === "startTimer" || type === "deliver";
}

/** Carries out what waits, a durable write at a time. */
async function pump(parts: Parts): Promise<void> {
  if (parts.isPumping) return;
  parts.isPumping = true;
  try {
    while (parts.queue.length > 0 && parts.ended === undefined) {
      const first = parts.queue.findIndex(({ type }) => type === "persist");
      const isFree = first === -1;
      const free = parts.queue.splice(0, isFree ? parts.queue.length : first);
      for (const effect of free) carryOut(parts, effect);
      if (isFree) continue;
      await new Promise((resolve) => setImmediate(resolve));
      const effects = parts.queue.splice(0);
      const durable = effects.filter((effect) => effect.type === "persist").at(-1)?.durable;
      await save(parts, durable);
      if (parts.ended !== undefined) return;
      parts.durable = durable;
      tellFinals(parts);
      for (const effect of effects) carryOut(parts, effect);
    }
  } catch (error) {
    fail(parts, messageOf(error));
  } finally {
    parts.isPumping = false;
  }
}

/** Resolves when the votes, and what has become final before them, are durable. */
async function save(parts: Parts, durable: Durable | undefined): Promise<void> {
  parts.cancelSaving?.();
  parts.cancelSaving = undefined;
  const delivered = parts.unsaved.splice(0);
  const { store } = parts.options;
  parts.saving = parts.saving.then(() => store.save({ durable, delivered }));
  try {
    await parts.saving;
  } catch (error) {
    // Nobody knows what a disk has kept that failed once.
    throw new Error(`its votes cannot be made durable: ${messageOf(error)}`, { cause: error });
  }
}

/** Its certificate proves it to whoever hears of it: that needs no write of the block. */
function deliver(parts: Parts, final: FinalBlock): void {
  const { scheduler } = parts.options;
  parts.unsaved.push(final);
  parts.untold.push(final);
  tellFinals(parts);
  if (parts.ended !== undefined) return;
  parts.cancelSaving ??= scheduler.after(FINAL_WAIT_MS, () => {
    if (parts.unsaved.length === 0) return;
    save(parts, undefined).catch((error: unknown) => fail(parts, messageOf(error)));
  });
}

/** In their order, each as soon as no vote of this member in its certificate waits for the disk. */
function tellFinals(parts: Parts): void {
  for (let next = parts.untold[0]; next !== undefined; next = parts.untold[0]) {
    const { self } = parts.options.consensus;
    if (!isSayable(next.certificate, self, parts.durable)) return;
    parts.untold.shift();
    if (next.block.height <= (parts.final?.block.height ?? 0)) continue;
    parts.final = next;
    parts.options.onFinal?.(next);
  }
}

function carryOut(parts: Parts, effect: ConsensusEffect): void {
  const { network, scheduler, logger } = parts.options;
  switch (effect.type) {
    case "persist":
      break;
    case "deliver":
      deliver(parts, { block: effect.block, certificate: effect.certificate });
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
      void parts.answer(effect.to, effect.block);
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

function accuse(parts: Parts, evidence: Evidence): void {
  const { logger, store } = parts.options;
  parts.evidence += 1;
  const { first, second } = evidence;
  logger.error("a member lies: two votes prove it", { first, second });
  store.accuse(evidence).catch((error: unknown) => {
    logger.warn("evidence could not be stored", { error: messageOf(error) });
  });
}
