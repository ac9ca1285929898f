// E4: acknowledgements leave after the sync of their group, and what waits meanwhile is one group.
import assert from "node:assert/strict";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { logOrigin } from "../../sequencer/batch/log.ts";
import { GROUP_RECORDS_MAX } from "../../sequencer/batch/logWriter.ts";
import type { Log } from "../../sequencer/ports.ts";
import { createDatabase } from "../../sequencer/store/database.ts";
import { openHeadFile } from "../../sequencer/store/headFile.ts";
import { openLevelLog } from "../../sequencer/store/levelLog.ts";
import { DOMAIN, sampleEntry, temporaryFolder } from "../unit/store/sampleEntries.ts";
import { createWatchedDatabase, type Sync } from "./watchedDatabase.ts";

interface Watched {
  readonly log: Log;
  /** Synced writes so far, each with its records. */
  readonly syncs: readonly Sync[];
  /** From now on a sync waits until it is let go. */
  hold(): void;
  letGo(): Promise<void>;
}

async function watchedLog(context: TestContext): Promise<Watched> {
  const folder = await temporaryFolder(context);
  const raw = createDatabase(folder);
  await raw.open();
  const headFile = await openHeadFile(path.join(folder, "log-head"));
  context.after(async () => {
    await headFile.close();
    await raw.close();
  });
  const { database, ...watch } = createWatchedDatabase(raw);
  const log = await openLevelLog({ database, headFile, origin: logOrigin(DOMAIN) });
  return { log, ...watch };
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
};

test("E4 no acknowledgement leaves before its group is synced", async (context) => {
  const { log, syncs, hold, letGo } = await watchedLog(context);
  hold();
  const acknowledged: number[] = [];
  const appends = Array.from({ length: 50 }, async (_, number) => {
    await log.append([sampleEntry(number)]);
    acknowledged.push(number);
  });
  await turns();
  assert.deepEqual(acknowledged, []);
  assert.equal(log.head().position, 0, "the head is that of the durable records");
  // What comes while a group is on its way does not ride on it.
  const late = log.append([sampleEntry(50)]);
  await letGo();
  await Promise.all(appends);
  assert.deepEqual(syncs.at(0), { isSynced: true, records: 50 });
  assert.equal(acknowledged.length, 50);
  await turns();
  assert.equal(acknowledged.length, 50, "the late one waits for a sync of its own");
  await letGo();
  await late;
  assert.deepEqual(syncs.slice(1), [{ isSynced: true, records: 1 }]);
});

test("E4 what waits for a write becomes the next group, up to a bound", async (context) => {
  const { log, syncs, hold, letGo } = await watchedLog(context);
  hold();
  const first = log.append([sampleEntry(0)]);
  await turns();
  const count = GROUP_RECORDS_MAX + 100;
  const rest = Array.from({ length: count }, (_, number) => log.append([sampleEntry(number)]));
  await letGo();
  await first;
  await turns();
  await letGo();
  await turns();
  await letGo();
  const written = (await Promise.all(rest)).flat();
  assert.deepEqual(
    syncs.map(({ records }) => records),
    [1, GROUP_RECORDS_MAX, 100],
  );
  assert.ok(syncs.every(({ isSynced }) => isSynced));
  assert.deepEqual(
    written.map(({ position }) => position),
    Array.from({ length: count }, (_, index) => 1 + index),
  );
});
