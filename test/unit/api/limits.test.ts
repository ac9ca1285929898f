import assert from "node:assert/strict";
import { test } from "node:test";
import { createBucketTable, createTokenBucket } from "../../../sequencer/api/rateLimit.ts";
import { wireSignature } from "../../../sequencer/client/exchange.ts";
import type { BatchStatus } from "../../../sequencer/exchangeService.ts";
import { sign } from "../../../sequencer/protocol/eddsa.ts";
import { messageWord, nextHead } from "../../../sequencer/protocol/messages.ts";
import { startFixture } from "./apiFixture.ts";
import { ACCOUNT, SECRET } from "./fakeService.ts";

const zeros = { r8x: "0x0", r8y: "0x0", s: "0x0" };

test("a bucket gives its burst, then its rate, and forgives debt up to a burst", () => {
  let time = 0;
  const bucket = createTokenBucket({ perSecond: 10, burst: 3 }, () => time);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => bucket.take(1)),
    [0, 0, 0, 100],
  );
  time += 100;
  assert.equal(bucket.take(1), 0);
  bucket.charge(1000);
  assert.equal(bucket.wait(), 400);
  time -= 5000;
  assert.equal(bucket.wait(), 400, "a clock that goes back gives nothing and takes nothing");
});

test("the table of buckets stays bounded", () => {
  const table = createBucketTable({ perSecond: 1, burst: 2 }, 3, () => 0);
  const first = table.get("first");
  first.take(2);
  for (let key = 0; key < 100; key++) table.get(key);
  assert.equal(table.get("first"), first, "full buckets go before used ones");
  for (let key = 0; key < 5; key++) table.get(`used ${key}`).take(1);
  assert.notEqual(table.get("first"), first);
});

test("a connection over its rate is told when to come back", async (context) => {
  const limits = { credits: { perSecond: 5000, burst: 1000 } };
  const { call, clock } = await startFixture(context, { limits });
  assert.ok((await call("straddle/get_info")).result);
  assert.ok((await call("straddle/get_info")).result);
  const { error } = await call("straddle/get_info");
  assert.equal(error?.message, "too_many_requests");
  assert.deepEqual([error?.data.scope, error?.data.retry_after_ms], ["connection", 100]);
  clock.time += 100;
  assert.ok((await call("straddle/get_info")).result);
});

test("accepted messages count against the account, refused ones the sender", async (context) => {
  const limits = {
    accountRate: { perSecond: 1, burst: 2 },
    credits: { perSecond: 500, burst: 20_000 },
  };
  const { call, service, clock } = await startFixture(context, { limits });
  const submit = async (isGood: boolean) => {
    const word = messageWord({ kind: "cancelAll", deadline: clock.time });
    const signature = sign(SECRET, nextHead(service.state.key.head, word));
    const sent = isGood ? wireSignature(signature) : zeros;
    const hex = `0x${word.toString(16)}`;
    const signed = { account: ACCOUNT, key_index: 0, word: hex, signature: sent };
    const { error } = await call("private/cancel_all", { signed });
    return error === undefined ? "accepted" : `${error.message} ${error.data.scope ?? ""}`.trim();
  };
  for (let count = 0; count < 5; count++) assert.equal(await submit(false), "bad_signature");
  assert.equal(await submit(true), "accepted", "strangers cannot use up an account's rate");
  assert.equal(await submit(true), "accepted");
  assert.equal(await submit(true), "too_many_requests account");
  clock.time += 1000;
  assert.equal(await submit(true), "accepted");
  clock.time += 1000;
  const answers: string[] = [];
  for (let count = 0; count < 20; count++) answers.push(await submit(false));
  assert.ok(answers.includes("too_many_requests connection"), answers.join());
});

test("WebSockets: oversized, binary and surplus ones are closed", async (context) => {
  const { socket, server } = await startFixture(context, { limits: { webSockets: 2 } });
  const large = await socket();
  large.send(`"${"a".repeat(64 * 1024)}"`);
  assert.equal(await large.closed, 1009);
  const binary = await socket();
  binary.socket.send(new Uint8Array([1, 2]));
  assert.equal(await binary.closed, 1003);
  const kept = [await socket(), await socket()];
  await assert.rejects(socket(), /503/);
  for (const { socket: open } of kept) open.terminate();
  assert.match(server.url, /^http:\/\/127\.0\.0\.1:/);
});

test("a consumer that does not read is dropped and the others are not", async (context) => {
  const { socket, service } = await startFixture(context, { limits: { unsentBytes: 50_000 } });
  const [slow, fast] = [await socket(), await socket()];
  const params = { channels: ["straddle.batches"] };
  for (const raw of [slow, fast]) {
    raw.send({ jsonrpc: "2.0", id: 1, method: "public/subscribe", params });
    await raw.next();
  }
  slow.socket.pause();
  const batch: BatchStatus = {
    ...{ number: 1, kind: "trade", time: 1, root: 1n, logPosition: 1, stage: "anchored" },
    ...{ attestations: 0, transaction: `0x${"0".repeat(20_000)}` },
  };
  // More than the kernel's buffers take between two ends on one machine.
  for (let sent = 0; sent < 1000; sent++) {
    service.publish({ type: "batch", batch });
    await new Promise((resolve) => setImmediate(resolve));
  }
  slow.socket.resume();
  assert.equal(await slow.closed, 1006);
  assert.equal(fast.socket.readyState, fast.socket.OPEN);
});

test("stopping lets requests under way finish, then closes", async (context) => {
  const { socket, service, server } = await startFixture(context);
  const raw = await socket();
  let release: () => void = () => undefined;
  service.state.before = () =>
    new Promise((resolve) => {
      release = () => resolve({ accepted: false, code: "overloaded", reason: null, data: {} });
    });
  const word = `0x${messageWord({ kind: "cancelAll", deadline: 1_800_000_000_000 }).toString(16)}`;
  const words = [{ account: 1, key_index: 0, word, signature: zeros }];
  raw.send({ jsonrpc: "2.0", id: 5, method: "straddle/submit", params: { words } });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const stopped = server.stop();
  raw.send({ jsonrpc: "2.0", id: 6, method: "straddle/get_info" });
  const refused = await raw.next();
  assert.deepEqual([refused.id, refused.error?.message], [6, "temporarily_unavailable"]);
  const ask = { jsonrpc: "2.0", method: "public/get_time" };
  raw.send([{ ...ask, id: "a" }, ask, { ...ask, id: "b" }]);
  raw.send(ask);
  raw.send([ask]);
  raw.socket.send("{");
  const [batch, broken] = [await raw.next(), await raw.next()] as unknown[];
  assert.deepEqual(
    (batch as { id: string }[]).map(({ id }) => id),
    ["a", "b"],
    "notifications have no answer",
  );
  assert.deepEqual((broken as { id: null }).id, null);
  release();
  assert.equal((await raw.next()).id, 5);
  assert.equal(await raw.closed, 1001);
  await stopped;
});
