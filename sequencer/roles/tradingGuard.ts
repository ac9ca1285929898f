/** What watches over trading, put together: measurements, validators' dissent, circuit breakers. */
import type { BatchStore, CheckpointStore, Clock, Log, Logger, Refusal } from "../ports.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import { watchAppends } from "./appendWatch.ts";
import type { Batcher } from "./batcher.ts";
import { isContradiction } from "./batchTracker.ts";
import { createCertificationWatch } from "./certificationWatch.ts";
import {
  type BreakerLimits,
  type CircuitBreakers,
  createCircuitBreakers,
  DEFAULT_BREAKERS,
} from "./circuitBreakers.ts";
import { createDissent, replayLog } from "./dissent.ts";
import type { Deployment } from "./nodeState.ts";
import type { SequencerState } from "./sequencerState.ts";
import { createTolerance } from "./tolerance.ts";

/** Batches without proof at which trading pauses, by those at which orders are refused. */
const PROVING_FACTOR = 4;

export interface TradingGuardOptions {
  readonly ports: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly log: Log;
    readonly checkpoints: CheckpointStore;
    readonly batches: BatchStore;
  };
  readonly deployment: Deployment;
  readonly limits: Partial<BreakerLimits> | undefined;
  readonly backlogMax: number;
  readonly restored: SequencerState;
}

export interface TradingGuard {
  /** The log, its appends measured. */
  readonly log: Log;
  /** Whether records take too long now to become durable. */
  isLogLate(): boolean;
  /** An attestation counted, or why it did not. Signed by the validator. */
  attested(validator: string, batch: number, counted: string | undefined): void;
  /** Signed by the validator. */
  refused(refusal: Refusal): void;
  breakers(parts: {
    batcher: Batcher;
    snapshot(): Snapshot | undefined;
    isOverloaded(): boolean;
  }): CircuitBreakers;
}

export function createTradingGuard(options: TradingGuardOptions): TradingGuard {
  const { ports, deployment, restored } = options;
  const { clock, logger, log, checkpoints } = ports;
  const { node, batches } = restored;
  const provingMax = PROVING_FACTOR * options.backlogMax;
  const limits = { ...DEFAULT_BREAKERS, provingMax, ...options.limits };
  const tolerances = {
    append: createTolerance(limits.append),
    certification: createTolerance(limits.certification),
  };
  const append = watchAppends(log, clock, tolerances.append);
  const certification = createCertificationWatch(tolerances.certification);
  const replay = () => replayLog({ deployment, log, checkpoints });
  const dissent = createDissent({ members: batches.members, logger, replay });
  const began = { now: clock.now(), snapshot: node.snapshot() };
  return {
    log: append.log,
    isLogLate: () => append.isLate(clock.now()),
    attested: (validator, batch, counted) => {
      if (counted === undefined) dissent.agrees(validator, batch);
      else if (isContradiction(counted)) dissent.contradicts({ validator, batch, reason: counted });
    },
    refused: ({ validator, position, reason }) => {
      const place = batches.stageAt(position);
      // What is too old to be known was settled long ago.
      if (place === undefined) return;
      dissent.contradicts({ validator, batch: place.batchNumber, reason });
    },
    breakers: (parts) =>
      createCircuitBreakers({
        ...{ ...parts, limits, logger, append, certification, tolerances, dissent, began },
        state: node.state,
        trading: node.executor.trading,
        progress: batches.progress,
      }),
  };
}
