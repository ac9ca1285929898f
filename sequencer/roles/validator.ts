/**
 * A validator: follows the log, executes it again, and signs the roots that it finds itself. On any
 * difference it refuses, says why, and signs nothing more: whoever runs it must look.
 */
import {
  assertContinues,
  headAfter,
  type LogHead,
  type LogRecord,
  logOrigin,
} from "../batch/log.ts";
import { wordsHash } from "../batch/publicInputs.ts";
import type { SealedBatch } from "../batch/sealedBatch.ts";
import type {
  Attestation,
  BatchStore,
  CheckpointStore,
  Clock,
  Log,
  LogFollower,
  Logger,
  Prover,
  Refusal,
  SettlementLayer,
} from "../ports.ts";
import { REASON_LENGTH_MAX } from "../protocol/certification.ts";
import { REORG_BATCHES } from "./batchTracker.ts";
import type { Effect } from "./effect.ts";
import type { ExecutedPlace } from "./executedLog.ts";
import { loop, messageOf, pause, unlessAborted } from "./loop.ts";
import {
  type CheckpointDraft,
  createNodeState,
  type Deployment,
  draftCheckpoint,
  type ExecutorMemory,
  loadCheckpoint,
  type NodeState,
} from "./nodeState.ts";
import { ownStores } from "./ownStores.ts";
import { watchProofs } from "./proofWatch.ts";
import { createQueueCheck, type QueueCheck } from "./queueCheck.ts";
import { asRefusal, RefusalError } from "./refusal.ts";
import { readSeenHeads, type SeenHeads, seenFault } from "./seenHeads.ts";

/** Sealed batches that layer one may lack while a validator still attests each. */
const UNANCHORED_MAX = 1_000;
const KEPT_MAX = UNANCHORED_MAX + REORG_BATCHES;
/** How often newly sealed batches are looked for (ms). */
const ATTEST_POLL_MS = 50;
/** How long the sequencer may take to hear of a refusal before this validator ends (ms). */
const TELL_MS_MAX = 10_000;

/** Signs what this validator has found. */
export interface Attester {
  readonly address: string;
  attest(content: Omit<Sealed, "position">): Promise<Attestation>;
  refuse(content: Omit<Refusal, "validator" | "signature">): Promise<Refusal>;
}

export interface ValidatorPorts {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Its own copy of the log, of what it has executed. */
  readonly log: Log;
  readonly checkpoints: CheckpointStore;
  readonly batches: BatchStore;
  readonly settlement: SettlementLayer;
  readonly follower: LogFollower;
  readonly prover: Pick<Prover, "verify">;
  readonly attester: Attester;
  /** Whether the record at the position can be replaced no more: only such batches are attested. */
  isFinal?(position: number): boolean;
  /**
   * Asked before the validator refuses a record: false where that says nothing of what the others
   * go on with. It ends then, and tells nobody.
   */
  mayRefuse?(refusal: RefusalError): boolean;
}

/** Times in ms. */
export interface ValidatorConfig {
  readonly deployment: Deployment;
  /** How long layer one may take to show a queue entry that the log has. */
  readonly queueWaitMs: number;
  /** How far a batch may be ahead of this validator's clock. */
  readonly clockSkewMs: number;
  readonly checkpointEvery: number;
  /** Attestations of what is not anchored are sent again so often: a sequencer forgets them. */
  readonly resendMs: number;
  readonly pollMs: number;
}

export interface Validator {
  /** Runs until the signal aborts or the validator refuses; returns why it did. */
  run(signal: AbortSignal): Promise<string | undefined>;
  /** What has been executed and attested. */
  progress(): { readonly position: number; readonly attested: number };
  /** Where its copy of the log stands, and the root at the last seal in it. */
  place(): ExecutedPlace;
  /** From now on told of each record once it is executed and durable, with that root. */
  onExecuted(listener: (record: LogRecord, root: bigint) => void): void;
}

/** A batch that was executed here; `position` of its seal. */
interface Sealed {
  readonly position: number;
  readonly number: number;
  readonly root: bigint;
  readonly wordsHash: string;
  readonly logHash: string;
}

/** What a checkpoint keeps besides the state. */
interface ValidatorMemory extends ExecutorMemory {
  readonly nextQueueId: number;
  /** What is kept: a sequencer that was not there has not heard of them. */
  readonly unanchored?: readonly Sealed[];
  /** Batches up to it layer one has had: they are kept for the case of a reorg. */
  readonly anchored?: number;
}

type ValidatorDraft = CheckpointDraft & Pick<ValidatorMemory, "nextQueueId"> & { head: LogHead };

interface Parts {
  readonly ports: ValidatorPorts;
  readonly config: ValidatorConfig;
  readonly node: NodeState;
  readonly queue: QueueCheck;
  readonly heads: SeenHeads;
  /** Sealed batches of its own making that layer one lacks, or may lose to a reorg, in order. */
  readonly kept: Map<number, Sealed>;
  /** Number of the last batch that layer one had when it was looked at. */
  anchored: number;
  /** Of the checkpoint whose batch has ended and is not sealed. */
  draft: ValidatorDraft | undefined;
  attested: number;
  executed: (record: LogRecord, root: bigint) => void;
  /** Ends when the validator refuses. */
  readonly refusing: AbortController;
}

/** Restores its own state. Throws LogCorruptionError where its copy of the log is damaged. */
export async function createValidator(
  ports: ValidatorPorts,
  config: ValidatorConfig,
): Promise<Validator> {
  const { log, checkpoints, settlement, clock, logger } = ports;
  const { deployment, queueWaitMs } = config;
  const checkpoint = await loadCheckpoint(log, checkpoints);
  // Validators prove nothing.
  const node = createNodeState(deployment, logOrigin(deployment.domain), checkpoint);
  const memory = checkpoint?.extra as ValidatorMemory | undefined;
  const nextQueueId = memory?.nextQueueId ?? 0;
  const queue = createQueueCheck({ settlement, clock, waitMs: queueWaitMs, nextQueueId });
  const refusing = new AbortController();
  const kept = new Map((memory?.unanchored ?? []).map((sealed) => [sealed.number, sealed]));
  const heads = await readSeenHeads(log);
  const parts: Parts = {
    ports: ownStores(ports),
    config,
    node,
    queue,
    heads,
    kept,
    anchored: memory?.anchored ?? 0,
    draft: undefined,
    attested: 0,
    refusing,
    executed: () => undefined,
  };
  for await (const record of log.read(node.position())) {
    // Checked when it was written: only the execution is to be repeated.
    const effect = node.apply(record);
    if (record.entry.type === "operation") queue.passed(record.entry);
    await keepSealed(parts, effect, record);
  }
  logger.info("validator state restored", { position: node.position() });
  return {
    run: (signal) => run(parts, signal),
    progress: () => ({ position: node.position(), attested: parts.attested }),
    place: () => {
      const { position: to, hash: logHash, epoch } = node.head();
      return { to, logHash, epoch, root: node.executor.root() };
    },
    onExecuted: (listener) => {
      parts.executed = listener;
    },
  };
}

async function run(parts: Parts, outer: AbortSignal): Promise<string | undefined> {
  const { ports, config, refusing, node } = parts;
  const { logger, follower, attester, batches, prover } = ports;
  const signal = AbortSignal.any([outer, refusing.signal]);
  const refuse = (error: unknown): void => {
    if (!signal.aborted) refusing.abort(asRefusal(error, node.position()));
  };
  const following = follow(parts, signal).catch(refuse);
  const proofs = watchProofs({ follower, batches, prover, logger, signal })
    .then((reason) => {
      if (reason !== undefined) refuse(new RefusalError(node.position(), reason));
    })
    .catch(refuse);
  const anchors = loop({
    everyMs: config.pollMs,
    signal,
    run: () => checkAnchored(parts, signal),
    onError: (error) => {
      if (error instanceof RefusalError) refuse(error);
      else logger.warn("reading layer one failed", { error: messageOf(error) });
    },
  });
  await Promise.all([following, proofs, anchors, attestSealed(parts, signal)]);
  if (!refusing.signal.aborted) return undefined;
  const refusal = refusing.signal.reason as RefusalError;
  const { message: reason, position, isAccusation } = refusal;
  if (isAccusation && ports.mayRefuse?.(refusal) === false) {
    logger.warn("does not follow this log", { position, reason });
    return undefined;
  }
  if (!isAccusation) {
    logger.error("stopped: this validator attests nothing more", { position, reason });
    return reason;
  }
  logger.error("refused: this validator attests nothing more", { position, reason });
  const said = { position, logHash: node.hash(), reason: reason.slice(0, REASON_LENGTH_MAX) };
  const told = attester.refuse(said).then((refusal) => follower.refuse(refusal));
  await Promise.race([told.catch(() => undefined), pause(TELL_MS_MAX, outer)]);
  return reason;
}

async function follow(parts: Parts, signal: AbortSignal): Promise<void> {
  const { node, ports } = parts;
  for await (const record of ports.follower.follow(node.position(), signal)) {
    try {
      await take(parts, record, signal);
    } catch (error) {
      // A number, whatever stands there.
      throw asRefusal(error, node.position(), Number(record.epoch));
    }
  }
}

async function take(parts: Parts, record: LogRecord, signal: AbortSignal): Promise<void> {
  const { node, ports } = parts;
  assertContinues(record, node.head());
  await checkEntry(parts, record, signal);
  const effect = node.apply(record);
  parts.heads.note([record]);
  if (record.entry.type === "operation") parts.queue.passed(record.entry);
  // Written only now: what was refused would be looked at again after a restart.
  const written = ports.log.copy([record]);
  const root = node.executor.root();
  // Whoever waits for the record itself hears of a failure.
  written.then(() => parts.executed(record, root)).catch(() => undefined);
  noteEnd(parts, effect, record);
  if (effect.sealed === undefined) return;
  await written;
  await keepSealed(parts, effect, record);
  await saveCheckpoint(parts, effect.sealed);
}

/** What executing the entry does not check. */
async function checkEntry(parts: Parts, record: LogRecord, signal: AbortSignal): Promise<void> {
  const { entry, position } = record;
  const { clockSkewMs } = parts.config;
  if (entry.type === "operation") {
    const snapshotTime = parts.node.snapshot()?.time ?? 0;
    const reason = await parts.queue.refusal(entry, snapshotTime, signal);
    if (reason !== undefined) throw new RefusalError(position, reason);
  }
  const { node, ports, heads } = parts;
  const unseen = await seenFault({ state: node.state, log: ports.log, heads, record });
  if (unseen !== undefined) throw new RefusalError(position, unseen);
  const time = entry.type === "message" ? entry.arrived : "time" in entry ? entry.time : 0;
  const ahead = time - parts.ports.clock.now();
  if (ahead > clockSkewMs) {
    const what = entry.type === "open" ? `batch \`${entry.number}\`` : `a \`${entry.type}\``;
    const message = `${what} is \`${ahead}\` ms ahead of the clock here`;
    throw new RefusalError(position, `${message}, at most ${clockSkewMs}`);
  }
}

async function keepSealed(parts: Parts, effect: Effect, record: LogRecord): Promise<void> {
  const { sealed } = effect;
  if (sealed === undefined) return;
  const { number, rootAfter: root, words } = sealed;
  const { position, hash: logHash } = record;
  await parts.ports.batches.putSealed(sealed);
  parts.kept.set(number, { position, number, root, wordsHash: wordsHash(words), logHash });
  const [oldest] = parts.kept.keys();
  if (parts.kept.size > KEPT_MAX) parts.kept.delete(oldest!);
  parts.ports.logger.debug("batch executed", { number, position });
}

/** The state is that of the end now, and no longer when the batch is sealed. */
function noteEnd(parts: Parts, effect: Effect, record: LogRecord): void {
  const { config, node, queue } = parts;
  const { number } = effect.batch;
  if (!effect.hasEnded || number % config.checkpointEvery !== 0) return;
  const head = headAfter(record);
  parts.draft = { ...draftCheckpoint(node, effect), head, nextQueueId: queue.nextQueueId() };
}

async function saveCheckpoint(parts: Parts, sealed: SealedBatch): Promise<void> {
  if (parts.draft?.batchNumber !== sealed.number) return;
  const { head, memory, nextQueueId, ...draft } = parts.draft;
  parts.draft = undefined;
  const extra: ValidatorMemory = {
    ...{ ...memory, nextQueueId },
    ...{ unanchored: [...parts.kept.values()], anchored: parts.anchored },
  };
  await parts.ports.checkpoints.save({ ...draft, ...head, root: sealed.rootAfter, extra });
}

/** Attests each batch once, since layer one asks for signatures on that very one, then repeats. */
async function attestSealed(parts: Parts, signal: AbortSignal): Promise<void> {
  const { ports, config } = parts;
  const { clock, attester, follower, logger } = ports;
  let sentAt = 0;
  await loop({
    everyMs: ATTEST_POLL_MS,
    signal,
    run: async () => {
      const repeats = clock.now() - sentAt >= config.resendMs;
      for (const sealed of lacking(parts)) {
        const isNews = sealed.number > parts.attested;
        if (!isNews && !repeats) continue;
        const { position, ...content } = sealed;
        if (ports.isFinal?.(position) === false) break;
        // Whoever has not taken it when the signal aborts is sent it again by the next run.
        await follower.attest(await attester.attest(content), signal);
        sentAt = clock.now();
        parts.attested = Math.max(parts.attested, sealed.number);
        if (isNews) logger.info("attested", { number: sealed.number });
      }
    },
    onError: (error) => logger.warn("attesting failed", { error: messageOf(error) }),
  });
}

/**
 * What layer one lacks; the newest besides, from which a sequencer that restarts learns that this
 * validator is there. After a reorg others again: the sequencer may be one that never had them.
 */
function lacking({ kept, anchored }: Parts): readonly Sealed[] {
  const newest = [...kept.keys()].at(-1);
  return [...kept.values()].filter(({ number }) => number > anchored || number === newest);
}

/** Layer one must have the roots that were found here. */
async function checkAnchored(parts: Parts, signal: AbortSignal): Promise<void> {
  const { ports, node, kept } = parts;
  const { number, root } = await unlessAborted(ports.settlement.anchored(), signal);
  const own = number === 0 ? undefined : await ports.batches.sealed(number);
  if (own === undefined || own.rootAfter === root) {
    parts.anchored = number;
    const newest = [...kept.keys()].at(-1);
    for (const sealed of kept.keys()) {
      if (sealed <= number - REORG_BATCHES && sealed !== newest) kept.delete(sealed);
    }
    return;
  }
  const message = `layer one anchored root \`${root}\` for batch \`${number}\``;
  throw new RefusalError(node.position(), `${message}, not \`${own.rootAfter}\``);
}
