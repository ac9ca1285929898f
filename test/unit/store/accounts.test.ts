// What accounts have left with the sequencer is on the disk when it is acknowledged.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type AccountRecord, loadAccountRecords } from "../../../sequencer/roles/accountRecords.ts";
import { openStore } from "../../../sequencer/store/store.ts";
import { createAccounts } from "../roles/ports.ts";
import { DOMAIN, temporaryFolder } from "./sampleEntries.ts";

test("what was acknowledged before kill -9 is there, or what is later", async (context) => {
  const folder = await temporaryFolder(context);
  const script = fileURLToPath(new URL("saveForever.ts", import.meta.url));
  const acknowledged = new Map<number, number>();
  const child = spawn(process.execPath, [script, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  let lines = 0;
  for await (const line of createInterface(child.stdout)) {
    const [account, time] = line.split(" ").map(Number) as [number, number];
    acknowledged.set(account, time);
    lines += 1;
    if (lines === 150) child.kill("SIGKILL");
  }
  await exited;
  assert.equal(acknowledged.size, 5);
  const store = await openStore(folder, DOMAIN);
  const records = await loadAccountRecords(store.accounts);
  for (const [account, time] of acknowledged) {
    const found = records.find(account)?.scopes[0]?.time ?? 0;
    assert.ok(found >= time, `account ${account}: ${found}, acknowledged ${time}`);
  }
  await store.close();
});

test("a record survives as it was, signatures and heads included", async (context) => {
  const folder = await temporaryFolder(context);
  const first = await openStore(folder, DOMAIN);
  const held = { id: "a", word: 2n ** 200n, before: 1n, after: 2n ** 253n, met: 0 };
  const record = { held: [held], ended: [], protection: null, scopes: [] };
  await first.accounts.save(9, record);
  await first.accounts.save(10, record);
  await first.accounts.delete(10);
  await first.close();
  const second = await openStore(folder, DOMAIN);
  const found = [];
  for await (const entry of second.accounts.load()) found.push(entry);
  assert.deepEqual(found, [[9, record]]);
  await second.close();
});

test("records that say only what has ended are bounded; others are never forgotten", async () => {
  const store = createAccounts();
  const records = await loadAccountRecords(store, 3);
  for (let account = 0; account < 10; account++) {
    records.open(account).scopes = account < 2 ? [SCOPE] : [];
    await records.save(account);
  }
  await new Promise((resolve) => setImmediate(resolve));
  const left = [...records.all()].map(([account]) => account);
  assert.deepEqual(left, [0, 1, 7, 8, 9]);
  assert.deepEqual([...store.kept.keys()], left);
});

const SCOPE: AccountRecord["scopes"][number] = { keyIndex: 0, version: 1, scope: "none", time: 1 };

test("a save that comes while another is written is of what is there then", async () => {
  const written: number[] = [];
  const waiting: (() => void)[] = [];
  const store = {
    ...createAccounts(),
    save: (_: number, value: unknown): Promise<void> => {
      written.push((value as AccountRecord).scopes[0]?.time ?? 0);
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
  const records = await loadAccountRecords(store);
  const save = (time: number) => {
    records.open(1).scopes = [{ ...SCOPE, time }];
    return records.save(1);
  };
  const [first, second, third] = [save(1), save(2), save(3)];
  assert.deepEqual(written, [1]);
  waiting.shift()?.();
  await first;
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(written, [1, 3], "two changes as one");
  let isDurable = false;
  void third.then(() => {
    isDurable = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isDurable, false, "not before it is written");
  waiting.shift()?.();
  await Promise.all([second, third]);
});
