/**
 * Several hints of one site replaced at once: which of many is chosen is often said by hints that
 * are 0 or 1 and have a sum, and one alone that is neither breaks the sum.
 */
import { reduce } from "./field.ts";
import type { HintCall, Overrides } from "./target.ts";

/** Sites with more hints hold bits of numbers. */
const CHOICES_MAX = 40;
const VALUES = [-1n, 0n, 1n, 2n];
/** Rows that are short enough for every vector of values. */
const EVERY_MAX = 4;
/** Rows whose hints are each tried with every hint of another row. */
const FEW_MAX = 2;

/** Hints by their place in the order of computation, some of them replaced. */
export function* hintsTogether(calls: readonly HintCall[], prime: bigint): Generator<Overrides> {
  const rows = rowsOf(calls);
  const few = rows.filter((row) => row.length <= FEW_MAX).flat();
  for (const row of rows) {
    for (const places of chosenFrom(row)) {
      for (const values of vectors(places.length)) yield overridesOf(places, values, calls, prime);
    }
    for (const call of few) {
      if (row.includes(call)) continue;
      for (const other of row) {
        for (const values of vectors(2)) yield overridesOf([call, other], values, calls, prime);
      }
    }
  }
}

/** Calls of each site. */
function rowsOf(calls: readonly HintCall[]): number[][] {
  const bySite = new Map<number, number[]>();
  for (const [call, { site }] of calls.entries()) {
    const row = bySite.get(site);
    if (row === undefined) bySite.set(site, [call]);
    else row.push(call);
  }
  return [...bySite.values()].filter(({ length }) => length <= CHOICES_MAX);
}

/** All of a short row; of a longer one three neighbours, its end beside its beginning. */
function* chosenFrom(row: readonly number[]): Generator<readonly number[]> {
  if (row.length <= EVERY_MAX) {
    if (row.length > 1) yield row;
    return;
  }
  for (let at = 0; at < row.length; at++) {
    yield [0, 1, 2].map((offset) => row[(at + offset) % row.length]!);
  }
}

function* vectors(length: number): Generator<readonly bigint[]> {
  if (length === 0) {
    yield [];
    return;
  }
  for (const rest of vectors(length - 1)) for (const value of VALUES) yield [...rest, value];
}

/** What is as it was is left out. */
function overridesOf(
  places: readonly number[],
  values: readonly bigint[],
  calls: readonly HintCall[],
  prime: bigint,
): Overrides {
  const pairs = places.map((call, index) => [call, reduce(values[index]!, prime)] as const);
  return new Map(pairs.filter(([call, value]) => calls[call]!.value !== value));
}
