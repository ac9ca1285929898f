// Random flows through the whole engine: messages, steps and operations in any order that can be
// sequenced, on a market so small that margin, depth, expiry and slots run out all the time.
import fc from "fast-check";
import { checkSequenced } from "../../sequencer/engine/door.ts";
import { applyOperation, checkOperation } from "../../sequencer/engine/ledger.ts";
import type {
  LedgerOperation,
  OperationRecord,
  StepRecord,
} from "../../sequencer/engine/records.ts";
import { proceed, purge, sequenceMessage } from "../../sequencer/engine/trade.ts";
import type { Message, TradeMessage } from "../../sequencer/protocol/messages.ts";
import type { Snapshot } from "../../sequencer/protocol/snapshot.ts";
import type { Entry } from "../../sequencer/protocol/state.ts";
import {
  contextsOf,
  createMarket,
  depositOf,
  type Market,
  NOW,
  paymentBy,
  SHAPE,
  signedBy,
  slotRisk,
  snapshotOf,
  weightsOf,
} from "../unit/engine/market.ts";

export const ACCOUNTS = [1, 2, 3, 4];
const BOOKS = [
  weightsOf({ 0: 1 }),
  weightsOf({ 1: 1 }),
  weightsOf({ 0: 1, 1: -1 }),
  weightsOf({ 0: 1, 1: -2, 2: 1 }),
];
const DAY = 86_400_000;

/** A random instruction: what it means depends on the state that it meets. */
export interface Command {
  readonly kind:
    | "place"
    | "cancel"
    | "cancelAll"
    | "purge"
    | "pay"
    | "deposit"
    | "batch"
    | "operator"
    | "settle";
  readonly account: number;
  /** Seeds of everything else. */
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const KINDS: Record<Command["kind"], number> = {
  place: 30,
  cancel: 3,
  cancelAll: 2,
  purge: 2,
  pay: 3,
  deposit: 1,
  batch: 4,
  operator: 4,
  settle: 4,
};

const kind = fc.oneof(
  ...Object.entries(KINDS).map(([name, weight]) => ({
    weight,
    arbitrary: fc.constant(name as Command["kind"]),
  })),
);
const seed = fc.nat({ max: 0xffff });

export const command: fc.Arbitrary<Command> = fc.record({
  kind,
  account: fc.constantFrom(...ACCOUNTS),
  a: seed,
  b: seed,
  c: seed,
});

/** One instruction that was sequenced: `records` of trade steps, or the operation's record. */
export interface Sequenced {
  readonly records: readonly StepRecord[];
  readonly operation?: OperationRecord;
}

export interface Flow {
  readonly market: Market;
  /** Runs a command, or one step of a carried order; undefined where none can be sequenced. */
  run(command: Command): Sequenced | undefined;
}

/** Cash of the accounts in 1e-6 USDC; a lot short needs 25000 and more. */
const CASH = [40_000_000, 400_000, 100_000, 0];

export function createFlow(): Flow {
  const { state } = createMarket(CASH);
  let time = NOW;
  let market: Market = { state, ...contextsOf(state) };

  function startBatch(slots: Snapshot["slots"], later: number): void {
    time += later;
    market = { state, ...contextsOf(state, { snapshot: snapshotOf(slots, time), time }) };
  }

  function sequence(account: number, message: TradeMessage): Sequenced | undefined {
    const signed = signedBy(account, message);
    if (checkSequenced(state, signed, time) !== undefined) return undefined;
    return { records: sequenceMessage(state, signed, market.trade) };
  }

  function operate(operation: LedgerOperation): Sequenced | undefined {
    if (checkOperation(state, operation, market.ledger) !== undefined) return undefined;
    return { records: [], operation: applyOperation(state, operation, market.ledger) };
  }

  return {
    get market() {
      return market;
    },
    run(command) {
      const { kind, account } = command;
      if (kind === "batch") {
        startBatch(nextSlots(market, command), 1 + (command.c % 3 === 0 ? DAY / 48 : 0));
        return { records: [] };
      }
      // Ledger batches come between trade batches, so also between the steps of a carried order.
      const operation = operationOf(command, market, time);
      if (operation !== undefined) return operate(operation);
      if (state.carry() !== undefined) return { records: [proceed(state, market.trade)] };
      if (kind === "purge") {
        const found = restingOf(market).find((order) => {
          return order.seq < state.session(order.account).watermark;
        });
        return found && { records: [purge(state, found)] };
      }
      const message = messageOf(command, market, time);
      return message && sequence(account, message);
    },
  };
}

type Resting = Entry & { book: number; isSell: boolean };

function restingOf({ state }: Market): Resting[] {
  return state.bookIds().flatMap((book) => {
    const { bids, asks } = state.book(book)!;
    const named = (side: Entry[], isSell: boolean) =>
      side.map((entry) => ({ ...entry, book, isSell }));
    return [...named(bids, false), ...named(asks, true)];
  });
}

/** Marks walk around, and are final for series that have expired. */
function nextSlots({ state, trade }: Market, { a, b }: Command): Snapshot["slots"] {
  return state.series().map(({ expiry, mark }, slot) => {
    const step = ((a >> (slot * 3)) % 8) - 4;
    const isFinal = expiry * 1000 <= trade.time + DAY / 48;
    return slotRisk(Math.max(0, mark + step), 10 + (b % 3) * 10, isFinal);
  });
}

function messageOf(command: Command, market: Market, now: number): TradeMessage | undefined {
  const { kind, a, b, c } = command;
  const deadline = now + 1;
  if (kind === "cancelAll") return { kind, deadline };
  if (kind === "cancel") {
    const orders = restingOf(market);
    const order = orders[a % Math.max(1, orders.length)];
    return order && { ...nameOf(order), kind, deadline };
  }
  const book = a % BOOKS.length;
  const middle = [100, 100, 0, 0][book]!;
  const timeInForce = (["gtc", "gtc", "gtc", "ioc", "fok"] as const)[b % 5]!;
  return {
    kind: "place",
    book,
    isSell: (a >> 4) % 2 === 0,
    price: middle + ((a >> 5) % 13) - 6,
    lots: 1 + (c % 6),
    timeInForce,
    postOnly: timeInForce === "gtc" && (b >> 4) % 5 === 0,
    reduceOnly: timeInForce !== "gtc" && book < 2 && (b >> 4) % 2 === 0,
    deadline,
  };
}

function nameOf({ book, isSell, price, seq }: Resting) {
  return { book, isSell, price, seq };
}

function operationOf(
  { kind, account, a, b, c }: Command,
  { state }: Market,
  now: number,
): LedgerOperation | undefined {
  const amount = 1 + b * (1 + (c % 20));
  switch (kind) {
    case "deposit":
      return depositOf(account, amount);
    case "pay": {
      const owner = BigInt(100 + account);
      if (a % 3 === 0) return { kind: "forcedWithdraw", account, owner, amount };
      const common = { amount, deadline: now };
      const message: Extract<Message, { amount: number }> =
        a % 3 === 1
          ? { kind: "withdraw", ...common }
          : { kind: "transfer", ...common, to: ACCOUNTS[c % 4]! };
      return paymentBy(account, message);
    }
    case "operator": {
      const expiry = Math.floor(now / 1000) + 600 + (b % 7200);
      const slot = a % (SHAPE.slots - 1);
      if (c % 2 === 0) return { kind: "listSeries", slot, isCall: true, strike: b, expiry };
      const book = a % BOOKS.length;
      return { kind: "openBook", book, weights: BOOKS[book]! };
    }
    case "settle": {
      const slot = a % SHAPE.slots;
      if (state.series()[slot]!.status === "listed") return { kind: "settleSeries", slot };
      return { kind: "settlePosition", account, slot };
    }
    default:
      return undefined;
  }
}
