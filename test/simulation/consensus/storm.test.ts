// Simplex in storms: messages lost, repeated, late and out of order, partitions, crashes with loss
// of what was not durable, liars of every kind up to a third. Nothing final is ever contradicted,
// no honest validator breaks its word, and when the storm is over blocks become final again soon.
// Virtual time; STRADDLE_SEED repeats one run, STRADDLE_TEST_LONG runs many more.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CALM, type Weather } from "./network.ts";
import { type Corruption, runStorm, type StormOptions, TIMING } from "./storm.ts";

const { STRADDLE_SEED, STRADDLE_TEST_LONG } = process.env;
const STORM_MS = 2_000;
const CALM_MS = 60_000;

const WEATHERS: readonly (readonly [string, Weather])[] = [
  ["calm", CALM],
  ["rough", { lost: 5, repeated: 5, late: 5, split: 0 }],
  ["wild", { lost: 20, repeated: 10, late: 20, split: 30 }],
  ["torn", { lost: 2, repeated: 2, late: 2, split: 60 }],
];
const CORRUPTIONS: readonly Corruption[] = [
  "liar",
  "twins",
  "silent",
  "liar",
  "nuller",
  "liar",
  "replayer",
];

function seeds(count: number, countLong: number): number[] {
  if (STRADDLE_SEED !== undefined) return [Number(STRADDLE_SEED)];
  return Array.from({ length: STRADDLE_TEST_LONG ? countLong : count }, (_, index) => index);
}

/** What a seed stands for: every weather meets every corruption, with and without crashes. */
function optionsOf(seed: number, validators: number): StormOptions {
  const faults = Math.floor((validators - 1) / 3);
  const [, weather] = WEATHERS[seed % WEATHERS.length]!;
  const corrupted = Array.from(
    { length: faults },
    (_, index) => CORRUPTIONS[(seed + index) % CORRUPTIONS.length]!,
  );
  const crashes = seed % 3 === 0 ? 0 : 30;
  return {
    ...{ seed, validators, corrupted, weather, crashes },
    ...{ stormMs: STORM_MS, calmMs: CALM_MS },
  };
}

/** Runs one storm after the other; fails with the seed of the first that goes wrong. */
function weatherAll(validators: number, count: number, countLong: number): string {
  let [blocks, crashes, evidence, terms, recovery, runs] = [0, 0, 0, 0, 0, 0];
  for (const seed of seeds(count, countLong)) {
    const options = optionsOf(seed, validators);
    const result = runStorm(options);
    const repeat = `STRADDLE_SEED=${seed}: ${options.corrupted.join(", ")}`;
    assert.deepEqual(result.violations, [], repeat);
    assert.ok(result.recoveryMs !== undefined, `${repeat}: nothing new became final`);
    // At most every liar leads in turn, then an honest one, and once again for a late start.
    const faults = Math.floor((validators - 1) / 3);
    assert.ok(result.terms <= 2 * (faults + 1), `${repeat}: ${result.terms} terms`);
    assert.ok(result.recoveryMs < 30 * TIMING.termMs, `${repeat}: ${result.recoveryMs} ms`);
    blocks += result.heights[1];
    crashes += result.crashes;
    evidence += result.evidence;
    terms = Math.max(terms, result.terms);
    recovery = Math.max(recovery, result.recoveryMs);
    runs += 1;
  }
  // Storms in which little happens show little.
  assert.ok(blocks > 20 * runs);
  const calm = `calm: at most ${terms} terms and ${recovery} virtual ms`;
  return `${runs} runs: ${blocks} blocks, ${crashes} crashes, ${evidence} times evidence; ${calm}`;
}

test("four validators, one of them corrupt, agree in every weather", (context) => {
  context.diagnostic(weatherAll(4, 24, 1_000));
});

test("seven validators, two of them corrupt", (context) => {
  context.diagnostic(weatherAll(7, 3, 100));
});

test("five and ten validators", (context) => {
  context.diagnostic(weatherAll(5, 2, 40));
  context.diagnostic(weatherAll(10, 1, 20));
});

test("a sitting that has been told its end has one end, in every weather", (context) => {
  let runs = 0;
  for (const seed of seeds(12, 400)) {
    const end = 40 + (seed % 5);
    const result = runStorm({ ...optionsOf(seed, 4), end });
    const repeat = `STRADDLE_SEED=${seed}`;
    assert.deepEqual(result.violations, [], repeat);
    // Heartbeats go on, and make the last records final.
    assert.ok(result.recoveryMs !== undefined, `${repeat}: nothing new became final`);
    assert.ok(result.to >= end, `${repeat}: it ended at ${result.to}`);
    runs += 1;
  }
  context.diagnostic(`${runs} sittings ended`);
});

test("where honest validators go on behind the end, the checks see it", () => {
  const honest = { ...optionsOf(1, 4), corrupted: [], end: 40 };
  const { violations } = runStorm({ ...honest, misconduct: { ignoresEnd: true } });
  assert.match(violations.join("; "), /are final after the end/);
});

test("a sitting that follows another counts its terms on, in every weather", () => {
  for (const seed of seeds(8, 200)) {
    const result = runStorm({ ...optionsOf(seed, 4), termBefore: 41 });
    assert.deepEqual(result.violations, [], `STRADDLE_SEED=${seed}`);
    assert.ok(result.recoveryMs !== undefined && result.to > 0, `STRADDLE_SEED=${seed}`);
    assert.ok(result.term > 41, `STRADDLE_SEED=${seed}: term ${result.term}`);
  }
});

test("the same seed is the same run", () => {
  for (const seed of [1, 9]) {
    assert.deepEqual(runStorm(optionsOf(seed, 4)), runStorm(optionsOf(seed, 4)));
  }
  assert.notEqual(runStorm(optionsOf(1, 4)).digest, runStorm(optionsOf(21, 4)).digest);
});

/** Runs until something goes wrong that the pattern names; undefined if nothing does. */
function firstViolation(count: number, pattern: RegExp, change: Partial<StormOptions>) {
  for (let seed = 0; seed < count; seed++) {
    const { violations } = runStorm({ ...optionsOf(seed, 4), calmMs: 3_000, ...change });
    if (violations.some((violation) => pattern.test(violation))) return seed;
  }
  return undefined;
}

test("one liar too many breaks agreement, and the checks see it", (context) => {
  const corrupted: readonly Corruption[] = ["liar", "liar"];
  const found = firstViolation(30, /two blocks are final/, { corrupted, badBlocks: 0 });
  assert.ok(found !== undefined);
  context.diagnostic(`found with seed ${found}`);
});

test("wrong roots and records that nobody can get become final nowhere", () => {
  for (const seed of seeds(8, 100)) {
    const options = { ...optionsOf(seed, 4), corrupted: ["liar"] as const, badBlocks: 60 };
    const { violations, recoveryMs } = runStorm(options);
    assert.deepEqual(violations, [], `STRADDLE_SEED=${seed}`);
    assert.ok(recoveryMs !== undefined, `STRADDLE_SEED=${seed}: nothing new became final`);
  }
});

test("twins too many break agreement too", (context) => {
  const [, weather] = WEATHERS[3]!;
  const corrupted: readonly Corruption[] = ["twins", "twins"];
  const found = firstViolation(60, /two blocks are final|forks what is final/, {
    ...{ corrupted, weather },
  });
  assert.ok(found !== undefined);
  context.diagnostic(`found with seed ${found}`);
});

test("a driver that sends before a vote is durable breaks its word", (context) => {
  const found = firstViolation(60, /two (notarized|finalized|nullified)|promise broken/, {
    ...{ misconduct: { sendsFirst: true }, crashes: 90 },
  });
  assert.ok(found !== undefined);
  context.diagnostic(`found with seed ${found}`);
});

test("a validator that lost its votes breaks its word", (context) => {
  const found = firstViolation(20, /two (notarized|finalized|nullified)|promise broken/, {
    ...{ misconduct: { forgets: true }, crashes: 60 },
  });
  assert.ok(found !== undefined);
  context.diagnostic(`found with seed ${found}`);
});
