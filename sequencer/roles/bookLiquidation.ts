/**
 * The next step by which an account below maintenance margin is reduced through the books (SPEC
 * section 6, liquidate). Pure: what it plans, the executor checks again, and so does the proof.
 */
import type { PurgeEntry } from "../batch/log.ts";
import { isBookOpen, isPlain, isVoid } from "../engine/bookState.ts";
import { takerFee } from "../engine/fees.ts";
import type { Liquidation } from "../engine/records.ts";
import {
  bookRisk,
  bookValues,
  cashQuotient,
  headroomChange,
  maintenanceValues,
  type Risk,
  scenarioValues,
  wholeUnits,
} from "../engine/risk.ts";
import { checkLiquidation } from "../engine/transactions/liquidate.ts";
import { LOTS_BITS, PRICE_OFFSET } from "../protocol/constants.ts";
import type { Account, Book, Entry } from "../protocol/state.ts";
import type { MemoryState } from "../state/memoryState.ts";

/** `time` of the batch in unix ms. */
export interface PlanContext {
  readonly risk: Risk;
  readonly time: number;
}

/** A void order that stands before the one that is wanted goes first. */
export type BookStep =
  | { readonly type: "purge"; readonly entry: PurgeEntry }
  | { readonly type: "liquidate"; readonly liquidation: Liquidation };

/** A scenario (0..17) in which the account is below maintenance margin, by `deficit` units. */
export interface Deficit {
  readonly scenario: number;
  readonly deficit: number;
}

/** The scenarios in which the account is below maintenance margin, worst first. */
export function deficitsOf(account: Readonly<Account>, risk: Risk, unit: number): Deficit[] {
  const whole = wholeUnits(account.cash, unit);
  return maintenanceValues(account, risk)
    .map((value, scenario) => ({ scenario, deficit: -(whole + value) }))
    .filter(({ deficit }) => deficit > 0)
    .sort((left, right) => right.deficit - left.deficit);
}

/** An opposite order that the account could trade with, and the orders that stand before it. */
interface Quote {
  readonly id: number;
  readonly book: Readonly<Book>;
  /** Of the account's order. */
  readonly isSell: boolean;
  readonly entry: Readonly<Entry>;
  readonly before: readonly Readonly<Entry>[];
  /** Lots of the account's position that the order closes: 0 in a book of several legs. */
  readonly closes: number;
  /** `bookValues`: the book's value in each scenario, its mark last. */
  readonly values: readonly number[];
}

interface Candidate {
  readonly quote: Quote;
  readonly liquidation: Liquidation;
  /** What a lot costs beyond the mark, for each tick by which it improves the scenario. */
  readonly cost: number;
  readonly improvement: number;
}

/**
 * Undefined where no order in the books improves the account now. Positions are closed in their own
 * books first; where nothing closes, they are hedged in any, by what costs least for what it
 * improves. The worst scenario is helped before the others.
 */
export function planBookStep(
  state: MemoryState,
  id: number,
  context: PlanContext,
): BookStep | undefined {
  const account = state.account(id);
  const deficits = deficitsOf(account, context.risk, state.unit);
  if (deficits.length === 0) return undefined;
  const quotes = quotesFor(state, id, context);
  const common = { id, account, risk: context.risk, unit: state.unit };
  for (const deficit of deficits) {
    // Whatever the plan overlooks (the range of positions, say) the engine would refuse.
    const candidates = quotes
      .flatMap((quote) => candidateOf({ ...common, quote, deficit }) ?? [])
      .filter(({ liquidation }) => checkLiquidation(state, liquidation, context) === undefined);
    const closing = candidates.filter(({ quote }) => quote.closes > 0);
    const best = cheapest(closing) ?? cheapest(candidates);
    if (best !== undefined) return stepTowards(state, best);
  }
  return undefined;
}

/** An order that meets nothing: it locks the account, and the auction's clock begins. */
export function planLock(
  state: MemoryState,
  id: number,
  context: PlanContext,
): Liquidation | undefined {
  const [worst] = deficitsOf(state.account(id), context.risk, state.unit);
  if (worst === undefined) return undefined;
  const { scenario } = worst;
  for (const book of state.bookIds()) {
    for (const isSell of [false, true]) {
      const price = isSell ? PRICE_OFFSET - 2 : 1 - PRICE_OFFSET;
      const order = { account: id, book, isSell, price, lots: 1, reduceOnly: false };
      const liquidation = { ...order, scenario };
      if (checkLiquidation(state, liquidation, context) === undefined) return liquidation;
    }
  }
  return undefined;
}

function quotesFor(state: MemoryState, id: number, { risk, time }: PlanContext): Quote[] {
  const { positions } = state.account(id);
  return state.bookIds().flatMap((bookId) => {
    const book = state.book(bookId);
    if (book === undefined || !isBookOpen(state, book, time)) return [];
    const values = bookValues(book.weights, risk);
    const slot = isPlain(book.weights) ? book.weights.indexOf(1) : undefined;
    const held = slot === undefined ? 0 : positions[slot]!;
    return [false, true].flatMap((isSell) => {
      const side = isSell ? book.bids : book.asks;
      const isUsable = (entry: Entry) => entry.account !== id && !isVoid(state, entry);
      const place = side.findIndex(isUsable);
      const entry = side[place];
      if (entry === undefined) return [];
      const closes = Math.max(isSell ? held : -held, 0);
      const before = side.slice(0, place);
      return [{ id: bookId, book, isSell, entry, before, closes, values }];
    });
  });
}

interface Consideration {
  readonly id: number;
  readonly account: Readonly<Account>;
  readonly quote: Quote;
  readonly deficit: Deficit;
  readonly risk: Risk;
  readonly unit: number;
}

/** At the price of the entry, so that L4 lets through as many lots as restore initial margin. */
function candidateOf(consideration: Consideration): Candidate | undefined {
  const { id, quote, deficit } = consideration;
  const { book, isSell, entry, values } = quote;
  const { scenario } = deficit;
  const { price } = entry;
  const sign = isSell ? -1 : 1;
  const mark = values.at(-1)!;
  const change = values[scenario]! - mark;
  // L2 and L3.
  if (sign * (4 * mark + change - 4 * price) <= 0) return undefined;
  const gain = sign * (mark + change - price);
  if (gain <= book.fees.taker) return undefined;
  const fee = takerFee(book.fees, price);
  const lots = lotsFor(consideration, fee);
  if (lots === 0) return undefined;
  const reduceOnly = quote.closes > 0;
  const liquidation = { account: id, book: quote.id, isSell, price, lots, reduceOnly, scenario };
  const improvement = gain - fee;
  return { quote, liquidation, improvement, cost: (sign * (price - mark) + fee) / improvement };
}

/**
 * The most that L4, the entry, the position and row 7 let through: where the order closes lots, no
 * scenario ends below where the exhibited one stood; else no headroom that falls ends below 0.
 */
function lotsFor(consideration: Consideration, fee: number): number {
  const { account, quote, deficit, risk, unit } = consideration;
  const { isSell, entry, closes, book } = quote;
  const { scenario } = deficit;
  const order = { rates: bookRisk(book.weights, risk), price: entry.price, fee: 0 };
  const healed = headroomChange({ ...order, signedLots: isSell ? -1 : 1 }, scenario);
  const room = cashQuotient(account.cash, unit) + scenarioValues(account, risk)[scenario]!;
  // A bargain may add to maintenance and yet not to the headroom: it is left alone.
  if (healed <= 0 || room >= 0) return 0;
  const needed = Math.ceil(-room / healed);
  const cap = Math.min(needed, entry.lots, 2 ** LOTS_BITS - 1, closes > 0 ? closes : Infinity);
  return closes > 0
    ? mostRelieving(consideration, { fee, cap })
    : mostAdmissible(consideration, { fee, cap });
}

interface Bound {
  /** Ticks for each lot. */
  readonly fee: number;
  /** Lots. */
  readonly cap: number;
}

function mostRelieving(
  { account, quote, deficit, risk }: Consideration,
  { fee, cap }: Bound,
): number {
  const { isSell, entry, values } = quote;
  const before = maintenanceValues(account, risk);
  const rooms = before.map((value) => value - before[deficit.scenario]!);
  const changes = values.map((value) => (isSell ? -1 : 1) * (value - entry.price) - fee);
  return mostWithin(rooms, changes, cap);
}

function mostAdmissible(
  { account, quote, risk, unit }: Consideration,
  { fee, cap }: Bound,
): number {
  const { book, isSell, entry } = quote;
  const order = { rates: bookRisk(book.weights, risk), price: entry.price, fee };
  const quotient = cashQuotient(account.cash, unit);
  const rooms = scenarioValues(account, risk).map((value) => quotient + value);
  const changes = rooms.map((_, row) => {
    return headroomChange({ ...order, signedLots: isSell ? -1 : 1 }, row);
  });
  return mostWithin(rooms, changes, cap);
}

/** The most lots up to `cap` that take no room below 0 which they lessen. */
function mostWithin(rooms: readonly number[], changes: readonly number[], cap: number): number {
  return changes.reduce((lots, change, row) => {
    if (change >= 0) return lots;
    return Math.min(lots, Math.max(Math.floor(rooms[row]! / -change), 0));
  }, cap);
}

function cheapest(candidates: readonly Candidate[]): Candidate | undefined {
  let best: Candidate | undefined;
  for (const candidate of candidates) {
    if (best === undefined || isBetter(candidate, best)) best = candidate;
  }
  return best;
}

function isBetter(one: Candidate, other: Candidate): boolean {
  if (one.cost !== other.cost) return one.cost < other.cost;
  return one.improvement > other.improvement;
}

/** The account's own orders before the wanted one become void, and go, with its first step. */
function stepTowards(state: MemoryState, { quote, liquidation }: Candidate): BookStep {
  const first = quote.before[0];
  if (first === undefined || !isVoid(state, first)) return { type: "liquidate", liquidation };
  const { price, seq } = first;
  const name = { book: quote.id, isSell: !quote.isSell, price, seq };
  return { type: "purge", entry: { type: "purge", ...name } };
}
