// E5, the part of the restart: with a checkpoint, what a node must read before it works is the tail
// of its log; the rest is verified behind its back, and damage there still stops it with its place.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { LogCorruptionError, type LogHead } from "../../sequencer/batch/log.ts";
import { createMemoryState } from "../../sequencer/state/memoryState.ts";
import { createDatabase } from "../../sequencer/store/database.ts";
import { EXECUTED_KEY, numberedKey } from "../../sequencer/store/keys.ts";
import { openStore } from "../../sequencer/store/store.ts";
import { runs } from "../property/runs.ts";
import { SHAPE } from "../unit/engine/market.ts";
import { DOMAIN, sampleEntry, temporaryFolder } from "../unit/store/sampleEntries.ts";

const GROUP = 4096;
const TAIL = 3000;
const OPEN_MS_MAX = 60_000;

/** A closed store of `records` records, with a checkpoint `tail` before its end. */
async function written(context: TestContext, records: number, tail: number): Promise<string> {
  const folder = await temporaryFolder(context);
  const store = await openStore(folder, DOMAIN);
  let at: LogHead | undefined;
  for (let position = 0; position < records; ) {
    const end = position < records - tail ? records - tail : records;
    const count = Math.min(GROUP, end - position);
    await store.log.append(
      Array.from({ length: count }, (_, index) => sampleEntry(position + index)),
    );
    position += count;
    if (position === records - tail) at = store.log.head();
  }
  const change = createMemoryState(SHAPE).exportChange();
  const made = { batchNumber: 1, time: 1, root: 1n, since: 0, change, extra: null };
  await store.checkpoints.save({ ...at!, ...made });
  await store.close();
  return folder;
}

/** Changes one digit of a record where it lies. */
async function damage(folder: string, position: number): Promise<void> {
  const database = createDatabase(folder);
  await database.open();
  const key = numberedKey("log", position);
  const text = (await database.get(key)) as string;
  const digit = text.lastIndexOf("0x") + 2;
  const changed = text[digit] === "1" ? "2" : "1";
  await database.put(key, text.slice(0, digit) + changed + text.slice(digit + 1));
  await database.close();
}

function isDamageAt(position: number) {
  return (error: unknown) => {
    const found = error instanceof LogCorruptionError ? error : (error as Error).cause;
    assert.ok(found instanceof LogCorruptionError);
    assert.equal(found.position, position);
    return true;
  };
}

test("E5 a restart reads the tail of the log, however long the log is", async (context) => {
  const { numRuns: records } = runs(8_000, 10_000_000);
  const folder = await written(context, records, TAIL);
  const began = performance.now();
  const store = await openStore(folder, DOMAIN);
  const opened = performance.now() - began;
  assert.equal(store.log.head().position, records);
  const before = performance.now();
  await store.log.append([sampleEntry(1)]);
  const appended = performance.now() - before;
  await store.log.verified;
  const verified = performance.now() - began;
  assert.ok(!store.log.failure.aborted);
  await store.close();
  const inSeconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;
  const times = `opened in ${inSeconds(opened)}, first append ${inSeconds(appended)}`;
  context.diagnostic(`${records} records, ${TAIL} of them after the checkpoint`);
  context.diagnostic(`${times}, all verified after ${inSeconds(verified)}`);
  assert.ok(opened <= OPEN_MS_MAX);
});

test("E5 damage before the checkpoint stops the running node with its place", async (context) => {
  const folder = await written(context, 8000, TAIL);
  await damage(folder, 1234);
  const store = await openStore(folder, DOMAIN);
  if (!store.log.failure.aborted) await once(store.log.failure, "abort");
  isDamageAt(1234)(store.log.failure.reason);
  await assert.rejects(store.log.append([sampleEntry(1)]), isDamageAt(1234));
  await store.close();
});

test("E5 damage after the checkpoint keeps the node from starting", async (context) => {
  const folder = await written(context, 8000, TAIL);
  await damage(folder, 6543);
  await assert.rejects(openStore(folder, DOMAIN), isDamageAt(6543));
});

test("E5 a log that is not the checkpoint's is verified from its beginning", async (context) => {
  const folder = await written(context, 8000, TAIL);
  const place = 8000 - TAIL - 1;
  await damage(folder, place);
  await assert.rejects(openStore(folder, DOMAIN), isDamageAt(place));
});

test("E5 without a readable note of it all of the log is verified first", async (context) => {
  const folder = await written(context, 8000, TAIL);
  const database = createDatabase(folder);
  await database.open();
  const note = (await database.get(EXECUTED_KEY)) as string;
  await database.put(EXECUTED_KEY, note.replace(/"position":\d/, '"position":9'));
  await database.close();
  await damage(folder, 1234);
  await assert.rejects(openStore(folder, DOMAIN), isDamageAt(1234));
});
