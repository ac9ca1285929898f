/**
 * One plain book, matched in the most obvious way: the oracle that tests hold the engine against.
 * Resting orders are an unsorted list and the best one is looked for anew each time. Nobody ever
 * lacks margin here.
 */
import type { Outcome, Removal } from "../../protocol/rejection.ts";
import type { Carry, Entry } from "../../protocol/state.ts";

export interface NaiveFill {
  readonly maker: number;
  readonly price: number;
  readonly lots: number;
}

/** What became of one order. */
export interface NaiveResult {
  readonly outcome: Outcome;
  readonly fills: readonly NaiveFill[];
  /** Seqs of the resting orders that left without trading, in order, and why. */
  readonly removed: readonly (readonly [seq: number, reason: Removal])[];
}

interface Resting extends Omit<Entry, "lots"> {
  readonly isSell: boolean;
  lots: number;
}

export interface NaiveBook {
  place(order: Carry): NaiveResult;
  cancel(account: number, seq: number): Outcome;
  cancelAll(account: number, seq: number): void;
  position(account: number): number;
  /** Seq and lots of the resting orders of a side, best first. */
  side(isSell: boolean): { seq: number; lots: number }[];
}

interface Naive {
  readonly depth: number;
  readonly stepsMax: number;
  resting: Resting[];
  positions: Map<number, number>;
  readonly watermarks: Map<number, number>;
}

/** At most `depth` orders rest on a side; a FOK meets at most `stepsMax` of them. */
export function createNaiveBook(sizes: { depth: number; stepsMax: number }): NaiveBook {
  const naive: Naive = { ...sizes, resting: [], positions: new Map(), watermarks: new Map() };
  return {
    place(order) {
      const resting = naive.resting.map((other) => ({ ...other }));
      const positions = new Map(naive.positions);
      const result = run(naive, order);
      if (order.timeInForce !== "fok" || result.outcome === "filled") return result;
      Object.assign(naive, { resting, positions });
      return { outcome: "fokNotFillable", fills: [], removed: [] };
    },
    cancel(account, seq) {
      const found = naive.resting.find((order) => order.seq === seq);
      if (found === undefined) return "notFound";
      if (found.account !== account) return "notOwner";
      remove(naive, found);
      return "cancelled";
    },
    cancelAll(account, seq) {
      naive.watermarks.set(account, seq);
    },
    position: (account) => positionOf(naive, account),
    side: (isSell) => sorted(naive, isSell).map(({ seq, lots }) => ({ seq, lots })),
  };
}

function positionOf({ positions }: Naive, account: number): number {
  return positions.get(account) ?? 0;
}

function sorted({ resting }: Naive, isSell: boolean): Resting[] {
  return resting
    .filter((order) => order.isSell === isSell)
    .sort((a, b) => (isSell ? a.price - b.price : b.price - a.price) || a.seq - b.seq);
}

function remove(naive: Naive, order: Resting): void {
  naive.resting = naive.resting.filter((other) => other !== order);
}

function run(naive: Naive, order: Carry): NaiveResult {
  const fills: NaiveFill[] = [];
  const removed: [number, Removal][] = [];
  const done = (outcome: Outcome): NaiveResult => ({ outcome, fills, removed });
  let left = order.lots;
  for (let steps = 0; left > 0; steps++) {
    if (order.timeInForce === "fok" && steps === naive.stepsMax) return done("fokNotFillable");
    const maker = sorted(naive, !order.isSell)[0];
    const isFar = maker && (order.isSell ? maker.price < order.price : maker.price > order.price);
    if (!maker || isFar) return done(rest(naive, { ...order, lots: left }, removed));
    const isVoid = maker.seq < (naive.watermarks.get(maker.account) ?? 0);
    if (!isVoid && order.postOnly) return done("postOnlyWouldCross");
    if (isVoid || maker.account === order.account) {
      remove(naive, maker);
      removed.push([maker.seq, isVoid ? "void" : "selfTrade"]);
      continue;
    }
    const held = positionOf(naive, order.account) * (order.isSell ? 1 : -1);
    if (order.reduceOnly && held <= 0) return done("killed");
    const lots = Math.min(left, maker.lots, order.reduceOnly ? held : left);
    take(naive, order, maker, lots);
    fills.push({ maker: maker.seq, price: maker.price, lots });
    left -= lots;
  }
  return done("filled");
}

function take(naive: Naive, order: Carry, maker: Resting, lots: number): void {
  const signed = order.isSell ? -lots : lots;
  naive.positions.set(order.account, positionOf(naive, order.account) + signed);
  naive.positions.set(maker.account, positionOf(naive, maker.account) - signed);
  maker.lots -= lots;
  if (maker.lots === 0) remove(naive, maker);
}

function rest(naive: Naive, order: Carry, removed: [number, Removal][]): Outcome {
  if (order.timeInForce !== "gtc") return "killed";
  const { account, seq, price, lots, isSell } = order;
  naive.resting.push({ account, seq, price, lots, isSell });
  const last = sorted(naive, isSell)[naive.depth];
  if (last === undefined) return "rested";
  remove(naive, last);
  if (last.seq === seq) return "sideFull";
  removed.push([last.seq, "evicted"]);
  return "rested";
}
