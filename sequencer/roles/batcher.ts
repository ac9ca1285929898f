/**
 * Turns instructions into batches of log entries. All execution is synchronous: a *turn* executes
 * what it must (end, open, instruction) and hands its entries to the log in one append, so the
 * log holds exactly what was executed, in that order, and a batch is never opened for nothing.
 */
import type { Executor } from "../batch/executor.ts";
import type {
  LiquidateEntry,
  LogEntry,
  LogRecord,
  MessageEntry,
  OperationEntry,
  PurgeEntry,
  TradingEntry,
} from "../batch/log.ts";
import type { OperationRecord, StepRecord } from "../engine/records.ts";
import type { ExchangeEvent } from "../exchangeService.ts";
import type { Log } from "../ports.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import { type Effect, type EffectBatch, movedAccounts, NOTHING_MOVED } from "./effect.ts";
import { batchOf } from "./nodeState.ts";
import {
  batchTime,
  kindOf,
  NoSnapshotError,
  type Opening,
  type TradeOpening,
  usableSnapshot,
} from "./opening.ts";

/** An order meets at most this many resting ones before its batch's end comes again. */
const CARRY_BATCHES_MAX = 64;

export interface BatcherOptions {
  readonly executor: Executor;
  readonly log: Log;
  /** The newest quorum-signed snapshot that the oracles have told this process of. */
  snapshot(): Snapshot | undefined;
  /** Whether the snapshot prices the series that are listed now: no batch runs by another. */
  isOfListed(snapshot: Snapshot): boolean;
  cashOf(account: number): number;
  /** Sees each entry right after its execution; what it returns waits until it is durable. */
  observe(effect: Effect): readonly ExchangeEvent[];
  /** Called in order, once the entries of a turn are durable. */
  onDurable(done: DurableTurn): void;
  /** The node cannot go on: what was executed is not in the log. */
  fail(error: unknown): void;
}

/** Records and effects of the same entries, in order, and the events of all of them. */
export interface DurableTurn {
  readonly records: readonly LogRecord[];
  readonly effects: readonly Effect[];
  readonly events: readonly ExchangeEvent[];
}

/** What a turn gave; nobody may be told before `durable`, which has the record of each entry. */
export interface Turn<T> {
  readonly value: T;
  readonly durable: Promise<readonly LogRecord[]>;
}

export interface Batcher {
  /** Executes a trade message in the open trade batch, or in a new one at `time`. */
  message(entry: MessageEntry, time: number, opening?: TradeOpening): Turn<readonly StepRecord[]>;
  /** Executes several, one directly after the other, and hands them to the log in one append. */
  messages(entries: readonly MessageEntry[], time: number): Turn<readonly StepRecord[][]>;
  /** Whether messages with these steps fit the open trade batch together, or else an empty one. */
  hasRoom(messages: readonly (readonly StepRecord[])[]): boolean;
  /**
   * Executes an operation in the open ledger batch, or in a new one at `time`. Undefined: the batch
   * was full and has ended; what hangs on the snapshot must be judged anew for the next one.
   */
  operation(entry: OperationEntry, time: number): Turn<OperationRecord | undefined>;
  /** The same for a liquidation, in a trade batch. */
  liquidate(entry: LiquidateEntry, time: number): Turn<StepRecord | undefined>;
  /** Removes a void order in the open trade batch, or in a new one at `time`. */
  purge(entry: PurgeEntry, time: number): void;
  /** The same if the open trade batch has room for it; otherwise false, and nothing is done. */
  purgeSpare(entry: PurgeEntry): boolean;
  /** Changes the trading mode, whether or not a batch is open. No order may be interrupted. */
  switchTrading(entry: TradingEntry): Turn<void>;
  /** Ends the open batch, if any; it is sealed once its root is known, or as the next one ends. */
  end(): Turn<void>;
  /** Seals the batch, if it has ended and is not sealed yet. Waits for its root, if it must. */
  seal(number: number): void;
  /** Opens a trade batch for an order that the last one interrupted. */
  proceed(time: number): Turn<void>;
  /** Ends trade batches until none is open and no order is interrupted. */
  finishTrades(time: number): void;
  current(): ReturnType<Executor["current"]>;
  isOrderCarried(): boolean;
  /** Of the batch that will be opened next. */
  nextNumber(): number;
  /** Of the entry that is executed next. */
  position(): number;
  /** Of the open (else last) batch. */
  batchSnapshot(): Snapshot | undefined;
  newestSnapshot(): Snapshot | undefined;
  /** What the next trade message will be judged by: the open trade batch's, else the newest. */
  snapshotInUse(): Snapshot | undefined;
  /** The earliest time of the batch that an instruction of `time` may come into. */
  timeAt(time: number): number;
  /** Whether a batch could be opened at `time`. */
  canOpen(opening: Opening, time: number): boolean;
  /** Resolves when everything executed so far is durable and has been published. */
  flushed(): Promise<void>;
}

interface Session {
  readonly options: BatcherOptions;
  position: number;
  /** The latest time in the log. */
  lastTime: number;
  batch: EffectBatch | undefined;
  /** Has ended and is not sealed. */
  ended: EffectBatch | undefined;
  snapshot: Snapshot | undefined;
  effects: Effect[];
  events: ExchangeEvent[];
  published: Promise<void>;
  isCarried(): boolean;
}

/** `lastTime` and the batches are those of the log so far; `isCarried` asks the state. */
export function createBatcher(
  options: BatcherOptions,
  start: {
    position: number;
    lastTime: number;
    openBatch: EffectBatch | undefined;
    endedBatch: EffectBatch | undefined;
    snapshot: Snapshot | undefined;
    isCarried(): boolean;
  },
): Batcher {
  const session: Session = {
    options,
    position: start.position,
    lastTime: start.lastTime,
    batch: start.openBatch,
    ended: start.endedBatch,
    snapshot: start.snapshot,
    effects: [],
    events: [],
    published: Promise.resolve(),
    isCarried: start.isCarried,
  };
  const { executor } = options;
  return {
    message: (entry, time, opening = "trade") =>
      commit(session, runMessage(session, entry, { time, opening })),
    messages: (entries, time) => {
      const run = (entry: MessageEntry) => runMessage(session, entry, { time, opening: "trade" });
      return commit(
        session,
        entries.map((entry) => [...run(entry)]),
      );
    },
    hasRoom: executor.hasRoom,
    operation: (entry, time) => commit(session, runOperation(session, entry, time)),
    liquidate: (entry, time) => commit(session, runLiquidation(session, entry, time)),
    purge: (entry, time) => void commit(session, runPurge(session, entry, time)),
    purgeSpare: (entry) => {
      const step = executor.purge(entry);
      if (step === "full") return false;
      note(session, entry, { steps: [step] });
      commit(session, undefined);
      return true;
    },
    switchTrading: (entry) => commit(session, switchTrading(session, entry)),
    end: () => {
      if (executor.current() !== undefined) end(session);
      return commit(session, undefined);
    },
    seal: (number) => {
      if (executor.ended() !== number) return;
      seal(session);
      commit(session, undefined);
    },
    proceed: (time) => commit(session, open(session, "trade", time)),
    finishTrades: (time) => {
      finishTrades(session, time);
      commit(session, undefined);
    },
    current: () => executor.current(),
    isOrderCarried: session.isCarried,
    nextNumber: () => executor.nextNumber(),
    position: () => session.position,
    batchSnapshot: () => session.snapshot,
    newestSnapshot: options.snapshot,
    snapshotInUse: () =>
      executor.current()?.kind === "trade" ? session.snapshot : options.snapshot(),
    timeAt: (time) => batchTime(session, options.snapshot() ?? session.snapshot, time),
    canOpen: (opening, time) => usableSnapshot(session, opening, time) !== undefined,
    flushed: () => session.published,
  };
}

function runMessage(
  session: Session,
  entry: MessageEntry,
  { time, opening }: { time: number; opening: TradeOpening },
): readonly StepRecord[] {
  const { executor } = session.options;
  for (let attempt = 0; attempt < CARRY_BATCHES_MAX; attempt++) {
    openFor(session, opening, time);
    const steps = executor.message(entry);
    if (steps !== "full") {
      note(session, entry, { steps });
      return steps;
    }
    end(session);
  }
  throw new Error(`an order was interrupted \`${CARRY_BATCHES_MAX}\` times`);
}

function runPurge(session: Session, entry: PurgeEntry, time: number): void {
  const { executor } = session.options;
  for (let attempt = 0; attempt < CARRY_BATCHES_MAX; attempt++) {
    openFor(session, "trade", time);
    const step = executor.purge(entry);
    if (step !== "full") {
      note(session, entry, { steps: [step] });
      return;
    }
    end(session);
  }
  throw new Error("a purge does not fit an empty batch");
}

function runOperation(
  session: Session,
  entry: OperationEntry,
  time: number,
): OperationRecord | undefined {
  const { executor, cashOf } = session.options;
  if (executor.current()?.kind !== "ledger") finishTrades(session, time);
  openFor(session, "ledger", time);
  const cashBefore = new Map(movedAccounts(entry).map((account) => [account, cashOf(account)]));
  const operation = executor.operation(entry);
  if (operation === "full") {
    endFull(session, entry);
    return undefined;
  }
  note(session, entry, { operation, cashBefore });
  return operation;
}

function runLiquidation(
  session: Session,
  entry: LiquidateEntry,
  time: number,
): StepRecord | undefined {
  const { executor } = session.options;
  openFor(session, "trade", time);
  const step = executor.liquidate(entry);
  if (step === "full") {
    endFull(session, entry);
    return undefined;
  }
  note(session, entry, { steps: [step] });
  return step;
}

function endFull(session: Session, { type }: LogEntry): void {
  if (session.options.executor.current()?.empty) {
    throw new Error(`an entry of type \`${type}\` does not fit an empty batch`);
  }
  end(session);
}

function finishTrades(session: Session, time: number): void {
  const { executor } = session.options;
  for (let count = 0; count < CARRY_BATCHES_MAX; count++) {
    if (executor.current()?.kind === "trade") end(session);
    if (!session.isCarried()) return;
    openFor(session, "trade", time);
  }
  throw new Error(`an order was interrupted \`${CARRY_BATCHES_MAX}\` times`);
}

/** Leaves a batch of this kind open. */
function openFor(session: Session, opening: Opening, time: number): void {
  const current = session.options.executor.current();
  if (current?.kind === kindOf(opening)) return;
  // Refused before anything has ended: the turn has then changed nothing.
  if (usableSnapshot(session, opening, time) === undefined)
    throw new NoSnapshotError("no fresh snapshot");
  if (current !== undefined) end(session);
  open(session, opening, time);
}

function open(session: Session, opening: Opening, time: number): void {
  const { executor } = session.options;
  const kind = kindOf(opening);
  const snapshot = usableSnapshot(session, opening, time);
  if (snapshot === undefined) throw new NoSnapshotError("no fresh snapshot");
  const number = executor.nextNumber();
  const entry = {
    type: "open",
    kind,
    number,
    time: batchTime(session, snapshot, time),
    snapshot,
  } as const;
  const steps = executor.open(entry);
  session.lastTime = entry.time;
  session.snapshot = snapshot;
  session.batch = { number, kind, time: entry.time };
  note(session, entry, { steps });
}

function switchTrading(session: Session, entry: TradingEntry): void {
  const { executor } = session.options;
  executor.switchTrading(entry);
  session.lastTime = entry.time;
  note(session, entry, {});
}

function end(session: Session): void {
  const { executor } = session.options;
  // One at a time: whoever gives the roots is behind by two batches otherwise.
  if (executor.ended() !== undefined) seal(session);
  note(session, { type: "end", number: executor.end() }, { hasEnded: true });
  session.ended = session.batch;
  session.batch = undefined;
}

function seal(session: Session): void {
  const sealed = session.options.executor.seal();
  const { number, rootAfter: root } = sealed;
  note(session, { type: "seal", number, root }, { sealed, batch: session.ended! });
  session.ended = undefined;
}

function note(session: Session, entry: LogEntry, done: Partial<Effect>): void {
  const { position, options } = session;
  const batch = done.batch ?? session.batch ?? batchOf(options.executor, entry);
  if (batch === undefined) throw new Error(`\`${entry.type}\` without an open batch`);
  const nothing = {
    steps: [],
    operation: undefined,
    hasEnded: false,
    sealed: undefined,
    cashBefore: NOTHING_MOVED,
  };
  const effect: Effect = { ...nothing, ...done, entry, position, batch };
  session.position += 1;
  session.effects.push(effect);
  session.events.push(...session.options.observe(effect));
}

function commit<T>(session: Session, value: T): Turn<T> {
  const { log, onDurable, fail } = session.options;
  const { effects, events, published } = session;
  session.effects = [];
  session.events = [];
  const written = log.append(effects.map(({ entry }) => entry));
  // Whatever the log's order of answers, the world hears of the turns in their own.
  const durable = published.then(async () => {
    const records = await written;
    onDurable({ records, effects, events });
    return records;
  });
  session.published = durable.then(
    () => undefined,
    (error: unknown) => fail(error),
  );
  return { value, durable };
}
