// What the terminal computes by itself: payoffs, matrices, combinations' books, prices and texts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { TIME_IN_FORCE_NAMES, timeInForceOf } from "../../sequencer/market/timeInForce.ts";
import { blackPrice, MS_PER_YEAR } from "../../sequencer/pricing/black76.ts";
import { isWellFormed } from "../../sequencer/protocol/messages.ts";
import {
  digitsOf,
  expiryLabel,
  number,
  percent,
  remaining,
  shortHex,
  signed,
} from "../../sequencer/web/math/format.ts";
import { changedFlags, type OrderFlags, PLAIN_FLAGS } from "../../sequencer/web/math/orderFlags.ts";
import { priceAtVolatility, volatilityAtPrice } from "../../sequencer/web/math/orderText.ts";
import {
  breakEvens,
  commonPart,
  greeksOf,
  type PricedLeg,
  presentValue,
  profitBounds,
  profitCurve,
  profitMatrix,
} from "../../sequencer/web/math/strategy.ts";
import { laddersOf, neighbour } from "../../sequencer/web/state/ladder.ts";
import { type BuildOptions, buildStrategy } from "../../sequencer/web/state/strategy.ts";

const TIME = Date.UTC(2026, 10, 20, 8);
const EXPIRY = TIME + 30 * 86_400_000;
const SIZES = { tickSize: 100_000, lotsPerContract: 100 };

const leg = (isCall: boolean, strike: number, contracts: number, expiry = EXPIRY): PricedLeg => ({
  ...{ isCall, strike, contracts, expiry, volatility: 0.6, forward: 2000 },
});
const SPREAD = [leg(true, 2000, 1), leg(true, 2200, -1)];
const AT = { base: 2000, time: TIME, cost: 70, from: 1400, to: 2600 };

test("a call spread pays between its strikes, less what it cost", () => {
  const curve = profitCurve(SPREAD, AT);
  for (const [index, price] of curve.prices.entries()) {
    const paid = Math.min(Math.max(price - 2000, 0), 200) - 70;
    assert.ok(Math.abs(curve.later[index]! - paid) < 1e-9);
  }
  assert.ok(curve.prices.includes(2200));
  assert.deepEqual(
    breakEvens(curve).map((price) => Math.round(price * 1e6) / 1e6),
    [2070],
  );
  assert.deepEqual(profitBounds(SPREAD, AT), { gain: 130, loss: -70 });
  const now = presentValue(SPREAD, { price: 2000, base: 2000, time: TIME });
  const yearsToExpiry = (EXPIRY - TIME) / MS_PER_YEAR;
  const priced = [2000, 2200].map((strike) =>
    blackPrice({ isCall: true, strike, forward: 2000, volatility: 0.6, yearsToExpiry }),
  );
  assert.equal(now, priced[0]! - priced[1]!);
});

test("what has no bound is told so, and the corner at 0 counts", () => {
  assert.equal(profitBounds([leg(true, 2000, 1)], AT).gain, Number.POSITIVE_INFINITY);
  assert.equal(profitBounds([leg(true, 2000, -1)], AT).loss, Number.NEGATIVE_INFINITY);
  // A put's most is at a price of 0, which no curve shows.
  assert.equal(profitBounds([leg(false, 2000, 1)], AT).gain, 1930);
  const straddle = [leg(true, 2000, 1), leg(false, 2000, 1)];
  assert.equal(breakEvens(profitCurve(straddle, AT)).length, 2);
});

test("the second expiry still has time when the first ends", () => {
  const calendar = [leg(true, 2000, -1), leg(true, 2000, 1, EXPIRY + 30 * 86_400_000)];
  const { later, prices } = profitCurve(calendar, { ...AT, cost: 0 });
  const peak = prices[later.indexOf(Math.max(...later))]!;
  assert.ok(Math.abs(peak - 2000) < 40, `${peak}`);
});

test("the matrix is the curve's values, moved and shifted", () => {
  const { moves, shifts, profits } = profitMatrix(SPREAD, AT);
  const [row, column] = [shifts.indexOf(0.2), moves.indexOf(0.05)];
  const scene = { price: 2100, base: 2000, time: TIME, volatilityShift: 0.2 };
  assert.equal(profits[row]![column], presentValue(SPREAD, scene) - 70);
  const middle = profits[shifts.indexOf(0)]![moves.indexOf(0)]!;
  assert.equal(middle, presentValue(SPREAD, { price: 2000, base: 2000, time: TIME }) - 70);
});

test("greeks are slopes of the value", () => {
  const scene = { price: 2050, base: 2000, time: TIME };
  const { delta, vega, theta } = greeksOf(SPREAD, scene);
  const value = (change: Partial<typeof scene> & { volatilityShift?: number }) =>
    presentValue(SPREAD, { ...scene, ...change });
  assert.ok(Math.abs(delta - (value({ price: 2050.5 }) - value({ price: 2049.5 }))) < 1e-4);
  // One point of 60 is a sixtieth.
  const point = (value({ volatilityShift: 1 / 60 }) - value({ volatilityShift: -1 / 60 })) / 2;
  assert.ok(Math.abs(vega - point) < 1e-3);
  const day = value({ time: TIME + 43_200_000 }) - value({ time: TIME - 43_200_000 });
  assert.ok(Math.abs(theta - day) < 1e-2);
});

test("volatility and price are each other's inverse, to the tick", () => {
  const option = { isCall: false, strike: 1900, expiry: EXPIRY, forward: 2000, time: TIME };
  const price = priceAtVolatility("65", option, SIZES)!;
  assert.match(price, /^\d+\.?\d?$/);
  assert.ok(Math.abs(volatilityAtPrice(price, option, SIZES)! - 65) < 0.05);
  assert.equal(priceAtVolatility("a lot", option, SIZES), undefined);
  assert.equal(priceAtVolatility("-1", option, SIZES), undefined);
  assert.equal(volatilityAtPrice("1900", option, SIZES), undefined);
  assert.equal(volatilityAtPrice("12.34", option, SIZES), undefined);
});

const INFO = { underlying: "ETH", ...SIZES } as unknown as NonNullable<
  BuildOptions["catalogue"]["info"]
>;
const NAMES = ["ETH-20261220-2000-C", "ETH-20261220-2200-C", "ETH-CS-20261220-2000_2200"];

function options(legs: BuildOptions["legs"], fill: BuildOptions["fill"] = "market"): BuildOptions {
  const instruments = NAMES.map((instrument_name, at) => ({
    ...{ instrument_name, option_type: "call", strike: at === 0 ? 2000 : 2200 },
    ...{ expiration_timestamp: EXPIRY, book: at, tick_size: 0.1 },
  }));
  const byName = new Map(instruments.map((each) => [each.instrument_name, each]));
  const tickers = new Map(
    [
      [100, 104, 102],
      [30, null, 31],
    ].map(([bid, ask, mark], at) => [
      NAMES[at],
      {
        ...{ best_bid_price: bid, best_ask_price: ask, mark_price: mark, mark_iv: 60 },
        underlying_price: 2000,
      },
    ]),
  );
  return {
    ...{ legs, fill, base: 2000, tickerOf: (name) => tickers.get(name) as never },
    catalogue: { info: INFO, byName: byName as never },
  };
}

test("legs are priced by what they take, and find the book that trades them as one", () => {
  const two = [
    { instrument: NAMES[0]!, weight: 2 },
    { instrument: NAMES[1]!, weight: -2 },
  ];
  const built = buildStrategy(options(two))!;
  assert.equal(built.cost, 2 * 104 - 2 * 30);
  assert.deepEqual([built.name, built.size, built.isReversed], [NAMES[2], 2, false]);
  assert.equal(built.combo?.instrument_name, NAMES[2]);
  assert.equal(built.price, 104 - 30, "two of them are bought at the price of one");
  assert.equal(buildStrategy(options(two, "mark"))!.cost, 2 * (102 - 31));
  // Without an ask there is no middle.
  assert.equal(buildStrategy(options(two, "mid"))!.cost, 2 * (102 - 31));
  const opposite = two.map(({ instrument, weight }) => ({ instrument, weight: -weight }));
  const reversed = buildStrategy(options(opposite))!;
  assert.deepEqual([reversed.combo?.instrument_name, reversed.isReversed], [NAMES[2], true]);
  assert.equal(reversed.price, 100 - 31);
  const ratio = buildStrategy(options([two[0]!, { instrument: NAMES[1]!, weight: -1 }]))!;
  assert.equal(ratio.combo, undefined);
  assert.equal(buildStrategy(options([])), undefined);
  assert.equal(commonPart([6, -4]), 2);
});

test("flags that no order can have together are never offered together", () => {
  const times = Object.values(TIME_IN_FORCE_NAMES);
  const both = [false, true];
  const all = times.flatMap((timeInForce) =>
    both.flatMap((isPostOnly) =>
      both.map((isReduceOnly) => ({ timeInForce, isPostOnly, isReduceOnly })),
    ),
  );
  const isSound = ({ timeInForce, isPostOnly, isReduceOnly }: OrderFlags): boolean =>
    isWellFormed({
      ...{ kind: "place", book: 1, isSell: false, price: 5, lots: 1, deadline: TIME },
      ...{ postOnly: isPostOnly, reduceOnly: isReduceOnly },
      timeInForce: timeInForceOf(timeInForce),
    });
  const sound = all.filter(isSound);
  assert.equal(sound.length, 6);
  const changes: Partial<OrderFlags>[] = [
    ...times.map((timeInForce) => ({ timeInForce })),
    ...both.flatMap((value) => [{ isPostOnly: value }, { isReduceOnly: value }]),
  ];
  for (const flags of sound) {
    for (const change of changes) {
      const next = changedFlags(flags, change);
      assert.ok(isSound(next), JSON.stringify([flags, change, next]));
      assert.deepEqual({ ...next, ...change }, next, "the change itself is kept");
    }
  }
  assert.deepEqual(changedFlags(PLAIN_FLAGS, { isReduceOnly: true }), {
    ...{ timeInForce: "immediate_or_cancel", isPostOnly: false, isReduceOnly: true },
  });
});

test("arrow keys move between strikes and sides", () => {
  const listed = [1900, 2000, 2100].flatMap((strike) =>
    (["call", "put"] as const).map((option_type) => ({
      ...{ instrument_name: `${strike}${option_type}`, option_type, strike },
      expiration_timestamp: EXPIRY,
    })),
  );
  const [ladder] = laddersOf(listed as never, [EXPIRY]);
  const go = (from: string | undefined, way: Parameters<typeof neighbour>[2]) =>
    neighbour(ladder!, from, way)?.instrument_name;
  assert.equal(go("2000call", "up"), "1900call");
  assert.equal(go("2000put", "down"), "2100put");
  assert.equal(go("2000call", "right"), "2000put");
  assert.equal(go("2000put", "left"), "2000call");
  assert.equal(go("1900call", "up"), undefined);
  assert.equal(go(undefined, "up"), "2000call");
});

test("numbers have one width, one minus, and no minus zero", () => {
  assert.equal(number(1234.5, 2), "1,234.50");
  assert.equal(number(-0.001, 2), "0.00");
  assert.equal(number(-1.5, 1), "\u22121.5");
  assert.equal(number(null, 2), "\u2013");
  assert.equal(number(Number.NaN, 2), "\u2013");
  assert.equal(signed(3, 1), "+3.0");
  assert.equal(signed(0, 1), "0.0");
  assert.equal(signed(Number.POSITIVE_INFINITY, 1), "unlimited");
  assert.equal(percent(60.04), "60.0%");
  assert.deepEqual([1, 0.5, 0.05, 0.001].map(digitsOf), [0, 1, 2, 3]);
  assert.equal(expiryLabel(EXPIRY), "20 Dec 26");
  assert.equal(expiryLabel(EXPIRY + 1_800_000), "20 Dec 26 08:30");
  assert.deepEqual([90_000_000, 7_200_000, 60_000, 0].map(remaining), [
    ...["1d 1h", "2h 0m", "1m", "expired"],
  ]);
  assert.equal(shortHex("0x1234567890abcdef"), "0x1234\u2026cdef");
});
