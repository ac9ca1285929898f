// Every method that takes an instrument, asked about one that has expired and was paid out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { METHODS } from "../../../sequencer/api/rpc/methodTable.ts";
import { PLACE } from "../roles/market.ts";
import { CALL_NAME, startRpc } from "./rpcFixture.ts";

type Rows = readonly Record<string, unknown>[];

/** What each answers, or the name of its error; methods that take signed words are below. */
const ANSWERS: Readonly<Record<string, object | string>> = {
  "public/get_instrument": { state: "delivered", is_active: false },
  "public/ticker": { delivery_price: 125, state: "delivered", best_bid_amount: 0 },
  "public/get_order_book": { bids: [], asks: [] },
  "public/get_book_summary_by_instrument": {},
  "public/get_last_trades_by_instrument": {},
  "public/get_last_settlements_by_instrument": {},
  "private/get_position": {
    ...{ size: 0, direction: "zero", average_price: 0, settlement_price: 125 },
    ...{ floating_profit_loss: 0, realized_profit_loss: 7.45, total_profit_loss: 7.45 },
  },
  "private/get_margins": "book_closed",
  "private/get_open_orders_by_instrument": {},
  "private/get_user_trades_by_instrument": {},
  "private/get_trigger_order_history": {},
};

const EXTRA: Readonly<Record<string, object>> = {
  "private/get_margins": { amount: 0.1, price: 50 },
};

test("an expired instrument is answered for by every method that takes one", async (context) => {
  const rpc = await startRpc(context);
  const { world, maker, taker, signed } = rpc;
  await world.place(maker, { isSell: true, price: 505, lots: 10 });
  await world.place(taker, { price: 505, lots: 10 });
  await world.finish();
  world.snapshotOptions = { finalSlots: [0, 1], marks: [1250, 0] };
  world.clock.advance(25 * 3_600_000);
  for (let count = 0; count < 20; count++) await world.step(1000);
  const socket = await rpc.socket();
  await socket.login(taker);
  const takes = [...METHODS].filter(([, { params }]) => {
    return "shape" in params && "instrument_name" in (params.shape as object);
  });
  const signs = ["private/buy", "private/sell"];
  const asked = takes.map(([name]) => name).filter((name) => !signs.includes(name));
  assert.deepEqual(asked.toSorted(), Object.keys(ANSWERS).toSorted());
  for (const [method, wanted] of Object.entries(ANSWERS)) {
    const params = { instrument_name: CALL_NAME, ...EXTRA[method] };
    const { result, error } = await socket.call(method, params);
    if (typeof wanted === "string") {
      assert.equal(error?.message, wanted, method);
      continue;
    }
    assert.equal(error, undefined, `${method}: ${JSON.stringify(error)}`);
    const found = result as Record<string, unknown>;
    for (const [name, value] of Object.entries(wanted)) {
      assert.deepEqual(found[name], value, `${method}: ${name}`);
    }
  }
  const deadline = world.clock.now() + 60_000;
  const message = { ...PLACE, price: 500, lots: 10, deadline };
  const word = { instrument_name: CALL_NAME, amount: 0.1, price: 50 };
  const refused = await socket.call("private/buy", { ...word, signed: signed(taker, message) });
  assert.equal(refused.error?.message, "book_closed");
  const own = await socket.call("private/get_user_trades_by_instrument", {
    instrument_name: CALL_NAME,
  });
  const { trades } = own.result as { trades: Rows };
  assert.deepEqual(
    trades.map(({ instrument_name, price }) => [instrument_name, price]),
    [[CALL_NAME, 50.5]],
  );
  const log = (await socket.call("private/get_transaction_log", {})).result as { logs: Rows };
  const bought = log.logs.filter(({ type }) => type === "trade");
  assert.deepEqual(
    bought.map(({ instrument_name }) => instrument_name),
    [CALL_NAME],
  );
  assert.ok(log.logs.some(({ type, change }) => type === "settlePosition" && change === 12.5));
  assert.deepEqual((await socket.call("private/get_positions", {})).result, []);
  assert.deepEqual(rpc.misfits, []);
});
