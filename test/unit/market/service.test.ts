// Previews, implied prices and risk reports of the real sequencer role.
import assert from "node:assert/strict";
import { test } from "node:test";
import { wire } from "../../../sequencer/api/rpc/wireValue.ts";
import { verifiedRisk } from "../../../sequencer/client/risk.ts";
import type { BookTicker } from "../../../sequencer/market/publicBook.ts";
import type { Message } from "../../../sequencer/protocol/messages.ts";
import { createMarket, EXPIRY, PATIENT, type TestTrader, type World } from "../roles/market.ts";

const PLAN = {
  series: [
    { slot: 0, isCall: true, strike: 20_000, expiry: EXPIRY },
    { slot: 1, isCall: false, strike: 20_000, expiry: EXPIRY },
  ],
  books: [
    { book: 0, legs: [[0, 1]] },
    { book: 1, legs: [[1, 1]] },
    {
      book: 2,
      legs: [
        [0, 1],
        [1, 1],
      ],
    },
  ],
} as const;

async function openMarket(config: Parameters<typeof createMarket>[0] = {}) {
  const market = await createMarket({ plan: PLAN, ...config });
  for (let count = 0; count < 5; count++) await market.world.step(400);
  assert.equal((await market.world.sequencer.service.books()).length, 3);
  return market;
}

/** The door's answer; only what it takes moves the trader's chain. */
async function doorOf(world: World, trader: TestTrader, message: Message): Promise<string | null> {
  const { account } = trader;
  const signed = trader.peek(message);
  const result = await world.sequencer.service.submit({ account, keyIndex: 0, ...signed });
  if (result.accepted) trader.next(message);
  return result.accepted ? null : result.code;
}

test("a preview's verdict is the door's answer, whatever the order", async () => {
  const { world, maker, taker } = await openMarket();
  const { service } = world.sequencer;
  const seed = 424_242;
  let state = seed;
  const below = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const verdicts = new Map<string, number>();
  for (let round = 0; round < 400; round++) {
    const book = below(3);
    const order = {
      book,
      isSell: below(2) === 0,
      price: (book === 2 ? 1000 : 500) + below(260) - 130,
      lots: below(25) === 0 ? 0 : 1 + below(below(3) === 0 ? 60_000 : 400),
      timeInForce: (["gtc", "gtc", "ioc", "fok"] as const)[below(4)]!,
      postOnly: below(6) === 0,
      reduceOnly: below(6) === 0,
    };
    const trader = below(2) === 0 ? maker : taker;
    const { account } = trader;
    const preview = await service.preview({ account, keyIndex: 0, ...order });
    const deadline = world.clock.now() + 60_000;
    const answer = await doorOf(world, trader, { kind: "place", ...order, deadline });
    assert.equal(preview?.verdict, answer, `round ${round} of seed ${seed}`);
    const name = answer ?? "taken";
    verdicts.set(name, (verdicts.get(name) ?? 0) + 1);
    if (round % 9 === 0) await world.step(1100);
  }
  const seen = JSON.stringify([...verdicts]);
  for (const name of ["taken", "insufficientMargin", "malformed", "badFlags", "priceOutOfBand"]) {
    assert.ok((verdicts.get(name) ?? 0) > 2, `${name} in ${seen}`);
  }
  assert.ok((verdicts.get("taken") ?? 0) > 50, seen);
});

test("previews of keys, books and accounts that are not there", async () => {
  const { world, taker } = await openMarket({ breakers: PATIENT });
  const { service } = world.sequencer;
  const order = { book: 0, isSell: false, price: 500, lots: 1, timeInForce: "gtc" } as const;
  const request = { account: taker.account, keyIndex: 0, ...order };
  const flags = { postOnly: false, reduceOnly: false };
  assert.equal(
    (await service.preview({ ...request, ...flags, keyIndex: 3 }))?.verdict,
    "unknownKey",
  );
  assert.equal(await service.preview({ ...request, ...flags, book: 9 }), null);
  assert.equal(await service.preview({ ...request, ...flags, account: 99 }), null);
  world.isOracleAway = true;
  await world.step(40_000);
  await world.step(100_000);
  const late = await service.preview({ ...request, ...flags });
  assert.equal(late?.verdict, "noSnapshot", "marks too old to trade on");
});

test("a straddle's implied prices follow its legs, and tickers tell", async () => {
  const { world, maker } = await openMarket();
  const { service } = world.sequencer;
  const tickers = () =>
    world.events.flatMap((event) =>
      event.type === "ticker" && event.ticker.book === 2 ? [event.ticker] : [],
    );
  const implied = async () => (await service.book(2, 5))?.implied;
  assert.deepEqual(await implied(), { bid: null, ask: null });
  assert.equal((await service.book(0, 5))?.implied, null, "a plain book has none");
  await world.place(maker, { book: 0, isSell: true, price: 520, lots: 7 });
  await world.place(maker, { book: 1, isSell: true, price: 510, lots: 4 });
  await world.place(maker, { book: 0, isSell: false, price: 480, lots: 3 });
  const ask = { price: 1030, lots: 4 };
  assert.deepEqual(await implied(), { bid: null, ask });
  const { orderId } = await world.place(maker, { book: 1, isSell: false, price: 470, lots: 9 });
  const bid = { price: 950, lots: 3 };
  assert.deepEqual(await implied(), { bid, ask });
  const summary = (await service.books()).find(({ book }) => book === 2);
  assert.deepEqual(summary?.implied, { bid, ask });
  const known: BookTicker = { ...tickers().at(-1)!, time: 0 };
  assert.deepEqual(known, {
    book: 2,
    time: 0,
    bestBid: null,
    bestAsk: null,
    implied: { bid, ask },
  });
  const count = tickers().length;
  await world.place(maker, { book: 1, isSell: false, price: 400, lots: 9 });
  assert.equal(tickers().length, count, "nothing has changed at the top");
  assert.ok(orderId);
  await world.place(maker, { book: 2, isSell: false, price: 900, lots: 1 });
  assert.deepEqual(tickers().at(-1)?.bestBid, { price: 900, lots: 1, orders: 1 });
});

test("the node's report is the client's, for accounts with positions", async () => {
  const { world, maker, taker } = await openMarket();
  const { service } = world.sequencer;
  await world.place(maker, { book: 0, isSell: true, price: 510, lots: 40 });
  await world.place(taker, { book: 0, isSell: false, price: 510, lots: 40 });
  await world.place(taker, { book: 2, isSell: true, price: 990, lots: 30 });
  await world.place(maker, { book: 2, isSell: false, price: 990, lots: 30 });
  const info = wire(await service.info());
  for (const { account } of [maker, taker]) {
    const answer = await service.risk(account);
    const report = verifiedRisk(wire(answer!), info);
    assert.deepEqual(report, answer?.report);
    const known = await service.account({ id: account });
    assert.equal(known?.equity, report.equity);
    assert.equal(known?.headroom, report.initialHeadroom);
    assert.equal(known?.maintenance, report.maintenanceHeadroom);
    assert.deepEqual(
      report.positions.map(({ slot, lots }) => [slot, lots]),
      account === taker.account
        ? [
            [0, 10],
            [1, -30],
          ]
        : [
            [0, -10],
            [1, 30],
          ],
    );
  }
  assert.equal(await service.risk(99), null);
  assert.deepEqual(await service.liquidations(), []);
});

test("an account's history has its fills and fees, after a restart too", async () => {
  const books = PLAN.books.map((book) => ({ ...book, fees: { taker: 4, maker: -1 } }));
  const { world, maker, taker } = await createMarket({ plan: { ...PLAN, books } });
  for (let count = 0; count < 5; count++) await world.step(400);
  const fees = (await world.sequencer.service.books()).map((book) => book.fees);
  assert.deepEqual(
    fees,
    books.map((book) => book.fees),
  );
  const resting = await world.place(maker, { book: 0, isSell: true, price: 510, lots: 10 });
  const receipt = await world.place(taker, { book: 0, isSell: false, price: 510, lots: 10 });
  const { unit } = (await world.sequencer.service.info()).shape;
  assert.deepEqual(receipt.fills, [
    { price: 510, lots: 10, makerSeq: resting.seq, fee: 10 * 4 * unit },
  ]);
  const [trade] = await world.sequencer.service.trades(0, 1);
  assert.deepEqual([trade?.takerFee, trade?.makerFee], [10 * 4 * unit, -10 * unit]);
  const told = async (service: World["sequencer"]["service"], account: number) =>
    (await service.history(account, 10)).map((event) =>
      event.type === "order" ? event.update.fill?.fee : event.type,
    );
  const ofMaker = [-10 * unit, "ledger"];
  assert.deepEqual(await told(world.sequencer.service, maker.account), ofMaker);
  assert.deepEqual(await told(world.sequencer.service, taker.account), [40 * unit, "ledger"]);
  assert.equal((await world.sequencer.service.history(maker.account, 1)).length, 1);
  assert.deepEqual(await world.sequencer.service.history(99, 10), []);
  const status = await world.sequencer.service.status();
  assert.equal(status.feesUncollected, 30 * unit);
  await world.finish();
  const later = await world.restart();
  assert.deepEqual(await told(later.sequencer.service, maker.account), ofMaker);
});
