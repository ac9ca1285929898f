// E17: bad input of every kind. No crash, bounded memory, honest clients unaffected.
import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { type EventEmitter, once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { createBucketTable } from "../../../sequencer/api/rateLimit.ts";
import { createSubmissionDesk, RECEIPTS_KEPT } from "../../../sequencer/api/rpc/submissions.ts";
import { CALL_NAME, type RpcAnswer, type RpcFixture, startRpc } from "./rpcFixture.ts";

const LIMIT = { timeInForce: "gtc", postOnly: false, reduceOnly: false } as const;
const SELL = { kind: "place", book: 0, isSell: true, price: 505, lots: 1, ...LIMIT } as const;
const MEGABYTES = 2 ** 20;
const GENEROUS = { perSecond: 1e7, burst: 1e9 };

async function raw(rpc: RpcFixture, body: string): Promise<{ status: number; answer: RpcAnswer }> {
  const response = await fetch(`${rpc.server.url}/api/v2`, {
    ...{ method: "POST", body, headers: { "content-type": "application/json" } },
  });
  return { status: response.status, answer: (await response.json()) as RpcAnswer };
}

const wrap = (params: string) =>
  `{"jsonrpc":"2.0","id":1,"method":"public/get_order_book","params":${params}}`;

test("E17 JSON bombs, depth, __proto__, huge integers and floats are refused", async (context) => {
  const rpc = await startRpc(context, { credits: GENEROUS });
  const name = `"instrument_name":"${CALL_NAME}"`;
  const cases: readonly (readonly [string, number, number])[] = [
    [`[${"1,".repeat(500_000)}1]`, 413, -32600],
    ["[".repeat(10_000) + "]".repeat(10_000), 200, -32600],
    [`${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`, 200, -32600],
    [`[${"{},".repeat(20_000)}{}]`, 200, -32600],
    [wrap(`{${name},"__proto__":{"isAdmin":true}}`), 200, -32600],
    [wrap(`{"constructor":{"prototype":{"isAdmin":true}}}`), 200, -32600],
    [wrap(`{${name},"depth":1e400}`), 200, -32602],
    [wrap(`{${name},"depth":${"9".repeat(5000)}}`), 200, -32602],
    [wrap(`{${name},"depth":9007199254740993}`), 200, -32602],
    [wrap(`{${name},"depth":1.5}`), 200, -32602],
    [wrap(`{${name},"depth":-1}`), 200, -32602],
    [wrap(`{${name},"depth":"5"}`), 200, -32602],
    [wrap(`{${name},"depth":true}`), 200, -32602],
    [wrap(`{"instrument_name":"${"A".repeat(5000)}"}`), 200, -32602],
    [wrap(`{"instrument_name":"\\ud800"}`), 200, 10020],
    [wrap(`[${name.replace(":", ",")}]`), 200, -32602],
    [wrap("null"), 200, -32602],
    ['{"jsonrpc":"2.0","id":1e999,"method":"public/test"}', 200, -32600],
    ['{"jsonrpc":"2.0","id":{},"method":"public/test"}', 200, -32600],
    ['{"jsonrpc":"2.0","id":1,"method":"__proto__"}', 200, -32601],
    ['{"jsonrpc":"2.0","id":1,"method":"constructor"}', 200, -32601],
    ['{"jsonrpc":"2.0","id":1,"method":["public/test"]}', 200, -32600],
    ["\u0000", 200, -32700],
    ["", 200, -32700],
    ['"text"', 200, -32600],
    ["[]", 200, -32600],
    ["NaN", 200, -32700],
  ];
  for (const [body, status, code] of cases) {
    const got = await raw(rpc, body);
    assert.deepEqual([got.status, got.answer.error?.code], [status, code], body.slice(0, 60));
  }
  assert.equal(Reflect.get({}, "isAdmin"), undefined);
  const socket = await rpc.socket();
  for (const [body, status, code] of cases) {
    if (status !== 200) continue;
    socket.send(body);
    assert.equal(((await socket.next()) as RpcAnswer).error?.code, code, body.slice(0, 60));
  }
  assert.equal((await socket.call("public/test")).error, undefined);
});

test("E17 words with a number out of place are refused, none is sequenced", async (context) => {
  const rpc = await startRpc(context, { credits: GENEROUS });
  const good = rpc.signed(rpc.maker, SELL);
  const order = { instrument_name: CALL_NAME, amount: 0.01, price: 50.5 };
  const before = (await rpc.world.sequencer.service.status()).logPosition;
  const modulus = "0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
  const wrong: readonly object[] = [
    { ...good, account: 1.5 },
    { ...good, account: -1 },
    { ...good, account: 2 ** 20 },
    { ...good, account: "3" },
    { ...good, key_index: 4 },
    { ...good, word: modulus },
    { ...good, word: `0x${"f".repeat(64)}` },
    { ...good, word: `0x${"f".repeat(65)}` },
    { ...good, word: 12 },
    { ...good, word: "12" },
    { ...good, word: "0x" },
    { ...good, signature: { ...good.signature, s: modulus } },
    { ...good, signature: { ...good.signature, s: "0x0" } },
    { ...good, signature: { ...good.signature, extra: 1 } },
    { ...good, seen: { position: 1.5, hash: "0".repeat(64), signature: good.signature } },
    { ...good, extra: 1 },
  ];
  for (const signed of wrong) {
    const { error } = await rpc.post("private/sell", { ...order, signed });
    assert.ok(error !== undefined && error.code !== 11094, JSON.stringify(signed).slice(0, 80));
  }
  assert.equal((await rpc.world.sequencer.service.status()).logPosition, before);
  assert.equal((await rpc.post("private/sell", { ...order, signed: good })).error, undefined);
});

/** What comes with the end; an error before it, of a write that came too late, is none. */
async function closeOf(emitter: EventEmitter, msMax: number): Promise<unknown[]> {
  const closed = new Promise<unknown[]>((resolve) => {
    emitter.once("close", (...values: unknown[]) => resolve(values));
  });
  return Promise.race([closed, rejectAfter(msMax)]);
}

async function rejectAfter(ms: number): Promise<never> {
  await sleep(ms, undefined, { ref: false });
  throw new Error(`it was still open after ${ms} ms`);
}

test("E17 tiny fragments, many headers, slow requests end their connections", async (context) => {
  const rpc = await startRpc(context, { headersMs: 300, requestMs: 500 });
  const fragmented = new WebSocket(`${rpc.server.url}/ws/api/v2`);
  await once(fragmented, "open");
  fragmented.on("error", () => undefined);
  for (let sent = 0; sent < 5000; sent++) fragmented.send("[", { fin: false });
  const [code] = (await closeOf(fragmented, 5000)) as [number];
  assert.ok(code === 1008 || code === 1006, String(code));
  const headers = Object.fromEntries(Array.from({ length: 2000 }, (_, at) => [`x-${at}`, "1"]));
  const outgoing = request(`${rpc.server.url}/api/v2`, { method: "POST", headers });
  outgoing.on("error", () => undefined);
  outgoing.end("{}");
  // The server does not read on: its answer may be lost with the connection.
  const answered = await once(outgoing, "response").then(
    (values) => {
      const [incoming] = values as [{ statusCode: number; resume(): void }];
      incoming.resume();
      return `${incoming.statusCode}`;
    },
    (error: NodeJS.ErrnoException) => error.code,
  );
  assert.match(answered ?? "", /^(431|ECONNRESET|EPIPE)$/);
  const slow = connect(rpc.server.port, "127.0.0.1");
  slow.on("error", () => undefined);
  await once(slow, "connect");
  slow.write("POST /api/v2 HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n");
  slow.write("content-length: 1000\r\n\r\n");
  const drip = setInterval(() => slow.write("1"), 50);
  // Whatever fails below, the process ends.
  context.after(() => {
    clearInterval(drip);
    slow.destroy();
  });
  const began = Date.now();
  slow.resume();
  await closeOf(slow, 10_000);
  clearInterval(drip);
  assert.ok(Date.now() - began < 4000, "a body that drips is not waited for");
  assert.equal((await rpc.post("public/test")).error, undefined);
});

test("E17 readers that do not read are dropped, the others miss nothing", async (context) => {
  const limits = { unsentBytes: 200_000, credits: GENEROUS };
  const rpc = await startRpc(context, limits);
  const [honest, ...slow] = await Promise.all(Array.from({ length: 6 }, () => rpc.socket()));
  const channels = [`book.${CALL_NAME}.raw`, "straddle.batches", `ticker.${CALL_NAME}.raw`];
  for (const socket of [honest!, ...slow]) await socket.call("public/subscribe", { channels });
  for (const { socket } of slow) socket.pause();
  for (const socket of slow) {
    // Answers are never conflated: whoever asks and does not read is dropped for them.
    for (let sent = 0; sent < 3000; sent++) {
      socket.send({ jsonrpc: "2.0", id: sent, method: "straddle/get_status" });
    }
  }
  const rssBefore = process.memoryUsage().rss;
  for (let count = 0; count < 40; count++) {
    await rpc.post("straddle/submit", { words: [rpc.signed(rpc.maker, SELL)] });
  }
  const last = (await rpc.world.sequencer.service.book(0, 1))!.changeId;
  let changeId = 0;
  while (changeId < last) {
    const notice = (await honest!.notice(channels[0]!)) as {
      change_id: number;
      prev_change_id?: number;
    };
    if (changeId > 0) assert.equal(notice.prev_change_id, changeId);
    changeId = notice.change_id;
  }
  for (const { socket } of slow) socket.resume();
  const codes = await Promise.all(slow.map(({ closed }) => closed));
  assert.deepEqual(codes, [1006, 1006, 1006, 1006, 1006]);
  const grown = (process.memoryUsage().rss - rssBefore) / MEGABYTES;
  assert.ok(grown < 200, `${grown} MiB more`);
  assert.equal((await honest!.call("public/test")).error, undefined);
});

test("E17 10,000 idle sockets: the honest client is served, memory stays", async (context) => {
  // Nobody is gone for being silent before it is seen how many are taken.
  const patience = { headersMs: 15_000, requestMs: 15_000 };
  const limits = { connections: 2000, connectionsPerAddress: 1500, ...patience };
  const rpc = await startRpc(context, { ...limits, credits: GENEROUS });
  const quiet = await latencies(rpc);
  const rssBefore = process.memoryUsage().rss;
  const file = new URL("idleSockets.ts", import.meta.url);
  const idle = fork(file, [String(rpc.server.port), "10000"]);
  context.after(() => idle.kill("SIGKILL"));
  const ask = async () => {
    idle.send("how many");
    const [told] = (await once(idle, "message")) as [{ tried: number; open: number }];
    return told;
  };
  let most = 0;
  const busy: number[] = [];
  for (let told = await ask(); told.tried < 10_000; told = await ask()) {
    most = Math.max(most, told.open);
    busy.push(...(await latencies(rpc, 20)));
  }
  const grown = (process.memoryUsage().rss - rssBefore) / MEGABYTES;
  assert.ok(most > 500, `they were really there: ${most}`);
  // The attacker hears a moment later which of its connections were closed.
  let { open } = await ask();
  for (let waited = 0; open > 1500 && waited < 80; waited++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    open = (await ask()).open;
  }
  assert.ok(open <= 1500, `no more than one address may have: ${open}`);
  assert.ok(grown < 200, `${grown} MiB more`);
  const [before, during] = [percentile(quiet, 99), percentile(busy, 99)];
  // Both run on shared cores: a few milliseconds say nothing.
  assert.ok(during <= 2 * before + 50, `p99 of the honest client: ${before} then ${during} ms`);
  // Whoever says nothing is gone soon, and the place is free again.
  for (let waited = 0; (await ask()).open > 0 && waited < 600; waited++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal((await ask()).open, 0);
});

/** Of calls of an honest client at another address. */
async function latencies(rpc: RpcFixture, count = 100): Promise<number[]> {
  const times: number[] = [];
  const socket = new WebSocket(`${rpc.server.url}/ws/api/v2`, { localAddress: "127.0.0.2" });
  await once(socket, "open");
  for (let id = 0; id < count; id++) {
    const began = performance.now();
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, method: "public/test" }));
    await once(socket, "message");
    times.push(performance.now() - began);
  }
  socket.close();
  return times;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * share) / 100))] ?? 0;
}

test("E17 what is remembered for those who ask again is bounded", async () => {
  let sequenced = 0;
  const receiptOf = (account: number, head: bigint) => {
    return { account, head, logPosition: sequenced++, outcome: "rested" };
  };
  const service = {
    submit: async ({ account, word }: { account: number; word: bigint }) => {
      return { accepted: true, receipt: receiptOf(account, word) };
    },
  };
  const rates = createBucketTable({ perSecond: 1e9, burst: 1e9 }, 10, () => 0);
  const desk = createSubmissionDesk(service as never, rates);
  const signature = { r8x: 1n, r8y: 2n, s: 3n };
  const submit = (word: bigint) => desk.submit({ account: 1, keyIndex: 0, word, signature });
  const count = RECEIPTS_KEPT + 100;
  for (let word = 1; word <= count; word++) await submit(BigInt(word));
  assert.equal((await submit(BigInt(count))).isRepeat, true);
  assert.equal((await submit(1n)).isRepeat, false, "the oldest are forgotten");
  assert.equal(desk.receipt({ account: 1, logPosition: 5 }), undefined);
  assert.equal(desk.receipt({ account: 2, head: BigInt(count) }), undefined, "another's");
});
