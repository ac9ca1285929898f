import assert from "node:assert/strict";
import { test } from "node:test";
import { METHODS } from "../../../sequencer/api/rpc/methodTable.ts";
import { startFixture } from "./apiFixture.ts";
import { addKeys, heldCalls } from "./heldCalls.ts";
import { callRfqMethods } from "./rfqCalls.ts";
import { CALL_NAME, PUT_NAME, type RpcSocket, startRpc } from "./rpcFixture.ts";

const LIMIT = { timeInForce: "gtc", postOnly: false, reduceOnly: false } as const;
const SELL = { kind: "place", book: 0, isSell: true, price: 505, lots: 20, ...LIMIT } as const;
const BUY = { ...SELL, isSell: false, lots: 5 } as const;

/** Everything that takes no order and no session. */
const READS: Readonly<Record<string, object>> = {
  "public/test": {},
  "public/hello": { client_name: "test", client_version: "1" },
  "public/get_time": {},
  "public/status": {},
  "public/get_currencies": {},
  "public/get_instruments": { currency: "ETH", kind: "option" },
  "public/get_instrument": { instrument_name: CALL_NAME },
  "public/ticker": { instrument_name: CALL_NAME },
  "public/get_order_book": { instrument_name: CALL_NAME, depth: 5 },
  "public/get_book_summary_by_currency": { currency: "USDC" },
  "public/get_book_summary_by_instrument": { instrument_name: PUT_NAME },
  "public/get_last_trades_by_instrument": { instrument_name: CALL_NAME },
  "public/get_last_trades_by_currency": { currency: "any", count: 5, sorting: "asc" },
  "public/get_index_price_names": {},
  "public/get_index_price": { index_name: "eth_usdc" },
  "public/get_last_settlements_by_instrument": { instrument_name: CALL_NAME },
  "public/get_last_settlements_by_currency": { currency: "ETH" },
  "public/get_volatility_index_data": {
    ...{ currency: "ETH", start_timestamp: 0, end_timestamp: 2e12, resolution: "60" },
  },
  "straddle/get_tickers": { currency: "ETH" },
  "straddle/get_mark_prices": {},
  "straddle/get_info": {},
  "straddle/get_status": {},
  "straddle/get_key": { account: 3, key_index: 0 },
  "straddle/get_account": { account: 3 },
  "straddle/get_snapshot": {},
  "straddle/get_stage": { log_position: 0 },
  "straddle/get_batch": { number: "latest" },
  "straddle/get_batches": {},
  "straddle/get_batch_proof": { number: 1 },
  "straddle/get_log": { from: 0, count: 3 },
  "straddle/get_liquidations": {},
  "straddle/get_series": {},
  "straddle/get_books": {},
  "straddle/get_holdings": { account: 3 },
  "straddle/get_ledger_proof": { account: 3 },
  "straddle/get_risk": { account: 3 },
  "straddle/get_auctions": {},
  "straddle/preview_order": {
    ...{ account: 3, keyIndex: 0, book: 0, isSell: false, price: 500, lots: 5 },
  },
  "straddle/get_withdrawals": { owner: `0x${"0".repeat(39)}3` },
  "rpc.discover": {},
};

/** What a session reads; `order` and `position` are of an order that was placed. */
const privateReads = (order: string, position: number): Readonly<Record<string, object>> => ({
  "private/get_positions": { currency: "USDC" },
  "private/get_position": { instrument_name: CALL_NAME },
  "private/get_account_summary": { currency: "USDC", extended: true },
  "private/simulate_portfolio": { simulated_positions: { [CALL_NAME]: -0.5, [PUT_NAME]: "0.1" } },
  "private/get_margins": { instrument_name: CALL_NAME, amount: 0.1, price: 50 },
  "private/get_open_orders": {},
  "private/get_open_orders_by_currency": { currency: "ETH" },
  "private/get_open_orders_by_instrument": { instrument_name: CALL_NAME },
  "private/get_order_state": { order_id: order },
  "private/get_order_state_by_label": { label: "mine" },
  "private/get_order_history_by_currency": { currency: "USDC" },
  "private/get_user_trades_by_currency": { currency: "ETH" },
  "private/get_user_trades_by_instrument": { instrument_name: CALL_NAME, count: 1 },
  "private/get_user_trades_by_order": { order_id: order },
  "private/get_transaction_log": {},
  "straddle/get_receipt": { log_position: position },
});

async function callAll(socket: RpcSocket, calls: Readonly<Record<string, object>>): Promise<void> {
  for (const [method, params] of Object.entries(calls)) {
    const { error } = await socket.call(method, params);
    assert.equal(error, undefined, `${method}: ${JSON.stringify(error)}`);
  }
}

test("real answers of every method fit its schema", async (context) => {
  const credits = { perSecond: 1e6, burst: 1e8 };
  const rpc = await startRpc(context, { credits }, { packages: { graceMs: 0 } });
  const { maker, taker, signed } = rpc;
  const socket = await rpc.socket();
  assert.equal((await socket.login(maker)).error, undefined);
  const order = { instrument_name: CALL_NAME, amount: 0.2, price: 50.5, label: "mine" };
  const sold = await socket.call("private/sell", { ...order, signed: signed(maker, SELL) });
  const { order: resting, receipt } = sold.result as {
    order: { order_id: string };
    receipt: { logPosition: number };
  };
  const bought = { ...order, amount: 0.05, signed: signed(taker, BUY) };
  assert.equal((await socket.call("private/buy", bought)).error, undefined);
  await callAll(socket, READS);
  await callAll(socket, privateReads(resting.order_id, receipt.logPosition));
  const edited = await socket.call("private/edit", {
    ...{ order_id: resting.order_id, amount: 0.1, price: 60 },
    signed: {
      cancel: signed(maker, { kind: "cancel", book: 0, isSell: true, price: 505, seq: 1 }),
      place: signed(maker, { ...SELL, price: 600, lots: 10 }),
    },
  });
  const { order_id } = (edited.result as { order: { order_id: string } }).order;
  const [, , price, seq] = order_id.split("-").map(Number) as [0, 0, number, number];
  const gone = { kind: "cancel", book: 0, isSell: true, price, seq } as const;
  await callAll(socket, { "private/cancel": { order_id, signed: signed(maker, gone) } });
  await callAll(socket, heldCalls(rpc, await addKeys(rpc)));
  await callRfqMethods(rpc);
  await callAll(socket, {
    "private/cancel_all": { signed: signed(maker, { kind: "cancelAll" }) },
    "straddle/submit": { words: [signed(maker, SELL), signed(maker, { kind: "cancelAll" })] },
    "public/set_heartbeat": { interval: 10 },
    "public/disable_heartbeat": {},
    "public/subscribe": { channels: [`ticker.${CALL_NAME}.100ms`] },
    "private/subscribe": { channels: ["user.portfolio.USDC"] },
    "public/unsubscribe": { channels: [`ticker.${CALL_NAME}.100ms`] },
    "private/unsubscribe": { channels: ["user.portfolio.USDC"] },
    "public/unsubscribe_all": {},
    "private/unsubscribe_all": {},
    "private/logout": {},
  });
  assert.deepEqual(rpc.misfits, []);
  const missed = [...METHODS.keys()].filter((name) => !rpc.called.has(name));
  assert.deepEqual(missed, [], "a method without a real answer here");
});

test("expired instruments stay, with what they paid", async (context) => {
  const rpc = await startRpc(context);
  const { world } = rpc;
  world.snapshotOptions = { finalSlots: [0, 1], marks: [1250, 0] };
  world.clock.advance(25 * 3_600_000);
  for (let count = 0; count < 10; count++) await world.step(1000);
  const { result } = await rpc.post("public/get_instrument", { instrument_name: CALL_NAME });
  const { state, is_active, strike } = result as Record<string, unknown>;
  assert.deepEqual([state, is_active, strike], ["delivered", false, 2000]);
  const wanted = { currency: "ETH", expired: true };
  const expired = (await rpc.post("public/get_instruments", wanted)).result as object[];
  assert.equal(expired.length, 2);
  const active = await rpc.post("public/get_instruments", { currency: "ETH" });
  assert.deepEqual(active.result, []);
  const paid = await rpc.post("public/get_last_settlements_by_instrument", {
    instrument_name: CALL_NAME,
  });
  const [settlement] = (paid.result as { settlements: Record<string, unknown>[] }).settlements;
  assert.deepEqual([settlement?.mark_price, settlement?.index_price], [125, 2125]);
  const ticker = (await rpc.post("public/ticker", { instrument_name: CALL_NAME })).result;
  assert.equal((ticker as { delivery_price: number }).delivery_price, 125);
  assert.deepEqual(rpc.misfits, []);
});

test("a series whose slot has another one by now is still an instrument", async (context) => {
  const { server } = await startFixture(context);
  const get = async (path: string) => {
    const response = await fetch(`${server.url}/api/v2/public/${path}`);
    return ((await response.json()) as { result?: unknown }).result;
  };
  const name = "ETH-20261030-2900-C";
  const instrument = (await get(`get_instrument?instrument_name=${name}`)) as object;
  const { state, slot, book, option_type } = instrument as Record<string, unknown>;
  assert.deepEqual([state, slot, book, option_type], ["delivered", null, null, "call"]);
  const paid = await get(`get_last_settlements_by_instrument?instrument_name=${name}`);
  const { settlements } = paid as { settlements: Record<string, unknown>[] };
  // Strike 2,900 and 200 paid.
  assert.equal(settlements[0]?.index_price, 3100);
});
