// Bounds follow what is measured, between a floor and a ceiling.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createTolerance } from "../../../sequencer/roles/tolerance.ts";

const LIMITS = { floorMs: 100, ceilingMs: 2000, factor: 4 };

function measured(latencies: readonly number[]) {
  const tolerance = createTolerance(LIMITS);
  for (const latency of latencies) tolerance.note(latency);
  return tolerance.status();
}

const times = (count: number, latency: number): number[] => new Array<number>(count).fill(latency);

test("few measurements say nothing", () => {
  assert.deepEqual(measured(times(31, 90)), { latencyMs: null, boundMs: 100 });
});

test("a near network keeps the floor, a far one lifts the bound, none beyond the ceiling", () => {
  assert.deepEqual(measured(times(100, 3)), { latencyMs: 3, boundMs: 100 });
  assert.deepEqual(measured(times(100, 120)), { latencyMs: 120, boundMs: 480 });
  assert.deepEqual(measured(times(100, 1900)), { latencyMs: 1900, boundMs: 2000 });
});

test("one slow answer in two hundred moves nothing, one in fifty does", () => {
  assert.equal(measured([...times(199, 30), 1000]).boundMs, 120);
  assert.equal(measured([...times(196, 30), ...times(4, 400)]).boundMs, 1600);
});

test("what is long ago is forgotten", () => {
  assert.equal(measured([...times(500, 400), ...times(512, 30)]).boundMs, 120);
});

test("a clock that is set measures nothing beyond the bounds", () => {
  assert.deepEqual(measured(times(50, -3_600_000)), { latencyMs: 0, boundMs: 100 });
  assert.deepEqual(measured(times(50, 3_600_000)), { latencyMs: 2000, boundMs: 2000 });
});
