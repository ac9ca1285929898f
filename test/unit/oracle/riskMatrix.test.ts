import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import {
  buildRiskMatrix,
  DEFAULT_RISK_PARAMETERS,
  type SlotMarket,
  SPAN_SCENARIOS,
} from "../../../sequencer/oracle/riskMatrix.ts";
import { SCENARIOS } from "../../../sequencer/protocol/constants.ts";
import { type SlotRisk, slotRiskWords } from "../../../sequencer/protocol/snapshot.ts";

const parameters = DEFAULT_RISK_PARAMETERS;
const DAY = 86_400_000;

function riskOf(slot: SlotMarket | null): SlotRisk {
  return buildRiskMatrix({ slots: [slot], parameters })[0] as SlotRisk;
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
  assert.equal(SPAN_SCENARIOS.length, SCENARIOS);
  const told = SPAN_SCENARIOS.map(
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
  timeToExpiryMs: fc.integer({ min: -DAY, max: 400 * DAY }),
});

test("calls gain and puts lose as the price rises, no option ends below 0, words fit", () => {
  const property = fc.property(anySlot, (slot) => {
    const risk = riskOf(slot);
    const { mark, changes } = risk;
    const ladder = [-3, -2, -1, 0, 1, 2, 3].map((thirds) =>
      SPAN_SCENARIOS.findIndex((scenario) => scenario.thirds === thirds),
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
    slotRiskWords(risk);
  });
  fc.assert(property, { numRuns: 1000 });
});

test("put-call parity holds in every scenario to the rounding", () => {
  const property = fc.property(anySlot, (slot) => {
    const call = riskOf({ ...slot, isCall: true });
    const put = riskOf({ ...slot, isCall: false });
    const forward = riskOf({ ...slot, isCall: true, strikeTicks: 0 });
    for (let scenario = 0; scenario < SCENARIOS; scenario++) {
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

test("empty, settled, expired and enormous slots", () => {
  const zeros = new Array<number>(SCENARIOS).fill(0);
  assert.deepEqual(riskOf(null), { mark: 0, isFinal: false, changes: zeros });
  const settled = { ...atTheMoney, timeToExpiryMs: -1, settlementTicks: 25_321 };
  assert.deepEqual(riskOf(settled), { mark: 321, isFinal: true, changes: zeros });
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
});
