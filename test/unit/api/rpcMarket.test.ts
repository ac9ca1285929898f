import assert from "node:assert/strict";
import { test } from "node:test";
import { CONFIG } from "../roles/market.ts";
import { CALL_NAME, PUT_NAME, type RpcFixture, startRpc } from "./rpcFixture.ts";

const LIMIT = { timeInForce: "gtc", postOnly: false, reduceOnly: false } as const;
const STRADDLE = "ETH-STRD-20270116-2000";
const PLAN = {
  ...CONFIG.plan,
  books: [
    ...CONFIG.plan.books,
    {
      book: 2,
      legs: [
        [0, 1],
        [1, 1],
      ] as [number, number][],
    },
  ],
};

async function place(rpc: RpcFixture, book: number, isSell: boolean, price: number, lots: number) {
  const trader = isSell ? rpc.maker : rpc.taker;
  const words = [rpc.signed(trader, { kind: "place", book, isSell, price, lots, ...LIMIT })];
  const { result } = await rpc.post("straddle/submit", { words });
  const [first] = (result as { results: { receipt?: { outcome: string } }[] }).results;
  return first?.receipt?.outcome;
}

const resultOf = async (rpc: RpcFixture, method: string, params: object) =>
  (await rpc.post(method, params)).result as Record<string, unknown>;

test("a combination is an instrument: legs, implied prices, greeks, trades", async (context) => {
  const rpc = await startRpc(context, {}, { plan: PLAN });
  const wanted = { currency: "ETH", kind: "option_combo" };
  const [found] = (await rpc.post("public/get_instruments", wanted)).result as object[];
  const { instrument_name, legs, book } = found as Record<string, unknown>;
  assert.deepEqual([instrument_name, book], [STRADDLE, 2]);
  assert.deepEqual(legs, [
    { instrument_name: CALL_NAME, ratio: 1 },
    { instrument_name: PUT_NAME, ratio: 1 },
  ]);
  for (const leg of [0, 1]) {
    assert.equal(await place(rpc, leg, true, 520, 10), "rested");
    assert.equal(await place(rpc, leg, false, 480, 4), "rested");
  }
  const ticker = await resultOf(rpc, "public/ticker", { instrument_name: STRADDLE });
  assert.deepEqual(ticker.implied, {
    ...{ bid_price: 96, bid_amount: 0.04, ask_price: 104, ask_amount: 0.1 },
  });
  assert.deepEqual([ticker.mark_price, ticker.mark_iv, ticker.best_bid_price], [100, null, null]);
  const [call, put] = await Promise.all(
    [CALL_NAME, PUT_NAME].map((name) => resultOf(rpc, "public/ticker", { instrument_name: name })),
  );
  const greek = (of: Record<string, unknown>) => (of.greeks as { vega: number }).vega;
  assert.ok(Math.abs(greek(ticker) - greek(call!) - greek(put!)) < 1e-6);
  assert.equal(await place(rpc, 2, true, 1010, 3), "rested");
  assert.equal(await place(rpc, 2, false, 1010, 2), "filled");
  const tape = await resultOf(rpc, "public/get_last_trades_by_instrument", {
    instrument_name: STRADDLE,
  });
  const [trade] = tape.trades as Record<string, unknown>[];
  assert.deepEqual([trade?.price, trade?.amount, trade?.instrument_name], [101, 0.02, STRADDLE]);
  const after = await resultOf(rpc, "public/ticker", { instrument_name: STRADDLE });
  assert.deepEqual(
    [after.last_price, after.best_ask_amount, (after.stats as { volume: number }).volume],
    [101, 0.01, 0.02],
  );
  assert.deepEqual(rpc.misfits, []);
});

test("open interest, the day's figures and the spread follow what happens", async (context) => {
  const rpc = await startRpc(context);
  await place(rpc, 0, true, 510, 10);
  await place(rpc, 0, false, 510, 4);
  await place(rpc, 0, true, 520, 6);
  await place(rpc, 0, false, 520, 8);
  await place(rpc, 0, false, 470, 5);
  rpc.world.clock.advance(300);
  const ticker = await resultOf(rpc, "public/ticker", { instrument_name: CALL_NAME });
  assert.equal(ticker.open_interest, 0.12);
  const { high, low, volume, volume_usd, price_change } = ticker.stats as Record<string, number>;
  // 4 + 6 lots at 51 and 2 at 52 USDC for one contract.
  assert.deepEqual([high, low, volume, volume_usd], [52, 51, 0.12, 6.14]);
  assert.ok(Math.abs(price_change! - 100 / 51) < 1e-3);
  assert.deepEqual([ticker.best_bid_price, ticker.best_ask_price], [47, 52]);
  const [bid, mark, ask] = [ticker.bid_iv, ticker.mark_iv, ticker.ask_iv] as number[];
  assert.ok(bid! < mark! && mark! < ask!);
  const own = { ascending: { sorting: "asc" }, latest: {}, from: { start_seq: 2 } };
  const ids = async (range: object) => {
    const asked = { instrument_name: CALL_NAME, count: 2, ...range };
    const { trades, has_more } = await resultOf(rpc, "public/get_last_trades_by_instrument", asked);
    return [(trades as { trade_id: string }[]).map(({ trade_id }) => trade_id), has_more];
  };
  assert.deepEqual(await ids(own.latest), [["3", "2"], true]);
  assert.deepEqual(await ids(own.ascending), [["2", "3"], true]);
  assert.deepEqual(await ids(own.from), [["2", "3"], false]);
  assert.deepEqual(await ids({ end_timestamp: 1 }), [[], false]);
});

test("while trading is paused books are locked, and everybody is told", async (context) => {
  const rpc = await startRpc(
    context,
    {},
    { breakers: { ...CONFIG.breakers, oracleStaleMs: 5000 } },
  );
  const socket = await rpc.socket();
  await socket.call("public/subscribe", { channels: ["platform_state"] });
  const first = (await socket.notice("platform_state")) as Record<string, unknown>;
  assert.deepEqual([first.locked, first.mode], [false, "open"]);
  rpc.world.isOracleAway = true;
  for (let count = 0; count < 8; count++) await rpc.world.step(2000);
  const told = (await socket.notice("platform_state")) as Record<string, unknown>;
  assert.deepEqual([told.locked, told.mode, told.reason], [true, "paused", "oracleStale"]);
  const status = await resultOf(rpc, "public/status", {});
  assert.deepEqual([status.locked, status.locked_indices], ["true", ["eth_usdc"]]);
  const instrument = await resultOf(rpc, "public/get_instrument", { instrument_name: CALL_NAME });
  assert.deepEqual([instrument.state, instrument.is_active], ["locked", true]);
  const word = { kind: "place", book: 0, isSell: false, price: 400, lots: 1, ...LIMIT } as const;
  const order = { instrument_name: CALL_NAME, amount: 0.01, price: 40 };
  const { error } = await rpc.post("private/buy", {
    ...{ ...order, signed: rpc.signed(rpc.maker, word) },
  });
  assert.deepEqual([error?.code, error?.message], [30009, "trading_paused"]);
});
