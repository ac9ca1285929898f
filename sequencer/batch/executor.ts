/**
 * Runs the log's entries: the one piece of code by which sequencer and validators come from log to
 * state, and from a batch to its public words and circuit inputs.
 */

import { startBatch } from "../engine/batchStart.ts";
import type { OperationRecord, StepRecord } from "../engine/records.ts";
import { firstMispriced, type Risk } from "../engine/risk.ts";
import type { BatchKind } from "../protocol/constants.ts";
import { SNAPSHOT_AGE_MS_BITS, TIME_BITS } from "../protocol/constants.ts";
import type { PublicKey } from "../protocol/eddsa.ts";
import type { FairOrder } from "../protocol/fairOrder.ts";
import { isQuorumSignedOnce } from "../protocol/remembered.ts";
import { oracleSetHash, type Snapshot } from "../protocol/snapshot.ts";
import { type Roots, stateRoot } from "../protocol/state.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { StateTrees } from "../state/stateTrees.ts";
import { type BaseState, createBaseAccounts, createBaseState } from "./baseState.ts";
import { createOrdering, type OrderingState } from "./fairOrder.ts";
import type { InputDraft } from "./inputDraft.ts";
import { createInputMaker } from "./inputMaker.ts";
import { requireEntry } from "./invalidEntry.ts";
import { createLedgerRun } from "./ledgerRun.ts";
import type {
  LiquidateEntry,
  LogEntry,
  MessageEntry,
  OpenEntry,
  OperationEntry,
  PurgeEntry,
  SealEntry,
  TradingEntry,
} from "./log.ts";
import { type Keeper, sealBatch } from "./seal.ts";
import type { SealedBatch } from "./sealedBatch.ts";
import type { BatchSizes } from "./sizes.ts";
import { createTradeRun } from "./tradeRun.ts";
import {
  afterOpen,
  afterTradingEntry,
  assertAllowed,
  openTrading,
  type TradingState,
} from "./tradingMode.ts";
import { additionOfSteps, createWorkingSet, fitsAll } from "./workingSet.ts";

export interface ExecutorOptions {
  readonly state: MemoryState;
  readonly trees: StateTrees;
  readonly sizes: BatchSizes;
  readonly domain: bigint;
  readonly oracles: readonly PublicKey[];
  readonly quorum: number;
  readonly fairOrder: FairOrder;
  /** Of the last batch sealed in `state`: `{number: 0, time: 0}` at genesis. */
  readonly lastBatch: { readonly number: number; readonly time: number };
  /** Of the same moment; trading is open where it is absent. */
  readonly trading?: TradingState | undefined;
  /** Likewise; the log has no messages before where it is absent. */
  readonly ordering?: OrderingState | undefined;
  /**
   * False: batches are sealed without the inputs of their circuits, for which the state as it was
   * at the last seal is kept beside the live one. Who proves nothing needs neither. "later":
   * batches come with drafts of their inputs, and of that state the accounts are kept.
   */
  readonly hasInputs?: HasInputs | undefined;
}

export type HasInputs = boolean | "later";

export interface CurrentBatch {
  readonly kind: BatchKind;
  readonly number: number;
  readonly time: number;
  readonly snapshotTime: number;
  readonly used: number;
  readonly capacity: number;
  readonly empty: boolean;
}

/** What an entry did. */
export type Applied =
  | {
      readonly type: "open" | "message" | "purge" | "liquidate" | TradingEntry["type"];
      readonly steps: readonly StepRecord[];
    }
  | { readonly type: "operation"; readonly record: OperationRecord }
  | { readonly type: "seal"; readonly batch: SealedBatch };

/** The state as it was at the last seal, and the batch that was sealed; 0: none yet. */
export interface SealedState extends Pick<BaseState, "account" | "roots"> {
  readonly number: number;
  /** Of an account's leaf: see MerkleTree. */
  path(account: number): bigint[][];
}

export interface Executor {
  current(): CurrentBatch | undefined;
  /** Undefined where batches are sealed without inputs. Good until the next entry. */
  sealed(): SealedState | undefined;
  nextNumber(): number;
  /** State root at the last seal. */
  root(): bigint;
  lastTime(): number;
  /** Of the open batch, else of the last one; undefined before the first. */
  risk(): Risk | undefined;
  snapshot(): Snapshot | undefined;
  trading(): TradingState;
  ordering(): OrderingState;
  /** Begins a batch and goes on with a carried order. */
  open(entry: OpenEntry): readonly StepRecord[];
  /** "full": nothing happened; the batch must be sealed and a new trade batch opened first. */
  message(entry: MessageEntry): readonly StepRecord[] | "full";
  operation(entry: OperationEntry): OperationRecord | "full";
  purge(entry: PurgeEntry): StepRecord | "full";
  liquidate(entry: LiquidateEntry): StepRecord | "full";
  seal(): SealedBatch;
  /**
   * Whether messages with these steps fit the open trade batch together; where none is open, an
   * empty one.
   */
  hasRoom(messages: readonly (readonly StepRecord[])[]): boolean;
  /** Changes the trading mode, in a batch or between two. */
  switchTrading(entry: TradingEntry): void;
  /** The same by entry. Throws InvalidEntryError on what an honest sequencer would not write. */
  apply(entry: LogEntry): Applied;
}

/** A batch under way: the parts in which trade and ledger differ. */
export interface BatchRun {
  readonly used: () => number;
  readonly capacity: number;
  message?(entry: MessageEntry): readonly StepRecord[] | "full";
  purge?(entry: PurgeEntry): StepRecord | "full";
  liquidate?(entry: LiquidateEntry): StepRecord | "full";
  operation?(entry: OperationEntry): OperationRecord | "full";
  /** Of trade batches: see {@link Executor.hasRoom}. */
  hasRoom?(messages: readonly (readonly StepRecord[])[]): boolean;
  /** Goes on with a carried order; the steps that found room. */
  proceed(): readonly StepRecord[];
  /** The public words of the steps. */
  stepWords(): readonly bigint[];
  /** What the circuit is told of the batch. */
  draft(): Pick<InputDraft, "set" | "work">;
}

interface Open {
  readonly entry: OpenEntry;
  readonly risk: Risk;
  readonly run: BatchRun;
}

export function createExecutor(options: ExecutorOptions): Executor {
  const { state, trees, sizes } = options;
  trees.sync(state, state.touched());
  state.clearTouched();
  const roots = trees.roots(state);
  const keeper = createKeeper(options, roots);
  const oracleSet = oracleSetHash(options.oracles);
  let root = stateRoot(roots);
  let last = options.lastBatch;
  let open: Open | undefined;
  let lastOpen: Open | undefined;
  let trading = options.trading ?? openTrading(last.time);
  const ordering = createOrdering(options.fairOrder, options.ordering);

  function begin(entry: OpenEntry): readonly StepRecord[] {
    requireEntry(open === undefined, `batch \`${open?.entry.number}\` is still open`);
    checkOpen(entry, last, options);
    const tradingNow = afterOpen(trading, entry);
    const risk = startBatch(state, entry.snapshot, entry.kind);
    const context = { ...options, entry, risk };
    const run = entry.kind === "trade" ? createTradeRun(context) : createLedgerRun(context);
    open = { entry, risk, run };
    lastOpen = open;
    trading = tradingNow;
    const steps = run.proceed();
    state.commit();
    return steps;
  }

  function running(): Open {
    requireEntry(open !== undefined, "no batch is open");
    return open;
  }

  function seal(): SealedBatch {
    const { entry, run } = running();
    const batch = sealBatch({ entry, run, keeper, rootBefore: root, oracleSet, options });
    root = batch.rootAfter;
    last = { number: entry.number, time: entry.time };
    open = undefined;
    return batch;
  }

  function during<T>(entry: LogEntry, act: ((run: BatchRun) => T | undefined) & {}): T {
    assertAllowed(trading, entry);
    const result = act(running().run);
    requireEntry(result !== undefined, "the entry does not belong in a batch of this kind");
    state.commit();
    return result;
  }

  function message(entry: MessageEntry): readonly StepRecord[] | "full" {
    const place = ordering.placeOf(entry);
    const steps = during(entry, (run) => run.message?.(entry));
    if (steps !== "full") ordering.passed(entry, place);
    return steps;
  }

  function switchTrading(entry: TradingEntry): void {
    const { domain, oracles, quorum } = options;
    trading = afterTradingEntry(trading, entry, {
      ...{ domain, oracles, quorum, slots: state.slots },
      isCarried: state.carry() !== undefined,
      sealed: last.number,
    });
  }

  const executor: Executor = {
    current: () => (open === undefined ? undefined : describe(open)),
    sealed: () => keeper.base && { ...keeper.base, number: last.number, path: trees.accounts.path },
    nextNumber: () => (open === undefined ? last.number + 1 : open.entry.number + 1),
    root: () => root,
    lastTime: () => last.time,
    risk: () => lastOpen?.risk,
    snapshot: () => lastOpen?.entry.snapshot,
    trading: () => trading,
    ordering: ordering.state,
    open: begin,
    message,
    operation: (entry) => during(entry, (run) => run.operation?.(entry)),
    purge: (entry) => during(entry, (run) => run.purge?.(entry)),
    liquidate: (entry) => during(entry, (run) => run.liquidate?.(entry)),
    seal,
    hasRoom: (messages) =>
      open?.run.hasRoom?.(messages) ??
      fitsAll(createWorkingSet(), messages.map(additionOfSteps), sizes.trade),
    switchTrading,
    apply: (entry) => applyEntry(executor, entry),
  };
  return executor;

  function describe({ entry, run }: Open): CurrentBatch {
    const used = run.used();
    return {
      kind: entry.kind,
      number: entry.number,
      time: entry.time,
      snapshotTime: entry.snapshot.time,
      used,
      capacity: entry.kind === "trade" ? sizes.trade.steps : sizes.ledger.steps,
      empty: used === 0,
    };
  }
}

function createKeeper(options: ExecutorOptions, roots: Roots): Keeper {
  const { state, trees, sizes, domain, oracles, hasInputs = true } = options;
  if (hasInputs === false) return { has: "neither" };
  if (hasInputs === "later") return { has: "draft", base: createBaseAccounts(state, roots) };
  const base = createBaseState(state, roots);
  return { has: "inputs", base, maker: createInputMaker({ trees, sizes, domain, oracles }, base) };
}

function checkOpen(
  entry: OpenEntry,
  last: { number: number; time: number },
  options: ExecutorOptions,
): void {
  const { number, time, snapshot } = entry;
  const { domain, oracles, quorum, state } = options;
  requireEntry(
    number === last.number + 1,
    `batch number must be \`${last.number + 1}\`. Got \`${number}\``,
  );
  requireEntry(
    Number.isSafeInteger(time) && time > last.time && time < 2 ** TIME_BITS,
    `batch time must be above \`${last.time}\`. Got \`${time}\``,
  );
  const age = time - snapshot.time;
  requireEntry(
    age >= 0 && age < 2 ** SNAPSHOT_AGE_MS_BITS,
    `the snapshot's age must be from 0 to ${2 ** SNAPSHOT_AGE_MS_BITS - 1} ms. Got \`${age}\``,
  );
  requireEntry(
    snapshot.slots.length === state.slots,
    `the snapshot must have \`${state.slots}\` slots. Got \`${snapshot.slots.length}\``,
  );
  const mispriced = firstMispriced(state.series(), snapshot);
  requireEntry(
    mispriced === undefined,
    `the snapshot prices another series than the one listed in slot \`${mispriced}\``,
  );
  requireEntry(
    isQuorumSignedOnce({ domain, snapshot, oracles, quorum }),
    `the snapshot must be signed by \`${quorum}\` different oracles`,
  );
}

function applyEntry(executor: Executor, entry: LogEntry): Applied {
  switch (entry.type) {
    case "open":
      return { type: "open", steps: executor.open(entry) };
    case "message":
      return { type: "message", steps: notFull(executor.message(entry)) };
    case "purge":
      return { type: "purge", steps: [notFull(executor.purge(entry))] };
    case "liquidate":
      return { type: "liquidate", steps: [notFull(executor.liquidate(entry))] };
    case "operation":
      return { type: "operation", record: notFull(executor.operation(entry)) };
    case "seal":
      return { type: "seal", batch: applySeal(executor, entry) };
    case "pause":
    case "cancelOnly":
    case "resume":
      executor.switchTrading(entry);
      return { type: entry.type, steps: [] };
  }
}

function notFull<T>(result: T | "full"): T {
  requireEntry(result !== "full", "the batch has no room for the entry");
  return result as T;
}

function applySeal(executor: Executor, entry: SealEntry): SealedBatch {
  const number = executor.current()?.number;
  requireEntry(number === entry.number, `batch \`${number}\` is open. Got \`${entry.number}\``);
  const batch = executor.seal();
  requireEntry(
    batch.rootAfter === entry.root,
    `the root after batch \`${entry.number}\` is \`${batch.rootAfter}\`. Got \`${entry.root}\``,
  );
  return batch;
}
