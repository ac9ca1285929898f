// Random instructions for a small market: what each means depends on the state it meets.
import fc from "fast-check";
import { checkSequenced } from "../../sequencer/engine/door.ts";
import type { StepRecord } from "../../sequencer/engine/records.ts";
import { messageWord, type TradeMessage } from "../../sequencer/protocol/messages.ts";
import type { Entry } from "../../sequencer/protocol/state.ts";
import { FAR, listMarket, type Market, order, ownerOf } from "../support/market.ts";

const NO_KEY = { key: { x: 0n, y: 0n }, keyIndex: 0, keyExpiry: 0 };

/** Cash of accounts 1 to 4: from plenty to nothing to lose. */
export const CASH = [40_000_000, 2_000_000, 300_000, 20_000_000];

export interface TradeCommand {
  readonly kind: "place" | "cancel" | "cancelAll" | "purge" | "seal";
  readonly account: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

const seed = fc.nat({ max: 0xffff });

export const tradeCommand: fc.Arbitrary<TradeCommand> = fc.record({
  kind: fc.oneof(
    { weight: 20, arbitrary: fc.constant("place" as const) },
    { weight: 2, arbitrary: fc.constant("cancel" as const) },
    { weight: 2, arbitrary: fc.constant("cancelAll" as const) },
    { weight: 2, arbitrary: fc.constant("purge" as const) },
    { weight: 1, arbitrary: fc.constant("seal" as const) },
  ),
  account: fc.constantFrom(1, 2, 3, 4),
  a: seed,
  b: seed,
  c: seed,
});

/** Deposits to accounts 1 to 4 and lists the market. */
export function fundMarket(market: Market, cash: readonly number[] = CASH): void {
  for (const [index, amount] of cash.entries()) market.deposit(index + 1, amount);
  listMarket(market);
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
  const middle = { 0: 200, 1: 300, 4: -100 }[book]!;
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
