// What the API refuses, as a table: the text sent, and the code and words that come back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DOOR_ERRORS, RPC_ERRORS } from "../../../sequencer/api/rpc/errorTable.ts";
import { messageWord } from "../../../sequencer/protocol/messages.ts";
import { DOOR_REJECTS } from "../../../sequencer/protocol/rejection.ts";
import { startFixture } from "./apiFixture.ts";

const request = (method: string, params: object = {}) =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });

const zeros = { r8x: "0x0", r8y: "0x0", s: "0x0" };
const word = `0x${messageWord({ kind: "cancelAll", deadline: 1_800_000_060_000 }).toString(16)}`;
const signed = { account: 1, key_index: 0, word, signature: zeros };
const key = { account: 7, key_index: 0 };
const order = { account: 7, book: 1, isSell: false, price: 100, lots: 5 };
const stageOf = (log_position: unknown) => request("straddle/get_stage", { log_position });
const preview = (change: object) => request("straddle/preview_order", { ...order, ...change });
const submit = (change: object) =>
  request("straddle/submit", { words: [{ ...signed, ...change }] });
const subscribe = (channels: readonly string[]) => request("public/subscribe", { channels });
const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

/** Name, body, code, what the message must match. */
const table: readonly (readonly [string, string, number, RegExp])[] = [
  ["empty body", "", -32700, /not JSON/],
  ["half an object", '{"jsonrpc":"2.0"', -32700, /not JSON/],
  ["a trailing comma", '{"jsonrpc":"2.0",}', -32700, /not JSON/],
  ["NaN", '{"id":NaN}', -32700, /not JSON/],
  ["a number", "42", -32600, /`request` must be of type object. Got `42`/],
  ["null", "null", -32600, /`request`/],
  ["too deep", `{"params":${nested(8)}}`, -32600, /nests `9` deep; at most 8/],
  ["deep without end", "[".repeat(60_000), -32600, /nests `60000` deep/],
  ["empty batch", "[]", -32600, /1 to 50 requests. Got `0`/],
  ["long batch", `[${"1,".repeat(50)}1]`, -32600, /1 to 50 requests. Got `51`/],
  ["no version", '{"id":1,"method":"public/test"}', -32600, /`request.jsonrpc` must be "2.0"/],
  ["old version", '{"jsonrpc":"1.0","id":1,"method":"public/test"}', -32600, /"2.0". Got `"1.0"`/],
  ["no method", '{"jsonrpc":"2.0","id":1}', -32600, /`request.method` is missing/],
  ["unknown top field", '{"jsonrpc":"2.0","id":1,"method":"a","x":1}', -32600, /fields: `x`/],
  ["object as id", '{"jsonrpc":"2.0","id":{},"method":"a"}', -32600, /`request.id` must be an/],
  ["__proto__", '{"jsonrpc":"2.0","id":1,"method":"a","__proto__":{}}', -32600, /`__proto__`/],
  [
    "__proto__ in disguise",
    '{"jsonrpc":"2.0","id":1,"method":"a","params":{"\\u005f_proto__":{"x":1}}}',
    -32600,
    /`__proto__` is not allowed/,
  ],
  ["constructor", request("public/test", { constructor: 1 }), -32600, /`constructor`/],
  ["unknown method", request("public/nothing"), -32601, /`public\/nothing`. `rpc.discover` tells/],
  ["method of Object", request("toString"), -32601, /`toString`/],
  ["method __proto__", request("__proto__"), -32601, /`__proto__`/],
  [
    "params as array",
    '{"jsonrpc":"2.0","id":1,"method":"straddle/get_stage","params":[1]}',
    -32602,
    /obj/,
  ],
  ["missing param", request("straddle/get_stage"), -32602, /`params.log_position` is missing/],
  ["unknown param", request("public/test", { x: 1 }), -32602, /`params` has unknown fields: `x`/],
  ["text for a number", stageOf("1"), -32602, /type number. Got `"1"`/],
  ["a fraction", stageOf(1.5), -32602, /`params.log_position` .* Got `1.5`/],
  ["below 0", stageOf(-1), -32602, /at least 0. Got `-1`/],
  ["beyond the width", request("straddle/get_key", { ...key, key_index: 4 }), -32602, /at most 3/],
  ["beyond integers", stageOf(1e300), -32602, /log_position/],
  ["rows", request("straddle/get_batches", { count: 0 }), -32602, /at least 1/],
  ["risk of nobody", request("straddle/get_risk"), -32602, /`params.account` is missing/],
  ["risk of no account", request("straddle/get_risk", { account: 3 }), 13020, /account.*`3`/],
  ["preview of nothing", request("straddle/preview_order"), -32602, /`params.account` is missing/],
  ["preview of half a lot", preview({ lots: 0.5 }), -32602, /`params.lots` .* Got `0.5`/],
  [
    "preview beyond prices",
    preview({ price: 2 ** 23 + 1 }),
    -32602,
    /`params.price` must be at most 8388608/,
  ],
  [
    "preview of another time in force",
    preview({ timeInForce: "day" }),
    -32602,
    /`params.timeInForce` must be "gtc" or "ioc" or "fok". Got `"day"`/,
  ],
  ["preview with a signature", preview({ signature: 1 }), -32602, /unknown fields: `signature`/],
  [
    "preview in no book",
    preview({ book: 40 }),
    13020,
    /no such account, book or snapshot: `7\/40`/,
  ],
  ["history of nobody", request("private/get_transaction_log"), 10000, /session/],
  [
    "history without end",
    request("private/get_transaction_log", { count: 1001 }),
    -32602,
    /`params.count` must be at most 1000/,
  ],
  ["auctions of one", request("straddle/get_auctions", { account: 1 }), -32602, /`account`/],
  ["batch name", request("straddle/get_batch", { number: "first" }), -32602, /Got `"first"`/],
  [
    "both names",
    request("straddle/get_holdings", { account: 1, owner: `0x${"1".repeat(40)}` }),
    -32602,
    /either/,
  ],
  ["neither name", request("straddle/get_holdings"), -32602, /either `account` or `owner`/],
  [
    "bad address",
    request("straddle/get_holdings", { owner: "0x12" }),
    -32602,
    /40 hex digits. Got/,
  ],
  ["no words", request("straddle/submit", { words: [] }), -32602, /at least 1 long/],
  ["decimal word", submit({ word: "12" }), -32602, /0x string/],
  ["number as word", submit({ word: 12 }), -32602, /string/],
  [
    "word beyond the field",
    submit({ word: `0x${"f".repeat(64)}` }),
    -32602,
    /`params.words.0.word` must be below the field's modulus/,
  ],
  [
    "half a signature",
    submit({ signature: { r8x: "0x0" } }),
    -32602,
    /`params.words.0.signature.r8y` is missing/,
  ],
  ["unknown key", request("private/cancel_all", { signed }), 13004, /no such trading key/],
  ["no such account", request("straddle/get_holdings", { account: 8 }), 13020, /account `8`/],
  ["no snapshot", request("straddle/get_snapshot"), 13020, /snapshot/],
  ["subscribing by POST", subscribe(["straddle.batches"]), 10030, /WebSocket/],
];

test("refusals have a code, a reason and a sentence, over both transports", async (context) => {
  const fixture = await startFixture(context);
  const raw = await fixture.socket();
  for (const [name, body, code, words] of table) {
    const { body: answer } = await fixture.post(body);
    assert.equal(answer.error?.code, code, `${name}: ${JSON.stringify(answer)}`);
    assert.match(answer.error?.data.reason ?? "", words, name);
    assert.match(answer.error?.message ?? "", /^[a-z_]+$/, name);
    if (name === "subscribing by POST") continue;
    raw.send(body);
    const same = await raw.next();
    assert.deepEqual(same.error, answer.error, `${name}, over WebSocket`);
    assert.equal(same.id, answer.id);
  }
  assert.deepEqual(fixture.errors, [], "none of it is the node's fault");
});

test("every door reject keeps its number and its data", async (context) => {
  const credits = { perSecond: 1e6, burst: 1e6 };
  const { service, call } = await startFixture(context, { limits: { credits } });
  for (const code of Object.keys(DOOR_REJECTS) as (keyof typeof DOOR_REJECTS)[]) {
    const data = { head: 255n, limit: 3 };
    service.state.before = async () => ({ accepted: false, code, reason: null, data });
    const { error } = await call("private/cancel_all", { signed });
    const name = DOOR_ERRORS[code];
    const [number, reason] = RPC_ERRORS[name];
    assert.deepEqual(error, {
      code: number,
      message: name,
      data: { head: "0xff", limit: 3, reason, door: code },
    });
  }
});

test("a fault inside is not told to the caller", async (context) => {
  const { service, call, errors } = await startFixture(context);
  service.state.before = async () => {
    throw new Error("the disk is full");
  };
  const { error } = await call("private/cancel_all", { signed });
  assert.equal(error?.code, 11094);
  assert.doesNotMatch(JSON.stringify(error), /disk/);
  assert.equal(errors.length, 1);
});

test("batches answer requests in order, and notifications with nothing", async (context) => {
  const { post } = await startFixture(context);
  const one = (id: number | undefined, method: string) => ({ jsonrpc: "2.0", id, method });
  const { body } = await post(
    JSON.stringify([one(1, "public/test"), one(undefined, "public/test"), one(2, "nothing"), 3]),
  );
  const answers = body as unknown as { id: number | null; error?: { code: number } }[];
  assert.deepEqual(
    answers.map(({ id, error }) => [id, error?.code]),
    [
      [1, undefined],
      [2, -32601],
      [null, -32600],
    ],
  );
  const nothing = await post(JSON.stringify(one(undefined, "public/test")));
  assert.equal(nothing.status, 204);
});

test("HTTP refuses what is not a small JSON POST from an allowed origin", async (context) => {
  const { server, post } = await startFixture(context, { origins: ["https://straddle.example"] });
  const large = await post(`{"x":"${"a".repeat(64 * 1024)}"}`);
  assert.equal(large.status, 413);
  assert.match(large.body.error?.data.reason ?? "", /larger than 65536 bytes/);
  const status = async (path: string, init: RequestInit) =>
    (await fetch(server.url + path, init)).status;
  assert.equal(await status("/api/v2", {}), 405);
  assert.equal(await status("/", { method: "POST", body: "{}" }), 404);
  assert.equal(await status("/other", { method: "POST", body: "{}" }), 404);
  assert.equal(await status("/api/v2", { method: "POST", body: "{}" }), 415);
  assert.equal(await status("/health", {}), 200);
  const fine = request("public/status");
  for (const [origin, wanted] of [
    ["https://straddle.example", 200],
    ["http://localhost:5173", 200],
    ["http://localhost.evil.example", 403],
    ["https://evil.example", 403],
  ] as const) {
    assert.equal((await post(fine, { origin })).status, wanted, origin);
  }
});

test("a body of unknown length is cut off at the bound", async (context) => {
  const { server } = await startFixture(context);
  const chunk = new TextEncoder().encode("x".repeat(16 * 1024));
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (++sent > 1000) controller.close();
      else controller.enqueue(chunk);
    },
  });
  const answered = fetch(`${server.url}/api/v2`, {
    method: "POST",
    body,
    duplex: "half",
    headers: { "content-type": "application/json" },
  } as RequestInit).then(
    ({ status }) => status,
    () => 413,
  );
  assert.equal(await answered, 413);
  assert.ok(sent < 1000, `${sent} chunks were read`);
});
