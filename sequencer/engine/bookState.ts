/** Questions about books and entries that several rules ask (SPEC sections 3 and 6). */
import type { Account, Book, Entry, Series } from "../protocol/state.ts";
import { type Leg, legsOf } from "./kept.ts";
import type { StateView } from "./stateView.ts";

/** Unix seconds of a time in unix ms, as expiries are compared with. */
export function secondsOf(time: number): number {
  return Math.floor(time / 1000);
}

/** `sum weight^2 generation` over today's table: at most 64 * 64 * 2^20 = 2^32. */
export function generationOf(
  weights: readonly number[],
  series: readonly Readonly<Series>[],
): number {
  let sum = 0;
  for (const { slot, weight } of legsOf(weights)) sum += weight * weight * series[slot]!.generation;
  return sum;
}

/** Whether every leg is listed, unexpired at `time` (unix ms) and still the series it was. */
export function isBookOpen(view: StateView, book: Readonly<Book>, time: number): boolean {
  return secondsOf(time) < openUntil(view, book, legsOf(book.weights));
}

/**
 * Until when (unix seconds, without it) a book is open by today's listings: the first expiry of its
 * legs, or 0 where a leg is not listed or no longer the series it was.
 */
export function openUntil(
  view: StateView,
  { generation: opened }: Readonly<Book>,
  legs: readonly Leg[],
): number {
  const series = view.series();
  let sum = 0;
  let until = Number.POSITIVE_INFINITY;
  for (const { slot, weight } of legs) {
    const { status, expiry, generation } = series[slot]!;
    if (status !== "listed") return 0;
    if (expiry < until) until = expiry;
    sum += weight * weight * generation;
  }
  return sum === opened ? until : 0;
}

/** Whether a book is one series: one weight `+1` and no other. */
export function isPlain(weights: readonly number[]): boolean {
  const legs = legsOf(weights);
  return legs.length === 1 && legs[0]!.weight === 1;
}

/** Whether its owner voided the order by a later cancel-all. */
export function isVoid(view: StateView, entry: Pick<Entry, "account" | "seq">): boolean {
  return entry.seq < view.session(entry.account).watermark;
}

/** Signed lots of the book that the account holds, leg by leg; on a plain book the position. */
export function exposure(account: Readonly<Account>, weights: readonly number[]): number {
  let sum = 0;
  for (const { slot, weight } of legsOf(weights)) sum += weight * account.positions[slot]!;
  return sum;
}
