import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { LogCorruptionError, type LogRecord, logOrigin } from "../../../sequencer/batch/log.ts";
import { LogStoppedError } from "../../../sequencer/batch/logWriter.ts";
import { createDatabase, type Database } from "../../../sequencer/store/database.ts";
import { openHeadFile } from "../../../sequencer/store/headFile.ts";
import { numberedKey } from "../../../sequencer/store/keys.ts";
import { openLevelLog } from "../../../sequencer/store/levelLog.ts";
import { openStore, StoreDomainError } from "../../../sequencer/store/store.ts";
import { DOMAIN, sampleEntry, temporaryFolder } from "./sampleEntries.ts";

async function collect(records: AsyncIterable<LogRecord>): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  for await (const record of records) found.push(record);
  return found;
}

/** A closed store with `count` records, each written by itself. */
async function filled(folder: string, count: number): Promise<void> {
  const store = await openStore(folder, DOMAIN);
  for (let number = 0; number < count; number++) await store.log.append([sampleEntry(number)]);
  await store.close();
}

/** What a log stands on, without the store around it. */
async function openParts(context: TestContext) {
  const folder = await temporaryFolder(context);
  const database = createDatabase(folder);
  const headFile = await openHeadFile(path.join(folder, "log-head"));
  context.after(() => database.close());
  context.after(() => headFile.close());
  return { database, headFile, origin: logOrigin(DOMAIN) };
}

async function withDatabase(
  folder: string,
  change: (database: Database) => Promise<unknown>,
): Promise<void> {
  const database = createDatabase(folder);
  await change(database);
  await database.close();
}

function isCorruptAt(position: number) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof LogCorruptionError, String(error));
    assert.equal(error.position, position, error.message);
    return true;
  };
}

test("records survive a restart, linked from the deployment's origin", async (context) => {
  const folder = await temporaryFolder(context);
  const first = await openStore(folder, DOMAIN);
  assert.deepEqual(first.log.head(), { position: 0, epoch: 0, hash: logOrigin(DOMAIN) });
  const written = await first.log.append([0, 1, 2].map(sampleEntry));
  assert.equal(written[0]?.previous, logOrigin(DOMAIN));
  await first.close();

  const second = await openStore(folder, DOMAIN);
  context.after(() => second.close());
  assert.deepEqual(second.log.head(), { position: 3, epoch: 0, hash: written[2]?.hash });
  assert.deepEqual(await collect(second.log.read(0)), written);
  assert.deepEqual(await collect(second.log.read(2)), written.slice(2));
  assert.deepEqual(await collect(second.log.read(3)), []);
  const [next] = await second.log.append([sampleEntry(3)]);
  assert.equal(next?.previous, written[2]?.hash);
});

test("a store is not opened for another deployment", async (context) => {
  const folder = await temporaryFolder(context);
  await filled(folder, 1);
  await assert.rejects(openStore(folder, DOMAIN + 1n), StoreDomainError);
});

test("200 concurrent appends share few writes and keep their order", async (context) => {
  const folder = await temporaryFolder(context);
  const store = await openStore(folder, DOMAIN);
  context.after(() => store.close());
  const numbers = Array.from({ length: 200 }, (_, number) => number);
  const start = performance.now();
  const written = await Promise.all(
    numbers.map((number) => store.log.append([sampleEntry(number)])),
  );
  const seconds = (performance.now() - start) / 1000;
  context.diagnostic(`${Math.round(200 / seconds)} appends a second`);
  assert.deepEqual(
    written.map(([record]) => record?.position),
    numbers,
  );
  assert.deepEqual(await collect(store.log.read(0)), written.flat());
});

test("reading stops at the head of the time of the call", async (context) => {
  const folder = await temporaryFolder(context);
  const store = await openStore(folder, DOMAIN);
  context.after(() => store.close());
  await store.log.append([sampleEntry(0)]);
  const reading = store.log.read(0);
  await store.log.append([sampleEntry(1)]);
  assert.equal((await collect(reading)).length, 1);
});

const damages: readonly {
  name: string;
  position: number;
  damage: (database: Database) => Promise<unknown>;
}[] = [
  {
    name: "a record in the middle is missing",
    position: 4,
    damage: (database) => database.del(numberedKey("log", 4)),
  },
  {
    name: "the first record is missing",
    position: 0,
    damage: (database) => database.del(numberedKey("log", 0)),
  },
  {
    name: "the last record is missing, the head knows of it",
    position: 9,
    damage: (database) => database.del(numberedKey("log", 9)),
  },
  {
    name: "a digit of a record's contents has changed",
    position: 5,
    damage: async (database) => {
      const key = numberedKey("log", 5);
      await database.put(key, (await database.get(key)).replace('"account":5', '"account":6'));
    },
  },
  {
    name: "a record is cut short",
    position: 6,
    damage: async (database) => {
      const key = numberedKey("log", 6);
      await database.put(key, (await database.get(key)).slice(0, 100));
    },
  },
  {
    name: "two records have changed places",
    position: 2,
    damage: async (database) => {
      const [a, b] = [numberedKey("log", 2), numberedKey("log", 3)];
      const [first, second] = [await database.get(a), await database.get(b)];
      await database.put(a, second);
      await database.put(b, first);
    },
  },
  {
    name: "the head is missing",
    position: 0,
    damage: (database) => database.del("head"),
  },
];

for (const { name, position, damage } of damages) {
  test(`the log does not open when ${name}`, async (context) => {
    const folder = await temporaryFolder(context);
    await filled(folder, 10);
    await withDatabase(folder, damage);
    await assert.rejects(openStore(folder, DOMAIN), isCorruptAt(position));
  });
}

test("a read finds damage that came after opening", async (context) => {
  const options = await openParts(context);
  const { database } = options;
  const before = await openLevelLog(options);
  await before.append([0, 1, 2, 3].map(sampleEntry));
  await before.close();
  const log = await openLevelLog(options);
  await database.del(numberedKey("log", 2));
  await assert.rejects(collect(log.read(1)), isCorruptAt(2));
  await assert.rejects(collect(log.read(3)), isCorruptAt(2));
});

test("the newest records are read from memory, older ones from the disk", async (context) => {
  const options = await openParts(context);
  const { database } = options;
  const log = await openLevelLog(options);
  const entries = Array.from({ length: 5000 }, (_, number) => sampleEntry(number));
  const written = await log.append(entries);
  const reads = context.mock.method(database, "values");
  assert.deepEqual(await collect(log.read(4900)), written.slice(4900));
  assert.equal(reads.mock.callCount(), 0);
  assert.deepEqual(await collect(log.read(10)), written.slice(10));
  assert.equal(reads.mock.callCount(), 1);
  const [next] = await log.append([sampleEntry(5000)]);
  assert.deepEqual(await collect(log.read(4999)), [written[4999], next]);
  assert.deepEqual(await collect(log.read(5001)), []);
  assert.equal(reads.mock.callCount(), 1);
});

test("what was cut off is not read from memory", async (context) => {
  const folder = await temporaryFolder(context);
  const store = await openStore(folder, DOMAIN);
  context.after(() => store.close());
  const written = await store.log.append([0, 1, 2, 3].map(sampleEntry));
  await store.truncate(2);
  assert.deepEqual(await collect(store.log.read(0)), written.slice(0, 2));
  const [other] = await store.log.append([sampleEntry(9)]);
  assert.deepEqual(await collect(store.log.read(1)), [written[1], other]);
});

/** The journal that LevelDB writes to: the newest `.log` file. */
async function journalOf(folder: string): Promise<string> {
  const files = (await readdir(path.join(folder, "level"))).filter((name) => name.endsWith(".log"));
  return path.join(folder, "level", files.sort().at(-1)!);
}

test("a byte flipped in the middle of the journal is found where it is", async (context) => {
  const folder = await temporaryFolder(context);
  await filled(folder, 300);
  const journal = await journalOf(folder);
  const bytes = await readFile(journal);
  const middle = Math.floor(bytes.length / 2);
  bytes[middle] = bytes[middle]! ^ 1;
  await writeFile(journal, bytes);

  // What LevelDB itself makes of it: it opens, without the records of the damaged block.
  const copy = await temporaryFolder(context);
  await cp(folder, copy, { recursive: true });
  let hole = -1;
  await withDatabase(copy, async (database) => {
    const left = new Set<string>();
    for await (const key of database.keys()) left.add(key);
    for (hole = 0; left.has(numberedKey("log", hole)); ) hole += 1;
    assert.ok(left.has(numberedKey("log", 299)), "the newest record is still there");
  });
  assert.ok(hole > 0 && hole < 299, `hole at \`${hole}\``);
  await assert.rejects(openStore(folder, DOMAIN), isCorruptAt(hole));
});

test("acknowledged records that vanish from the end do not go unnoticed", async (context) => {
  const folder = await temporaryFolder(context);
  await filled(folder, 50);
  const journal = await journalOf(folder);
  const bytes = await readFile(journal);
  // The end of the last write: LevelDB takes it for torn and drops it with its head.
  await writeFile(journal, bytes.subarray(0, bytes.length - 10));
  await assert.rejects(openStore(folder, DOMAIN), isCorruptAt(49));

  // After a power failure the second memory may be gone, and the tail was then never acknowledged.
  await rm(path.join(folder, "log-head"));
  const store = await openStore(folder, DOMAIN);
  assert.equal(store.log.head().position, 49);
  await store.close();
});

test("everything acknowledged before kill -9 is there afterwards", async (context) => {
  const folder = await temporaryFolder(context);
  const script = fileURLToPath(new URL("appendForever.ts", import.meta.url));
  for (let round = 0; round < 3; round++) {
    const child = spawn(process.execPath, [script, folder], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    let last = "";
    let lines = 0;
    for await (const line of createInterface(child.stdout)) {
      last = line;
      lines += 1;
      if (lines === 150) child.kill("SIGKILL");
    }
    await exited;
    const store = await openStore(folder, DOMAIN);
    const [position = "", hash] = last.split(" ");
    const [record] = await collect(store.log.read(Number(position)));
    assert.equal(record?.hash, hash);
    assert.ok(store.log.head().position > Number(position));
    await store.close();
  }
});

test("after a failed write every append is refused", async (context) => {
  const options = await openParts(context);
  const { database } = options;
  const log = await openLevelLog(options);
  await log.append([sampleEntry(0)]);
  const batch = context.mock.method(database, "batch", () =>
    Promise.reject(new Error("no space left on device")),
  );
  const refused = await Promise.allSettled([
    log.append([sampleEntry(1)]),
    log.append([sampleEntry(2)]),
  ]);
  assert.ok(refused.every((result) => result.status === "rejected"));
  batch.mock.restore();
  await assert.rejects(log.append([sampleEntry(3)]), LogStoppedError);
  assert.equal(log.head().position, 1);
});

test("a closed log takes nothing more, and what waited is written", async (context) => {
  const folder = await temporaryFolder(context);
  const store = await openStore(folder, DOMAIN);
  const waiting = store.log.append([sampleEntry(0)]);
  await store.close();
  assert.equal((await waiting).length, 1);
  await assert.rejects(store.log.append([sampleEntry(1)]), LogStoppedError);
});
