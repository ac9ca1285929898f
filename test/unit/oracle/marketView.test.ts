// What several sources come to together: bad quotes are named and left out, bad sources outvoted.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cleanQuotes, QUOTES_MAX } from "../../../sequencer/oracle/cleanQuotes.ts";
import type { Feed, Market, Quote, SeriesTerms } from "../../../sequencer/oracle/feed.ts";
import {
  createMarketSources,
  defaultLimits,
  sourceMajority,
} from "../../../sequencer/oracle/marketView.ts";
import type { OracleRejectName } from "../../../sequencer/oracle/rejects.ts";
import { blackPrice } from "../../../sequencer/pricing/black76.ts";

const NOW = 1_800_000_000_000;
const expiry = NOW / 1000 + 7 * 86_400;
const table: readonly SeriesTerms[] = [
  { status: "listed", isCall: true, strike: 25_000, expiry },
  { status: "empty", isCall: false, strike: 0, expiry: 0 },
];
const forwards = new Map([[expiry, 25_000]]);
const good: Quote = { isCall: true, strike: 26_000, expiry, ivBps: 6500, bid: 500, ask: 520 };

function marketOf(quotes: readonly Quote[], changes: Partial<Market> = {}): Market {
  return { time: NOW, indexTicks: 24_990, forwardTicks: forwards, quotes, ...changes };
}

const bad: readonly (readonly [string, Partial<Quote>, OracleRejectName])[] = [
  ["expired", { expiry: NOW / 1000 }, "expiredStrike"],
  ["volatility not a number", { ivBps: Number.NaN }, "notFinite"],
  ["infinite bid", { bid: Number.POSITIVE_INFINITY }, "notFinite"],
  ["strike not a number", { strike: Number.NaN }, "notFinite"],
  ["expiry not a number", { expiry: Number.NaN }, "notFinite"],
  ["negative strike", { strike: -1 }, "outOfRange"],
  ["volatility 0", { ivBps: 0 }, "notPositive"],
  ["negative volatility", { ivBps: -6500 }, "notPositive"],
  ["volatility without bound", { ivBps: 1_000_001 }, "outOfRange"],
  ["negative bid", { bid: -1 }, "notPositive"],
  ["ask 0", { ask: 0 }, "notPositive"],
  ["crossed", { bid: 521 }, "crossed"],
  ["above every volatility", { ivBps: undefined, bid: 25_000, ask: 25_001 }, "outsideBounds"],
  ["below the intrinsic value", { ivBps: undefined, strike: 20_000, bid: 1 }, "outsideBounds"],
];

test("quotes that cannot be true are left out by name", () => {
  assert.deepEqual(cleanQuotes(marketOf([good]), forwards, NOW), { quotes: [good], rejects: [] });
  for (const [name, changes, expected] of bad) {
    const other = { ...good, strike: 27_000 };
    const market = marketOf([{ ...good, ...changes }, other]);
    const { quotes, rejects } = cleanQuotes(market, forwards, NOW);
    assert.deepEqual(quotes, [other], name);
    assert.deepEqual(
      rejects.map((reject) => reject.name),
      [expected],
      name,
    );
  }
});

test("of an option that is quoted twice neither quote counts", () => {
  const market = marketOf([good, { ...good, ivBps: 9000 }, { ...good, isCall: false }]);
  const { quotes, rejects } = cleanQuotes(market, forwards, NOW);
  assert.deepEqual(
    quotes.map(({ isCall }) => isCall),
    [false],
  );
  assert.deepEqual(
    rejects.map(({ name }) => name),
    ["duplicateStrike", "duplicateStrike"],
  );
});

test("without a stated volatility it is that of the middle; one side alone says nothing", () => {
  const years = (expiry * 1000 - NOW) / 31_536_000_000;
  const terms = { isCall: true, forward: 25_000, strike: 26_000, yearsToExpiry: years };
  const price = blackPrice({ ...terms, volatility: 0.8 });
  const quote = { ...good, ivBps: undefined, bid: price - 5, ask: price + 5 };
  const { quotes } = cleanQuotes(marketOf([quote]), forwards, NOW);
  assert.ok(Math.abs((quotes[0]?.ivBps ?? 0) - 8000) < 1e-6);
  for (const side of [{ bid: undefined }, { ask: undefined }, { bid: 0 }]) {
    const result = cleanQuotes(marketOf([{ ...quote, ...side }]), forwards, NOW);
    assert.deepEqual(result, { quotes: [], rejects: [] });
  }
});

test("no more quotes are read than any venue has", () => {
  const many = Array.from({ length: QUOTES_MAX + 10 }, (_, i) => ({ ...good, strike: i + 1 }));
  assert.equal(cleanQuotes(marketOf(many), forwards, NOW).quotes.length, QUOTES_MAX);
});

function feedOf(name: string, read: Feed["read"]): Feed {
  return { name, read };
}

const strikes = [23_000, 25_000, 27_000];
const chain = strikes.flatMap((strike) => [
  { isCall: true, strike, expiry, ivBps: strike >= 25_000 ? 6500 : 9999 },
  { isCall: false, strike, expiry, ivBps: strike >= 25_000 ? 9999 : 7000 },
]);
const honest = feedOf("honest", () => marketOf(chain));

test("the out-of-the-money option of a strike speaks for both", async () => {
  const view = await createMarketSources([honest]).read(NOW, table);
  assert.equal(view.index.value, 24_990);
  assert.equal(view.forwards.get(expiry)?.value, 25_000);
  assert.deepEqual(view.points.get(expiry), [
    { strike: 23_000, ivBps: 7000 },
    { strike: 25_000, ivBps: 6500 },
    { strike: 27_000, ivBps: 6500 },
  ]);
  assert.deepEqual(view.issues, []);
});

test("sources that are silent, late, broken or of the past are issues, not values", async () => {
  const failing: readonly (readonly [string, Feed["read"], OracleRejectName])[] = [
    ["throws", () => assert.fail("no network"), "noAnswer"],
    ["rejects", async () => assert.fail("no network"), "noAnswer"],
    ["hangs", () => new Promise(() => undefined), "noAnswer"],
    ["stale", () => marketOf(chain, { time: NOW - 60_001 }), "stale"],
    ["is of the future", () => marketOf(chain, { time: NOW + 60_000 }), "fromFuture"],
  ];
  for (const [name, read, expected] of failing) {
    const feeds = [honest, { ...honest, name: "honest too" }, feedOf(name, read)];
    const limits = { ...defaultLimits(3), answerMs: 20 };
    const view = await createMarketSources(feeds, limits).read(NOW, table);
    assert.equal(view.index.value, 24_990, name);
    assert.equal(view.forwards.get(expiry)?.value, 25_000, name);
    assert.equal(view.points.get(expiry)?.length, 3, name);
    const issues = new Set(view.issues.map(({ source, reject }) => `${source} ${reject.name}`));
    assert.deepEqual([...issues], [`${name} ${expected}`]);
    const alone = createMarketSources(
      [honest, feedOf(name, read), feedOf(`${name}2`, read)],
      limits,
    );
    const dark = await alone.read(NOW, table);
    assert.equal(dark.index.refused?.name, "tooFewSources", name);
    assert.deepEqual(dark.points.get(expiry) ?? [], [], name);
  }
});

test("an expiry that nobody quotes has no forward", async () => {
  const later = { ...(table[0] as SeriesTerms), expiry: expiry + 86_400 };
  const view = await createMarketSources([honest]).read(NOW, [...table, later]);
  assert.equal(view.forwards.get(later.expiry)?.refused?.name, "missingForward");
});

test("issues are bounded, whatever a source says", async () => {
  const quotes = Array.from({ length: 3000 }, (_, i) => ({ ...good, strike: -i }));
  const view = await createMarketSources([feedOf("mad", () => marketOf(quotes))]).read(NOW, table);
  assert.equal(view.issues.length, 100);
});

test("an average of the past is agreed by those who keep it", () => {
  const history = (ticks: number) => (fromMs: number) => [{ time: fromMs, ticks }];
  const keeper = (name: string, ticks: number): Feed => ({
    ...honest,
    name,
    history: history(ticks),
  });
  const rules = { gapMs: 1e9, gapShareBps: 0 };
  const three = [keeper("a", 1000), keeper("b", 1001), keeper("c", 5000)];
  const average = (feeds: readonly Feed[]) =>
    createMarketSources(feeds, undefined, rules).average(NOW, NOW + 1000);
  assert.equal(average(three).value, 1001);
  assert.equal(average([keeper("a", 1000), honest, honest]).refused?.name, "tooFewSources");
  assert.deepEqual([1, 2, 3, 4, 5].map(sourceMajority), [1, 2, 2, 3, 3]);
});
