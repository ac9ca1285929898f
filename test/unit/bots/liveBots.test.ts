// Each bot on a real sequencer behind its API: it does what it is for, and leaves nothing behind.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { main } from "../../../sequencer/bots/run.ts";
import { keyFileText } from "../../../sequencer/client/keyFile.ts";
import { startCutProxy } from "../client/cutProxy.ts";
import { infoOf } from "../roles/market.ts";
import {
  eventually,
  FORWARD,
  GUARD,
  type LiveMarket,
  MARKS,
  ROLLUP,
  SLOTS,
  startLiveMarket,
} from "./liveMarket.ts";

/** Books with both sides, as everybody sees them. */
async function twoSided({ world }: LiveMarket): Promise<number> {
  const books = await world.sequencer.service.books();
  return books.filter(({ bestBid, bestAsk }) => bestBid !== null && bestAsk !== null).length;
}

test("the maker quotes every series, hedges, and leaves no order", async (context) => {
  const market = await startLiveMarket(context, { accounts: 3 });
  const { world, identities } = market;
  const [maker, other, customer] = await Promise.all(identities.map((one) => market.trader(one)));
  const forward = { book: SLOTS.forward, lots: 400 };
  await other!.place({ ...forward, isSell: false, price: FORWARD - 30 });
  await other!.place({ ...forward, isSell: true, price: FORWARD + 30 });
  const bot = market.start("maker", maker!, { "delta-band": "10", lots: "60" });
  await eventually("quotes in every book", bot, async () => (await twoSided(market)) === 5);
  const own = await world.sequencer.service.orders(maker!.account);
  assert.equal(own.length, 10);
  for (const { book, isSell, price } of own) {
    assert.ok(isSell ? price > MARKS[book]! : price < MARKS[book]!, `${book}: ${price}`);
  }
  const held = await world.sequencer.service.policy.held(maker!.account);
  assert.deepEqual(
    held.map(({ keyIndex }) => keyIndex),
    [GUARD.index, GUARD.index],
  );
  // The customer sells calls: the maker is long, and its delta too.
  const sold = await customer!.place({
    ...{ book: SLOTS.lowCall, isSell: true, lots: 60, timeInForce: "ioc" },
    price: MARKS[SLOTS.lowCall]! - 90,
  });
  assert.ok(sold.fills.length > 0);
  const hedged = await eventually("the hedge", bot, async () => {
    const positions = await market.positions(identities[0]!);
    return positions[SLOTS.forward]! < 0 ? positions : undefined;
  });
  assert.equal(hedged[SLOTS.lowCall], 60);
  assert.ok(hedged[SLOTS.forward]! >= -60 + 10, "to the edge of its band, no further");
  assert.equal(await bot.stop(), "stopped");
  assert.deepEqual(await world.sequencer.service.orders(maker!.account), []);
  const after = await world.sequencer.service.policy.held(maker!.account);
  assert.deepEqual(
    after.filter(({ state }) => state === "held"),
    [],
  );
});

test("a maker that is cut off loses its orders, and comes again", async (context) => {
  const market = await startLiveMarket(context, { accounts: 1 });
  const { world, venue, identities } = market;
  const proxy = await startCutProxy(context, venue.server.url);
  const maker = await market.trader(identities[0]!, proxy.url);
  const bot = market.start("maker", maker);
  await eventually("quotes", bot, async () => (await twoSided(market)) === 5);
  const before = await world.sequencer.service.orders(maker.account);
  proxy.cut();
  await eventually("new quotes", bot, async () => {
    const now = await world.sequencer.service.orders(maker.account);
    const isNew = now.every(({ seq }) => !before.some((old) => old.seq === seq));
    return now.length === 10 && isNew;
  });
  await bot.stop();
  assert.deepEqual(await world.sequencer.service.orders(maker.account), []);
});

test("fills that come too fast: the venue takes the quotes back", async (context) => {
  const market = await startLiveMarket(context, { accounts: 2 });
  const { world, identities } = market;
  const [maker, customer] = await Promise.all(identities.map((one) => market.trader(one)));
  const bot = market.start("maker", maker!, { "protect-contracts": "0.3", lots: "60" });
  await eventually("quotes", bot, async () => (await twoSided(market)) === 5);
  const { policy } = world.sequencer.service;
  const before = (await policy.held(maker!.account)).map(({ id }) => id);
  await customer!.place({
    ...{ book: SLOTS.lowCall, isSell: true, lots: 60, timeInForce: "ioc" },
    price: MARKS[SLOTS.lowCall]! - 90,
  });
  await eventually(
    "the freeze",
    bot,
    async () => (await policy.protection(maker!.account))?.isFrozen,
  );
  await eventually("new words", bot, async () => {
    const held = (await policy.held(maker!.account)).filter(({ state }) => state === "held");
    return held.length === 2 && held.every(({ id }) => !before.includes(id));
  });
  await eventually("quotes after it", bot, async () => (await twoSided(market)) === 5);
  assert.equal(await bot.stop(), "stopped");
});

test("the arbitrageur takes what breaks parity, and nothing within fees", async (context) => {
  const market = await startLiveMarket(context, { accounts: 2 });
  const { identities } = market;
  const [arbitrageur, other] = await Promise.all(identities.map((one) => market.trader(one)));
  const call = MARKS[SLOTS.lowCall]!;
  const put = MARKS[SLOTS.lowPut]!;
  const quote = (book: number, isSell: boolean, price: number) =>
    other!.place({ book, isSell, price, lots: 30 });
  // The fees are 8 ticks for each leg: 24.
  await quote(SLOTS.forward, true, FORWARD);
  await quote(SLOTS.lowPut, true, put);
  const first = await quote(SLOTS.lowCall, false, call + 24);
  const bot = market.start("arbitrageur", arbitrageur!, { "edge-min": "3", lots: "20" });
  const start = market.world.clock.now();
  await eventually("some turns", bot, () => market.world.clock.now() - start > 5000);
  assert.deepEqual(bot.lines, []);
  await other!.cancel(first.orderId!);
  await quote(SLOTS.lowCall, false, call + 40);
  const positions = await eventually("all three legs", bot, async () => {
    const now = await market.positions(identities[0]!);
    return now[SLOTS.lowCall] === -30 ? now : undefined;
  });
  assert.deepEqual(positions.slice(0, 3), [30, -30, 30], "twice: 20 lots, and what was left");
  assert.match(bot.lines[0]!, /^finds conversion at ETH-.*-2450-C: 20 lots at 16.0 ticks/);
  assert.equal(await bot.stop(), "stopped");
});

test("a leg that was missed is traded back", async (context) => {
  const market = await startLiveMarket(context, { accounts: 2 });
  const { identities } = market;
  const [arbitrageur, other] = await Promise.all(identities.map((one) => market.trader(one)));
  const call = MARKS[SLOTS.lowCall]!;
  const quote = (book: number, isSell: boolean, price: number, lots = 30) =>
    other!.place({ book, isSell, price, lots });
  await quote(SLOTS.forward, true, FORWARD);
  await quote(SLOTS.forward, false, FORWARD - 10);
  await quote(SLOTS.lowPut, true, MARKS[SLOTS.lowPut]!);
  await quote(SLOTS.lowPut, false, MARKS[SLOTS.lowPut]! - 10);
  const bid = await quote(SLOTS.lowCall, false, call + 60);
  // Whoever gave the price of the call takes it back between the look and the order.
  const meddled: typeof arbitrageur = {
    ...arbitrageur!,
    async place(order) {
      if (order.book === SLOTS.lowCall) await other!.cancel(bid.orderId!);
      return arbitrageur!.place(order);
    },
  };
  const bot = market.start("arbitrageur", meddled, { lots: "20" });
  await eventually("what is traded back", bot, () =>
    bot.lines.some((line) => /^unwinds/.test(line)),
  );
  await eventually("nothing held", bot, async () => {
    return (await market.positions(identities[0]!)).every((lots) => lots === 0);
  });
  assert.ok(
    bot.lines.some((line) => /^takes buy .*: 20 of 20 lots/.test(line)),
    bot.lines.join(),
  );
  await bot.stop();
});

test("the taker takes, within its limit", async (context) => {
  const market = await startLiveMarket(context, { accounts: 2 });
  const { identities } = market;
  const [taker, other] = await Promise.all(identities.map((one) => market.trader(one)));
  for (const book of Object.values(SLOTS)) {
    await other!.place({ book, isSell: true, price: MARKS[book]! + 5, lots: 1000 });
    await other!.place({ book, isSell: false, price: MARKS[book]! - 5, lots: 1000 });
  }
  const flags = { "per-minute": "6000", "position-max": "15", lots: "10" };
  const bot = market.start("taker", taker!, { ...flags, "messages-per-second": "100" });
  await eventually("ten fills", bot, () => bot.lines.filter((l) => /^fill/.test(l)).length >= 10);
  assert.equal(await bot.stop(), "stopped");
  const positions = await market.positions(identities[0]!);
  assert.ok(positions.some((lots) => lots !== 0));
  assert.ok(
    positions.every((lots) => Math.abs(lots) <= 15),
    positions.join(),
  );
});

test("the taker keeps its pace, whatever it has taken", async (context) => {
  const market = await startLiveMarket(context, { accounts: 2 });
  const [taker, other] = await Promise.all(market.identities.map((one) => market.trader(one)));
  for (const book of Object.values(SLOTS)) {
    await other!.place({ book, isSell: true, price: MARKS[book]! + 5, lots: 1000 });
    await other!.place({ book, isSell: false, price: MARKS[book]! - 5, lots: 1000 });
  }
  const bot = market.start("taker", taker!, { "per-minute": "60", "position-max": "1000" });
  await new Promise((resolve) => setTimeout(resolve, 4000));
  assert.equal(await bot.stop(), "stopped");
  // Four on average, and one at once; more than 16 of them once in a hundred thousand runs.
  const taken = bot.lines.filter((line) => line.startsWith("takes")).length;
  assert.ok(taken >= 1 && taken <= 16, `${taken} in 4 s`);
});

test("the liquidator takes over from who fails, and trades it away", async (context) => {
  const market = await startLiveMarket(context, { accounts: 3, poor: [1] });
  const { world, identities } = market;
  const [liquidator, poor, rich] = await Promise.all(identities.map((one) => market.trader(one)));
  const book = SLOTS.lowCall;
  const price = MARKS[book]!;
  await rich!.place({ book, isSell: false, price, lots: 4000 });
  await poor!.place({ book, isSell: true, price, lots: 4000 });
  const bot = market.start("liquidator", liquidator!, { lots: "500", "edge-min": "1" });
  world.snapshotOptions = {
    ...world.snapshotOptions,
    marks: MARKS.with(book, price + 180),
  };
  await eventually("a takeover", bot, async () => {
    // Nobody quotes: more than a quarter of what the scenario threatens must be paid first.
    await world.step(4000);
    return bot.lines.some((line) => /^takeover .* executed$/.test(line));
  });
  const taken = await eventually("the position", bot, async () => {
    const lots = (await market.positions(identities[0]!))[book]!;
    return lots < 0 ? lots : undefined;
  });
  assert.ok(taken >= -500);
  // The account is healthy again: what is offered now is for the liquidator alone.
  world.snapshotOptions = { ...world.snapshotOptions, marks: MARKS };
  await eventually("the release", bot, async () => {
    return (await world.sequencer.service.status()).lockedAccounts === 0;
  });
  await rich!.place({ book, isSell: true, price: price + 2, lots: 600 });
  await eventually("the way out", bot, () => bot.lines.some((l) => /^exits buy/.test(l)));
  assert.equal(await bot.stop(), "stopped");
});

test("a bot stops by itself at its loss limit", async (context) => {
  const market = await startLiveMarket(context, { accounts: 2 });
  const { world, identities } = market;
  const [maker, customer] = await Promise.all(identities.map((one) => market.trader(one)));
  const bot = market.start("maker", maker!, { "loss-max": "10", lots: "100" });
  await eventually("quotes", bot, async () => (await twoSided(market)) === 5);
  await customer!.place({
    ...{ book: SLOTS.lowPut, isSell: true, lots: 100, timeInForce: "ioc" },
    price: MARKS[SLOTS.lowPut]! - 90,
  });
  // A tick of the hundred lots is 0.1 USDC: the put is worth one from here on.
  const marks = MARKS.with(SLOTS.lowPut, 1).with(SLOTS.lowCall, 501);
  world.snapshotOptions = { ...world.snapshotOptions, marks };
  await eventually("its end", bot, () => bot.lines.some((line) => /^stops its loss/.test(line)));
  await eventually("no order", bot, async () => {
    return (await world.sequencer.service.orders(maker!.account)).length === 0;
  });
});

test("a bot starts by its key file, and its end leaves no order", async (context) => {
  const market = await startLiveMarket(context, { accounts: 1 });
  const { world, venue, identities } = market;
  const { account, secret } = identities[0]!;
  const folder = mkdtempSync(path.join(tmpdir(), "straddle-bots-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = path.join(folder, "key.json");
  const { chainId } = infoOf();
  const keys = [{ index: 0, secret }, GUARD];
  const write = (rollup: `0x${string}`): void =>
    writeFileSync(file, keyFileText({ chainId, rollup, account, keys }));
  const stopping = new AbortController();
  const out: string[] = [];
  const err: string[] = [];
  const io = {
    stdout: (text: string) => void out.push(text),
    stderr: (text: string) => void err.push(text),
    ...{ env: { STRADDLE_URL: venue.server.url }, signal: stopping.signal },
    now: () => world.clock.now(),
  };
  write(`0x${"00".repeat(20)}`);
  assert.equal(await main(["maker", "--key", file], io), 1);
  assert.match(err.join(""), /the keys are of `0x0000.*` on chain `31337`, the node of `0x5f5f/);
  write(ROLLUP);
  const ending = main(["maker", "--key", file, "--interval-ms", "100"], io);
  await eventually("quotes", { lines: out }, async () => (await twoSided(market)) === 5);
  stopping.abort();
  assert.equal(await ending, 0);
  assert.deepEqual(await world.sequencer.service.orders(account), []);
  assert.match(
    out.join(""),
    /starts +account 3[\s\S]*guard[\s\S]*quotes[\s\S]*left +no open order/,
  );
  assert.equal(await main(["--help"], io), 0);
  assert.match(out.join(""), /--spread-vol <n> .*\[maker\]/);
  for (const [args, pattern] of [
    [[], /name one bot: maker, arbitrageur, taker, liquidator. Got none/],
    [["maker", "taker"], /Got `maker taker`/],
    [["maker"], /--key must name a file/],
    [["maker", "--key", `${file}x`], /cannot be read/],
    [["taker", "--skew", "1", "--key", file], /not for `taker`/],
    [["maker", "--unknown"], /unknown/i],
  ] as const) {
    err.splice(0);
    assert.equal(await main(args, io), 2);
    assert.match(err.join(""), pattern);
  }
});
