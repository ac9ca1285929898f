/** What a validator says to a log. */
import type { LogRecord } from "../../sequencer/batch/log.ts";
import type { Refusal } from "../../sequencer/ports.ts";
import type { FairOrder } from "../../sequencer/protocol/fairOrder.ts";
import { createValidator } from "../../sequencer/roles/validator.ts";
import { DOMAIN, deployment, type World } from "../unit/roles/market.ts";
import {
  createBatches,
  createCheckpoints,
  createFollower,
  createLog,
  createSettlement,
  silent,
} from "../unit/roles/ports.ts";

/** How long the validator may take (ms). */
const TIME_MAX = 20_000;

/**
 * Its refusal, or undefined when it has executed all of it. `now`: its own clock; `fairOrder`: the
 * rule that it was given.
 */
export async function refusalOf(given: {
  world: World;
  records: readonly LogRecord[];
  now(): number;
  fairOrder?: FairOrder;
}): Promise<Refusal | undefined> {
  const { world, records, now, fairOrder = deployment.fairOrder } = given;
  const follower = createFollower(records);
  const settlement = createSettlement(DOMAIN);
  settlement.queue.push(...world.settlement.queue);
  const log = createLog(DOMAIN);
  const validator = "0xvalidator";
  const running = await createValidator(
    {
      ...{ clock: { now }, logger: silent, log, checkpoints: createCheckpoints() },
      ...{ batches: createBatches(), settlement, follower },
      prover: { verify: async () => true },
      attester: {
        address: validator,
        attest: async ({ root, ...rest }) => {
          return { validator, signature: "0x", ...rest, root: `0x${root.toString(16)}` };
        },
        refuse: async (content) => ({ validator, signature: "0x", ...content }),
      },
    },
    {
      deployment: { ...deployment, fairOrder },
      ...{ queueWaitMs: 1, clockSkewMs: 10_000, checkpointEvery: 100 },
      ...{ resendMs: 1_000_000, pollMs: 10 },
    },
  );
  const stopping = new AbortController();
  const ended = running.run(stopping.signal);
  const start = Date.now();
  const isDone = () => follower.refusals.length > 0 || log.records.length === records.length;
  while (!isDone()) {
    if (Date.now() - start > TIME_MAX) throw new Error("the validator neither ends nor refuses");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  stopping.abort();
  await ended;
  return follower.refusals[0];
}
