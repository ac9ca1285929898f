// Checkpoints by what has changed: two layers of rows, and what is left of them after damage.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Checkpoint } from "../../../sequencer/ports.ts";
import { createMemoryState, type MemoryState } from "../../../sequencer/state/memoryState.ts";
import { GROUP_ROWS } from "../../../sequencer/store/checkpointRows.ts";
import { createCheckpointStore } from "../../../sequencer/store/checkpointStore.ts";
import { createDatabase, type Database, encodeValue } from "../../../sequencer/store/database.ts";
import { EXECUTED_KEY, numberedKey } from "../../../sequencer/store/keys.ts";
import { changesWithCut } from "../../../sequencer/store/truncation.ts";
import { createChance } from "../../simulation/random.ts";
import { temporaryFolder } from "./sampleEntries.ts";
import { beginFrom, changeAt, editAtRandom, placeAt, SHAPE } from "./sampleStates.ts";

const book = (generation: number) => {
  const fees = { taker: 2, maker: -1 };
  return { weights: [1, 0, 0, 0], generation, fees, bids: [], asks: [] };
};

/** Checkpoints at 10, 20 and 30; account 1 changes before each, the rest once. */
async function filled(context: TestContext) {
  const database = createDatabase(await temporaryFolder(context));
  context.after(() => database.close());
  const store = createCheckpointStore(database);
  const state = beginFrom(undefined);
  const told = new Map<number, Checkpoint>();
  const save = async (since: number, position: number): Promise<void> => {
    state.clearTouched();
    told.set(position, { ...placeAt(position), state: state.exportState() });
    await store.save(changeAt(state, since, position));
  };
  state.setCash(1, 100);
  state.setCash(2, 200);
  state.editSession(3).watermark = 4;
  state.putBook(5, book(1));
  await save(0, 10);
  state.setCash(1, 101);
  state.putBook(6, book(2));
  await save(10, 20);
  state.setCash(1, 102);
  state.setCash(7, 700);
  state.setFees(5);
  await save(20, 30);
  return { database, store, state, told, save };
}

async function keysOf(database: Database): Promise<string[]> {
  return database.keys().all();
}

async function damage(database: Database, key: string): Promise<void> {
  const text = (await database.get(key)) as string;
  assert.ok(text.length > 64, `${key} is there`);
  await database.put(key, `${text.slice(0, -1)}?`);
}

const rowKeys = {
  newer: numberedKey("newerAccounts", 7),
  base: numberedKey("baseSessions", 3),
  newest: numberedKey("checkpoint", 30),
  older: numberedKey("checkpoint", 20),
};

test("each row stands once, and what has changed since besides", async (context) => {
  const { database, store, told } = await filled(context);
  assert.deepEqual(await keysOf(database), [
    numberedKey("baseAccounts", 1),
    numberedKey("baseAccounts", 2),
    numberedKey("baseBooks", 5),
    numberedKey("baseBooks", 6),
    numberedKey("baseSessions", 3),
    numberedKey("newerAccounts", 1),
    numberedKey("newerAccounts", 7),
    rowKeys.older,
    rowKeys.newest,
    EXECUTED_KEY,
  ]);
  assert.deepEqual(await store.latest(), told.get(30));
  assert.deepEqual(await store.executed(), { position: 30, epoch: 2, hash: "hash 30" });
});

test("a row that goes is gone from the next checkpoint, then from the base", async (context) => {
  const { database, store, state, told, save } = await filled(context);
  const point = state.checkpoint();
  state.setCash(9, 1);
  state.putBook(9, book(3));
  state.clearTouched();
  await save(30, 40);
  assert.equal((await store.latest())?.state.accounts.at(-1)?.[0], 9);
  await save(40, 45);
  assert.ok((await keysOf(database)).includes(numberedKey("baseAccounts", 9)));
  state.rollback(point);
  await save(45, 50);
  assert.deepEqual(await store.latest(), told.get(50));
  await save(50, 60);
  assert.deepEqual(await store.latest(), told.get(60));
  const nines = (await keysOf(database)).filter((key) => key.endsWith("0009"));
  assert.deepEqual(nines, []);
});

for (const what of ["newer", "newest"] as const) {
  test(`the older one is found where the ${what} is damaged, and goes on`, async (context) => {
    const { database, store, told } = await filled(context);
    await damage(database, rowKeys[what]);
    const found = await store.latest();
    assert.deepEqual(found, told.get(20));
    // The node that began there comes to the same place again.
    const state = beginFrom(found?.state);
    state.setCash(8, 800);
    const whole = { ...placeAt(30), state: state.exportState() };
    await store.save(changeAt(state, 20, 30));
    assert.deepEqual(await store.latest(), whole);
    assert.equal(await database.get(numberedKey("newerAccounts", 7)), undefined);
  });
}

test("the newest is found where the record of the older is damaged", async (context) => {
  const { database, store, told, save } = await filled(context);
  await damage(database, rowKeys.older);
  assert.deepEqual(await store.latest(), told.get(30));
  await save(30, 40);
  await damage(database, numberedKey("checkpoint", 40));
  assert.deepEqual(await store.latest(), told.get(30));
});

test("a damaged row does not take the place of a good one", async (context) => {
  const { database, store, told, save } = await filled(context);
  await damage(database, rowKeys.newer);
  await assert.rejects(save(30, 40), { name: "StoreCorruptionError" });
  assert.deepEqual(await store.latest(), told.get(20));
});

test("none is found where the base is damaged, and the next is whole", async (context) => {
  const { database, store } = await filled(context);
  await damage(database, rowKeys.base);
  assert.equal(await store.latest(), undefined);
  const state = beginFrom(undefined);
  state.setCash(11, 5);
  const whole = { ...placeAt(25), state: state.exportState() };
  await store.save(changeAt(state, 0, 25));
  assert.deepEqual(await store.latest(), whole);
  assert.deepEqual(await keysOf(database), [
    numberedKey("baseAccounts", 11),
    numberedKey("checkpoint", 25),
    EXECUTED_KEY,
  ]);
});

test("a change of no checkpoint that is kept is refused, and nothing is lost", async (context) => {
  const { database, store, state, told } = await filled(context);
  const before = await keysOf(database);
  for (const [since, position] of [
    [10, 40],
    [25, 40],
    [40, 50],
    [30, 30],
  ] as const) {
    await assert.rejects(store.save(changeAt(state, since, position)), {
      name: "RangeError",
      message: new RegExp(`\\(20, 30\\).*Got \`${since}\``),
    });
  }
  assert.deepEqual(await keysOf(database), before);
  assert.deepEqual(await store.latest(), told.get(30));
});

const CUTS = [
  { to: 30, left: 30 },
  { to: 29, left: 20 },
  { to: 20, left: 20 },
  { to: 19, left: undefined },
];

for (const { to, left } of CUTS) {
  test(`cut off at ${to}, ${left ?? "none"} is left and goes on`, async (context) => {
    const { database, store, told } = await filled(context);
    const log = { read: async function* () {} };
    await database.batch(await changesWithCut(database, log, to), { sync: true });
    const found = await store.latest();
    assert.deepEqual(found, left === undefined ? undefined : told.get(left));
    const rows = (await keysOf(database)).filter((key) => key.startsWith("checkpoint-"));
    // Without a checkpoint they mean nothing, and go with the next one.
    assert.equal(rows.length, { 30: 7, 20: 5 }[left ?? 0] ?? 7);
    const state: MemoryState = beginFrom(found?.state);
    for (let since = found?.position ?? 0, count = 0; count < 3; count++) {
      state.setCash(2, 1000 + count);
      const whole = { ...placeAt(since + 7), state: state.exportState() };
      await store.save(changeAt(state, since, since + 7));
      assert.deepEqual(await store.latest(), whole);
      since += 7;
    }
  });
}

test("checkpoints of the format before are absent, and go with the next save", async (context) => {
  const database = createDatabase(await temporaryFolder(context));
  context.after(() => database.close());
  const store = createCheckpointStore(database);
  const state = beginFrom(undefined);
  state.setCash(1, 1);
  for (const position of [10, 20]) {
    const whole = { ...placeAt(position), state: state.exportState() };
    await database.put(numberedKey("checkpoint", position), encodeValue(whole));
  }
  assert.equal(await store.latest(), undefined);
  const whole = { ...placeAt(15), state: state.exportState() };
  await store.save(changeAt(state, 0, 15));
  assert.deepEqual(await store.latest(), whole);
  const kept = (await keysOf(database)).filter((key) => key.startsWith("checkpoint/"));
  assert.deepEqual(kept, [numberedKey("checkpoint", 15)]);
});

test("a first checkpoint of many rows that did not come to its end is none", async (context) => {
  const folder = await temporaryFolder(context);
  const database = createDatabase(folder);
  context.after(() => database.close());
  const state = createMemoryState({ ...SHAPE, accountLevels: 7 });
  for (let id = 0; id < GROUP_ROWS + 5; id++) state.setCash(id, id);
  const change = state.exportChange();
  const batch = database.batch.bind(database);
  let writes = 0;
  Object.assign(database, {
    batch: (...given: [] | Parameters<typeof batch>) => {
      // Without arguments it is the same write, change by change.
      if (given.length === 0) return database.constructor.prototype.batch.call(database);
      writes += 1;
      return writes === 2 ? Promise.reject(new Error("the power is off")) : batch(...given);
    },
  });
  const store = createCheckpointStore(database);
  await assert.rejects(store.save({ ...placeAt(5), since: 0, change }), /the power is off/);
  assert.equal((await keysOf(database)).length, GROUP_ROWS);
  assert.equal(await store.latest(), undefined);
  await store.save({ ...placeAt(6), since: 0, change: { ...change, accounts: [] } });
  assert.deepEqual(await keysOf(database), [numberedKey("checkpoint", 6), EXECUTED_KEY]);
  await store.save({ ...placeAt(6), since: 0, change });
  assert.deepEqual(await store.latest(), { ...placeAt(6), state: state.exportState() });
});

/** The next life of the process, killed when it has said so many lines; the last of them. */
async function live(folder: string, linesMax: number): Promise<number> {
  const script = fileURLToPath(new URL("checkpointForever.ts", import.meta.url));
  const child = spawn(process.execPath, [script, folder], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  let lines = 0;
  let last = 0;
  for await (const line of createInterface(child.stdout)) {
    last = Number(line);
    lines += 1;
    if (lines === linesMax) child.kill("SIGKILL");
  }
  await exited;
  assert.ok(lines >= linesMax);
  return last;
}

test("killed at any moment it has the newest checkpoint, whole", async (context) => {
  const folder = await temporaryFolder(context);
  const state = beginFrom(undefined);
  const chance = createChance(5);
  let at = 0;
  for (let life = 0; life < 4; life++) {
    const acknowledged = await live(folder, 1 + chance.pick(60));
    const database = createDatabase(folder);
    const found = await createCheckpointStore(database).latest();
    await database.close();
    assert.ok(found !== undefined && found.position >= acknowledged);
    while (at < found.position) editAtRandom(state, ++at);
    assert.deepEqual(found, { ...placeAt(at), state: state.exportState() });
  }
});
