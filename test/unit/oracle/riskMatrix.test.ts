import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import {
  buildRiskMatrix,
  DEFAULT_RISK_PARAMETERS,
  RISK_PARAMETERS,
  type SlotMarket,
  SPAN_ARRAY,
} from "../../../sequencer/oracle/riskMatrix.ts";
import { SCENARIOS, SPAN_SCENARIOS } from "../../../sequencer/protocol/constants.ts";
import { NO_TERMS, type SlotPrice, slotRiskWords } from "../../../sequencer/protocol/snapshot.ts";
import { scanRisk } from "./scanRisk.ts";

const parameters = DEFAULT_RISK_PARAMETERS;
const DAY = 86_400_000;
const MINUTE = 60_000;
const WINDOW = parameters.settlementWindowMs;

function riskOf(slot: SlotMarket | null): SlotPrice {
  return buildRiskMatrix({ slots: [slot], parameters })[0] as SlotPrice;
}

test("the matrix is the one that 40-digit arithmetic gives (mpmath)", () => {
  const file = new URL("./riskMatrixVector.json", import.meta.url);
  const vector = JSON.parse(readFileSync(file, "utf8"));
  assert.deepEqual(buildRiskMatrix({ slots: vector.slots, parameters }), vector.matrix);
});

test("the result does not depend on the platform's transcendental functions", (context) => {
  const file = new URL("./riskMatrixVector.json", import.meta.url);
  const { slots, matrix } = JSON.parse(readFileSync(file, "utf8"));
  for (const name of ["exp", "log", "pow", "log1p", "expm1"] as const) {
    context.mock.method(Math, name, () => Number.NaN);
  }
  assert.deepEqual(buildRiskMatrix({ slots, parameters }), matrix);
});

test("the scenarios are SPAN's 16: each move in pairs of volatility, then two extremes", () => {
  assert.equal(SPAN_ARRAY.length, SPAN_SCENARIOS);
  const told = SPAN_ARRAY.map(
    ({ thirds, volatility, isExtreme }) => `${thirds} ${volatility}${isExtreme ? " extreme" : ""}`,
  );
  assert.deepEqual(told.slice(0, 4), ["0 up", "0 down", "1 up", "1 down"]);
  assert.deepEqual(told.slice(12), ["-3 up", "-3 down", "3 none extreme", "-3 none extreme"]);
});

const anySlot = fc.record({
  isCall: fc.boolean(),
  strikeTicks: fc.integer({ min: 0, max: 60_000 }),
  forwardTicks: fc.integer({ min: 100, max: 60_000 }),
  ivBps: fc.integer({ min: 0, max: 40_000 }),
  timeToExpiryMs: fc.oneof(
    fc.integer({ min: -DAY, max: 400 * DAY }),
    fc.integer({ min: 1, max: WINDOW - 1 }),
  ),
  averageMilliticks: fc.option(fc.integer({ min: 100_000, max: 60_000_000 }), { nil: undefined }),
});

test("calls gain and puts lose as the price rises, no option ends below 0, words fit", () => {
  const property = fc.property(anySlot, (slot) => {
    const risk = riskOf(slot);
    const { mark, changes } = risk;
    const ladder = [-3, -2, -1, 0, 1, 2, 3].map((thirds) =>
      SPAN_ARRAY.findIndex((scenario) => scenario.thirds === thirds),
    );
    for (const offset of [0, 1]) {
      const values = ladder.map((scenario) => changes[scenario + offset] as number);
      const rising = slot.isCall ? values : values.toReversed();
      for (let step = 1; step < rising.length; step++) {
        assert.ok((rising[step] as number) >= (rising[step - 1] as number), `${values}`);
      }
    }
    for (const [scenario, change] of changes.entries()) {
      assert.ok(mark + change >= 0 && Number.isSafeInteger(change) && !Object.is(change, -0));
      const isPair = scenario % 2 === 0 && scenario < 14;
      if (isPair) assert.ok(change >= (changes[scenario + 1] as number), "more vol, less value");
    }
    slotRiskWords({ ...risk, terms: NO_TERMS });
  });
  fc.assert(property, { numRuns: 1000 });
});

test("put-call parity holds in every scenario to the rounding", () => {
  const property = fc.property(anySlot, (slot) => {
    const call = riskOf({ ...slot, isCall: true });
    const put = riskOf({ ...slot, isCall: false });
    const forward = riskOf({ ...slot, isCall: true, strikeTicks: 0 });
    for (let scenario = 0; scenario < SPAN_SCENARIOS; scenario++) {
      const [c, p, f] = [call, put, forward].map(({ changes }) => changes[scenario] as number);
      assert.ok(Math.abs((c as number) - (p as number) - (f as number)) <= 1);
    }
  });
  fc.assert(property, { numRuns: 500 });
});

const atTheMoney: SlotMarket = {
  isCall: true,
  strikeTicks: 25_000,
  forwardTicks: 25_000,
  ivBps: 6500,
  timeToExpiryMs: 30 * DAY,
};

test("the short-option minimum raises every option by a part of the forward", () => {
  const minimum = (slot: Partial<SlotMarket>) => riskOf({ ...atTheMoney, ...slot }).changes.at(-1);
  assert.equal(minimum({}), 75);
  assert.equal(minimum({ isCall: false, strikeTicks: 5000 }), 75);
  assert.equal(minimum({ strikeTicks: 60_000, timeToExpiryMs: 1 }), 75);
  assert.equal(minimum({ strikeTicks: 0 }), 0);
  assert.equal(minimum({ forwardTicks: 2 ** 24 - 1 }), 50_332);
  const expensive = { ...parameters, shortMinimumBps: 10_000 };
  const slots = [{ ...atTheMoney, forwardTicks: 2 ** 24 - 1 }];
  const [bounded] = buildRiskMatrix({ slots, parameters: expensive });
  assert.equal(bounded?.changes.at(-1), 2 ** 20 - 1);
});

test("a short option costs its minimum in total where scenarios cost less", () => {
  const { changes } = riskOf({ ...atTheMoney, strikeTicks: 60_000, timeToExpiryMs: DAY });
  assert.equal(scanRisk(changes.slice(0, SPAN_SCENARIOS), -3), 0);
  assert.equal(scanRisk(changes, -3), 3 * 75);
  assert.equal(scanRisk(changes, 3), 0);
});

test("McMillan's SPAN example: the December 410 call's risk array", () => {
  const array = [
    460, -610, 2640, 1730, -1270, -2340, 5210, 4540, -2540, -3430, 8060, 7640, -3380, -3990, 3130,
    -1500,
  ];
  assert.equal(array.length, SPAN_SCENARIOS);
  assert.equal(scanRisk(array, 1), 3990);
  assert.equal(scanRisk(array, -1), 8060);
  assert.equal(scanRisk(array, -2), 16_120);
  assert.equal(scanRisk(array, 0), 0);
  assert.equal(scanRisk([1, 2], 1), 0);
});

test("BTC's volatility floor is the lower one; nothing else differs", () => {
  const { BTC, ETH } = RISK_PARAMETERS;
  assert.deepEqual({ ...BTC, volatilityFloorBps: 5000 }, ETH);
  const quiet = { ...atTheMoney, ivBps: 3000 };
  const [btc] = buildRiskMatrix({ slots: [quiet], parameters: BTC });
  assert.ok((btc?.changes[0] as number) < (riskOf(quiet).changes[0] as number));
  const busy = { ...atTheMoney, ivBps: 5000 };
  assert.deepEqual(buildRiskMatrix({ slots: [busy], parameters: BTC }), [riskOf(busy)]);
});

test("marks do not jump where the settlement window and its approach begin", () => {
  for (const at of [2 * WINDOW, WINDOW]) {
    const before = riskOf({ ...atTheMoney, timeToExpiryMs: at + 1 });
    const averaged = { ...atTheMoney, timeToExpiryMs: at - 1, averageMilliticks: 25_000_000 };
    const after = riskOf(averaged);
    assert.ok(Math.abs(before.mark - after.mark) <= 1, `${before.mark} ${after.mark}`);
    for (const [scenario, change] of after.changes.entries()) {
      assert.ok(Math.abs(change - (before.changes[scenario] as number)) <= 3, `${scenario}`);
    }
  }
});

test("in the window a forward is the blend of average and forward, and moves for its share", () => {
  const forward = { ...atTheMoney, strikeTicks: 0, averageMilliticks: 19_500_000 };
  const risk = riskOf({ ...forward, forwardTicks: 19_750, timeToExpiryMs: 20 * MINUTE });
  assert.equal(risk.mark, 19_667);
  assert.equal(risk.changes[10], Math.round((19_750 * 0.16 * 2) / 3));
  const atLast = riskOf({ ...forward, forwardTicks: 19_750, timeToExpiryMs: 1 });
  assert.deepEqual([atLast.mark, ...new Set(atLast.changes)], [19_500, 0]);
});

test("empty, settled, expired and enormous slots", () => {
  const zeros = new Array<number>(SCENARIOS).fill(0);
  assert.deepEqual(riskOf(null), { mark: 0, isFinal: false, changes: zeros });
  const settled = { ...atTheMoney, timeToExpiryMs: -1, settlementTicks: 25_321 };
  assert.deepEqual(riskOf(settled), { mark: 321, isFinal: true, changes: zeros });
  const disputable = riskOf({ ...settled, isDisputable: true });
  assert.deepEqual(disputable, { mark: 321, isFinal: false, changes: zeros });
  const worthless = riskOf({ ...settled, isCall: false });
  assert.deepEqual(worthless, { mark: 0, isFinal: true, changes: zeros });
  // Expired but not yet settled: still exposed to the price, no longer to volatility.
  const waiting = riskOf({ ...atTheMoney, timeToExpiryMs: 0 });
  assert.deepEqual([waiting.mark, waiting.isFinal, waiting.changes[0]], [0, false, 0]);
  assert.equal(waiting.changes[10], 4000);
  const huge = riskOf({ ...atTheMoney, strikeTicks: 0, forwardTicks: 2 ** 24 - 1 });
  assert.deepEqual([huge.mark, huge.changes[10], huge.changes[12]], [1048575, 1048575, -1048575]);
  const huger = { ...atTheMoney, timeToExpiryMs: -1, strikeTicks: 0, settlementTicks: 2 ** 24 - 1 };
  assert.equal(riskOf(huger).mark, 1048575);
});

test("what is not an integer in range is refused by name", () => {
  assert.throws(() => riskOf({ ...atTheMoney, ivBps: 6500.5 }), /`ivBps` .* Got `6500.5`/);
  assert.throws(() => riskOf({ ...atTheMoney, forwardTicks: -1 }), /`forwardTicks`/);
  assert.throws(() => riskOf({ ...atTheMoney, strikeTicks: 2 ** 24 }), /`strikeTicks`/);
  assert.throws(() => riskOf({ ...atTheMoney, averageMilliticks: 0.5 }), /`averageMilliticks`/);
});
