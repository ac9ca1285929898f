import assert from "node:assert/strict";
import { test } from "node:test";
import { type Change, createDatabase } from "../../../sequencer/store/database.ts";
import { temporaryFolder } from "./sampleEntries.ts";

const put = (key: string, value: string): Change => ({ type: "put", key, value });
const del = (key: string): Change => ({ type: "del", key });

test("a write takes its changes in their order, open or not yet", async (context) => {
  const database = createDatabase(await temporaryFolder(context));
  context.after(() => database.close());
  assert.notEqual(database.status, "open");
  await database.batch([put("a", "1"), put("b", "2")], { sync: true });
  assert.equal(database.status, "open");
  await database.batch([put("c", "3"), del("a"), del("b"), put("b", "4"), put("d", "5"), del("d")]);
  await database.batch([], { sync: true });
  const found = await database.iterator().all();
  assert.deepEqual(found, [
    ["b", "4"],
    ["c", "3"],
  ]);
});

test("a write that has one bad change has none of them", async (context) => {
  const database = createDatabase(await temporaryFolder(context));
  context.after(() => database.close());
  await database.open();
  const bad = { type: "put", key: "b", value: undefined } as unknown as Change;
  await assert.rejects(async () => database.batch([put("a", "1"), bad], { sync: true }));
  assert.deepEqual(await database.keys().all(), []);
});

test("a database still makes chains of its own", async (context) => {
  const database = createDatabase(await temporaryFolder(context));
  context.after(() => database.close());
  await database.open();
  await database.batch().put("a", "1").write();
  assert.equal(await database.get("a"), "1");
});
