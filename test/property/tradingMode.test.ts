// Whatever happens, no fill stands where trading is stopped, and everybody has the same mode at
// every position: the venue that was there, who replays its log, and who begins at a checkpoint.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type LogRecord, logOrigin } from "../../sequencer/batch/log.ts";
import type { Checkpoint } from "../../sequencer/ports.ts";
import { DEFAULT_BREAKERS } from "../../sequencer/roles/circuitBreakers.ts";
import type { Effect } from "../../sequencer/roles/effect.ts";
import { createNodeState } from "../../sequencer/roles/nodeState.ts";
import {
  createMarket,
  DOMAIN,
  deployment,
  PLACE,
  type TestTrader,
  UNCERTIFIED,
  VALIDATORS,
  type World,
} from "../unit/roles/market.ts";

const RUNS = process.env.STRADDLE_TEST_LONG ? 200 : 24;

/** What may happen. */
type Event =
  | {
      readonly type: "place";
      readonly who: number;
      readonly isSell: boolean;
      readonly price: number;
    }
  | { readonly type: "cancelAll"; readonly who: number }
  | { readonly type: "step"; readonly ms: number }
  | { readonly type: "silence"; readonly ms: number }
  | { readonly type: "jump"; readonly mark: number }
  | { readonly type: "slowDisk" }
  | { readonly type: "dissent" }
  | { readonly type: "prove" }
  | { readonly type: "restart"; readonly isLookedInto: boolean };

const who = fc.integer({ min: 0, max: 1 });
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 24,
    arbitrary: fc.record({
      ...{ type: fc.constant("place" as const), who, isSell: fc.boolean() },
      price: fc.integer({ min: 498, max: 502 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("cancelAll" as const), who }) },
  {
    weight: 14,
    arbitrary: fc.record({
      type: fc.constant("step" as const),
      ms: fc.integer({ min: 10, max: 8_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("silence" as const),
      ms: fc.integer({ min: 1000, max: 3 * DEFAULT_BREAKERS.oracleStaleMs }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant("jump" as const),
      mark: fc.constantFrom(500, 600, 3500),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ type: "slowDisk" as const }) },
  { weight: 1, arbitrary: fc.constant({ type: "dissent" as const }) },
  { weight: 2, arbitrary: fc.constant({ type: "prove" as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant("restart" as const), isLookedInto: fc.boolean() }),
  },
);

interface Day {
  world: World;
  readonly traders: readonly TestTrader[];
  /** What the venue itself said, by the number of records that it had then. */
  readonly said: Map<number, string>;
}

async function live(day: Day, happening: Event): Promise<void> {
  const { world } = day;
  switch (happening.type) {
    case "place":
      return send(day, happening.who, {
        ...{ ...PLACE, isSell: happening.isSell, price: happening.price, lots: 2 },
        deadline: world.clock.now() + 60_000,
      });
    case "cancelAll":
      return send(day, happening.who, {
        kind: "cancelAll",
        deadline: world.clock.now() + 60_000,
      });
    case "step":
      return world.step(happening.ms);
    case "silence":
      world.isOracleAway = true;
      await world.step(happening.ms);
      world.isOracleAway = false;
      return;
    case "jump":
      world.snapshotOptions = { marks: [happening.mark] };
      return;
    case "slowDisk":
      return slowDisk(day);
    case "dissent":
      return dissent(day);
    case "prove":
      return world.prove();
    case "restart":
      return restart(day, happening.isLookedInto);
  }
}

async function send(
  { world, traders }: Day,
  index: number,
  message: Parameters<TestTrader["next"]>[0],
): Promise<void> {
  const trader = traders[index]!;
  const result = await world.sequencer.service.submit({
    ...{ account: trader.account, keyIndex: 0, ...trader.peek(message) },
  });
  if (result.accepted) trader.next(message);
}

async function slowDisk(day: Day): Promise<void> {
  const { world } = day;
  world.isOracleAway = true;
  world.log.hold();
  const sent = send(day, 0, { kind: "cancelAll", deadline: world.clock.now() + 60_000 });
  for (const ms of [2000, 100]) await world.step(ms);
  world.log.release();
  world.isOracleAway = false;
  await sent;
}

async function dissent({ world }: Day): Promise<void> {
  const batch = await world.sequencer.service.batch("latest");
  if (batch === null) return;
  const [validator = ""] = VALIDATORS;
  const wrong = { root: "0x1", wordsHash: "00", logHash: "00", signature: "0x" };
  world.network.attest({ validator, number: batch.number, ...wrong });
  await world.step(10);
}

async function restart(day: Day, isLookedInto: boolean): Promise<void> {
  const { snapshotOptions, sequencer } = day.world;
  const { since } = (await sequencer.service.status()).trading;
  const endsPause = isLookedInto ? since : null;
  day.world = await day.world.restartWith({ breakers: { ...UNCERTIFIED, endsPause } });
  day.world.snapshotOptions = snapshotOptions;
}

async function note({ world, said }: Day): Promise<void> {
  const { logPosition, trading } = await world.sequencer.service.status();
  said.set(logPosition, trading.mode);
}

/** Mode after each number of records, and what stood against it, by the rule in two lines. */
function replay(records: readonly LogRecord[], checkpoint?: Checkpoint) {
  const node = createNodeState(deployment, logOrigin(DOMAIN), checkpoint);
  const modes = new Map<number, string>();
  const effects: Effect[] = [];
  for (const record of records.slice(node.position())) {
    effects.push(node.apply(record));
    modes.set(node.position(), node.executor.trading().mode);
  }
  return { modes, effects };
}

function fillsBetween(records: readonly LogRecord[], effects: readonly Effect[]): number[] {
  let isStopped = false;
  return effects.flatMap(({ entry, steps, position }) => {
    assert.equal(records[position]?.entry, entry);
    if (entry.type === "pause") isStopped = true;
    if (entry.type === "resume") isStopped = false;
    const hasFill = steps.some((step) => "order" in step && step.order.fill !== undefined);
    return isStopped && hasFill ? [position] : [];
  });
}

test("no fill stands in a pause, and all replicas have one mode at every position", async () => {
  const seen = { pauses: 0, resumes: 0, fills: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 30, maxLength: 80 }), async (events) => {
      const { world, maker, taker } = await createMarket({ checkpointEvery: 2 });
      const day: Day = { world, traders: [maker, taker], said: new Map() };
      for (const happening of events) {
        await live(day, happening);
        await note(day);
      }
      const { log, checkpoints, sequencer } = day.world;
      assert.equal((await sequencer.service.status()).halted, null);
      const records = log.survivors();
      const whole = replay(records);
      assert.deepEqual(fillsBetween(records, whole.effects), []);
      for (const [position, mode] of day.said) {
        if (position > 0) assert.equal(whole.modes.get(position), mode, `at ${position}`);
      }
      for (const checkpoint of checkpoints.saved) {
        for (const [position, mode] of replay(records, checkpoint).modes) {
          assert.equal(whole.modes.get(position), mode, `from a checkpoint, at ${position}`);
        }
      }
      for (const { entry, steps } of whole.effects) {
        if (entry.type === "pause") seen.pauses += 1;
        if (entry.type === "resume") seen.resumes += 1;
        if (steps.some((step) => "order" in step && step.order.fill)) seen.fills += 1;
      }
    }),
    { numRuns: RUNS },
  );
  // Otherwise nothing has been shown.
  assert.ok(
    seen.pauses > RUNS / 2 && seen.resumes > 0 && seen.fills > RUNS / 2,
    JSON.stringify(seen),
  );
});
