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
import type { Snapshot } from "../protocol/snapshot.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { BatchRun } from "./batchRun.ts";
import { createOrdering, type OrderingState } from "./fairOrder.ts";
import { requireEntry } from "./invalidEntry.ts";
import { createKeeper, type Keeping } from "./keeper.ts";
import { createLedgerRun } from "./ledgerRun.ts";
import type {
  EndEntry,
  LiquidateEntry,
  LogEntry,
  MessageEntry,
  OpenEntry,
  OperationEntry,
  PurgeEntry,
  SealEntry,
  TradingEntry,
} from "./log.ts";
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
  readonly keeping: Keeping;
  readonly sizes: BatchSizes;
  readonly domain: bigint;
  readonly oracles: readonly PublicKey[];
  readonly quorum: number;
  readonly fairOrder: FairOrder;
  /** Of the last batch that ended in `state`: `{number: 0, time: 0}` at genesis. */
  readonly lastBatch: { readonly number: number; readonly time: number };
  /**
   * The root before that batch, where the log has not sealed it yet. Its seal is then only
   * compared: the batch itself is in nobody's memory any more.
   */
  readonly unsealedFrom?: bigint | undefined;
  /** Of the same moment; trading is open where it is absent. */
  readonly trading?: TradingState | undefined;
  /** Likewise; the log has no messages before where it is absent. */
  readonly ordering?: OrderingState | undefined;
}

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
  | { readonly type: "end" }
  | {
      readonly type: "seal";
      /** Undefined: it ended before this executor began. */
      readonly batch: SealedBatch | undefined;
      /** The batch was open until now. */
      readonly hasEnded: boolean;
    };

export interface Executor {
  current(): CurrentBatch | undefined;
  /** The batch that has ended and is not sealed. */
  ended(): number | undefined;
  nextNumber(): number;
  /** Of the last batch that was sealed: what the log has said so far. */
  root(): bigint;
  /** Of the state when a batch ended last. May wait for whoever follows the state. */
  endRoot(): bigint;
  lastTime(): number;
  /** Of the open batch, else of the last one; undefined before the first. */
  risk(): Risk | undefined;
  snapshot(): Snapshot | undefined;
  trading(): TradingState;
  ordering(): OrderingState;
  /** Begins a batch and goes on with a carried order. */
  open(entry: OpenEntry): readonly StepRecord[];
  /** "full": nothing happened; the batch must end and a new trade batch be opened first. */
  message(entry: MessageEntry): readonly StepRecord[] | "full";
  operation(entry: OperationEntry): OperationRecord | "full";
  purge(entry: PurgeEntry): StepRecord | "full";
  liquidate(entry: LiquidateEntry): StepRecord | "full";
  /** Nothing more comes into the open batch. The one before must have been sealed. */
  end(): number;
  /** Seals the batch that has ended, or else ends the open one and seals that. */
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

/** Ended, not sealed; perhaps before this executor began. */
interface Ended {
  readonly number: number;
  readonly isHere: boolean;
}

interface Open {
  readonly entry: OpenEntry;
  readonly risk: Risk;
  readonly run: BatchRun;
}

export function createExecutor(options: ExecutorOptions): Executor {
  const { state, sizes, unsealedFrom } = options;
  const keeper = createKeeper(options, options.keeping);
  state.clearTouched();
  let root = unsealedFrom ?? keeper.root();
  let last = options.lastBatch;
  let ended: Ended | undefined =
    unsealedFrom === undefined ? undefined : { number: last.number, isHere: false };
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

  function end(): number {
    const { entry, run } = running();
    const { number, time } = entry;
    requireEntry(ended === undefined, `batch \`${ended?.number}\` is not sealed`);
    keeper.end(entry, run);
    ended = { number, isHere: true };
    state.clearTouched();
    last = { number, time };
    open = undefined;
    return number;
  }

  /** Undefined: it ended before this executor began. */
  function sealEnded({ isHere }: Ended): SealedBatch | undefined {
    const sealed = isHere ? keeper.sealed() : undefined;
    root = keeper.root();
    ended = undefined;
    return sealed;
  }

  function seal(): SealedBatch {
    if (ended === undefined) end();
    const sealed = sealEnded(ended!);
    if (sealed === undefined) throw new TypeError("the batch ended before this executor began");
    return sealed;
  }

  /** Throws where the batch leads to another root. */
  function applySeal({ number, root: stated }: SealEntry): Applied {
    const hasEnded = ended === undefined;
    const own = ended?.number ?? open?.entry.number;
    requireEntry(own === number, `batch \`${own}\` is to be sealed. Got \`${number}\``);
    if (hasEnded) end();
    const batch = sealEnded(ended!);
    requireEntry(
      root === stated,
      `the root after batch \`${number}\` is \`${root}\`. Got \`${stated}\``,
    );
    return { type: "seal", batch, hasEnded };
  }

  function applyEnd({ number }: EndEntry): Applied {
    const own = open?.entry.number;
    requireEntry(own === number, `batch \`${own}\` is open. Got \`${number}\``);
    end();
    return { type: "end" };
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
      sealed: ended === undefined ? last.number : ended.number - 1,
    });
  }

  const executor: Executor = {
    current: () => (open === undefined ? undefined : describe(open)),
    ended: () => ended?.number,
    nextNumber: () => (open === undefined ? last.number + 1 : open.entry.number + 1),
    root: () => root,
    endRoot: keeper.root,
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
    end,
    seal,
    hasRoom: (messages) =>
      open?.run.hasRoom?.(messages) ??
      fitsAll(createWorkingSet(), messages.map(additionOfSteps), sizes.trade),
    switchTrading,
    apply: (entry) => {
      if (entry.type === "end") return applyEnd(entry);
      return entry.type === "seal" ? applySeal(entry) : applyEntry(executor, entry);
    },
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

function applyEntry(executor: Executor, entry: Exclude<LogEntry, EndEntry | SealEntry>): Applied {
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
