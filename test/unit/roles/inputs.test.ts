// Roots and inputs of proofs are made beside the orders: none waits for them, and neither a kill
// nor the end of the thread that makes them loses any.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { InputDraft } from "../../../sequencer/batch/inputDraft.ts";
import { openInputsInProcess } from "../../../sequencer/roles/inputsInProcess.ts";
import type { OpenInputs } from "../../../sequencer/roles/sequencerState.ts";
import { openInputWorker } from "../../../sequencer/threads/inputWorker.ts";
import { createReplayNode } from "../../support/replayNode.ts";
import { createMarket, deployment, type TestTrader, turns, type World } from "./market.ts";

const ORDERS = 40;
const WAIT_MS_MAX = 60_000;

/** Of every batch in the log, as a process makes them that seals and makes at once. */
async function inputsOf(world: World): Promise<Map<number, string>> {
  const node = createReplayNode(deployment);
  const made = new Map<number, string>();
  for (const record of world.log.records) {
    const { sealed } = node.apply(record);
    if (sealed !== undefined) made.set(sealed.number, await node.inputs.inputs(sealed.number));
  }
  return made;
}

/** Enough for several batches, and for more checkpoints than one. */
async function trade(world: World, maker: TestTrader): Promise<void> {
  for (let count = 0; count < ORDERS; count++) {
    const { outcome } = await world.place(maker, { price: 400 + (count % 8), lots: 1 });
    assert.equal(outcome, "rested");
    if (count % 8 === 7) {
      const deadline = world.clock.now() + 60_000;
      assert.ok((await world.submit(maker, { kind: "cancelAll", deadline })).accepted);
    }
  }
  await world.step(10_000);
}

async function until(isDone: () => Promise<boolean> | boolean): Promise<void> {
  const end = performance.now() + WAIT_MS_MAX;
  while (!(await isDone())) {
    assert.ok(performance.now() < end, "it never came");
    await turns();
  }
}

async function assertAllStored(again: World): Promise<void> {
  const expected = await inputsOf(again);
  assert.ok(expected.size > 2 * 4, "too few batches");
  assert.deepEqual(again.batches.inputTexts, expected);
}

test("orders are answered while inputs wait, and a kill then loses none", async () => {
  let isHeld = false;
  const openInputs: OpenInputs = (origin) => {
    const desk = openInputsInProcess(origin);
    const never = new Promise<string>(() => undefined);
    return { ...desk, inputs: (number) => (isHeld ? never : desk.inputs(number)) };
  };
  const { world, maker } = await createMarket({}, { openInputs });
  isHeld = true;
  const before = { batches: world.batches.batches.size, saved: world.checkpoints.saved.length };
  await trade(world, maker);
  const { sealed, halted } = await world.sequencer.service.status();
  assert.equal(halted, null);
  assert.ok(sealed >= before.batches + 5);
  // Neither may be handed to a prover, nor may a restart begin behind them.
  assert.equal(world.batches.batches.size, before.batches);
  assert.equal(world.checkpoints.saved.length, before.saved);
  await assertAllStored(await world.restart());
});

test("a thread makes them as well, and stopping waits for the last", async () => {
  const { world, maker } = await createMarket({}, { openInputs: openInputWorker });
  await trade(world, maker);
  await world.sequencer.stop();
  await assertAllStored(world);
  assert.ok(world.checkpoints.saved.length >= 2);
});

test("a node whose thread has failed stops, and the next one makes what is missing", async () => {
  let isFailing = false;
  const openInputs: OpenInputs = (origin) => {
    const desk = openInputWorker(origin);
    // Nothing that a circuit could be told.
    const broken = { kind: "trade", steps: undefined } as unknown as InputDraft["work"];
    const take = (draft: InputDraft) => desk.take(isFailing ? { ...draft, work: broken } : draft);
    return { ...desk, take };
  };
  const { world, maker } = await createMarket({}, { openInputs });
  isFailing = true;
  await world.place(maker, { price: 400, lots: 1 });
  await world.step(10_000);
  await until(async () => (await world.sequencer.service.status()).halted !== null);
  const { halted, sealed } = await world.sequencer.service.status();
  assert.match(halted ?? "", /follows the state/);
  assert.equal(world.batches.batches.size, sealed);
  // It has ended, and nobody knows its root.
  assert.equal(world.log.records.at(-1)?.entry.type, "end");
  const again = await world.restart();
  for (let count = 0; count < 4; count++) await again.step(1000);
  await trade(again, maker);
  await until(async () => again.batches.inputTexts.size === (await inputsOf(again)).size);
  await assertAllStored(again);
});
