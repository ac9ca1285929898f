import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocketServer } from "ws";
import { startApi } from "../../../sequencer/api/server.ts";
import {
  createRpcConnection,
  type Login,
  type RpcConnection,
  type RpcConnectionOptions,
  socketUrl,
} from "../../../sequencer/client/rpcConnection.ts";
import { ConnectionError, ExchangeError } from "../../../sequencer/client/rpcErrors.ts";
import { CALLS_MAX } from "../../../sequencer/client/socketLink.ts";
import { sign } from "../../../sequencer/protocol/eddsa.ts";
import { sessionHash } from "../../../sequencer/protocol/session.ts";
import { CALL_NAME, PUT_NAME, startRpc } from "../api/rpcFixture.ts";
import { DOMAIN, type TestTrader } from "../roles/market.ts";
import { silent } from "../roles/ports.ts";
import { startCutProxy } from "./cutProxy.ts";

const LIMIT = { timeInForce: "gtc", postOnly: false, reduceOnly: false } as const;
const PLACE = { kind: "place", book: 0, isSell: true, price: 505, lots: 20, ...LIMIT } as const;

/** Nobody listens there. */
const NOWHERE = "http://127.0.0.1:9";

function connection(context: TestContext, options: RpcConnectionOptions): RpcConnection {
  const made = createRpcConnection({ retryMs: 20, retryMsMax: 100, ...options });
  context.after(() => made.close());
  return made;
}

function loginOf({ account, secret }: TestTrader): Login {
  return (challenge) => {
    const signed = sign(secret, sessionHash({ domain: DOMAIN, account, keyIndex: 0, challenge }));
    const hex = (value: bigint) => `0x${value.toString(16)}` as const;
    const signature = { r8x: hex(signed.r8x), r8y: hex(signed.r8y), s: hex(signed.s) };
    return { account, key_index: 0, challenge: hex(challenge), signature };
  };
}

/** Resolves when the connection has told the event. */
function told(client: RpcConnection, event: Parameters<RpcConnection["on"]>[0]): Promise<unknown> {
  return new Promise((resolve) => {
    const end = client.on(event, (data) => {
      end();
      resolve(data);
    });
  });
}

test("answers are results, or errors with the table's names and codes", async (context) => {
  const rpc = await startRpc(context);
  const client = connection(context, { url: rpc.server.url });
  const [instruments, time] = await Promise.all([
    client.call("public/get_instruments", { currency: "ETH" }),
    client.call("public/get_time"),
  ]);
  assert.deepEqual(
    instruments.map(({ instrument_name }) => instrument_name).sort(),
    [CALL_NAME, PUT_NAME].sort(),
  );
  assert.equal(time, rpc.world.clock.now());
  const unknown = client.call("public/ticker", { instrument_name: "ETH-1" });
  await assert.rejects(unknown, (error: unknown) => {
    assert.ok(error instanceof ExchangeError);
    assert.deepEqual([error.code, error.reason], [10020, "invalid_or_unsupported_instrument"]);
    assert.match(error.message, /no such instrument: `ETH-1`/);
    return error.data.param === "instrument_name";
  });
  await assert.rejects(client.call("private/get_positions"), { reason: "authorization_required" });
});

test("after a cut the session and the channels come back by themselves", async (context) => {
  const rpc = await startRpc(context);
  const proxy = await startCutProxy(context, rpc.server.url);
  const client = connection(context, { url: proxy.url });
  await client.login(loginOf(rpc.maker));
  const own: string[] = [];
  const leave = await client.subscribe("user.orders.any.any.raw", (order) => {
    for (const { order_id } of [order].flat()) own.push(order_id);
  });
  const quotes: (number | null)[] = [];
  await client.subscribe(`quote.${CALL_NAME}`, (quote) => quotes.push(quote.best_ask_price));
  const place = (price: number) => {
    const words = [rpc.signed(rpc.maker, { ...PLACE, price })] as const;
    return rpc.post("straddle/submit", { words });
  };
  await place(505);
  await client.call("public/get_time");
  const [closed, back] = [told(client, "closed"), told(client, "reconnected")];
  proxy.setAway(true);
  proxy.cut();
  await closed;
  assert.equal(client.isOpen, false);
  await place(504);
  proxy.setAway(false);
  await back;
  await place(503);
  assert.equal((await client.call("private/get_open_orders")).length, 3);
  assert.deepEqual([quotes.at(-1), own.length], [50.3, 2], "the state again, and what is new");
  leave();
  await client.call("public/get_time");
  await place(502);
  await client.call("public/get_time");
  assert.deepEqual([quotes.at(-1), own.length], [50.2, 2]);
});

test("calls that a cut leaves without an answer say whether they were sent", async (context) => {
  const rpc = await startRpc(context);
  const proxy = await startCutProxy(context, rpc.server.url);
  const client = connection(context, { url: proxy.url });
  await client.call("public/get_time");
  proxy.mute();
  const lost = client.call("public/get_time");
  await sleep(20);
  proxy.cut();
  await assert.rejects(lost, { name: "ConnectionError", isSent: true });
  proxy.setAway(true);
  await assert.rejects(client.call("public/get_time"), { name: "ConnectionError", isSent: false });
  proxy.setAway(false);
  await client.call("public/get_time");
  client.close();
  await assert.rejects(client.call("public/get_time"), { isSent: false });
  await assert.rejects(
    client.subscribe("platform_state", () => undefined),
    ConnectionError,
  );
});

test("a link that has fallen silent is dropped and replaced", async (context) => {
  const rpc = await startRpc(context);
  const proxy = await startCutProxy(context, rpc.server.url);
  const client = connection(context, { url: proxy.url, silenceMs: 300 });
  const states: boolean[] = [];
  await client.subscribe("platform_state", ({ locked }) => states.push(locked));
  proxy.mute();
  const { reason } = (await told(client, "closed")) as { reason: string };
  assert.match(reason, /brought nothing for 300 ms/);
  await told(client, "reconnected");
  assert.deepEqual(states, [false, false]);
  assert.equal(proxy.taken(), 2);
});

test("of several nodes the one that serves is found, before and after a move", async (context) => {
  const rpc = await startRpc(context);
  const options = { service: rpc.world.sequencer.service, clock: rpc.world.clock, logger: silent };
  const other = await startApi(options);
  context.after(() => other.stop());
  const proxy = await startCutProxy(context, other.url);
  proxy.setAway(true);
  const client = connection(context, { url: [NOWHERE, rpc.server.url, proxy.url] });
  const urls: string[] = [];
  client.on("open", ({ url }) => urls.push(url));
  const batches: number[] = [];
  await client.subscribe("straddle.batches", ({ number }) => batches.push(number));
  const moved = told(client, "reconnected");
  proxy.setAway(false);
  await rpc.server.stop();
  await moved;
  assert.deepEqual(urls, [socketUrl(rpc.server.url), socketUrl(proxy.url)]);
  const told0 = batches.length;
  await rpc.world.submit(rpc.maker, { ...PLACE, deadline: rpc.world.clock.now() + 60_000 });
  for (let turn = 0; turn < 20; turn++) await rpc.world.step(300);
  await client.call("public/get_time");
  assert.ok(batches.length > told0, "the channel is joined at the other node");
});

test("one refused channel does not cost the others", async (context) => {
  const rpc = await startRpc(context);
  const client = connection(context, { url: rpc.server.url });
  const heard = new Set<string>();
  const wanted = [`book.${CALL_NAME}.raw`, "quote.ETH-1", `ticker.${PUT_NAME}.raw`, "no.such"];
  const results = await Promise.allSettled(
    wanted.map((channel) => client.subscribe(channel, () => heard.add(channel))),
  );
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled", "rejected"],
  );
  assert.deepEqual([...heard], [wanted[0], wanted[2]]);
  const lost = told(client, "channelLost");
  await assert.rejects(
    client.subscribe("user.portfolio.any", () => undefined),
    {
      reason: "authorization_required",
    },
  );
  await client.login(loginOf(rpc.maker));
  await client.subscribe("user.portfolio.any", () => undefined);
  const early = await Promise.race([lost, sleep(50, "none")]);
  assert.equal(early, "none", "a refusal is told to who has asked, and to nobody else");
});

test("a session that is refused later is told, and market data goes on", async (context) => {
  const rpc = await startRpc(context);
  const proxy = await startCutProxy(context, rpc.server.url);
  const client = connection(context, { url: proxy.url });
  let isRevoked = false;
  const good = loginOf(rpc.maker);
  await client.login(async (challenge) => good(isRevoked ? challenge + 1n : challenge));
  await client.subscribe("user.orders.any.any.raw", () => undefined);
  await client.subscribe("platform_state", () => undefined);
  const events = Promise.all([told(client, "sessionLost"), told(client, "channelLost")]);
  isRevoked = true;
  proxy.cut();
  const [session, channel] = (await events) as [{ error: Error }, { channel: string }];
  assert.equal((session.error as ExchangeError).reason, "unauthorized");
  assert.equal(channel.channel, "user.orders.any.any.raw");
  await client.call("public/get_time");
});

/** Speaks as it is told, and keeps what it was sent. */
async function startScripted(
  context: TestContext,
  answer: (request: { id: number; method: string }, send: (text: string) => void) => void,
) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const methods: string[] = [];
  server.on("connection", (socket) => {
    socket.on("message", (data) => {
      const request = JSON.parse(String(data)) as { id: number; method: string };
      methods.push(request.method);
      answer(request, (text) => socket.send(text));
    });
  });
  context.after(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, methods };
}

test("a test request is answered, and a node's nonsense ends the connection", async (context) => {
  const node = await startScripted(context, ({ id, method }, send) => {
    if (method === "public/get_time") send("{nonsense");
    else send(JSON.stringify({ jsonrpc: "2.0", id, result: "ok" }));
    if (method !== "public/hello") return;
    send(JSON.stringify({ method: "heartbeat", params: { type: "test_request" } }));
    send(JSON.stringify({ jsonrpc: "2.0", id: 999, result: "nobody has asked" }));
    send(JSON.stringify({ method: "subscription", params: { channel: 7 } }));
  });
  const client = connection(context, { url: node.url });
  await client.call("public/hello", { client_name: "a", client_version: "b" });
  await client.call("public/status");
  assert.deepEqual(node.methods.slice(0, 2), ["public/set_heartbeat", "public/hello"]);
  assert.ok(node.methods.includes("public/test"));
  await assert.rejects(client.call("public/get_time"), /sent what is no JSON-RPC/);
});

test("no answer in time, and too many calls at once, are errors", async (context) => {
  const node = await startScripted(context, ({ id, method }, send) => {
    if (method === "public/set_heartbeat") send(JSON.stringify({ jsonrpc: "2.0", id, result: 1 }));
  });
  const client = connection(context, { url: node.url, timeoutMs: 200 });
  await assert.rejects(client.call("public/get_time"), /no answer to `public\/get_time` within/);
  const calls = Array.from({ length: CALLS_MAX + 5 }, () => client.call("public/get_time"));
  const errors = await Promise.all(calls.map((call) => call.catch((error: unknown) => error)));
  const refused = errors.filter((error) => error instanceof ConnectionError && !error.isSent);
  assert.equal(refused.length, 5);
});

test("a url that is none and a platform without WebSockets are told at once", (context) => {
  assert.equal(socketUrl("https://node.example"), "wss://node.example/ws/api/v2");
  assert.equal(socketUrl("ws://node.example:1/other"), "ws://node.example:1/other");
  for (const url of ["node.example", "ftp://node.example", "http://", ""]) {
    assert.throws(() => createRpcConnection({ url }), /`url` must be such as/);
  }
  assert.throws(() => createRpcConnection({ url: [] }), /at least one node/);
  const { WebSocket: own } = globalThis;
  context.after(() => {
    globalThis.WebSocket = own;
  });
  Reflect.deleteProperty(globalThis, "WebSocket");
  assert.throws(() => createRpcConnection({ url: NOWHERE }), /no WebSocket: give `webSocket`/);
});

test("where none answers the last is named", async (context) => {
  const client = connection(context, { url: [NOWHERE, "http://127.0.0.1:7"] });
  await assert.rejects(client.call("public/get_time"), (error: unknown) => {
    assert.ok(error instanceof ConnectionError);
    assert.match(error.message, /no connection to `ws:\/\/127\.0\.0\.1:7\/ws\/api\/v2`/);
    return true;
  });
});
