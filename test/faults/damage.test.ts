// E2: a log that was cut short, or has rotted, is recovered to its last whole record or not opened.
import assert from "node:assert/strict";
import { cp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { LogCorruptionError, type LogRecord } from "../../sequencer/batch/log.ts";
import { openStore } from "../../sequencer/store/store.ts";
import { runs } from "../property/runs.ts";
import { createChance } from "../simulation/random.ts";
import { collect } from "../unit/store/logConformance.ts";
import { DOMAIN, sampleEntry, temporaryFolder } from "../unit/store/sampleEntries.ts";

const RECORDS = 24;
const HEAD_FILE = "log-head";

/** A closed store whose groups have different sizes, and its records. */
async function original(context: TestContext): Promise<{ folder: string; records: LogRecord[] }> {
  const folder = await temporaryFolder(context);
  const store = await openStore(folder, DOMAIN);
  const records: LogRecord[] = [];
  for (let size = 1; records.length < RECORDS; size = 1 + (size % 3)) {
    const entries = Array.from({ length: size }, (_, index) => sampleEntry(records.length + index));
    records.push(...(await store.log.append(entries)));
  }
  await store.close();
  return { folder, records };
}

/** LevelDB's own journal: the log's last segment, which has all of it here. */
async function journalOf(folder: string): Promise<string> {
  const files = await readdir(path.join(folder, "level"));
  return path.join(
    folder,
    "level",
    files
      .filter((name) => name.endsWith(".log"))
      .sort()
      .at(-1)!,
  );
}

type Outcome = { readonly kept: number } | { readonly stoppedAt: number | string };

/**
 * Opens the store and reads the log. What can be read must be the first records as they were
 * written; what cannot must say so. Opened again, the answer must be the same: nothing heals by
 * being looked at.
 */
async function outcomeOf(folder: string, records: readonly LogRecord[]): Promise<Outcome> {
  const first = await openOnce(folder, records);
  const second = await openOnce(folder, records);
  const isStopped = (outcome: Outcome) => "stoppedAt" in outcome;
  assert.equal(isStopped(second), isStopped(first), JSON.stringify([first, second]));
  if ("kept" in first) assert.deepEqual(second, first);
  return first;
}

async function openOnce(folder: string, records: readonly LogRecord[]): Promise<Outcome> {
  let store: Awaited<ReturnType<typeof openStore>>;
  try {
    store = await openStore(folder, DOMAIN);
  } catch (error) {
    assert.ok(error instanceof Error);
    if (!(error instanceof LogCorruptionError)) return { stoppedAt: error.name };
    assert.ok(error.position >= 0 && error.position <= records.length, error.message);
    return { stoppedAt: error.position };
  }
  try {
    const found = await collect(store.log.read(0));
    assert.deepEqual(found, records.slice(0, found.length), "not the records that were written");
    assert.equal(store.log.head().position, found.length);
    return { kept: found.length };
  } finally {
    await store.close();
  }
}

test("E2 cut at any byte of the last segment: recovered, or stopped", async (context) => {
  const { folder, records } = await original(context);
  const { length } = await readFile(await journalOf(folder));
  const copy = path.join(await temporaryFolder(context), "copy");
  const { numRuns } = runs(150, length);
  const stride = Math.max(1, Math.floor(length / numRuns));
  const counts = { points: 0, kept: 0, stopped: 0 };
  for (let bytes = 0; bytes < length; bytes += stride) {
    for (const remembers of [true, false]) {
      await cp(folder, copy, { recursive: true });
      await truncate(await journalOf(copy), bytes);
      // After a power failure the head file may lag, here by everything; it never leads.
      if (!remembers) await rm(path.join(copy, HEAD_FILE));
      const outcome = await outcomeOf(copy, records);
      const isKept = "kept" in outcome;
      // Every record was acknowledged: with a memory of that, a shorter log must not pass.
      if (remembers) assert.ok(!isKept, `cut at ${bytes}, \`${JSON.stringify(outcome)}\``);
      else assert.ok(isKept, `a torn tail at ${bytes} is no damage: ${JSON.stringify(outcome)}`);
      if (!isKept) assert.equal(typeof outcome.stoppedAt, "number", "the position is named");
      counts[isKept ? "kept" : "stopped"] += 1;
      counts.points += 1;
      await rm(copy, { recursive: true });
    }
  }
  context.diagnostic(`${length} bytes, ${JSON.stringify(counts)}`);
});

/** Every file in which a bit can rot; LevelDB's own text log says nothing. */
async function filesOf(folder: string): Promise<string[]> {
  const names = await readdir(path.join(folder, "level"));
  const data = names.filter((name) => name !== "LOG" && name !== "LOG.old" && name !== "LOCK");
  return [...data.map((name) => path.join("level", name)), HEAD_FILE];
}

test("E2 flipped bits: recovered whole, or stopped, never a silent hole", async (context) => {
  const { folder, records } = await original(context);
  const copy = path.join(await temporaryFolder(context), "copy");
  const { numRuns } = runs(120, 1000);
  const counts = { whole: 0, stopped: 0 };
  const stops = new Set<string>();
  for (let seed = 1; seed <= numRuns; seed++) {
    const chance = createChance(seed);
    await cp(folder, copy, { recursive: true });
    const journal = path.relative(copy, await journalOf(copy));
    // Half of them in the journal, where the records are.
    const name = chance.happens(50) ? journal : chance.one(await filesOf(copy));
    const file = path.join(copy, name);
    const bytes = await readFile(file);
    for (let flips = 1 + chance.pick(3); flips > 0 && bytes.length > 0; flips--) {
      const at = chance.pick(bytes.length);
      bytes[at] = bytes[at]! ^ (1 << chance.pick(8));
    }
    await writeFile(file, bytes);
    const outcome = await outcomeOf(copy, records);
    // Fewer records than were acknowledged, and no word of it, would be the silent hole.
    if ("kept" in outcome) assert.equal(outcome.kept, records.length, `seed ${seed}, ${name}`);
    else stops.add(typeof outcome.stoppedAt);
    counts["kept" in outcome ? "whole" : "stopped"] += 1;
    await rm(copy, { recursive: true });
  }
  assert.ok(counts.stopped > 0 && stops.has("number"), JSON.stringify(counts));
  context.diagnostic(JSON.stringify(counts));
});
