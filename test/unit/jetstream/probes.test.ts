// The writer's probes, against a stream whose answers the test holds back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { LogRecord } from "../../../sequencer/batch/log.ts";
import { createLog } from "../../../sequencer/jetstream/jetstreamLog.ts";
import type { Stream } from "../../../sequencer/jetstream/stream.ts";
import { openStore } from "../../../sequencer/store/store.ts";
import { silent } from "../roles/ports.ts";
import { DOMAIN, sampleEntry, temporaryFolder } from "../store/sampleEntries.ts";

const PROBE_MS = 10;

test("while a write is under way no probes gather behind it", async (context) => {
  const store = await openStore(await temporaryFolder(context), DOMAIN);
  const published: number[] = [];
  let answer = (): void => undefined;
  let at = performance.now();
  const publisher = {
    publish: async (records: readonly LogRecord[]) => {
      published.push(records.length);
      if (records.length > 0)
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
      at = performance.now();
    },
    lastAt: () => at,
  };
  const stream = { name: "LOG", close: async () => undefined } as unknown as Stream;
  const log = createLog(stream, publisher, {
    ...{ servers: [], replicas: 3, stream: "LOG", copy: store.log, logger: silent },
    ...{ patienceMs: 1000, probeMs: PROBE_MS, epoch: 1 },
  });
  context.after(async () => {
    await log.close();
    await store.close();
  });
  const written = log.append([sampleEntry(0)]);
  await sleep(20 * PROBE_MS);
  assert.deepEqual(published, [1]);
  answer();
  assert.equal((await written).length, 1);
  assert.deepEqual(published, [1], "none was waiting for its turn");
  await sleep(20 * PROBE_MS);
  assert.ok(published.length > 1, "an idle writer probes again");
  assert.ok(published.length < 22);
});
