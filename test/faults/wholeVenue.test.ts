// E7 and E9: the whole venue in one queue of virtual time. The real roles of a sequencer and four
// validators, oracles, a prover, layer one and clients, in storms of crashes, disks that fail,
// clocks that jump and networks that split. STRADDLE_SEED repeats a run, STRADDLE_TEST_LONG makes
// it 10,000 in all.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CALM, TWIN } from "../simulation/consensus/network.ts";
import type { FaultRates } from "../simulation/whole/faults.ts";
import { runSeeds, type SeedChange, type SeedResult } from "../simulation/whole/seedRuns.ts";
import { optionsOf, seedsFrom } from "../simulation/whole/seeds.ts";
import { runStorm, type StormOptions } from "../simulation/whole/storm.ts";

const NO_FAULTS: FaultRates = { crashes: 0, disks: 0, clocks: 0, layerOne: 0, oracles: 0 };
/** Virtual ms after a storm within which everything is certified, anchored and answered. */
const RECOVERY_MS_MAX = 30_000;

type Counts = Record<string, number>;

/** Runs every seed; the first that goes wrong ends it, with how to see it again. */
async function runAll(
  seeds: readonly number[],
  change: SeedChange,
  check: (result: SeedResult, repeat: string) => void = () => undefined,
): Promise<string> {
  const total: Counts = {};
  let slowest = 0;
  for await (const result of runSeeds(seeds, change)) {
    const repeat = `STRADDLE_SEED=${result.seed}`;
    assert.deepEqual(result.violations, [], repeat);
    check(result, repeat);
    for (const [name, count] of Object.entries(result.counts)) {
      total[name] = (total[name] ?? 0) + count;
    }
    slowest = Math.max(slowest, result.recoveryMs ?? 0);
  }
  const counts = Object.entries(total).map(([name, count]) => `${count} ${name}`);
  const recovery = slowest === 0 ? "" : `, calm again after at most ${slowest} virtual ms`;
  return `${seeds.length} seeds from ${seeds[0]}: ${counts.join(", ")}${recovery}`;
}

/** The first of some seeds with such a violation. */
async function firstViolation(
  seeds: readonly number[],
  pattern: RegExp,
  change: Partial<StormOptions>,
): Promise<number | undefined> {
  for (const seed of seeds) {
    const { violations } = await runStorm({ ...optionsOf(seed), ...change });
    if (violations.some((violation) => pattern.test(violation))) return seed;
  }
  return undefined;
}

test("E7 a seed replays exactly", async () => {
  for (const seed of seedsFrom(31, 1, 20)) {
    const [first, second] = [await runStorm(optionsOf(seed)), await runStorm(optionsOf(seed))];
    assert.deepEqual(second.counts, first.counts);
    assert.equal(second.digest, first.digest, `STRADDLE_SEED=${seed}`);
    assert.ok(first.counts.acknowledged! > 0, "something has happened in it");
  }
});

test("E7 safety: whatever fails, nothing is contradicted, lost or made", async (context) => {
  const total = await runAll(seedsFrom(1_000, 3, 4_900), {});
  context.diagnostic(total);
});

test("E7 liveness: after the storm all is certified, anchored and answered", async (context) => {
  const total = await runAll(
    seedsFrom(10_000, 2, 3_000),
    { calmMs: RECOVERY_MS_MAX },
    ({ recoveryMs, undone }, repeat) => {
      assert.ok(recoveryMs !== undefined, `${repeat}: ${undone.join("; ")}`);
    },
  );
  context.diagnostic(total);
});

test("E7 twins: one validator as two nodes of one key breaks nothing", async (context) => {
  const total = await runAll(seedsFrom(20_000, 1, 1_000), { twins: [0] });
  context.diagnostic(total);
  // Each half has one of the twins: neither is a quorum, or one of them alone is.
  const twins = { twins: [0], divided: (1 << TWIN) | (1 << 3), weather: CALM, faults: NO_FAULTS };
  await runAll(seedsFrom(21_000, 1, 20), { ...twins, stormMs: 0 });
});

test("E7 twins of two of four break agreement, and the checks see it", async (context) => {
  const both = { twins: [0, 1], weather: CALM, faults: NO_FAULTS, stormMs: 0 };
  const halves = (1 << TWIN) | (1 << (TWIN + 1)) | (1 << 3);
  const pattern = /two blocks are final/;
  const found = await firstViolation([1, 2, 3], pattern, { ...both, divided: halves });
  assert.ok(found !== undefined);
  context.diagnostic(`parted for good: found with seed ${found}`);
  if (process.env.STRADDLE_TEST_LONG === undefined) return;
  const weather = { lost: 0, repeated: 0, late: 5, split: 90 };
  const seeds = Array.from({ length: 60 }, (_, seed) => seed);
  const wild = await firstViolation(seeds, pattern, { ...both, weather, stormMs: 6_000 });
  assert.ok(wild !== undefined);
  context.diagnostic(`parted now and then: found with seed ${wild}`);
});

test("E7 a disk that acknowledges before it has synced is found out", async (context) => {
  const faults = { ...NO_FAULTS, crashes: 30 };
  const lying = { faults, disks: { liesMs: 300 } };
  const found = await firstViolation([1, 2, 3], /acknowledged record \d+ is gone/, lying);
  assert.ok(found !== undefined);
  context.diagnostic(`found with seed ${found}`);
});

test("E9 each command is sent three times across crashes: one effect", async (context) => {
  const crashing = { faults: { ...NO_FAULTS, crashes: 40, disks: 8 }, copies: 3 };
  const total = await runAll(
    seedsFrom(30_000, 1, 1_000),
    { ...crashing, stormMs: 10_000, calmMs: RECOVERY_MS_MAX },
    ({ sent, recoveryMs, counts, undone }, repeat) => {
      assert.ok(recoveryMs !== undefined, `${repeat}: ${undone.join("; ")}`);
      // A word without an answer is sent again as it was: three more times.
      assert.ok(sent.every(({ copies, words }) => copies % 3 === 0 && copies >= 3 * words));
      assert.ok(counts.acknowledged! > 0, repeat);
    },
  );
  context.diagnostic(total);
});
