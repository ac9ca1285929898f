// What a node says when its own disk fails: nothing that is lost with it, and nothing of others.
import assert from "node:assert/strict";
import { test } from "node:test";
import { logOrigin } from "../../../sequencer/batch/log.ts";
import { createValidator } from "../../../sequencer/roles/validator.ts";
import { createChance } from "../../simulation/random.ts";
import { createSimulatedMedium } from "../../support/simulatedLog.ts";
import { createMarket, DOMAIN, deployment } from "./market.ts";
import {
  createBatches,
  createCheckpoints,
  createFollower,
  createSettlement,
  silent,
} from "./ports.ts";

function openMedium() {
  const faults = { turnsMax: 0 };
  return createSimulatedMedium({ origin: logOrigin(DOMAIN), chance: createChance(1), faults });
}

test("a question that waited for a failed write gets no answer from what is lost", async () => {
  const medium = openMedium();
  const { world, maker } = await createMarket({}, { log: await medium.open() });
  const { service } = world.sequencer;
  await world.place(maker, { price: 400, lots: 1 });
  const [resting] = await service.orders(maker.account);
  assert.equal(resting?.price, 400);
  medium.failSyncs();
  const placed = assert.rejects(world.place(maker, { price: 401, lots: 1 }));
  // Read while the order stands in the state and not yet in the log.
  const reads = [service.orders(maker.account), service.account({ id: maker.account })];
  await placed;
  for (const read of reads) await assert.rejects(read, /the node has stopped/);
  const { halted } = await service.status();
  assert.match(halted ?? "", /sync/);
});

test("a validator whose disk fails ends, and accuses nobody", async () => {
  const { world, maker } = await createMarket();
  await world.place(maker, { price: 400, lots: 1 });
  await world.finish();
  const medium = openMedium();
  const log = await medium.open();
  medium.failSyncs();
  const follower = createFollower(world.log.records);
  const settlement = createSettlement(DOMAIN);
  settlement.queue.push(...world.settlement.queue);
  const validator = await createValidator(
    {
      ...{ clock: world.clock, logger: silent, log, settlement, follower },
      ...{ checkpoints: createCheckpoints(), batches: createBatches() },
      prover: { verify: async () => true },
      attester: {
        address: "0x01",
        attest: async () => assert.fail("it attests what it could not store"),
        refuse: async (content) => ({ ...content, validator: "0x01", signature: "0x" }),
      },
    },
    {
      ...{ deployment, queueWaitMs: 1, clockSkewMs: 10_000, checkpointEvery: 1 },
      ...{ resendMs: 1_000_000, pollMs: 10 },
    },
  );
  const reason = await validator.run(new AbortController().signal);
  assert.match(reason ?? "", /sync/);
  assert.deepEqual(follower.refusals, []);
});
