// E6 and E20: the same log leads to the same state, bit for bit, whatever executes it: another
// version of Node, another zone and language, a node that was stopped halfway and is another one
// since, and the code of today on a log of long ago.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { decodeJson, encodeJson } from "../../sequencer/batch/log.ts";
import { createDatabase } from "../../sequencer/store/database.ts";
import {
  bundle,
  NODE_VERSIONS,
  type NodeVersion,
  nodesMissing,
  runBundle,
} from "../support/nodeVersions.ts";
import {
  recordedDeployment,
  recordedLines,
  recordedLog,
  recordedResults,
  resultsToday,
} from "../support/recordedLog.ts";
import { temporaryFolder } from "../unit/store/sampleEntries.ts";
import type { ReplayDone, ReplayWork } from "./replayChild.ts";

const CHILD = fileURLToPath(new URL("replayChild.ts", import.meta.url));
const deployment = recordedDeployment();
const lines = recordedLines();

interface Surroundings {
  readonly zone: string;
  readonly locale: string;
  /** As `Date` counts them, in January 1970: it shows that the zone took effect. */
  readonly minutesWest: number;
}

const PLAIN: Surroundings = { zone: "UTC", locale: "en-US", minutesWest: 0 };
/** Clocks that are not whole hours from UTC, dotless i, other digits, sorting of their own. */
const STRANGE: readonly Surroundings[] = [
  { zone: "Pacific/Chatham", locale: "tr-TR", minutesWest: -765 },
  { zone: "Asia/Kathmandu", locale: "ar-EG", minutesWest: -330 },
  { zone: "America/St_Johns", locale: "sv-SE", minutesWest: 210 },
];

type Runner = (
  version: NodeVersion,
  around: Surroundings,
  folder: string,
  to?: number,
) => Promise<ReplayDone>;

async function createRunner(context: TestContext): Promise<Runner> {
  const bundled = await bundle(CHILD);
  context.after(bundled.remove);
  const place = await temporaryFolder(context);
  return async (version, { zone, locale, minutesWest }, folder, to = lines.length) => {
    const work: ReplayWork = { deployment, lines, folder, to };
    const file = path.join(place, "work.json");
    writeFileSync(file, encodeJson(work));
    const LC_ALL = `${locale.replace("-", "_")}.UTF-8`;
    const surroundings = { TZ: zone, LC_ALL, LANG: LC_ALL, LANGUAGE: LC_ALL };
    const text = await runBundle(bundled, version, [file], surroundings);
    const done = decodeJson(text) as ReplayDone;
    // What was asked for was there: otherwise the same results would say nothing.
    assert.equal(done.version.split(".")[0], String(version));
    assert.deepEqual([done.locale, done.minutesWest], [locale, minutesWest]);
    return done;
  };
}

/** sha256 of every key and value of a store, by the first part of the key. */
async function contents(folder: string): Promise<Record<string, string>> {
  const database = createDatabase(folder);
  await database.open();
  const hashes = new Map<string, ReturnType<typeof createHash>>();
  for await (const [key, value] of database.iterator()) {
    const kind = key.split("/")[0]!;
    const hash = hashes.get(kind) ?? createHash("sha256");
    hashes.set(kind, hash.update(`${key} ${value}\n`));
  }
  await database.close();
  return Object.fromEntries([...hashes].map(([kind, hash]) => [kind, hash.digest("hex")]));
}

test("E6 Node 20, 22, 24, other zones and languages: identical roots, heads, checkpoints", {
  skip: nodesMissing,
}, async (context) => {
  const run = await createRunner(context);
  const { head, roots, records } = recordedResults();
  const isLong = process.env.STRADDLE_TEST_LONG !== undefined;
  // Each version and each surroundings; all of them with all others in the long suite.
  const runs = [PLAIN, ...STRANGE].flatMap((around, row) =>
    NODE_VERSIONS.filter((_, column) => isLong || row === 0 || row === column + 1).map(
      (version) => ({ version, around }),
    ),
  );
  const stores: Record<string, string>[] = [];
  for (const { version, around } of runs) {
    const folder = await temporaryFolder(context);
    const done = await run(version, around, folder);
    const where = `Node ${done.version}, ${around.zone}, ${around.locale}`;
    assert.deepEqual([done.position, done.head], [records, head], where);
    assert.deepEqual(done.roots, roots, where);
    stores.push(await contents(folder));
    assert.deepEqual(stores.at(-1), stores[0], where);
  }
  // The log, its heads, checkpoints and batches with the inputs of their proofs were in them.
  const checkpoints = ["checkpoint", "checkpoint-base", "checkpoint-newer"];
  const kinds = ["batch", ...checkpoints, "executed", "head", "inputs", "log", "origin"];
  assert.deepEqual(Object.keys(stores[0]!).sort(), kinds);
  context.diagnostic(`${records} records, ${roots.length} batches, ${runs.length} processes`);
});

test("E20 an old log replays bit for bit", async () => {
  assert.deepEqual(await resultsToday(recordedLog()), recordedResults());
});

test("E20 a store goes on under other versions of Node, forwards and back", {
  skip: nodesMissing,
}, async (context) => {
  const run = await createRunner(context);
  const [whole, passed] = [await temporaryFolder(context), await temporaryFolder(context)];
  const { root } = await run(24, PLAIN, whole);
  // Each stops somewhere in a batch; the next one starts from the checkpoint before.
  const versions = [20, 22, 24, 22, 20, 24] as const;
  let done: ReplayDone | undefined;
  for (const [index, version] of versions.entries()) {
    const to = Math.ceil((lines.length * (index + 1)) / versions.length);
    done = await run(version, STRANGE[index % STRANGE.length]!, passed, to);
    assert.equal(done.position, to);
  }
  assert.equal(done?.root, root);
  assert.deepEqual(await contents(passed), await contents(whole));
});
