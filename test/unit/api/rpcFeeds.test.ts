import assert from "node:assert/strict";
import { test } from "node:test";
import { ACCOUNT_SUMMARY, ORDER, USER_TRADE } from "../../../sequencer/api/rpc/accountSchemas.ts";
import {
  BOOK_NOTIFICATION,
  BOOK_TOP_NOTIFICATION,
  MARK_PRICES_NOTIFICATION,
  PRICE_INDEX_NOTIFICATION,
  QUOTE_NOTIFICATION,
  TICKER,
  TRADE,
  VOLATILITY_INDEX_NOTIFICATION,
} from "../../../sequencer/api/rpc/marketSchemas.ts";
import { BATCH } from "../../../sequencer/api/rpc/ownSchemas.ts";
import {
  createBookTopic,
  createDeltaMerge,
  createStateTopic,
  type Delta,
} from "../../../sequencer/api/rpc/topics.ts";
import { bookChecksum } from "../../../sequencer/market/bookChecksum.ts";
import { createChance } from "../../simulation/random.ts";
import { CALL_NAME, startRpc } from "./rpcFixture.ts";

const LIMIT = { timeInForce: "gtc", postOnly: false, reduceOnly: false } as const;
const SELL = { kind: "place", book: 0, isSell: true, price: 505, lots: 20, ...LIMIT } as const;

interface BookNotice {
  readonly type: "snapshot" | "change";
  readonly change_id: number;
  readonly prev_change_id?: number;
  readonly checksum: number;
  readonly bids: readonly [string, number, number][];
  readonly asks: readonly [string, number, number][];
}

/** What a client keeps, from the wire alone. */
function follower() {
  const sides = { bids: new Map<number, number>(), asks: new Map<number, number>() };
  let changeId = -1;
  return {
    take(notice: BookNotice): void {
      if (notice.type === "snapshot") {
        sides.bids.clear();
        sides.asks.clear();
      } else assert.equal(notice.prev_change_id, changeId, "a gap");
      changeId = notice.change_id;
      for (const side of ["bids", "asks"] as const) {
        for (const [action, price, amount] of notice[side]) {
          const [ticks, lots] = [Math.round(price * 10), Math.round(amount * 100)];
          assert.equal(sides[side].has(ticks), action !== "new", `${action} ${price}`);
          if (action === "delete") sides[side].delete(ticks);
          else sides[side].set(ticks, lots);
        }
      }
      const levels = (side: "bids" | "asks", order: number) =>
        [...sides[side]]
          .map(([price, lots]) => ({ price, lots }))
          .sort((a, b) => order * (a.price - b.price));
      assert.equal(bookChecksum(levels("bids", -1), levels("asks", 1)), notice.checksum);
    },
    changeId: () => changeId,
    levels: () => sides.bids.size + sides.asks.size,
  };
}

test("a book can be followed by its changes alone, and its checksum shows it", async (c) => {
  const rpc = await startRpc(c, { credits: { perSecond: 1e6, burst: 1e8 } });
  const { maker, taker, signed, world } = rpc;
  const [raw, slow] = [await rpc.socket(), await rpc.socket()];
  const names = [`book.${CALL_NAME}.raw`, `book.${CALL_NAME}.100ms`];
  await raw.call("public/subscribe", { channels: [names[0]] });
  await slow.call("public/subscribe", { channels: [names[1]] });
  const [one, two] = [follower(), follower()];
  one.take((await raw.notice(names[0]!)) as BookNotice);
  two.take((await slow.notice(names[1]!)) as BookNotice);
  const chance = createChance(7);
  for (let count = 0; count < 60; count++) {
    const isSell = chance.happens(50);
    const price = (isSell ? 500 : 497) + chance.pick(6);
    const trader = chance.happens(50) ? maker : taker;
    const order = { ...SELL, isSell, price, lots: 1 + chance.pick(5) };
    const message = chance.happens(10) ? ({ kind: "cancelAll" } as const) : order;
    await rpc.post("straddle/submit", { words: [signed(trader, message)] });
  }
  const last = (await world.sequencer.service.book(0, 100))!.changeId;
  while (one.changeId() < last) one.take((await raw.notice(names[0]!)) as BookNotice);
  while (two.changeId() < last) {
    const notice = (await slow.notice(names[1]!)) as BookNotice;
    assert.deepEqual(BOOK_NOTIFICATION.safeParse(notice).error, undefined);
    two.take(notice);
  }
  assert.deepEqual([one.changeId(), two.changeId()], [last, last]);
  assert.equal(one.levels(), two.levels());
  const book = await rpc.post("public/get_order_book", { instrument_name: CALL_NAME });
  const { bids, asks, change_id } = book.result as Record<string, unknown[]>;
  assert.deepEqual([change_id, bids!.length + asks!.length], [last, one.levels()]);
});

test("merged changes are what lies between two books", () => {
  const level = (price: number, lots: number) => ({ price, lots, orders: 1 });
  const delta = (changeId: number, bids: Delta["bids"]): Delta => {
    return { prevChangeId: changeId - 1, changeId, time: changeId, bids, asks: [] };
  };
  const merge = createDeltaMerge(delta(1, [{ action: "new", ...level(5, 1) }]));
  merge.add(delta(2, [{ action: "change", ...level(7, 3) }]));
  merge.add(delta(3, [{ action: "change", ...level(5, 2) }]));
  merge.add(delta(4, [{ action: "delete", ...level(7, 0) }]));
  merge.add(delta(5, [{ action: "new", ...level(9, 4) }]));
  merge.add(delta(6, [{ action: "delete", ...level(9, 0) }]));
  const { bids, changeId, prevChangeId } = merge.take();
  assert.deepEqual([prevChangeId, changeId], [0, 6]);
  assert.deepEqual(
    bids.map(({ action, price, lots }) => [action, price, lots]),
    [
      ["new", 5, 2],
      ["delete", 7, 0],
    ],
  );
  for (let id = 7; id < 10_000; id += 2) {
    merge.add(delta(id, [{ action: "new", ...level(id, 1) }]));
    merge.add(delta(id + 1, [{ action: "delete", ...level(id, 0) }]));
  }
  assert.equal(merge.size(), 2, "what comes and goes leaves nothing");
});

test("a congested reader misses nothing that counts, and nothing piles up", () => {
  const sent: string[] = [];
  const reader = { isSlow: false, send: (text: string) => void sent.push(text) };
  const heard = { ...reader, isCongested: () => reader.isSlow };
  let changeId = 0;
  let value = 0;
  const topic = createBookTopic("book", 0, {
    snapshot: () => ({ type: "snapshot", changeId }),
    change: ({ prevChangeId, ...delta }) => ({ prevChangeId, changeId: delta.changeId }),
    changeId: () => changeId,
  });
  const state = createStateTopic("ticker", 0, () => value);
  topic.join(heard);
  state.join(heard);
  reader.isSlow = true;
  for (; changeId < 1000; ) {
    changeId += 1;
    const bids = [{ action: "change", price: 5, lots: changeId, orders: 1 }] as const;
    topic.push({ book: 0, changeId, prevChangeId: changeId - 1, time: 1, bids, asks: [] });
    value = changeId;
    state.mark();
  }
  assert.equal(sent.length, 2, "the greetings only");
  topic.recover();
  state.recover();
  assert.equal(sent.length, 2, "still slow");
  reader.isSlow = false;
  topic.recover();
  state.recover();
  const [, , merged, latest] = sent.map((text) => JSON.parse(text).params.data);
  assert.deepEqual(merged, { prevChangeId: 0, changeId: 1000 });
  assert.deepEqual([latest, sent.length], [1000, 4]);
});

test("what a slow reader of an interval gets is of the book that the others have", () => {
  const sent: { changeId: number; book?: number }[] = [];
  const reader = { isSlow: false };
  const heard = {
    send: (text: string) => void sent.push(JSON.parse(text).params.data),
    isCongested: () => reader.isSlow,
  };
  let now = 0;
  const topic = createBookTopic("book", 100, {
    snapshot: () => ({ changeId: now }),
    // As the checksum is: of the book as it is now.
    change: ({ changeId }) => ({ changeId, book: now }),
    changeId: () => now,
  });
  const change = () => {
    now += 1;
    const bids = [{ action: "change", price: 5, lots: now, orders: 1 }] as const;
    topic.push({ book: 0, changeId: now, prevChangeId: now - 1, time: 1, bids, asks: [] });
  };
  topic.join(heard);
  change();
  reader.isSlow = true;
  topic.flush();
  change();
  reader.isSlow = false;
  topic.recover();
  assert.equal(sent.length, 1, "not while something gathers: the book is ahead of it");
  topic.flush();
  topic.recover();
  assert.deepEqual(sent.slice(1), [{ changeId: 2, book: 2 }]);
});

test("each channel sends what its schema says", async (context) => {
  const rpc = await startRpc(context, { credits: { perSecond: 1e6, burst: 1e8 } });
  const { maker, taker, signed, world } = rpc;
  const socket = await rpc.socket();
  await socket.login(maker);
  const channels = {
    [`ticker.${CALL_NAME}.raw`]: TICKER,
    [`ticker.${CALL_NAME}.100ms`]: TICKER,
    [`quote.${CALL_NAME}`]: QUOTE_NOTIFICATION,
    [`book.${CALL_NAME}.none.10.100ms`]: BOOK_TOP_NOTIFICATION,
    [`trades.${CALL_NAME}.raw`]: TRADE.array(),
    "trades.option.ETH.100ms": TRADE.array(),
    "markprice.options.eth_usdc": MARK_PRICES_NOTIFICATION,
    "deribit_price_index.eth_usdc": PRICE_INDEX_NOTIFICATION,
    "deribit_volatility_index.eth_usdc": VOLATILITY_INDEX_NOTIFICATION,
    "straddle.batches": BATCH,
    "user.orders.any.any.raw": ORDER,
    [`user.orders.${CALL_NAME}.100ms`]: ORDER.array(),
    "user.trades.option.ETH.raw": USER_TRADE.array(),
    "user.portfolio.usdc": ACCOUNT_SUMMARY,
  };
  const names = Object.keys(channels);
  const joined = await socket.call("private/subscribe", { channels: names });
  assert.deepEqual(joined.result, names);
  const words = [signed(maker, SELL)];
  await rpc.post("straddle/submit", { words });
  await rpc.post("straddle/submit", { words: [signed(taker, { ...SELL, isSell: false })] });
  await world.step(10_000);
  for (const [name, schema] of Object.entries(channels)) {
    const data = await socket.notice(name);
    assert.equal(schema.safeParse(data).error, undefined, `${name}: ${JSON.stringify(data)}`);
  }
});

test("channels that there are not, and too many, join nothing", async (context) => {
  const rpc = await startRpc(context, { channelsPerConnection: 2 });
  const socket = await rpc.socket();
  const ask = (channels: string[]) => socket.call("public/subscribe", { channels });
  const wrong: readonly (readonly [string, number])[] = [
    ["book.ETH-20270116-2100-C.raw", 10020],
    ["book.none.raw", 10020],
    [`book.${CALL_NAME}`, -32602],
    [`book.${CALL_NAME.toLowerCase()}.raw`, -32602],
    [`user.trades. ${CALL_NAME}.raw`, 10000],
    [`trades. ${CALL_NAME}.raw`, -32602],
    [`ticker.${CALL_NAME}.5ms`, -32602],
    ["user.orders.any.any.raw", 10000],
    ["deribit_price_index.btc_usdc", -32602],
    ["trades.option.BTC.raw", -32602],
    ["constructor", -32602],
  ];
  for (const [channel, code] of wrong) {
    assert.equal((await ask(["platform_state", channel])).error?.code, code, channel);
  }
  const many = await ask(["platform_state", "straddle.batches", "straddle.liquidations"]);
  assert.equal(many.error?.code, 13017);
  assert.deepEqual((await ask(["platform_state"])).result, ["platform_state"]);
});

test("a heartbeat without answer ends the connection, an answer keeps it", async (context) => {
  const rpc = await startRpc(context);
  const [silent, live] = [await rpc.socket(), await rpc.socket()];
  context.mock.timers.enable({ apis: ["setInterval"] });
  for (const socket of [silent, live]) {
    assert.equal((await socket.call("public/set_heartbeat", { interval: 10 })).error, undefined);
  }
  const types: (string | undefined)[] = [];
  for (let count = 0; count < 3; count++) {
    context.mock.timers.tick(10_000);
    const beat = (await live.next()) as { params?: { type?: string } };
    types.push(beat.params?.type);
    if (beat.params?.type === "test_request") await live.call("public/test");
  }
  assert.deepEqual(types, ["heartbeat", "test_request", "heartbeat"]);
  assert.equal(await silent.closed, 1008);
  assert.equal(live.socket.readyState, live.socket.OPEN);
  context.mock.timers.reset();
});
