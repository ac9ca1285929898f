import assert from "node:assert/strict";
import { test } from "node:test";
import type { Feed, Market, SeriesTerms } from "../../../sequencer/oracle/feed.ts";
import { createRecordedFeed, shiftMs } from "../../../sequencer/oracle/recordedFeed.ts";
import { createSimulatedFeed } from "../../../sequencer/oracle/simulatedFeed.ts";

const START = 1_800_000_000_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const listed = { status: "listed", isCall: true } as const;

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
  assert.equal(views[0]?.ivBps[2], undefined);
  assert.ok(
    (views[0]?.ivBps[1] as number) > (views[0]?.ivBps[0] as number),
    "puts' side is dearer",
  );
  assert.ok(views[5]?.settlementTicks.has(expiry) && !views[5].forwardTicks.has(expiry));
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
  const rows: readonly (readonly [number, number | undefined, number, number, number])[] = [
    // After the start: near forward, far forward, near iv, far iv.
    [-DAY, 1000, 1010, 5000, 6000],
    [0, 1000, 1010, 5000, 6000],
    [HOUR / 4, 1050, 1061, 6000, 6000],
    [HOUR / 2, 1100, 1111, 7000, 6000],
    [2 * HOUR, undefined, 1261, 7000, 6100],
    [9 * HOUR, undefined, 1261, 7000, 6100],
  ];
  for (const [after, nearForward, farForward, nearIv, farIv] of rows) {
    const market = read(feed, START + after, table);
    const forwards = [market.forwardTicks.get(near), market.forwardTicks.get(far)];
    assert.deepEqual(forwards, [nearForward, farForward], `${after}`);
    assert.deepEqual(market.ivBps, [nearIv, farIv], `${after}`);
  }
  // Near its expiry the near forward has become the far one's: a third of the way to 1261.
  const settled = read(feed, START + 2 * HOUR, table).settlementTicks.get(near);
  assert.ok(settled !== undefined && Math.abs(settled - 1154) <= 1, `${settled}`);
});

test("speed scales recorded time and leaves the expiries' distance", () => {
  const feed = createRecordedFeed(recording, { startMs: START, speed: 60 });
  const expiry = recordedExpiry + shiftMs(recording, START) / 1000;
  const table: SeriesTerms[] = [{ ...listed, strike: 990, expiry }];
  const market = read(feed, START + HOUR / 240, table);
  assert.deepEqual([market.forwardTicks.get(expiry), market.ivBps[0]], [1050, 6000]);
  assert.throws(() => createRecordedFeed(recording, { startMs: START, speed: 0 }), /`speed`/);
});
