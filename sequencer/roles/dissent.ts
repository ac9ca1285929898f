/**
 * Validators whose signed word contradicts the sequencer's. Up to a third of them may lie, so that
 * many may not stop the venue: trading pauses when more than a third contradict, of whom one at
 * least is honest then, or when the sequencer's own log, executed again, contradicts it too. Each
 * validator's first word against a batch has that checked, so a liar costs a replay and no more.
 */
import { setImmediate } from "node:timers/promises";
import { InvalidEntryError } from "../batch/invalidEntry.ts";
import { LogCorruptionError, logOrigin } from "../batch/log.ts";
import { EngineAssertion } from "../engine/assertion.ts";
import type { CheckpointStore, Log, Logger } from "../ports.ts";
import { messageOf } from "./loop.ts";
import { createNodeState, type Deployment, loadCheckpoint } from "./nodeState.ts";

export interface Contradiction {
  readonly validator: string;
  /** The batch that it is about. */
  readonly batch: number;
  readonly reason: string;
}

export interface Dissent {
  /** A member has signed it; that of anybody else is nothing. */
  contradicts(contradiction: Contradiction): void;
  /** The validator vouches for the batch, and so for all before it. */
  agrees(validator: string, batch: number): void;
  /** Members that contradict about batches after `settled`. */
  count(settled: number): number;
  /** Why trading must pause, or undefined. */
  mismatch(settled: number): string | undefined;
  /** Resolves when no replay is under way. */
  checked(): Promise<void>;
}

export interface DissentOptions {
  /** Addresses that count now, in lower case. */
  members(): ReadonlySet<string>;
  readonly logger: Logger;
  /**
   * What is wrong with the sequencer's own log when it is executed again, or undefined. Throws what
   * kept it from being executed, which says nothing of the log.
   */
  replay(): Promise<string | undefined>;
}

export function createDissent({ members, logger, replay }: DissentOptions): Dissent {
  const known = new Map<string, Contradiction>();
  const heard = new Set<string>();
  let checking: Promise<void> = Promise.resolve();
  let own: string | undefined;

  function contradicts(contradiction: Contradiction): void {
    const { batch, reason } = contradiction;
    const validator = contradiction.validator.toLowerCase();
    if (!members().has(validator)) return;
    const before = known.get(validator);
    if (before !== undefined && before.batch >= batch) return;
    known.set(validator, { validator, batch, reason });
    logger.error("a validator contradicts", { validator, batch, reason });
    // Once for each validator: it could name another batch forever.
    if (!heard.has(validator)) checking = checking.then(check);
    heard.add(validator);
  }

  async function check(): Promise<void> {
    try {
      own = (await replay()) ?? own;
    } catch (error) {
      logger.warn("the log could not be executed again", { error: messageOf(error) });
      return;
    }
    if (own !== undefined) logger.error("the log executed again differs", { reason: own });
  }

  const dissenting = (settled: number): Contradiction[] =>
    [...known.values()].filter(
      ({ validator, batch }) => batch > settled && members().has(validator),
    );

  return {
    contradicts,
    agrees: (validator, batch) => {
      const before = known.get(validator.toLowerCase());
      if (before !== undefined && before.batch <= batch) known.delete(validator.toLowerCase());
    },
    count: (settled) => dissenting(settled).length,
    mismatch: (settled) => {
      if (own !== undefined) return `own log: ${own}`;
      const all = dissenting(settled);
      const { size } = members();
      const faultyMax = Math.floor((size - 1) / 3);
      if (all.length <= faultyMax || all.length === 0) return undefined;
      const [{ batch, reason }] = all as [Contradiction, ...Contradiction[]];
      return `${all.length} of ${size} validators contradict, batch ${batch}: ${reason}`;
    },
    checked: () => checking,
  };
}

/** Errors that the records themselves lead to, each time that they are executed. */
const OF_THE_LOG = [InvalidEntryError, LogCorruptionError, EngineAssertion];

/**
 * Executes the log again from the newest checkpoint on, other work between its records. What is
 * wrong with it, or undefined; throws what is wrong with anything else.
 */
export async function replayLog(options: {
  deployment: Deployment;
  log: Log;
  checkpoints: CheckpointStore;
}): Promise<string | undefined> {
  const { deployment, log, checkpoints } = options;
  try {
    const checkpoint = await loadCheckpoint(log, checkpoints);
    const node = createNodeState(deployment, logOrigin(deployment.domain), checkpoint);
    for await (const record of log.read(node.position())) {
      node.apply(record);
      await setImmediate();
    }
    return undefined;
  } catch (error) {
    if (OF_THE_LOG.some((kind) => error instanceof kind)) return messageOf(error);
    throw error;
  }
}
