import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { apiMethodsText } from "../../../scripts/apiMethods.ts";
import {
  DOOR_ERRORS,
  RPC_ERRORS,
  type RpcErrorName,
} from "../../../sequencer/api/rpc/errorTable.ts";
import { METHODS } from "../../../sequencer/api/rpc/methodTable.ts";
import { DOOR_REJECTS } from "../../../sequencer/protocol/rejection.ts";
import { CALL_NAME, startRpc } from "./rpcFixture.ts";

interface Document {
  readonly openrpc: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly methods: readonly {
    readonly name: string;
    readonly params: readonly {
      readonly name: string;
      readonly required: boolean;
      schema: object;
    }[];
    readonly result: { readonly schema: Record<string, unknown> };
    readonly errors: readonly { readonly $ref: string }[];
  }[];
  readonly components: { readonly errors: Record<string, { readonly code: number }> };
}

test("the OpenRPC document has every method, from the schemas that validate", async (context) => {
  const rpc = await startRpc(context);
  const response = await fetch(`${rpc.server.url}/openrpc.json`);
  const document = (await response.json()) as Document;
  assert.match(document.openrpc, /^1\.\d+\.\d+$/);
  assert.deepEqual(
    document.methods.map(({ name }) => name),
    [...METHODS.keys()],
  );
  assert.deepEqual((await rpc.post("rpc.discover")).result, document);
  for (const { name, params, result, errors } of document.methods) {
    for (const param of params) assert.ok(Object.keys(param.schema).length > 0, param.name);
    assert.ok(Object.keys(result.schema).length > 0, `${name} says nothing of its result`);
    for (const { $ref } of errors) {
      assert.ok($ref.replace("#/components/errors/", "") in document.components.errors);
    }
  }
  const ticker = document.methods.find(({ name }) => name === "public/ticker");
  assert.deepEqual(
    ticker?.params.map(({ name, required }) => [name, required]),
    [["instrument_name", true]],
  );
  const properties = ticker?.result.schema.properties as Record<string, object>;
  for (const field of ["greeks", "mark_iv", "bid_iv", "ask_iv", "open_interest"]) {
    assert.ok(field in properties, field);
  }
  assert.equal(ticker?.result.schema.additionalProperties, undefined);
});

test("METHODS.md is that of the schemas", () => {
  const file = new URL("../../../sequencer/api/METHODS.md", import.meta.url);
  assert.equal(readFileSync(file, "utf8"), apiMethodsText(), "run `npm run generate`");
});

test("every error has one code, in the range that the table states", () => {
  const codes = Object.values(RPC_ERRORS).map(([code]) => code);
  assert.equal(new Set(codes).size, codes.length);
  for (const code of codes) {
    const isDeribits = code >= 10_000 && code < 14_000;
    const isOwn = code >= 30_000 && code < 30_100;
    assert.ok(code < 0 || isDeribits || isOwn, String(code));
  }
  assert.deepEqual(Object.keys(DOOR_ERRORS).sort(), Object.keys(DOOR_REJECTS).sort());
  // As Deribit documents them.
  const deribits: Partial<Record<RpcErrorName, number>> = {
    ...{ order_not_found: 10004, not_enough_funds: 10009, too_many_requests: 10028 },
    ...{ not_open_order: 11044, post_only_reject: 11054, authorization_required: 10000 },
  };
  for (const [name, code] of Object.entries(deribits)) {
    assert.equal(RPC_ERRORS[name as RpcErrorName][0], code);
  }
});

test("methods can be called by GET, as on Deribit", async (context) => {
  const rpc = await startRpc(context);
  const get = async (path: string) => {
    const response = await fetch(`${rpc.server.url}/api/v2/${path}`);
    const { result, error } = (await response.json()) as {
      result?: Record<string, unknown>;
      error?: { code: number };
    };
    return { status: response.status, result, code: error?.code };
  };
  const book = await get(`public/get_order_book?instrument_name=${CALL_NAME}&depth=5`);
  assert.deepEqual([book.status, book.result?.instrument_name], [200, CALL_NAME]);
  const expired = await get("public/get_instruments?currency=ETH&expired=true");
  assert.deepEqual([expired.status, expired.result], [200, []]);
  assert.deepEqual(await get("public/get_order_book?depth=5"), refused(-32602));
  assert.deepEqual(await get("public/get_order_book?depth=x"), refused(-32602));
  assert.deepEqual(await get("public/get_time?__proto__=1"), refused(-32602));
  assert.deepEqual(await get("public/nothing"), refused(-32601));
  assert.deepEqual(await get("private/get_positions"), refused(10000));
});

function refused(code: number) {
  return { status: 400, result: undefined, code };
}

test("calls cost credits, and who has none is told when to come", async (c) => {
  const rpc = await startRpc(c, { credits: { perSecond: 1000, burst: 2500 } });
  const { post, world } = rpc;
  assert.equal((await post("straddle/get_mark_prices")).error, undefined);
  assert.equal((await post("public/test")).error, undefined);
  const { error } = await post("public/test");
  assert.equal(error?.code, 10028);
  assert.deepEqual([error?.data.scope, error?.data.retry_after_ms], ["connection", 500]);
  world.clock.advance(500);
  assert.equal((await post("public/test")).error, undefined);
  const socket = await rpc.socket();
  assert.equal((await socket.call("public/test")).error, undefined, "each connection has its own");
});
