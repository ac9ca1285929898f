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

interface Resting extends Entry {
  readonly isSell: boolean;
}

export interface NaiveBook {
  place(order: Carry): NaiveResult;
  cancel(account: number, seq: number): Outcome;
  cancelAll(account: number, seq: number): void;
  position(account: number): number;
  /** Seq and lots of the resting orders of a side, best first. */
  side(isSell: boolean): { seq: number; lots: number }[];
}

/** At most `depth` orders rest on a side; a FOK meets at most `stepsMax` of them. */
export function createNaiveBook({
  depth,
  stepsMax,
}: {
  depth: number;
  stepsMax: number;
}): NaiveBook {
  let resting: Resting[] = [];
  let positions = new Map<number, number>();
  const watermarks = new Map<number, number>();

  const position = (account: number): number => positions.get(account) ?? 0;
  const sorted = (isSell: boolean): Resting[] =>
    resting
      .filter((order) => order.isSell === isSell)
      .sort((a, b) => (isSell ? a.price - b.price : b.price - a.price) || a.seq - b.seq);

  function take(order: Carry, maker: Resting, lots: number): void {
    const signed = order.isSell ? -lots : lots;
    positions.set(order.account, position(order.account) + signed);
    positions.set(maker.account, position(maker.account) - signed);
    maker.lots -= lots;
    resting = resting.filter((other) => other.lots > 0);
  }

  function run(order: Carry): NaiveResult {
    const fills: NaiveFill[] = [];
    const removed: [number, Removal][] = [];
    const done = (outcome: Outcome): NaiveResult => ({ outcome, fills, removed });
    let left = order.lots;
    for (let steps = 0; left > 0; steps++) {
      if (order.timeInForce === "fok" && steps === stepsMax) return done("fokNotFillable");
      const maker = sorted(!order.isSell)[0];
      const isBetter =
        maker && (order.isSell ? maker.price >= order.price : maker.price <= order.price);
      if (!maker || !isBetter) return done(rest(order, left, removed));
      const isVoid = maker.seq < (watermarks.get(maker.account) ?? 0);
      if (!isVoid && order.postOnly) return done("postOnlyWouldCross");
      if (isVoid || maker.account === order.account) {
        resting = resting.filter((other) => other !== maker);
        removed.push([maker.seq, isVoid ? "void" : "selfTrade"]);
        continue;
      }
      const held = position(order.account) * (order.isSell ? 1 : -1);
      if (order.reduceOnly && held <= 0) return done("killed");
      const lots = Math.min(left, maker.lots, order.reduceOnly ? held : left);
      take(order, maker, lots);
      fills.push({ maker: maker.seq, price: maker.price, lots });
      left -= lots;
    }
    return done("filled");
  }

  function rest(order: Carry, lots: number, removed: [number, Removal][]): Outcome {
    if (order.timeInForce !== "gtc") return "killed";
    const { account, seq, price, isSell } = order;
    resting.push({ account, seq, price, lots, isSell });
    const last = sorted(isSell)[depth];
    if (last === undefined) return "rested";
    resting = resting.filter((other) => other !== last);
    if (last.seq === seq) return "sideFull";
    removed.push([last.seq, "evicted"]);
    return "rested";
  }

  return {
    place(order) {
      const before = {
        resting: resting.map((other) => ({ ...other })),
        positions: new Map(positions),
      };
      const result = run(order);
      if (order.timeInForce !== "fok" || result.outcome === "filled") return result;
      ({ resting, positions } = before);
      return { outcome: "fokNotFillable", fills: [], removed: [] };
    },
    cancel(account, seq) {
      const found = resting.find((order) => order.seq === seq);
      if (found === undefined) return "notFound";
      if (found.account !== account) return "notOwner";
      resting = resting.filter((order) => order !== found);
      return "cancelled";
    },
    cancelAll(account, seq) {
      watermarks.set(account, seq);
    },
    position,
    side: (isSell) => sorted(isSell).map(({ seq, lots }) => ({ seq, lots })),
  };
}
