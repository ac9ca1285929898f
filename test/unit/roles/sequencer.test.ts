import assert from "node:assert/strict";
import { test } from "node:test";
import { createMarket } from "./market.ts";

test("an order goes from its receipt to layer one", async () => {
  const { world, maker, taker } = await createMarket();
  const rested = await world.place(maker, { isSell: true, price: 510, lots: 5 });
  assert.equal(rested.outcome, "rested");
  assert.equal(rested.restingLots, 5);
  const filled = await world.place(taker, { price: 512, lots: 3 });
  assert.equal(filled.outcome, "filled");
  assert.deepEqual(filled.fills, [{ price: 510, lots: 3, makerSeq: rested.seq }]);
  await world.finish();
  const { service } = world.sequencer;
  const status = await service.status();
  assert.equal(status.halted, null);
  assert.equal(status.anchored, status.sealed);
  assert.equal((await service.stages(filled.logPosition))?.stage, "anchored");
});
