import assert from "node:assert/strict";
import { test } from "node:test";
import type { Feed, Market, SeriesTerms } from "../../../sequencer/oracle/feed.ts";
import { createRecordedFeed, shiftMs } from "../../../sequencer/oracle/recordedFeed.ts";
import { createSimulatedFeed } from "../../../sequencer/oracle/simulatedFeed.ts";
import { fitSmiles } from "../../../sequencer/oracle/surface.ts";

const START = 1_800_000_000_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const listed = { status: "listed", isCall: true } as const;

/** The volatility of a quote; undefined where the option is not quoted. */
function ivOf(market: Market, terms: SeriesTerms | undefined): number | undefined {
  return market.quotes.find(
    ({ isCall, strike, expiry }) =>
      isCall === terms?.isCall && strike === terms.strike && expiry === terms.expiry,
  )?.ivBps;
}

function read(feed: Feed, now: number, table: readonly SeriesTerms[]): Market {
  const market = feed.read(now, table);
  assert.ok(!(market instanceof Promise));
  return market;
}

test("simulated feeds agree by seed and time, in whatever order they are asked", () => {
  const expiry = START / 1000 + 7 * 86_400;
  const table: SeriesTerms[] = [
    { ...listed, strike: 25_000, expiry },
    { ...listed, strike: 20_000, expiry },
    { status: "empty", isCall: false, strike: 0, expiry: 0 },
    { ...listed, strike: 0, expiry: START / 1000 + 86_400 },
  ];
  const times = [0, 1, 999, HOUR, 2 * DAY, 9 * DAY].map((after) => START + after);
  const first = createSimulatedFeed({ seed: 7, startMs: START });
  const views = times.map((now) => read(first, now, table));
  const second = createSimulatedFeed({ seed: 7, startMs: START });
  for (const [index, now] of [...times.entries()].reverse()) {
    assert.deepEqual(read(second, now, table), views[index]);
  }
  const other = read(createSimulatedFeed({ seed: 8, startMs: START }), START + 2 * DAY, table);
  assert.notDeepEqual(other.forwardTicks, views[4]?.forwardTicks);
  const start = views[0]?.forwardTicks.get(expiry) as number;
  assert.ok(Math.abs(start - 25_000) < 20, "the path begins at 2,500 USDC");
  const opening = views[0] as Market;
  assert.equal(ivOf(opening, table[2]), undefined);
  const [near, low] = [ivOf(opening, table[0]), ivOf(opening, table[1])];
  assert.ok((low as number) > (near as number), "puts' side is dearer");
  const last = views[5] as Market;
  assert.ok(!last.forwardTicks.has(expiry) && (last.indexTicks as number) > 0);
  assert.ok(last.quotes.every((quote) => quote.expiry !== expiry));
});

test("a simulated chain is wide enough for a smile without arbitrage", () => {
  const feed = createSimulatedFeed({ seed: 7, startMs: START });
  const expiries = [1, 7, 30, 90].map((days) => START / 1000 + days * 86_400);
  const table = expiries.map((expiry) => ({ ...listed, strike: 25_000, expiry }));
  for (const after of [0, 20 * HOUR, 23 * HOUR, 6 * DAY]) {
    const { forwardTicks, quotes } = read(feed, START + after, table);
    const chains = [...forwardTicks].map(([expiry, forward]) => {
      const calls = quotes.filter((quote) => quote.expiry === expiry && quote.isCall);
      const points = calls.map(({ strike, ivBps }) => ({ strike, ivBps: ivBps as number }));
      return { expiry, forward, points: points.sort((a, b) => a.strike - b.strike) };
    });
    const { value } = fitSmiles(chains, START + after);
    assert.equal(value?.smiles.length, chains.length);
    assert.deepEqual(value?.repairs, []);
  }
});

test("feeds remember the index of the past", () => {
  const feed = createSimulatedFeed({ seed: 7, startMs: START });
  const samples = feed.history?.(START, START + HOUR) ?? [];
  assert.equal(samples.length, 901);
  for (const { time, ticks } of samples.slice(0, 20)) {
    assert.equal(read(feed, time, []).indexTicks, ticks);
  }
  assert.throws(() => feed.history?.(START, START + 30 * DAY), /At most 21600 samples/);
});

test("a simulated path moves by its volatility", () => {
  const feed = createSimulatedFeed({ seed: 1, startMs: START, volatilityBps: 6500, carryBps: 0 });
  const expiry = START / 1000 + 400 * 86_400;
  const table: SeriesTerms[] = [{ ...listed, strike: 25_000, expiry }];
  let squares = 0;
  let previous: number | undefined;
  const hours = 4000;
  for (let hour = 0; hour <= hours; hour++) {
    const forward = read(feed, START + hour * HOUR, table).forwardTicks.get(expiry) as number;
    if (previous !== undefined) squares += Math.log(forward / previous) ** 2;
    previous = forward;
  }
  const volatility = Math.sqrt((squares / hours) * 24 * 365);
  assert.ok(Math.abs(volatility - 0.65) < 0.03, `realised ${volatility}`);
});

const RECORDED = 1_500_000_000_250;
const recordedExpiry = 1_500_003_600;
const recording = {
  expiries: [recordedExpiry, recordedExpiry + 86_400],
  series: [
    { isCall: true, strikeTicks: 1000, expiry: recordedExpiry },
    { isCall: true, strikeTicks: 1000, expiry: recordedExpiry + 86_400 },
  ],
  snapshots: [
    { time: RECORDED, forwards: [1000, 1010], ivs: [5000, null] },
    { time: RECORDED + HOUR / 2, forwards: [1100, 1111], ivs: [7000, 6000] },
    { time: RECORDED + 2 * HOUR, forwards: [null, 1261], ivs: [null, 6100] },
  ],
};

test("a recorded feed plays, interpolates, holds and settles", () => {
  const feed = createRecordedFeed(recording, { startMs: START, speed: 1 });
  const shift = shiftMs(recording, START) / 1000;
  const table = recording.series.map(({ expiry, strikeTicks }) => {
    return { ...listed, strike: strikeTicks, expiry: expiry + shift };
  });
  const [near, far] = table.map(({ expiry }) => expiry) as [number, number];
  const rows: readonly (readonly [number, ...(number | undefined)[]])[] = [
    // After the start: near forward, far forward, near iv, far iv.
    [-DAY, 1000, 1010, 5000, 6000],
    [0, 1000, 1010, 5000, 6000],
    [HOUR / 4, 1050, 1061, 6000, 6000],
    [HOUR / 2, 1100, 1111, 7000, 6000],
    [2 * HOUR, undefined, 1261, undefined, 6100],
    [9 * HOUR, undefined, 1261, undefined, 6100],
  ];
  for (const [after, nearForward, farForward, nearIv, farIv] of rows) {
    const market = read(feed, START + after, table);
    const forwards = [market.forwardTicks.get(near), market.forwardTicks.get(far)];
    assert.deepEqual(forwards, [nearForward, farForward], `${after}`);
    const ivs = table.map((terms) => ivOf(market, terms));
    assert.deepEqual(ivs, [nearIv, farIv], `${after}`);
  }
  // Near its expiry the near forward has become the far one's: a third of the way to 1261.
  const last = feed.history?.(near * 1000 - 4000, near * 1000).at(-1)?.ticks as number;
  assert.ok(Math.abs(last - 1154) <= 1, `${last}`);
  const after = read(feed, START + 2 * HOUR, table).indexTicks;
  assert.equal(after, 1261, "the index follows the next expiry");
});

test("speed scales recorded time and leaves the expiries' distance", () => {
  const feed = createRecordedFeed(recording, { startMs: START, speed: 60 });
  const expiry = recordedExpiry + shiftMs(recording, START) / 1000;
  const table: SeriesTerms[] = [{ ...listed, strike: 990, expiry }];
  const market = read(feed, START + HOUR / 240, table);
  assert.deepEqual([market.forwardTicks.get(expiry), ivOf(market, table[0])], [1050, 6000]);
  assert.throws(() => createRecordedFeed(recording, { startMs: START, speed: 0 }), /`speed`/);
});
