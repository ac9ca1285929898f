// What is said of an order's record while the root of the batch before it is still on its way.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openInputsInProcess } from "../../../sequencer/roles/inputsInProcess.ts";
import type { OpenInputs } from "../../../sequencer/roles/sequencerState.ts";
import { createMarket, turns } from "./market.ts";

test("an order's stage is its own batch's, also where another's seal follows it", async () => {
  let held = Promise.withResolvers<void>();
  held.resolve();
  const openInputs: OpenInputs = (origin) => ({
    ...openInputsInProcess(origin),
    hasHashes: () => held.promise,
  });
  const { world, maker } = await createMarket({}, { openInputs });
  await world.finish();
  held = Promise.withResolvers();
  const first = await world.place(maker, { price: 400, lots: 1 });
  await world.step(10_000);
  const second = await world.place(maker, { price: 401, lots: 1 });
  const { service } = world.sequencer;
  const stageOf = async ({ logPosition }: { readonly logPosition: number }) =>
    (await service.stages(logPosition))!;
  const ended = (await stageOf(first)).batchNumber;
  assert.equal((await stageOf(second)).batchNumber, ended + 1);
  held.resolve();
  await turns();
  const types = world.log.records.slice(-4).map(({ entry }) => entry.type);
  assert.deepEqual(types, ["end", "open", "message", "seal"]);
  await world.prove();
  for (let polls = 0; polls < 6; polls++) {
    await world.sequencer.pollChain();
    await turns();
    // Nobody certifies here: after a while layer one gets it as it is.
    if (polls === 2) world.clock.advance(61_000);
  }
  const { batchNumber, stage, isSealed } = await stageOf(first);
  assert.deepEqual([batchNumber, isSealed, stage], [ended, true, "anchored"]);
  const later = await stageOf(second);
  assert.deepEqual([later.batchNumber, later.isSealed], [ended + 1, false]);
  assert.equal(later.stage, "sequenced");
  assert.equal(later.transaction, null);
  const seal = world.log.records.at(-1)!;
  assert.equal((await service.stages(seal.position))?.batchNumber, ended);
});
