import assert from "node:assert/strict";
import { test } from "node:test";
import { CALL_NAME, type RpcAnswer, type RpcFixture, startRpc } from "./rpcFixture.ts";

const LIMIT = { timeInForce: "gtc", postOnly: false, reduceOnly: false } as const;
const SELL = { kind: "place", book: 0, isSell: true, price: 505, lots: 20, ...LIMIT } as const;
const READABLE = { instrument_name: CALL_NAME, amount: 0.2, price: 50.5 } as const;

interface Placed {
  readonly order: Readonly<Record<string, unknown>> & { readonly order_id: string };
  readonly trades: readonly Readonly<Record<string, unknown>>[];
  readonly receipt: {
    readonly outcome: string;
    readonly head: string;
    readonly logPosition: number;
  };
  readonly is_repeat: boolean;
}

const placed = (answer: RpcAnswer): Placed => {
  assert.equal(answer.error, undefined, JSON.stringify(answer.error));
  return answer.result as Placed;
};

async function sell(rpc: RpcFixture, extra: object = {}): Promise<Placed> {
  const signed = rpc.signed(rpc.maker, SELL);
  return placed(await rpc.post("private/sell", { ...READABLE, ...extra, signed }));
}

test("the same word again has the same receipt, and is one order", async (context) => {
  const rpc = await startRpc(context);
  const params = { ...READABLE, label: "a", signed: rpc.signed(rpc.maker, SELL) };
  const answers = await Promise.all([
    rpc.post("private/sell", params),
    rpc.post("private/sell", params),
  ]);
  const late = await rpc.post("private/sell", params);
  const [first, second, third] = [...answers, late].map(placed) as [Placed, Placed, Placed];
  assert.deepEqual(second.receipt, first.receipt);
  assert.deepEqual(third.receipt, first.receipt);
  const repeats = [first.is_repeat, second.is_repeat].filter((isRepeat) => isRepeat);
  assert.deepEqual([repeats.length, third.is_repeat], [1, true]);
  const orders = await rpc.world.sequencer.service.orders(rpc.maker.account);
  assert.equal(orders.length, 1);
  const renamed = await rpc.post("private/sell", { ...params, label: "another's" });
  assert.equal((renamed.result as { order: { label: string } }).order.label, "a");
});

test("readable fields that are not what the word says are refused", async (context) => {
  const rpc = await startRpc(context);
  const signed = rpc.signed(rpc.maker, SELL);
  const wrong: readonly (readonly [string, string, object])[] = [
    ["private/buy", "direction", {}],
    ["private/sell", "price", { price: 50.6 }],
    ["private/sell", "amount", { amount: 0.21 }],
    ["private/sell", "instrument_name", { instrument_name: CALL_NAME.replace("-C", "-P") }],
    ["private/sell", "time_in_force", { time_in_force: "fill_or_kill" }],
    ["private/sell", "post_only", { post_only: true }],
    ["private/sell", "reduce_only", { reduce_only: true }],
    ["private/sell", "valid_until", { valid_until: 1 }],
  ];
  for (const [method, param, change] of wrong) {
    const { error } = await rpc.post(method, { ...READABLE, ...change, signed });
    assert.deepEqual([error?.code, error?.data.param], [30003, param]);
  }
  const kind = await rpc.post("private/cancel_all", { signed });
  assert.equal(kind.error?.message, "word_mismatch");
  assert.equal((await rpc.world.sequencer.service.orders(3)).length, 0);
  placed(await rpc.post("private/sell", { ...READABLE, signed }));
});

test("decimals are exact or refused", async (context) => {
  const rpc = await startRpc(context);
  const signed = rpc.signed(rpc.maker, SELL);
  const codes: readonly (readonly [object, number])[] = [
    [{ price: 50.55 }, 10043],
    [{ price: 0.1 + 0.2 }, 10043],
    [{ amount: 0.005 }, 10021],
    [{ amount: "0.2000001" }, 10021],
    [{ price: "5e1" }, -32602],
    [{ price: 1e300 }, -32602],
    [{ amount: null }, -32602],
  ];
  for (const [change, code] of codes) {
    const { error } = await rpc.post("private/sell", { ...READABLE, ...change, signed });
    assert.equal(error?.code, code, JSON.stringify(change));
  }
  const text = { ...READABLE, price: "50.50", amount: "0.2" };
  placed(await rpc.post("private/sell", { ...text, signed }));
});

test("a trade is told to both sides, with labels, ids and fees", async (context) => {
  const rpc = await startRpc(context);
  const [maker, taker] = [await rpc.socket(), await rpc.socket()];
  await maker.login(rpc.maker);
  await taker.login(rpc.taker);
  const channels = ["user.orders.any.ETH.raw", `user.trades.${CALL_NAME}.raw`];
  await maker.call("private/subscribe", { channels });
  await taker.call("private/subscribe", { channels });
  const resting = await maker.call("private/sell", {
    ...{ ...READABLE, label: "quote 1", signed: rpc.signed(rpc.maker, SELL) },
  });
  const { order_id } = placed(resting).order;
  const buy = { ...SELL, isSell: false, price: 510, lots: 30, timeInForce: "ioc" } as const;
  const taken = placed(
    await taker.call("private/buy", {
      ...{ instrument_name: CALL_NAME, amount: 0.3, price: 51, label: "t" },
      ...{ time_in_force: "immediate_or_cancel", signed: rpc.signed(rpc.taker, buy) },
    }),
  );
  assert.deepEqual(
    [taken.order.order_state, taken.order.filled_amount, taken.order.average_price],
    ["cancelled", 0.2, 50.5],
  );
  assert.equal(taken.order.cancel_reason, "killed");
  const [trade] = taken.trades;
  assert.deepEqual([trade?.trade_id, trade?.liquidity, trade?.label], ["1", "T", "t"]);
  const opened = (await maker.notice("user.orders.any.ETH.raw")) as Record<string, unknown>;
  assert.deepEqual([opened.order_state, opened.label], ["open", "quote 1"]);
  const filled = (await maker.notice("user.orders.any.ETH.raw")) as Record<string, unknown>;
  assert.deepEqual(
    [filled.order_id, filled.order_state, filled.filled_amount, filled.label],
    [order_id, "filled", 0.2, "quote 1"],
  );
  const heard = (await taker.notice(`user.trades.${CALL_NAME}.raw`)) as Record<string, unknown>[];
  assert.deepEqual(
    [heard[0]?.label, heard[0]?.fee, heard[0]?.order_id],
    ["t", trade?.fee, taken.order.order_id],
  );
  const state = await maker.call("private/get_order_state", { order_id });
  assert.equal((state.result as { order_state: string }).order_state, "filled");
  const tape = await rpc.post("public/get_last_trades_by_instrument", READ_TAPE);
  const [told] = (tape.result as { trades: Record<string, unknown>[] }).trades;
  assert.deepEqual([told?.trade_id, told?.price, told?.direction], ["1", 50.5, "buy"]);
  assert.deepEqual(rpc.misfits, []);
});

const READ_TAPE = { instrument_name: CALL_NAME };

test("an edit places only where its cancel has worked", async (context) => {
  const rpc = await startRpc(context);
  const { order } = await sell(rpc);
  const cancel = { kind: "cancel", book: 0, isSell: true, price: 505, seq: 1 } as const;
  const signed = () => ({
    cancel: rpc.signed(rpc.maker, cancel),
    place: rpc.signed(rpc.maker, { ...SELL, price: 600, lots: 10 }),
  });
  const wanted = { order_id: order.order_id, amount: 0.1, price: 60 };
  const edited = placed(await rpc.post("private/edit", { ...wanted, signed: signed() }));
  assert.deepEqual([edited.order.price, edited.order.order_state], [60, "open"]);
  const { error } = await rpc.post("private/edit", { ...wanted, signed: signed() });
  assert.equal(error?.code, 11044);
  const receipt = error?.data.receipt as { outcome: string };
  assert.equal(receipt.outcome, "notFound", "the cancel was sequenced, and says so");
  const open = await rpc.world.sequencer.service.orders(rpc.maker.account);
  assert.deepEqual(
    open.map(({ price }) => price),
    [600],
    "the second order was not placed",
  );
});

test("what is sequenced without success is an error with its receipt", async (context) => {
  const rpc = await startRpc(context);
  const { order } = await sell(rpc);
  const crossing = { ...SELL, isSell: false, price: 505, postOnly: true } as const;
  const params = { ...READABLE, post_only: true, signed: rpc.signed(rpc.taker, crossing) };
  const { error } = await rpc.post("private/buy", params);
  assert.equal(error?.code, 11054);
  const refused = error?.data.receipt as { outcome: string };
  assert.equal(refused.outcome, "postOnlyWouldCross");
  const foreign = { kind: "cancel", book: 0, isSell: true, price: 505, seq: 1 } as const;
  const stolen = await rpc.post("private/cancel", {
    ...{ order_id: order.order_id, signed: rpc.signed(rpc.taker, foreign) },
  });
  assert.equal(stolen.error?.message, "not_owner_of_order");
  const void_ = await rpc.post("private/cancel_all", {
    signed: rpc.signed(rpc.maker, { kind: "cancelAll" }),
  });
  assert.equal((void_.result as { cancelled: number }).cancelled, 1);
});

test("a refusal at the door names it, and the chain stays where it is", async (context) => {
  const rpc = await startRpc(context);
  const huge = { ...SELL, lots: 4_000_000 };
  const before = await rpc.post("straddle/get_key", { account: 3, key_index: 0 });
  const params = { ...READABLE, amount: 40_000, signed: rpc.signed(rpc.maker, huge) };
  const { error } = await rpc.post("private/sell", params);
  assert.ok(error?.data.door !== undefined && error.code >= 10_000, JSON.stringify(error));
  assert.equal(error?.data.receipt, undefined);
  const after = await rpc.post("straddle/get_key", { account: 3, key_index: 0 });
  assert.deepEqual(after.result, before.result);
  const stale = rpc.signed(rpc.maker, SELL);
  const wrong = await rpc.post("private/sell", { ...READABLE, signed: stale });
  assert.equal(wrong.error?.message, "bad_signature");
  assert.equal(wrong.error?.data.head, (after.result as { head: string }).head);
});

test("words that are sent together keep their order", async (context) => {
  const rpc = await startRpc(context);
  const words = [1, 2, 3, 4].map((lots) => rpc.signed(rpc.maker, { ...SELL, lots }));
  const { result } = await rpc.post("straddle/submit", { words });
  const { results } = result as { results: { receipt: { seq: number; restingLots: number } }[] };
  assert.deepEqual(
    results.map(({ receipt }) => [receipt.seq, receipt.restingLots]),
    [1, 2, 3, 4].map((seq) => [seq, seq]),
  );
  const socket = await rpc.socket();
  const signed = [5, 6, 7].map((lots) => rpc.signed(rpc.maker, { ...SELL, lots }));
  for (const [index, word] of signed.entries()) {
    const amount = (index + 5) / 100;
    const params = { ...READABLE, amount, signed: word };
    socket.send({ jsonrpc: "2.0", id: index, method: "private/sell", params });
  }
  for (const index of [0, 1, 2]) {
    const answer = (await socket.next()) as RpcAnswer;
    assert.equal(answer.error, undefined, JSON.stringify(answer.error));
    assert.equal(answer.id, index);
  }
});
