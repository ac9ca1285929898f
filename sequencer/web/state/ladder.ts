/** Options by expiry and strike. */
import type { Instrument } from "./venue.ts";

export interface LadderRow {
  readonly strike: number;
  readonly call: Instrument | undefined;
  readonly put: Instrument | undefined;
}

export interface Ladder {
  readonly expiry: number;
  readonly rows: readonly LadderRow[];
  /** The call of strike 0. */
  readonly forward: Instrument | undefined;
}

const known = new WeakMap<readonly Instrument[], Map<number, Ladder>>();
const blocks = new WeakMap<readonly LadderRow[], ReturnType<typeof blocksOf>>();

/** The same objects for the same options. */
export function laddersOf(options: readonly Instrument[], expiries: readonly number[]): Ladder[] {
  const ladders = known.get(options) ?? new Map<number, Ladder>();
  known.set(options, ladders);
  return expiries.map((expiry) => {
    const ladder = ladders.get(expiry) ?? ladderOf(options, expiry);
    ladders.set(expiry, ladder);
    return ladder;
  });
}

function ladderOf(options: readonly Instrument[], expiry: number): Ladder {
  const own = options.filter((each) => each.expiration_timestamp === expiry);
  const strikes = [...new Set(own.map(({ strike = 0 }) => strike))].filter((strike) => strike > 0);
  const find = (strike: number, type: "call" | "put") =>
    own.find((each) => each.strike === strike && each.option_type === type);
  return {
    expiry,
    forward: own.find(({ strike }) => strike === 0),
    rows: strikes
      .sort((a, b) => a - b)
      .map((strike) => ({ strike, call: find(strike, "call"), put: find(strike, "put") })),
  };
}

const BLOCK_ROWS = 8;

/** Neighbouring rows, as many as come into sight at a turn of the wheel. */
export function blocksOf(
  rows: readonly LadderRow[],
): readonly { readonly from: number; readonly rows: readonly LadderRow[] }[] {
  const known = blocks.get(rows);
  if (known !== undefined) return known;
  const count = Math.ceil(rows.length / BLOCK_ROWS);
  const made = Array.from({ length: count }, (_, index) => {
    const from = index * BLOCK_ROWS;
    return { from, rows: rows.slice(from, from + BLOCK_ROWS) };
  });
  blocks.set(rows, made);
  return made;
}

/** The first of those expiries that have the most strikes: what a visitor most likely wants. */
export function mainExpiry(
  options: readonly Instrument[],
  expiries: readonly number[],
): number | undefined {
  let best: Ladder | undefined;
  for (const ladder of laddersOf(options, expiries)) {
    if (best === undefined || ladder.rows.length > best.rows.length) best = ladder;
  }
  return best?.expiry;
}

/** Where the arrow keys lead from an instrument. */
export function neighbour(
  { rows }: Ladder,
  name: string | undefined,
  way: "up" | "down" | "left" | "right",
): Instrument | undefined {
  const at = rows.findIndex(({ call, put }) =>
    [call, put].some((each) => each !== undefined && each.instrument_name === name),
  );
  if (at < 0) {
    const middle = rows[Math.floor(rows.length / 2)];
    return middle?.call ?? middle?.put;
  }
  const isPut = rows[at]!.put?.instrument_name === name;
  if (way === "left") return rows[at]!.call ?? rows[at]!.put;
  if (way === "right") return rows[at]!.put ?? rows[at]!.call;
  const row = rows[at + (way === "up" ? -1 : 1)];
  return isPut ? (row?.put ?? row?.call) : (row?.call ?? row?.put);
}
