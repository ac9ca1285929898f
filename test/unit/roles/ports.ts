/** Ports in memory, with a clock that only moves when it is told to. */
import {
  assertContinues,
  emptyHead,
  headAfter,
  type LogRecord,
  logOrigin,
  makeRecord,
} from "../../../sequencer/batch/log.ts";
import type { ProofWords, SealedBatch } from "../../../sequencer/batch/sealedBatch.ts";
import type {
  AccountStore,
  Attestation,
  BatchStore,
  Checkpoint,
  CheckpointStore,
  Clock,
  DurableValues,
  Log,
  LogFollower,
  Logger,
  LogServer,
  QueuedOperation,
  Refusal,
  ServedClose,
  SettlementLayer,
  ValidatorSet,
} from "../../../sequencer/ports.ts";
import type { LayerOneStatus } from "../../../sequencer/protocol/status.ts";
import { mergeRows, withChange } from "../../../sequencer/state/exportedState.ts";

export const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export interface FakeClock extends Clock {
  advance(ms: number): void;
}

export function createClock(start: number): FakeClock {
  let time = start;
  return {
    now: () => time,
    advance: (ms) => {
      time += ms;
    },
  };
}

/** A log whose records are durable at once, or when {@link MemoryLog.release} is called. */
export interface MemoryLog extends Log {
  readonly records: LogRecord[];
  /** From now on appends wait for {@link MemoryLog.release}. */
  hold(): void;
  release(): void;
  /** What a crash leaves: the durable records only. */
  survivors(): LogRecord[];
}

const POLICY = {
  engine: "simulated",
  durability: "in memory",
  ...{ lossWindowMs: null, lossWindow: "everything" },
} as const;

export function createLog(domain: bigint, initial: readonly LogRecord[] = []): MemoryLog {
  const records: LogRecord[] = [...initial];
  const durable = () => {
    const last = records.at(-1);
    return last === undefined ? emptyHead(logOrigin(domain)) : headAfter(last);
  };
  let tip = durable();
  let waiting: (() => void)[] | undefined;
  const write = (made: readonly LogRecord[]): Promise<readonly LogRecord[]> =>
    new Promise((resolve) => {
      const settle = (): void => {
        records.push(...made);
        resolve(made);
      };
      if (waiting === undefined) settle();
      else waiting.push(settle);
    });
  const follow = (record: LogRecord): LogRecord => {
    tip = headAfter(record);
    return record;
  };
  return {
    records,
    head: durable,
    failure: new AbortController().signal,
    policy: () => POLICY,
    append: (entries) => write(entries.map((entry) => follow(makeRecord(tip, entry)))),
    copy: async (copied) => {
      for (const record of copied) {
        assertContinues(record, tip);
        follow(record);
      }
      await write(copied);
    },
    read: async function* (from) {
      yield* records.slice(from);
    },
    close: async () => undefined,
    hold: () => {
      waiting ??= [];
    },
    release: () => {
      const settled = waiting ?? [];
      waiting = undefined;
      for (const settle of settled) settle();
    },
    survivors: () => [...records],
  };
}

export interface MemoryBatchStore extends BatchStore {
  readonly batches: Map<number, SealedBatch>;
  /** JSON, by number. */
  readonly inputTexts: Map<number, string>;
  readonly proofs: Map<number, ProofWords>;
  readonly attested: Map<string, Attestation>;
}

export function createBatches(): MemoryBatchStore {
  const batches = new Map<number, SealedBatch>();
  const inputTexts = new Map<number, string>();
  const proofs = new Map<number, ProofWords>();
  const attested = new Map<string, Attestation>();
  return {
    batches,
    inputTexts,
    proofs,
    putSealed: async (batch, inputs) => {
      batches.set(batch.number, batch);
      if (inputs !== undefined) inputTexts.set(batch.number, inputs);
    },
    sealed: async (number) => batches.get(number),
    inputs: async (number) => inputTexts.get(number),
    putProof: async (number, proof) => void proofs.set(number, proof),
    proof: async (number) => proofs.get(number),
    sealedAfter: async function* (number) {
      for (const batch of batches.values()) if (batch.number > number) yield batch;
    },
    prune: async () => undefined,
    attested,
    putAttestation: async (attestation) => {
      attested.set(`${attestation.number}/${attestation.validator}`, structuredClone(attestation));
    },
    attestations: async function* () {
      yield* [...attested.values()].sort((one, other) => one.number - other.number);
    },
    pruneAttestations: async (number) => {
      for (const [key, word] of attested) if (word.number <= number) attested.delete(key);
    },
  };
}

export function createCheckpoints(): CheckpointStore & { saved: Checkpoint[] } {
  const saved: Checkpoint[] = [];
  return {
    saved,
    save: async ({ since, change, ownRows = [], ...place }) => {
      const before = saved.findLast(({ position }) => position === since);
      if (since !== 0 && before === undefined) throw new RangeError(`no checkpoint at ${since}`);
      // As a disk would: what is loaded shares nothing with what was saved.
      const rows = mergeRows(before?.ownRows ?? [], ownRows);
      const state = withChange(before?.state, change);
      saved.push(structuredClone({ ...place, state, ownRows: rows }));
    },
    latest: async () => structuredClone(saved.at(-1)),
  };
}

/** What a process leaves to the next one; a copy of `before` where that is given. */
export function createValues(before?: MemoryValues): MemoryValues {
  const kept = new Map<string, unknown>(before?.kept);
  return {
    kept,
    get: async (name) => structuredClone(kept.get(name)),
    set: async (name, value) => void kept.set(name, structuredClone(value)),
    delete: async (name) => void kept.delete(name),
  };
}

/** What accounts have left with the sequencer; it outlives the process. */
export function createAccounts(): AccountStore & { readonly kept: Map<number, unknown> } {
  const kept = new Map<number, unknown>();
  return {
    kept,
    load: async function* () {
      for (const [account, value] of kept) yield [account, structuredClone(value)] as const;
    },
    save: async (account, value) => void kept.set(account, structuredClone(value)),
    delete: async (account) => void kept.delete(account),
  };
}

export interface MemoryValues extends DurableValues {
  readonly kept: ReadonlyMap<string, unknown>;
}

export interface FakeSettlement extends SettlementLayer {
  /** What the registry has. */
  validatorSet: ValidatorSet | undefined;
  /** What was said of closes when the queue was read last. */
  served: readonly ServedClose[];
  /** What `report` tells besides that all is well. */
  condition: Partial<LayerOneStatus>;
  readonly queue: QueuedOperation[];
  readonly anchoredBatches: { number: number; root: bigint }[];
  enqueue(operation: QueuedOperation["operation"], pricedFrom?: number): void;
}

export function createSettlement(domain: bigint): FakeSettlement {
  const queue: QueuedOperation[] = [];
  const anchoredBatches: { number: number; root: bigint }[] = [];
  const settlement: FakeSettlement = {
    ...{ condition: {}, validatorSet: undefined, served: [] },
    queue,
    anchoredBatches,
    enqueue: (operation, pricedFrom = 0) =>
      void queue.push({ queueId: queue.length, operation, pricedFrom }),
    domain: async () => domain,
    anchored: async () => anchoredBatches.at(-1) ?? { number: 0, root: 0n },
    queued: async (from, served = []) => {
      settlement.served = served;
      return queue.filter(({ queueId }) => queueId >= from);
    },
    submitBatch: async ({ number, rootAfter }) => {
      anchoredBatches.push({ number, root: rootAfter });
      return { number, root: rootAfter, transaction: `0x${number.toString(16).padStart(64, "0")}` };
    },
    validators: async () => settlement.validatorSet,
    report: () => ({
      ...{ paused: null, stopped: null, frozenAt: null, head: null, confirmed: null },
      ...{ reorgs: 0, deepestReorg: 0 },
      ...{ replacements: 0, spentHour: 0n, spentDay: 0n },
      ...settlement.condition,
    }),
  };
  return settlement;
}

export interface FakeNetwork extends LogServer {
  attest(attestation: Attestation): void;
  refuse(refusal: Refusal): void;
}

export function createNetwork(): FakeNetwork {
  const attestationHandlers: ((attestation: Attestation) => void)[] = [];
  const refusalHandlers: ((refusal: Refusal) => void)[] = [];
  return {
    addresses: () => [],
    peers: () => [],
    onAttestation: (handler) => void attestationHandlers.push(handler),
    onRefusal: (handler) => void refusalHandlers.push(handler),
    onReport: () => undefined,
    announce: () => undefined,
    announceProof: () => undefined,
    stop: async () => undefined,
    attest: (attestation) => {
      for (const handler of attestationHandlers) handler(attestation);
    },
    refuse: (refusal) => {
      for (const handler of refusalHandlers) handler(refusal);
    },
  };
}

export interface FakeFollower extends LogFollower {
  readonly attestations: Attestation[];
  readonly refusals: Refusal[];
}

/** Follows a list of records, then waits for the signal; proofs likewise. */
export function createFollower(
  records: readonly LogRecord[],
  proven: readonly { number: number; words: readonly bigint[]; proof: ProofWords }[] = [],
): FakeFollower {
  const attestations: Attestation[] = [];
  const refusals: Refusal[] = [];
  return {
    attestations,
    refusals,
    follow: async function* (from, signal) {
      yield* records.slice(from);
      await aborted(signal);
    },
    proofs: async function* (from, signal) {
      yield* proven.filter(({ number }) => number >= from);
      await aborted(signal);
    },
    attest: async (attestation) => void attestations.push(attestation),
    refuse: async (refusal) => void refusals.push(refusal),
    stop: async () => undefined,
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
