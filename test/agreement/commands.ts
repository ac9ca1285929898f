// Random instructions for a small market: what each means depends on the state it meets.
import fc from "fast-check";
import { checkSequenced } from "../../sequencer/engine/door.ts";
import type { StepRecord } from "../../sequencer/engine/records.ts";
import { messageWord, type TradeMessage } from "../../sequencer/protocol/messages.ts";
import type { Entry } from "../../sequencer/protocol/state.ts";
import { possibleLiquidations } from "../support/liquidations.ts";
import {
  FAR,
  listMarket,
  type Market,
  order,
  ownerOf,
  slotRisk,
  VARIED_FEES,
} from "../support/market.ts";

const NO_KEY = { key: { x: 0n, y: 0n }, keyIndex: 0, keyExpiry: 0 };

/** Cash of accounts 1 to 4: from plenty to nothing to lose. */
export const CASH = [40_000_000, 2_000_000, 300_000, 20_000_000];

/** Cash of accounts 1 to 4 in {@link distressMarket}. */
const STRAINED = [40_000_000, 2_500_000, 1_900_000, 20_000_000];

export interface TradeCommand {
  readonly kind: "place" | "cancel" | "cancelAll" | "purge" | "seal" | "liquidate" | "move";
  readonly account: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const seed = fc.nat({ max: 0xffff });

const anyCommand: fc.Arbitrary<TradeCommand> = fc.record({
  kind: fc.oneof(
    { weight: 20, arbitrary: fc.constant("place" as const) },
    { weight: 2, arbitrary: fc.constant("cancel" as const) },
    { weight: 2, arbitrary: fc.constant("cancelAll" as const) },
    { weight: 2, arbitrary: fc.constant("purge" as const) },
    { weight: 1, arbitrary: fc.constant("seal" as const) },
    { weight: 6, arbitrary: fc.constant("liquidate" as const) },
    { weight: 2, arbitrary: fc.constant("move" as const) },
  ),
  account: fc.constantFrom(1, 2, 3, 4),
  a: seed,
  b: seed,
  c: seed,
});

// Without bias: small numbers, which fast-check prefers, all mean the same book, side and account.
export const tradeCommand = fc.noBias(anyCommand);

/** Deposits to accounts 1 to 4 and lists the market. */
export function fundMarket(market: Market, cash: readonly number[] = CASH): void {
  for (const [index, amount] of cash.entries()) market.deposit(index + 1, amount);
  listMarket(market, VARIED_FEES);
}

/**
 * Account 2 sells 10 lots of slot 0 and account 3 buys 10 of slot 1, both with little more than the
 * margin; then slot 0 rises and slot 1 falls by so much that neither has its maintenance margin.
 */
export function distressMarket(market: Market, cash: readonly number[] = STRAINED): void {
  fundMarket(market, cash);
  const common = { lots: 10, timeInForce: "gtc" } as const;
  market.trade(1, order({ ...common, book: 0, price: 200 }));
  market.trade(2, order({ ...common, book: 0, price: 200, isSell: true }));
  market.trade(4, order({ ...common, book: 1, price: 300, isSell: true }));
  market.trade(3, order({ ...common, book: 1, price: 300 }));
  market.seal();
  moveMarks(market, [150, -100, 0, 0]);
}

/** Moves the marks of the snapshots to come by so many ticks, as far as they go. */
export function moveMarks(market: Market, ticks: readonly number[]): void {
  market.slots = market.slots.map((risk, slot) => {
    const mark = Math.max(1, risk.mark + (ticks[slot] ?? 0));
    return slot < 4 ? slotRisk(mark, 80 - 20 * slot) : risk;
  });
}

/** Adds cash without touching the account's key. */
export function topUp(market: Market, account: number, amount: number): void {
  market.operate({ kind: "deposit", account, owner: ownerOf(account), amount, ...NO_KEY });
}

export type Resting = Entry & { book: number; isSell: boolean };

export function restingOf({ state }: Market): Resting[] {
  return state.bookIds().flatMap((book) => {
    const { bids, asks } = state.book(book)!;
    const named = (side: Entry[], isSell: boolean) =>
      side.map((entry) => ({ ...entry, book, isSell }));
    return [...named(bids, false), ...named(asks, true)];
  });
}

/** Runs a command; the steps that it took, none where it means nothing now. */
export function runTrade(market: Market, command: TradeCommand): readonly StepRecord[] {
  const { kind, account } = command;
  if (kind === "seal") {
    if (market.executor.current() !== undefined) market.seal();
    return [];
  }
  if (kind === "move") {
    if (market.executor.current() !== undefined) market.seal();
    moveMarks(
      market,
      [command.a, command.b, command.c].map((value) => (value % 81) - 40),
    );
    return [];
  }
  if (kind === "liquidate") return runLiquidation(market, command);
  if (kind === "purge") {
    const { state } = market;
    const found = restingOf(market).find(
      (entry) => state.carry() === undefined && entry.seq < state.session(entry.account).watermark,
    );
    return found === undefined ? [] : [market.purge(found)];
  }
  const message = messageOf(command, market);
  if (message === undefined) return [];
  const author = { account, keyIndex: 0 };
  const incoming = { author, message, word: messageWord(message) };
  if (checkSequenced(market.state, incoming, market.time + 1000) !== undefined) return [];
  return market.trade(account, message);
}

/** One of the liquidations that are possible in a trade batch now; what opening one took. */
function runLiquidation(market: Market, { a, b }: TradeCommand): readonly StepRecord[] {
  const { executor, state } = market;
  const kind = executor.current()?.kind;
  if (kind === "ledger") market.seal();
  const opening = kind === "trade" ? [] : market.openBatch("trade");
  if (state.carry() !== undefined) return opening;
  const context = { risk: executor.risk()!, time: market.time };
  const possible = possibleLiquidations(state, context);
  const found = possible[a % Math.max(1, possible.length)];
  if (found === undefined) return opening;
  const lots = 1 + (b % found.lots);
  return [...opening, market.liquidate({ ...found, lots })];
}

function messageOf(command: TradeCommand, market: Market): TradeMessage | undefined {
  const { kind, a, b, c } = command;
  if (kind === "cancelAll") return { kind, deadline: FAR };
  if (kind === "cancel") {
    const orders = restingOf(market);
    const found = orders[a % Math.max(1, orders.length)];
    if (found === undefined) return undefined;
    const { book, isSell, price, seq } = found;
    // Some name an order that is not there.
    return { kind: "cancel", book, isSell, price, seq: seq + (b % 4 === 0 ? 1 : 0), deadline: FAR };
  }
  const book = [0, 0, 1, 4][a % 4]!;
  const [first = 0, second = 0] = market.slots.map(({ mark }) => mark);
  const middle = { 0: first, 1: second, 4: first - second }[book]!;
  const timeInForce = (["gtc", "gtc", "gtc", "ioc", "fok"] as const)[b % 5]!;
  return order({
    book,
    isSell: (a >> 4) % 2 === 0,
    price: middle + ((a >> 5) % 7) - 3,
    lots: 1 + (c % 6),
    timeInForce,
    postOnly: timeInForce === "gtc" && (b >> 4) % 5 === 0,
    reduceOnly: timeInForce !== "gtc" && book !== 4 && (b >> 4) % 2 === 0,
  });
}
