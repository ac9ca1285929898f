// What a node says when its own disk fails: nothing that is lost with it, and nothing of others.
import assert from "node:assert/strict";
import { test } from "node:test";
import { logOrigin } from "../../../sequencer/batch/log.ts";
import { OwnStoreError, ownStores } from "../../../sequencer/roles/ownStores.ts";
import { createValidator, type ValidatorPorts } from "../../../sequencer/roles/validator.ts";
import { createChance } from "../../simulation/random.ts";
import { createSimulatedMedium } from "../../support/simulatedLog.ts";
import { createMarket, DOMAIN, deployment } from "./market.ts";
import {
  createBatches,
  createCheckpoints,
  createFollower,
  createLog,
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

type OwnStores = Pick<ValidatorPorts, "log" | "checkpoints" | "batches">;

/** What a validator with such stores says in the end of an honest log, and of whom. */
async function lastWords(stores: OwnStores) {
  const { world, maker } = await createMarket();
  await world.place(maker, { price: 400, lots: 1 });
  await world.finish();
  const follower = createFollower(world.log.records);
  const settlement = createSettlement(DOMAIN);
  settlement.queue.push(...world.settlement.queue);
  const validator = await createValidator(
    {
      ...{ clock: world.clock, logger: silent, settlement, follower, ...stores },
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
  const reason = await validator.run(AbortSignal.timeout(20_000));
  return { reason, refusals: follower.refusals };
}

const inMemory = (): OwnStores => {
  return { log: createLog(DOMAIN), checkpoints: createCheckpoints(), batches: createBatches() };
};

/** As LevelDB and the system say it. */
const fails = (code: string) => async (): Promise<never> => {
  throw Object.assign(new Error(`${code}: i/o error, write`), { code });
};

test("a validator whose disk fails ends, and accuses nobody", async () => {
  const medium = openMedium();
  const log = await medium.open();
  medium.failSyncs();
  const { reason, refusals } = await lastWords({ ...inMemory(), log });
  assert.match(reason ?? "", /sync/);
  assert.deepEqual(refusals, []);
});

test("nor does one that cannot store or read a batch, a proof or a checkpoint", async () => {
  const { checkpoints, batches } = inMemory();
  const broken: readonly (readonly [string, Partial<OwnStores>])[] = [
    ["a batch", { batches: { ...batches, putSealed: fails("EIO") } }],
    ["a checkpoint", { checkpoints: { ...checkpoints, save: fails("EIO") } }],
    ["a proof", { batches: { ...batches, proof: fails("EIO") } }],
  ];
  for (const [what, part] of broken) {
    const { reason, refusals } = await lastWords({ ...inMemory(), ...part });
    assert.match(reason ?? "", /EIO/, what);
    assert.deepEqual(refusals, [], what);
  }
});

test("own stores give what they gave, and say that it was they who failed", async () => {
  const medium = openMedium();
  const log = await medium.open();
  const own = ownStores({ ...inMemory(), log });
  assert.equal(own.log.head(), log.head());
  const { world } = await createMarket();
  await own.log.copy(world.log.records);
  assert.equal(own.log.head().position, world.log.records.length);
  const read: number[] = [];
  for await (const { position } of own.log.read(2)) read.push(position);
  assert.deepEqual(read, world.log.records.map(({ position }) => position).slice(2));
  assert.equal(own.log.failure, log.failure);
  // Damage that is found while it is read is the own disk's, wherever the record came from.
  medium.forge(medium.texts.with(3, "{}"));
  const rest = (async () => {
    for await (const _ of own.log.read(1));
  })();
  await assert.rejects(rest, OwnStoreError);
});
