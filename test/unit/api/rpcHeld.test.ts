// Orders that wait, cancel on disconnect, protection of market makers and scopes, by their methods.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { atIndex, BUY, CANCEL_ALL, ordersOf, SELL, type TestKey } from "../roles/heldFixture.ts";
import { turns } from "../roles/market.ts";
import { addKeys, signedBy } from "./heldCalls.ts";
import { CALL_NAME, type RpcAnswer, type RpcFixture, startRpc } from "./rpcFixture.ts";

interface HeldRpc extends RpcFixture {
  /** Of the maker. */
  readonly keys: readonly [TestKey, TestKey, TestKey];
}

async function startHeld(context: TestContext): Promise<HeldRpc> {
  const rpc = await startRpc(context, { credits: { perSecond: 1e6, burst: 1e8 } });
  return { ...rpc, keys: await addKeys(rpc) };
}

type Fields = Readonly<Record<string, unknown>>;

function resultOf<T = Fields>(answer: RpcAnswer): T {
  assert.equal(answer.error, undefined, JSON.stringify(answer.error));
  return answer.result as T;
}

interface HeldPlaced {
  readonly order: Fields & { readonly order_id: string };
  readonly held: readonly (Fields & { readonly held_id: string })[];
}

const READABLE = { instrument_name: CALL_NAME, amount: 0.05, price: 51 };
const STOP = { type: "stop_limit", trigger: "index_price", trigger_price: 1980 } as const;

test("a stop order is open untriggered, and becomes an order of its own", async (context) => {
  const rpc = await startHeld(context);
  const socket = await rpc.socket();
  await socket.login(rpc.maker);
  const channels = ["user.orders.any.ETH.raw", "user.straddle.held"];
  await socket.call("private/subscribe", { channels });
  const { signed } = signedBy(rpc.keys[0], SELL);
  const params = { ...READABLE, ...STOP, label: "guard", signed };
  const { order } = resultOf<HeldPlaced>(await socket.call("private/sell", params));
  assert.deepEqual(
    [order.order_state, order.order_type, order.trigger, order.trigger_price, order.label],
    ["untriggered", "stop_limit", "index_price", 1980, "guard"],
  );
  const open = resultOf<Fields[]>(await socket.call("private/get_open_orders", {}));
  assert.deepEqual(open, [order]);
  const none = await socket.call("private/get_open_orders", { type: "limit" });
  assert.deepEqual(none.result, []);
  const state = await socket.call("private/get_order_state", { order_id: order.order_id });
  assert.deepEqual(state.result, order);
  rpc.world.snapshotOptions = atIndex(19_800);
  for (let count = 0; count < 3; count++) await rpc.world.step();
  const history = await socket.call("private/get_trigger_order_history", {});
  const [ended] = resultOf<{ entries: Fields[] }>(history).entries;
  assert.deepEqual([ended?.order_id, ended?.order_state], [order.order_id, "triggered"]);
  const placed = await socket.call("private/get_order_state", { order_id: ended?.placed_order_id });
  const { order_state, label } = resultOf(placed);
  assert.deepEqual([order_state, label], ["open", "guard"]);
  const told: unknown[] = [];
  for (let count = 0; count < 4; count++) {
    told.push(((await socket.notice("user.orders.any.ETH.raw")) as Fields).order_state);
  }
  assert.deepEqual(told.sort(), ["open", "triggered", "triggered", "untriggered"]);
  const words: unknown[] = [];
  for (let count = 0; count < 3; count++) {
    words.push(((await socket.notice("user.straddle.held")) as Fields).state);
  }
  assert.deepEqual(words, ["held", "triggered", "sent"]);
  assert.deepEqual(rpc.misfits, []);
});

test("a held order is cancelled by its owner's session, and by nobody else's", async (context) => {
  const rpc = await startHeld(context);
  const [own, other] = [await rpc.socket(), await rpc.socket()];
  await own.login(rpc.maker);
  await other.login(rpc.taker);
  const params = { ...READABLE, ...STOP, signed: signedBy(rpc.keys[0], SELL).signed };
  const { order } = resultOf<HeldPlaced>(await rpc.post("private/sell", params));
  const { order_id } = order;
  assert.equal((await rpc.post("private/cancel", { order_id })).error?.code, 10000);
  assert.equal((await other.call("private/cancel", { order_id })).error?.code, 11044);
  assert.equal((await other.call("private/get_order_state", { order_id })).error?.code, 10004);
  const cancelled = resultOf(await own.call("private/cancel", { order_id }));
  assert.equal(cancelled.order_state, "cancelled");
  assert.equal((await own.call("private/cancel", { order_id })).error?.code, 11044);
  rpc.world.snapshotOptions = atIndex(19_700);
  for (let count = 0; count < 3; count++) await rpc.world.step();
  assert.deepEqual(await ordersOf(rpc.world, rpc.maker.account), []);
});

test("cancelling all takes held orders back too", async (context) => {
  const rpc = await startHeld(context);
  const params = { ...READABLE, ...STOP, signed: signedBy(rpc.keys[0], SELL).signed };
  resultOf(await rpc.post("private/sell", params));
  const signed = rpc.signed(rpc.maker, CANCEL_ALL);
  assert.equal(resultOf(await rpc.post("private/cancel_all", { signed })).cancelled, 1);
  const held = await rpc.world.sequencer.service.policy.held(rpc.maker.account);
  assert.deepEqual(held, []);
});

test("of a stop and a profit to be taken one acts", async (context) => {
  const rpc = await startHeld(context);
  const [key] = rpc.keys;
  const take = { ...SELL, price: 790 };
  const params = {
    ...{ ...READABLE, ...STOP, signed: signedBy(key, SELL).signed },
    linked_order_type: "one_cancels_other",
    otoco_config: [
      {
        ...{ direction: "sell", type: "take_limit", trigger: "index_price", trigger_price: 2030 },
        ...{ amount: 0.05, price: 79, signed: signedBy(key, take).signed },
      },
    ],
  };
  const { held } = resultOf<HeldPlaced>(await rpc.post("private/sell", params));
  assert.equal(held.length, 2);
  rpc.world.snapshotOptions = atIndex(20_300);
  for (let count = 0; count < 3; count++) await rpc.world.step();
  rpc.world.snapshotOptions = atIndex(19_700);
  for (let count = 0; count < 3; count++) await rpc.world.step();
  assert.deepEqual(await ordersOf(rpc.world, rpc.maker.account), ["S5@790"]);
  const resting = { ...params, type: "limit", trigger: undefined, trigger_price: undefined };
  const { error } = await rpc.post("private/sell", resting);
  assert.equal(error?.message, "unsupported_arg_combination");
});

test("an order triggers its pair when it is filled", async (context) => {
  const rpc = await startHeld(context);
  const [key] = rpc.keys;
  const first = signedBy(key, BUY);
  const secondary = (price: number, type: string, trigger_price: number) => ({
    ...{ direction: "sell", type, trigger: "index_price", trigger_price, amount: 0.05 },
    price: price / 10,
    signed: signedBy(key, { ...SELL, price }, first.after).signed,
  });
  const params = {
    ...{ ...READABLE, price: 49, signed: first.signed },
    linked_order_type: "one_triggers_one_cancels_other",
    trigger_fill_condition: "complete_fill",
    otoco_config: [secondary(505, "stop_limit", 1980), secondary(790, "take_limit", 2030)],
  };
  const placed = resultOf<HeldPlaced & { receipt: Fields }>(await rpc.post("private/buy", params));
  assert.equal(placed.receipt.outcome, "rested");
  assert.equal(placed.order.order_state, "open");
  await rpc.world.place(rpc.taker, { isSell: true, price: 490, lots: 5, timeInForce: "ioc" });
  await rpc.world.step();
  rpc.world.snapshotOptions = atIndex(20_300);
  for (let count = 0; count < 3; count++) await rpc.world.step();
  assert.deepEqual(await ordersOf(rpc.world, rpc.maker.account), ["S5@790"]);
  assert.deepEqual(rpc.misfits, []);
});

test("an iceberg shows its parts one by one", async (context) => {
  const rpc = await startHeld(context);
  const [key] = rpc.keys;
  const first = signedBy(key, SELL);
  const second = signedBy(key, SELL, first.after);
  const third = signedBy(key, { ...SELL, lots: 2 }, second.after);
  const signed_slices = [second.signed, third.signed];
  const params = { ...READABLE, amount: 0.12, signed: first.signed, signed_slices };
  const wrong: readonly (readonly [object, string])[] = [
    [{ display_amount: 0.04 }, "unsupported_arg_combination"],
    [{ display_amount: 0.05, amount: 0.13 }, "word_mismatch"],
    [{ display_amount: 0.05, price: 51.1 }, "word_mismatch"],
  ];
  for (const [change, code] of wrong) {
    const { error } = await rpc.post("private/sell", { ...params, ...change });
    assert.equal(error?.message, code, JSON.stringify(change));
  }
  resultOf(await rpc.post("private/sell", { ...params, display_amount: 0.05 }));
  const shown: (readonly string[])[] = [];
  for (const lots of [5, 5, 2]) {
    shown.push(await ordersOf(rpc.world, rpc.maker.account));
    await rpc.world.place(rpc.taker, { price: 510, lots, timeInForce: "ioc" });
    for (let count = 0; count < 2; count++) await rpc.world.step();
  }
  assert.deepEqual(shown, [["S5@510"], ["S5@510"], ["S2@510"]]);
  assert.deepEqual(await ordersOf(rpc.world, rpc.maker.account), []);
});

test("what does not go together is refused before anything is held", async (context) => {
  const rpc = await startHeld(context);
  const { signed } = signedBy(rpc.keys[0], SELL);
  const ioc = signedBy(rpc.keys[0], { ...SELL, timeInForce: "ioc" }).signed;
  const wrong: readonly (readonly [object, string])[] = [
    [{ trigger: undefined }, "unsupported_arg_combination"],
    [{ trigger_price: undefined }, "unsupported_arg_combination"],
    [{ trigger_price: 1980.05 }, "price_wrong_tick"],
    [{ type: "stop_market" }, "unsupported_arg_combination"],
    [{ type: "limit" }, "unsupported_arg_combination"],
    [{ price: undefined }, "invalid_params"],
    [{ price: 52 }, "word_mismatch"],
    [{ signed: ioc, time_in_force: "immediate_or_cancel" }, "unsupported_arg_combination"],
    [{ otoco_config: [], linked_order_type: "one_cancels_other" }, "unsupported_arg_combination"],
    [{ time_in_force: "good_til_date" }, "invalid_params"],
  ];
  for (const [change, code] of wrong) {
    const { error } = await rpc.post("private/sell", { ...READABLE, ...STOP, signed, ...change });
    assert.equal(error?.message, code, JSON.stringify(change));
  }
  const market = { ...READABLE, ...STOP, type: "stop_market", price: undefined, signed: ioc };
  const answer = await rpc.post("private/sell", {
    ...{ ...market, time_in_force: "immediate_or_cancel" },
  });
  assert.equal(resultOf<HeldPlaced>(answer).order.order_type, "stop_market");
});

test("a connection that breaks has its cancel sent, and no other has", async (context) => {
  const rpc = await startHeld(context);
  const { world, maker, taker } = rpc;
  const sockets = [await rpc.socket(), await rpc.socket(), await rpc.socket()] as const;
  const [own, second, foreign] = sockets;
  await own.login(maker);
  await second.login(maker);
  await foreign.login(taker);
  await world.place(maker, { price: 480, lots: 3 });
  await world.place(taker, { price: 470, lots: 3 });
  const scope = "connection";
  const enable = { scope, signed: signedBy(rpc.keys[0], CANCEL_ALL).signed };
  const stolen = await foreign.call("private/enable_cancel_on_disconnect", enable);
  assert.equal(stolen.error?.message, "word_mismatch");
  resultOf(await own.call("private/enable_cancel_on_disconnect", enable));
  const asked = async (socket: typeof own) =>
    resultOf(await socket.call("private/get_cancel_on_disconnect", { scope })).enabled;
  assert.deepEqual([await asked(own), await asked(second)], [true, false]);
  for (const socket of [second, foreign]) socket.socket.terminate();
  await settle(rpc);
  assert.deepEqual(await ordersOf(world, maker.account), ["B3@480"]);
  own.socket.terminate();
  await settle(rpc);
  assert.deepEqual(await ordersOf(world, maker.account), []);
  assert.deepEqual(await ordersOf(world, taker.account), ["B3@470"]);
});

test("a logout cancels nothing, and neither does what was disabled", async (context) => {
  const rpc = await startHeld(context);
  const { world, maker } = rpc;
  await world.place(maker, { price: 480, lots: 3 });
  const [own, second] = [await rpc.socket(), await rpc.socket()];
  await own.login(maker);
  await second.login(maker);
  const signed = signedBy(rpc.keys[0], CANCEL_ALL).signed;
  resultOf(await own.call("private/enable_cancel_on_disconnect", { signed }));
  resultOf(await own.call("private/logout"));
  own.socket.terminate();
  const other = signedBy(rpc.keys[1], CANCEL_ALL).signed;
  resultOf(await second.call("private/enable_cancel_on_disconnect", { signed: other }));
  resultOf(await second.call("private/disable_cancel_on_disconnect", {}));
  second.socket.terminate();
  await settle(rpc);
  assert.deepEqual(await ordersOf(world, maker.account), ["B3@480"]);
  assert.deepEqual(await world.sequencer.service.policy.held(maker.account), []);
});

test("a refused word leaves the one before it, a taken one replaces it", async (context) => {
  const rpc = await startHeld(context);
  const { world, maker } = rpc;
  const own = await rpc.socket();
  await own.login(maker);
  const enable = (signed: object) => own.call("private/enable_cancel_on_disconnect", { signed });
  const { policy } = world.sequencer.service;
  const heldKeys = async () => (await policy.held(maker.account)).map(({ keyIndex }) => keyIndex);
  const first = signedBy(rpc.keys[0], CANCEL_ALL).signed;
  resultOf(await enable(first));
  const wrong = { ...signedBy(rpc.keys[1], CANCEL_ALL).signed, signature: first.signature };
  assert.equal((await enable(wrong)).error?.message, "bad_signature");
  assert.deepEqual(await heldKeys(), [rpc.keys[0].keyIndex]);
  resultOf(await enable(first));
  assert.deepEqual(await heldKeys(), [rpc.keys[0].keyIndex]);
  resultOf(await enable(signedBy(rpc.keys[1], CANCEL_ALL).signed));
  assert.deepEqual(await heldKeys(), [rpc.keys[1].keyIndex]);
});

test("of an account the last connection counts", async (context) => {
  const rpc = await startHeld(context);
  const { world, maker } = rpc;
  await world.place(maker, { price: 480, lots: 3 });
  const [own, second] = [await rpc.socket(), await rpc.socket()];
  await own.login(maker);
  await second.login(maker);
  const enable = { scope: "account", signed: signedBy(rpc.keys[0], CANCEL_ALL).signed };
  resultOf(await own.call("private/enable_cancel_on_disconnect", enable));
  own.socket.terminate();
  await settle(rpc);
  assert.deepEqual(await ordersOf(world, maker.account), ["B3@480"]);
  second.socket.terminate();
  await settle(rpc);
  assert.deepEqual(await ordersOf(world, maker.account), []);
});

/** Sockets close, and the sequencer takes its turns. */
async function settle({ world }: RpcFixture): Promise<void> {
  for (let count = 0; count < 5; count++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    await world.step(10);
    await turns();
  }
}

test("protection cancels, refuses quotes for a while, and is told", async (context) => {
  const rpc = await startHeld(context);
  const { world, maker, taker } = rpc;
  const socket = await rpc.socket();
  await socket.login(maker);
  const channel = "user.mmp_trigger.eth_usdc";
  resultOf(await socket.call("private/subscribe", { channels: [channel] }));
  const config = { index_name: "eth_usdc", interval: 5, frozen_time: 2, quantity_limit: 0.1 };
  const signed = signedBy(rpc.keys[0], CANCEL_ALL).signed;
  const [set] = resultOf<Fields[]>(
    await socket.call("private/set_mmp_config", { ...config, signed }),
  );
  assert.deepEqual([set?.quantity_limit, set?.is_frozen, set?.has_word], [0.1, false, true]);
  for (const price of [510, 511, 512]) await world.place(maker, { isSell: true, price, lots: 5 });
  await world.place(taker, { price: 511, lots: 9, timeInForce: "ioc" });
  assert.equal((await ordersOf(world, maker.account)).length, 2, "below the limit still");
  await world.place(taker, { price: 511, lots: 1, timeInForce: "ioc" });
  const quote = rpc.signed(maker, SELL);
  const refused = await rpc.post("private/sell", { ...READABLE, signed: quote });
  assert.deepEqual([refused.error?.code, refused.error?.message], [30014, "quotes_frozen"]);
  await settle(rpc);
  assert.deepEqual(await ordersOf(world, maker.account), []);
  const told = (await socket.notice(channel)) as Fields;
  assert.equal(told.index_name, "eth_usdc");
  const [frozen] = resultOf<Fields[]>(await socket.call("private/get_mmp_config", {}));
  assert.deepEqual([frozen?.is_frozen, frozen?.has_word], [true, false]);
  world.clock.advance(2000);
  resultOf(await rpc.post("private/sell", { ...READABLE, signed: quote }));
  assert.deepEqual(rpc.misfits, []);
});

test("many quotes have an answer each", async (context) => {
  const rpc = await startHeld(context);
  const { maker } = rpc;
  const post = { ...SELL, postOnly: true } as const;
  const side = (message: typeof post, extra: object = {}) => ({
    ...{ price: message.price / 10, amount: message.lots / 100 },
    signed: rpc.signed(maker, message),
    ...extra,
  });
  const quotes = [
    {
      ...{ instrument_name: CALL_NAME, label: "a" },
      bid: side({ ...post, isSell: false, price: 490 } as never),
      ask: side(post),
    },
  ];
  interface Quoted {
    readonly quotes: readonly (Fields & { readonly order: Fields | null })[];
  }
  const first = resultOf<Quoted>(await rpc.post("private/mass_quote", { quotes }));
  assert.deepEqual(
    first.quotes.map(({ side: of, label, order }) => [of, label, order?.order_state]),
    [
      ["bid", "a", "open"],
      ["ask", "a", "open"],
    ],
  );
  const old = String(first.quotes[1]?.order?.order_id);
  const seq = Number(old.split("-")[3]);
  const cancel = { kind: "cancel", book: 0, isSell: true, price: 510, seq } as const;
  const replaces = { order_id: old, signed: rpc.signed(maker, cancel) };
  const ask = side({ ...post, price: 515 } as never, { cancel: replaces });
  const again = [{ instrument_name: CALL_NAME, ask }];
  const second = resultOf<Quoted>(await rpc.post("private/mass_quote", { quotes: again }));
  assert.deepEqual(
    second.quotes.map(({ cancelled, error }) => [cancelled, error]),
    [[true, null]],
  );
  assert.deepEqual(await ordersOf(rpc.world, maker.account), ["B5@490", "S5@515"]);
  const stale = [{ instrument_name: CALL_NAME, ask: { ...ask, cancel: undefined } }];
  const repeat = resultOf<Quoted>(await rpc.post("private/mass_quote", { quotes: stale }));
  assert.equal(repeat.quotes[0]?.order?.order_state, "open", "the same word has the same answer");
  assert.deepEqual(rpc.misfits, []);
});
