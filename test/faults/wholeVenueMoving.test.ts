// E5, E7 and E8 where the sequencer moves with the leader: four machines with a validator and a
// sequencer each, in one queue of virtual time. Sequencers, validators and whole machines stop, are
// parted from each other, have slow or failing disks and clocks that jump. STRADDLE_SEED repeats a
// run, STRADDLE_TEST_LONG makes it 3,000 in all.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createChance } from "../simulation/random.ts";
import { createDisk } from "../simulation/whole/disk.ts";
import { openStore, type Store } from "../simulation/whole/node.ts";
import { runSeeds, type SeedResult } from "../simulation/whole/seedRuns.ts";
import { optionsOf, seedsFrom } from "../simulation/whole/seeds.ts";
import { DISKS, runStorm, type StormOptions, type StormResult } from "../simulation/whole/storm.ts";
import { inVirtualTime } from "../simulation/whole/virtualTime.ts";
import { toyEntry } from "../support/committee.ts";

/** Virtual ms after a storm within which orders are acknowledged, certified and anchored again. */
const RECOVERY_MS_MAX = 30_000;

const run = (seed: number, change: Partial<StormOptions> = {}): Promise<StormResult> =>
  runStorm({ ...optionsOf(seed), isMoving: true, ...change });

function assertSafe({ violations }: Pick<StormResult, "violations">, seed: number): void {
  assert.deepEqual(violations, [], `STRADDLE_SEED=${seed}`);
}

const countsOf = ({ counts }: Pick<StormResult, "counts">): string =>
  Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");

test("E7 moving: a seed replays exactly", async (context) => {
  for (const seed of seedsFrom(50_031, 1, 20)) {
    const [first, second] = [await run(seed), await run(seed)];
    assert.deepEqual(second.counts, first.counts);
    assert.equal(second.digest, first.digest, `STRADDLE_SEED=${seed}`);
    assert.ok(first.counts.acknowledged! > 0, "something has happened in it");
    assertSafe(first, seed);
    context.diagnostic(`seed ${seed}: ${countsOf(first)}`);
  }
});

test("E7 moving: nothing acknowledged is lost, all goes on after the storm", async (context) => {
  let slowest = 0;
  let terms = 0;
  const change = { isMoving: true, calmMs: RECOVERY_MS_MAX };
  const check = (result: SeedResult): void => {
    const { seed, recoveryMs, undone, epochs } = result;
    assertSafe(result, seed);
    assert.ok(recoveryMs !== undefined, `STRADDLE_SEED=${seed}: ${undone.join("; ")}`);
    slowest = Math.max(slowest, recoveryMs);
    terms += epochs - 1;
    context.diagnostic(`seed ${seed}: ${countsOf(result)}`);
  };
  for await (const result of runSeeds(seedsFrom(51_000, 2, 2_000), change)) check(result);
  // In a few storms it may stay where it is.
  for (let seed = 54_000; terms === 0 && seed < 54_020; seed++) {
    for await (const result of runSeeds([seed], change)) check(result);
  }
  assert.ok(terms > 0, "the sequencer has moved");
  context.diagnostic(`moved ${terms} times, calm again after at most ${slowest} virtual ms`);
});

test("E7 moving: reorgs take what leaders have anchored, while leaders go", async (context) => {
  // The sequencer that leads by then may never have had the signatures that layer one asks for
  // again: `validator.test.ts` shows that it gets them.
  const faults = { crashes: 30, disks: 0, clocks: 5, layerOne: 60, oracles: 0 };
  let found = 0;
  for (let seed = 53_000; found < 3 && seed < 53_060; seed++) {
    const result = await run(seed, { calmMs: RECOVERY_MS_MAX, faults });
    assertSafe(result, seed);
    const { counts, undone } = result;
    if (counts.reorgs! < 5 || counts.crashes === 0 || undone.length > 0) continue;
    found += 1;
    context.diagnostic(`seed ${seed}: ${countsOf(result)}`);
  }
  assert.equal(found, 3, "storms of many reorgs after which all was done");
});

test("E7 moving: a checkpoint goes when its batch's seal is cut off behind it", async () => {
  // Else a sequencer goes on with the hash of a seal that is in no log, and counts no attestation.
  const result = await run(51_151, { calmMs: RECOVERY_MS_MAX });
  assertSafe(result, 51_151);
  assert.deepEqual(result.undone, []);
});

test("E7 moving: a turn ends when validators turn out to have certified more", async () => {
  // Its log would wait for ever for what stands in it to become final, and its node for the log.
  const result = await run(51_227, { calmMs: RECOVERY_MS_MAX });
  assertSafe(result, 51_227);
  assert.deepEqual(result.undone, []);
});

test("E7 moving: two nodes of one key, each with a sequencer, break nothing", async (context) => {
  for (const twin of [0, 1, 2, 3]) {
    const seeds = seedsFrom(52_000, 1, 980).filter((seed) => seed % 4 === twin);
    for await (const result of runSeeds(seeds, { isMoving: true, twins: [twin] })) {
      assertSafe(result, result.seed);
      context.diagnostic(`seed ${result.seed}: ${countsOf(result)}`);
    }
  }
});

test("E7 moving: acknowledging before validators have it is found out", async (context) => {
  for (const seed of [1, 2, 3]) {
    const { violations } = await run(seed, { isHasty: true });
    if (!violations.some((found) => /acknowledged record \d+ is gone/.test(found))) continue;
    context.diagnostic(`found with seed ${seed}`);
    return;
  }
  assert.fail("the checks have not seen it");
});

test("E7 moving: a log that was cut off and written on outlives a power failure", async () => {
  for (let seed = 0; seed < 20; seed++) {
    await inVirtualTime(async (time) => {
      const machine = time.createMachine("machine", 0);
      const disk = createDisk(machine, createChance(seed), DISKS);
      const done: number[] = [];
      const life = async (use: (store: Store) => Promise<unknown>): Promise<void> => {
        machine.boot(() => void openStore(disk).then(use));
        await time.runTo(time.schedule.now() + 1_000);
      };
      await life(async ({ log, truncate }) => {
        for (const value of [1, 2, 3, 4]) await log.append([toyEntry(value)]);
        await truncate(2);
        await log.append([toyEntry(5)]);
        done.push(log.head().position);
      });
      machine.crash();
      disk.crash(true);
      await life(async ({ log }) => done.push(log.head().position));
      assert.deepEqual(done, [3, 3], `power failure ${seed}`);
    });
  }
});
