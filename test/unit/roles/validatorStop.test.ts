// A validator that is told to stop does so at once, whoever it waits for: where the sequencer moves
// it begins again so, and stands still until then.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogFollower, SettlementLayer } from "../../../sequencer/ports.ts";
import { createValidator } from "../../../sequencer/roles/validator.ts";
import { createMarket, DOMAIN, deployment, type World } from "./market.ts";
import {
  createBatches,
  createCheckpoints,
  createFollower,
  createLog,
  createSettlement,
  silent,
} from "./ports.ts";

const STOP_MS_MAX = 1_000;

const createDisk = () => ({
  ...{ log: createLog(DOMAIN), checkpoints: createCheckpoints(), batches: createBatches() },
});

interface Given {
  readonly world: World;
  readonly disk: ReturnType<typeof createDisk>;
  readonly line?: Partial<LogFollower>;
  readonly layerOne?: Partial<SettlementLayer>;
}

async function open({ world, disk, line = {}, layerOne = {} }: Given) {
  const follower = createFollower(world.log.survivors());
  const settlement = createSettlement(DOMAIN);
  settlement.queue.push(...world.settlement.queue);
  const validator = await createValidator(
    {
      ...{ clock: world.clock, logger: silent, ...disk },
      ...{ settlement: { ...settlement, ...layerOne }, follower: { ...follower, ...line } },
      prover: { verify: async () => true },
      attester: {
        address: "0x01",
        attest: async ({ root, ...rest }) => {
          return { validator: "0x01", signature: "0x", ...rest, root: `0x${root.toString(16)}` };
        },
        refuse: async (content) => ({ ...content, validator: "0x01", signature: "0x" }),
      },
    },
    {
      ...{ deployment, queueWaitMs: 1, clockSkewMs: 10_000, checkpointEvery: 1 },
      ...{ resendMs: 1_000_000, pollMs: 10 },
    },
  );
  return { validator, follower };
}

/** Runs until `reached`, then stops: whether that was soon. */
async function stops(given: Given, reached: Promise<unknown>): Promise<boolean> {
  const { validator } = await open(given);
  const stopping = new AbortController();
  const running = validator.run(stopping.signal);
  await reached;
  stopping.abort();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), STOP_MS_MAX);
  });
  const first = await Promise.race([running, late]);
  clearTimeout(timer);
  return first !== "late";
}

async function day(): Promise<World> {
  const { world, maker } = await createMarket();
  await world.place(maker, { price: 400, lots: 1 });
  await world.finish();
  return world;
}

test("an attestation that nobody takes holds up no stop, and is sent by the next run", async () => {
  const world = await day();
  const disk = createDisk();
  const asked = Promise.withResolvers<void>();
  const attest = (_: unknown, signal?: AbortSignal): Promise<void> => {
    asked.resolve();
    return new Promise((_resolve, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
  };
  assert.ok(await stops({ world, disk, line: { attest } }, asked.promise));
  const { validator, follower } = await open({ world, disk });
  const stopping = new AbortController();
  const running = validator.run(stopping.signal);
  const numbers = [...world.batches.batches.keys()];
  const end = Date.now() + 20_000;
  while (follower.attestations.length < numbers.length && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  stopping.abort();
  assert.equal(await running, undefined);
  assert.deepEqual(
    follower.attestations.map(({ number }) => number),
    numbers,
  );
});

test("nor does a question that layer one does not answer", async () => {
  const world = await day();
  for (const question of ["anchored", "queued"] as const) {
    const asked = Promise.withResolvers<void>();
    const answer = (): Promise<never> => {
      asked.resolve();
      return new Promise(() => undefined);
    };
    const given = { world, disk: createDisk(), layerOne: { [question]: answer } };
    assert.ok(await stops(given, asked.promise), question);
  }
});
