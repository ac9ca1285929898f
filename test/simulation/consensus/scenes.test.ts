// Simplex in plain situations: how long a leader stays, how fast another takes over, what a
// partition's minority can do, and how those who were away come back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LAG_BLOCKS_MAX, RECENT_BLOCKS_MAX } from "../../../sequencer/consensus/state.ts";
import { CALM } from "./network.ts";
import { createScene, type Scene, TIMING } from "./storm.ts";

const SEED = Number(process.env.STRADDLE_SEED ?? 1);

function calmScene(validators = 4, seed = SEED): Scene {
  return createScene({ seed, validators, corrupted: [], weather: CALM });
}

function heights({ honest }: Scene): number[] {
  return honest.map((validator) => validator.height());
}

/** Runs on for `ms`, and fails if anything has gone wrong. */
function run({ schedule, observer }: Scene, ms: number, until?: () => boolean): void {
  schedule.runTo(schedule.now() + ms, until);
  assert.deepEqual(observer.violations, []);
}

test("a leader that does its work keeps its term", () => {
  const scene = calmScene();
  run(scene, 60 * TIMING.termMs);
  assert.equal(scene.observer.termMax, 1);
  assert.ok(Math.min(...heights(scene)) > 100);
});

test("without its leader a block is final after the timeout and few messages", (context) => {
  const gaps: number[] = [];
  for (let seed = 1; seed <= 12; seed++) {
    const scene = calmScene(4, seed);
    const { honest, schedule, observer, chance } = scene;
    run(scene, 300 + chance.pick(100));
    honest[0]!.crash();
    const [before, gone] = [observer.heightMax, schedule.now()];
    // Two more: the first may have been on its way when the leader went.
    run(scene, 10_000, () => observer.heightMax >= before + 2);
    gaps.push(schedule.now() - gone);
    assert.equal(observer.termMax, 2);
  }
  context.diagnostic(`virtual ms without a new final block: ${gaps.join(", ")}`);
  // Six messages: give up, propose, vote, vote; each up to 8 ms, with 3 ms for disk and execution.
  assert.ok(Math.max(...gaps) <= TIMING.termMs + 150, gaps.join(", "));
});

test("a minority makes nothing final, the majority goes on, and both agree afterwards", () => {
  const scene = calmScene();
  const { honest, network, observer } = scene;
  run(scene, 300);
  network.isolate(0);
  run(scene, 50);
  const [stuck] = heights(scene);
  const before = observer.heightMax;
  run(scene, 3_000);
  assert.equal(honest[0]!.height(), stuck);
  assert.ok(observer.heightMax > before + 20);
  network.isolate(undefined);
  const goal = observer.heightMax;
  run(scene, 1_000, () => honest[0]!.height() >= goal);
  assert.ok(honest[0]!.height() >= goal);
  assert.equal(honest[0]!.state().term, honest[1]!.state().term);
});

test("nothing is final without a quorum, and it goes on when there is one again", () => {
  const scene = calmScene();
  const { honest, observer } = scene;
  run(scene, 300);
  honest[2]!.crash();
  honest[3]!.crash();
  run(scene, 100);
  const before = observer.heightMax;
  run(scene, 20 * TIMING.termMs);
  assert.equal(observer.heightMax, before);
  honest[2]!.restart();
  run(scene, 20 * TIMING.termMs, () => observer.heightMax > before + 5);
  assert.ok(observer.heightMax > before + 5);
});

test("all crash at once, again and again, and go on from what they have on disk", () => {
  const scene = calmScene();
  const { honest, chance, observer } = scene;
  for (let round = 0; round < 40; round++) {
    run(scene, 20 + chance.pick(150));
    for (const validator of honest) validator.crash();
    for (const validator of honest) validator.restart();
  }
  const before = observer.heightMax;
  run(scene, 20 * TIMING.termMs, () => Math.min(...heights(scene)) > before + 5);
  assert.ok(Math.min(...heights(scene)) > before + 5);
});

for (const [name, blocks] of [
  ["fetches the blocks that it missed from others' stores", RECENT_BLOCKS_MAX * 3],
  ["takes over the state when it missed too many", LAG_BLOCKS_MAX + 50],
] as const) {
  test(`who was away ${name}`, () => {
    const scene = calmScene();
    const { honest, observer } = scene;
    run(scene, 200);
    honest[3]!.crash();
    const goal = observer.heightMax + blocks;
    run(scene, 10 ** 6, () => observer.heightMax >= goal);
    honest[3]!.restart();
    run(scene, 3_000, () => honest[3]!.height() > goal);
    assert.ok(honest[3]!.height() > goal);
    // It votes again: with another one gone it is needed.
    honest[2]!.crash();
    const before = observer.heightMax;
    run(scene, 20 * TIMING.termMs, () => honest[3]!.height() > before + 5);
    assert.ok(honest[3]!.height() > before + 5);
  });
}
