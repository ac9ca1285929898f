// An account's own news over a connection that is cut again and again: none lost, none twice.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Order, UserTrade } from "../../../sequencer/client/ownEvents.ts";
import { createRpcConnection } from "../../../sequencer/client/rpcConnection.ts";
import { createMarket } from "../roles/market.ts";
import { startCutProxy } from "./cutProxy.ts";
import { startVenue } from "./liveSequencer.ts";

const LIMIT = { timeInForce: "gtc", postOnly: false, reduceOnly: false } as const;

test("every fill and every end of an order is told once, whatever is cut", async (context) => {
  const { world, maker, taker } = await createMarket();
  const venue = await startVenue(context, world);
  const proxy = await startCutProxy(context, venue.server.url);
  const rpc = createRpcConnection({ url: proxy.url, retryMs: 10, retryMsMax: 40 });
  const watcher = await venue.trader(maker, { node: rpc });
  const news = await watcher.follow();
  const [orders, trades]: [Order[], UserTrade[]] = [[], []];
  let missed = 0;
  news.on("order", (order) => orders.push(order));
  news.on("trade", (trade) => trades.push(trade));
  news.on("missed", () => {
    missed += 1;
  });
  const deadline = () => world.clock.now() + 60_000;
  const place = (trader: typeof maker, isSell: boolean, lots: number) => {
    const order = { kind: "place", book: 0, isSell, price: 505, lots, ...LIMIT } as const;
    return world.submit(trader, { ...order, deadline: deadline() });
  };
  let isDone = false;
  const cuts = (async () => {
    while (!isDone) {
      await sleep(80);
      proxy.setAway(true);
      proxy.cut();
      await sleep(30);
      proxy.setAway(false);
    }
  })();
  const accepted: string[] = [];
  for (let round = 0; round < 60; round++) {
    const sold = await place(maker, true, 3);
    if (sold.accepted) accepted.push(sold.receipt.orderId ?? "");
    await place(taker, false, 2);
    if (round % 10 === 9) await world.submit(maker, { kind: "cancelAll", deadline: deadline() });
    await sleep(10);
  }
  isDone = true;
  await cuts;
  const all = async () => (await world.sequencer.service.trades(null, 1000)).toReversed();
  for (let turn = 0; turn < 200 && trades.length < (await all()).length; turn++) await sleep(20);
  await sleep(300);
  assert.ok(proxy.taken() > 3, `${proxy.taken()} connections`);
  const real = (await all()).map(({ tradeId }) => tradeId);
  assert.ok(real.length >= 60, `${real.length} fills`);
  assert.deepEqual(
    trades.map(({ trade_seq }) => trade_seq),
    real,
    "each once, in order",
  );
  const ends = orders.filter(({ order_state }) => order_state !== "open");
  const ended = ends.map(({ order_id }) => order_id);
  assert.equal(new Set(ended).size, ended.length, "no end twice");
  assert.deepEqual(new Set(ended), new Set(accepted), "and no end lost");
  assert.equal(missed, 0);
});
