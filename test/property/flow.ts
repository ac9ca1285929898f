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
import { bookValues } from "../../sequencer/engine/risk.ts";
import { proceed, purge, sequenceMessage } from "../../sequencer/engine/trade.ts";
import { liquidate } from "../../sequencer/engine/transactions/liquidate.ts";
import type { BatchKind } from "../../sequencer/protocol/constants.ts";
import type { Message, TradeMessage } from "../../sequencer/protocol/messages.ts";
import type { Prices } from "../../sequencer/protocol/snapshot.ts";
import type { Entry } from "../../sequencer/protocol/state.ts";
import { possibleLiquidations } from "../support/liquidations.ts";
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
import { possibleRelief, possibleTakeovers, rankingFor } from "./distress.ts";

export const ACCOUNTS = [1, 2, 3, 4];
const BOOKS = [
  weightsOf({ 0: 1 }),
  weightsOf({ 1: 1 }),
  weightsOf({ 0: 1, 1: -1 }),
  weightsOf({ 0: 1, 1: -2, 2: 1 }),
];
/** Ms: longer than a locked account has to wait for anything. */
const WAIT = 900_000;

/** A random instruction: what it means depends on the state that it meets. */
export interface Command {
  readonly kind:
    | "liquidate"
    | "takeover"
    | "deleverage"
    | "relief"
    | "forced"
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
  batch: 8,
  operator: 4,
  settle: 4,
  liquidate: 8,
  takeover: 6,
  deleverage: 4,
  relief: 2,
  forced: 3,
};

const kind = fc.oneof(
  ...Object.entries(KINDS).map(([name, weight]) => ({
    weight,
    arbitrary: fc.constant(name as Command["kind"]),
  })),
);
const seed = fc.nat({ max: 0xffff });

// Without bias: small numbers, which fast-check prefers, all mean the same book, side and account.
export const command: fc.Arbitrary<Command> = fc.noBias(
  fc.record({ kind, account: fc.constantFrom(...ACCOUNTS), a: seed, b: seed, c: seed }),
);

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
const CASH = [40_000_000, 2_000_000, 300_000, 100_000];

export function createFlow(): Flow {
  const { state } = createMarket(CASH, SHAPE, { taker: 2, maker: -1 });
  let time = NOW;
  let kind: BatchKind = "ledger";
  let market: Market = { state, ...contextsOf(state) };
  /** Operations that go before what is asked for; what they are is found when their turn comes. */
  let queue: (() => LedgerOperation | undefined)[] = [];

  function startBatch(slots: Prices["slots"], later: number, next: BatchKind): void {
    time += later;
    kind = next;
    const snapshot = snapshotOf(slots, time);
    market = { state, ...contextsOf(state, { snapshot, time, kind }) };
  }

  /** Goes on in a batch of that kind: the next one, with the same marks, if need be. */
  function inBatch(needed: BatchKind): void {
    if (kind !== needed) startBatch(market.ledger.snapshot.slots, 1, needed);
  }

  function sequence(account: number, message: TradeMessage): Sequenced | undefined {
    const signed = signedBy(account, { ...message, deadline: time });
    if (checkSequenced(state, signed, time) !== undefined) return undefined;
    return { records: sequenceMessage(state, signed, market.trade) };
  }

  function operate(operation: LedgerOperation): Sequenced | undefined {
    if (checkOperation(state, operation, market.ledger) !== undefined) return undefined;
    return { records: [], operation: applyOperation(state, operation, market.ledger) };
  }

  /** Half of the takeovers come late, and a whole ranking goes before a deleveraging. */
  function wait(command: Command): void {
    if (command.kind !== "deleverage" && command.kind !== "takeover") return;
    const ranks = rankingFor(market);
    if (ranks.length === 0 || command.c % 2 === 0) return;
    startBatch(market.ledger.snapshot.slots, WAIT, "ledger");
    if (command.kind === "takeover") return;
    queue = [...ranks.map((rank) => () => rank), () => operationOf(command, market, time)];
  }

  function stepOfTrade(command: Command): Sequenced | undefined {
    if (state.carry() !== undefined) return { records: [proceed(state, market.trade)] };
    if (command.kind === "purge") {
      const found = restingOf(market).find((order) => {
        return order.seq < state.session(order.account).watermark;
      });
      return found && { records: [purge(state, found)] };
    }
    if (command.kind === "liquidate") {
      const found = chosen(possibleLiquidations(state, market.trade), command);
      return found && { records: [liquidate(state, found, market.trade)] };
    }
    const message = messageOf(command, market, time);
    return message && sequence(command.account, message);
  }

  return {
    get market() {
      return market;
    },
    run(command) {
      const { c } = command;
      if (command.kind === "batch") {
        const later = 1 + (c % 4 === 0 ? WAIT : 0);
        startBatch(nextSlots(market, command), later, c % 2 === 0 ? "trade" : "ledger");
        return { records: [] };
      }
      if (queue.length === 0) wait(command);
      // Ledger batches come between trade batches, so also between the steps of a carried order.
      if (queue.length > 0 || IN_LEDGER.has(command.kind)) {
        inBatch("ledger");
        const next = queue.shift() ?? (() => operationOf(command, market, time));
        const operation = next();
        return operation && operate(operation);
      }
      inBatch("trade");
      return stepOfTrade(command);
    },
  };
}

const IN_LEDGER: ReadonlySet<Command["kind"]> = new Set([
  ...([
    "pay",
    "deposit",
    "operator",
    "settle",
    "takeover",
    "deleverage",
    "relief",
    "forced",
  ] as const),
]);

function chosen<T>(possible: readonly T[], { a }: Command): T | undefined {
  return possible[a % Math.max(1, possible.length)];
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
function nextSlots({ state, trade }: Market, { a, b }: Command): Prices["slots"] {
  // Some days are worse than others.
  const size = b % 3 === 0 ? 12 : 1;
  return state.series().map(({ expiry, mark }, slot) => {
    const step = size * (((a >> (slot * 3)) % 8) - 4);
    const isFinal = expiry * 1000 <= trade.time + WAIT;
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
  const middle = bookValues(BOOKS[book]!, market.trade.risk).at(-1)!;
  const isSell = (a >> 4) % 2 === 0;
  const timeInForce = (["gtc", "gtc", "gtc", "ioc", "fok"] as const)[b % 5]!;
  return {
    kind: "place",
    book,
    isSell,
    price: middle + (isSell ? -1 : 1) * (((a >> 5) % 11) - 4),
    lots: 1 + (c % 18),
    timeInForce,
    postOnly: timeInForce === "gtc" && (b >> 4) % 5 === 0,
    reduceOnly: timeInForce !== "gtc" && book < 2 && (b >> 4) % 2 === 0,
    deadline,
  };
}

function nameOf({ book, isSell, price, seq }: Resting) {
  return { book, isSell, price, seq };
}

function operationOf(command: Command, market: Market, now: number): LedgerOperation | undefined {
  const { kind, account, a, b, c } = command;
  const { state } = market;
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
    case "forced": {
      const owner = BigInt(100 + account);
      if (a % 4 === 0) return { kind: "forcedCancelAll", account, owner };
      return { kind: "forcedClose", account, owner, slot: b % SHAPE.slots, lots: 1 + (c % 12) };
    }
    case "operator": {
      const expiry = Math.floor(now / 1000) + 600 + (b % 7200);
      const slot = a % SHAPE.slots;
      if (c % 2 === 0) return { kind: "listSeries", slot, isCall: true, strike: b, expiry };
      const book = a % BOOKS.length;
      const taker = b % 4;
      const maker = Math.max(-taker, ((b >> 2) % 4) - 2);
      return { kind: "openBook", book, weights: BOOKS[book]!, fees: { taker, maker } };
    }
    case "settle": {
      const slot = a % SHAPE.slots;
      if (state.series()[slot]!.status === "listed") return { kind: "settleSeries", slot };
      return { kind: "settlePosition", account, slot };
    }
    case "takeover":
      return chosen(possibleTakeovers(market), command);
    case "deleverage":
      return chosen(
        possibleTakeovers(market).filter((operation) => operation.kind === "deleverage"),
        command,
      );
    case "relief":
      return chosen(possibleRelief(market), command);
    default:
      return undefined;
  }
}
