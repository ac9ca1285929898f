// Whatever is held, fired, used up and restarted in whatever order: no word acts unless its
// condition was true while it was held, and none acts twice.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HeldCondition, HeldInfo } from "../../../sequencer/protocol/heldWord.ts";
import { messageWord } from "../../../sequencer/protocol/messages.ts";
import {
  atIndex,
  BUY,
  CANCEL_ALL,
  createHeldMarket,
  type HeldWorld,
  hold,
  submitBy,
  type TestKey,
} from "./heldFixture.ts";

const SEEDS = Array.from({ length: 6 }, (_, index) => 101 + index);
const STEPS = 60;

/** Mulberry32. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

interface Known {
  readonly info: HeldInfo;
  readonly condition: HeldCondition;
  readonly lots: number;
  /** Whether a snapshot or the clock made it true while it was held. */
  wasTrue: boolean;
  isWithdrawn: boolean;
}

interface Run extends Pick<HeldWorld, "world" | "keys"> {
  readonly known: Known[];
  index: number;
  lots: number;
}

/** What the newest snapshot and the clock say, before the sequencer has looked. */
function noteTruth({ known, index, world }: Run): void {
  for (const each of known) {
    const { condition } = each;
    if (condition.type === "time") each.wasTrue ||= condition.at <= world.clock.now();
    if (condition.type !== "index") continue;
    const { is, price } = condition;
    each.wasTrue ||= is === "atOrAbove" ? index >= price : index <= price;
  }
}

async function step(run: Run, ms: number): Promise<void> {
  run.world.snapshotOptions = atIndex(run.index);
  // The clock moves first, then the sequencer looks.
  run.world.clock.advance(ms);
  noteTruth(run);
  await run.world.step(0);
}

/** The words of a key know each other by their sizes: each order has lots of its own. */
async function leave(run: Run, key: TestKey, random: (below: number) => number): Promise<void> {
  run.lots += 1;
  const is = random(2) === 0 ? "atOrAbove" : "atOrBelow";
  const price = 20_000 + (is === "atOrAbove" ? 1 : -1) * (20 + random(200));
  const at = run.world.clock.now() + 200 + random(3000);
  const condition: HeldCondition =
    random(4) === 0 ? { type: "time", at } : { type: "index", is, price };
  const message = { ...BUY, price: 480, lots: run.lots };
  const { account, keyIndex } = key;
  const session = await run.world.sequencer.service.session(account, keyIndex);
  key.head = session?.head ?? 0n;
  const [info] = await hold(run.world, key, { message, conditions: [condition] });
  run.known.push({ info: info!, condition, lots: run.lots, wasTrue: false, isWithdrawn: false });
}

for (const seed of SEEDS) {
  test(`seed ${seed}: a word acts once at most, once its condition was true`, async () => {
    const random = randomOf(seed);
    const market = await createHeldMarket({ rate: { perSecond: 1e4, burst: 1e4 } });
    const run: Run = { ...market, known: [], index: 20_000, lots: 0 };
    for (let count = 0; count < STEPS; count++) {
      const key = run.keys[random(3)]!;
      const choice = random(10);
      if (choice < 4) await leave(run, key, random);
      else if (choice < 5) {
        const session = await run.world.sequencer.service.session(3, key.keyIndex);
        key.head = session?.head ?? 0n;
        await submitBy(run.world, key, CANCEL_ALL);
      } else if (choice < 6 && run.known.length > 0) {
        const each = run.known[random(run.known.length)]!;
        const ids = [each.info.id];
        const gone = await run.world.sequencer.service.policy.withdraw(3, { ids });
        each.isWithdrawn ||= gone.length > 0;
      } else if (choice < 7) {
        run.world = await run.world.restart();
      } else {
        run.index = 20_000 + random(441) - 220;
        await step(run, 100 + random(400));
      }
    }
    run.index = 20_000;
    for (let count = 0; count < 5; count++) await step(run, 1000);
    assertHonest(run);
  });
}

function assertHonest({ world, known }: Run): void {
  const words = world.log.records.flatMap(({ entry }) => {
    return entry.type === "message" ? [`${entry.author.keyIndex}/${entry.word}`] : [];
  });
  const counts = known.map(({ info }) => {
    const own = `${info.keyIndex}/${messageWord(info.message)}`;
    return words.filter((word) => word === own).length;
  });
  for (const [index, count] of counts.entries()) {
    const { info, wasTrue, isWithdrawn } = known[index]!;
    assert.ok(count <= 1, `${info.id} acted ${count} times`);
    if (count === 0) continue;
    assert.ok(wasTrue, `${info.id} acted though its condition was never true`);
    assert.ok(!isWithdrawn, `${info.id} acted after it was withdrawn`);
  }
  const acted = counts.filter((count) => count === 1).length;
  assert.ok(acted > 0 && acted < known.length, `${acted} of ${known.length} acted: shows nothing`);
}
