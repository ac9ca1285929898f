// Requests for quotes on a sequencer: what is executed in one turn, what is refused, what is left.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  accept,
  COMBO,
  codeOf,
  createRfqMarket,
  entriesFrom,
  moved,
  quote,
  quoteOf,
  type RfqWorld,
  request,
  resting,
  takeOf,
  tryQuote,
  wordOf,
} from "./rfqFixture.ts";

const positionsOf = async ({ world }: RfqWorld, account: number) => {
  const info = await world.sequencer.service.account({ id: account });
  return info?.positions.slice(0, 2);
};

test("a quote and the taker's order are neighbours in the log, and both trade", async () => {
  const venue = await createRfqMarket();
  const { world, makers, taker, book } = venue;
  assert.equal(book, COMBO);
  const rfq = await request(venue);
  const left = await quote(venue, rfq, makers[0]);
  assert.deepEqual(await resting(venue), []);
  const from = world.log.records.length;
  const trade = await accept(venue, rfq);
  assert.ok("fills" in trade);
  assert.deepEqual(trade.fills, [{ price: 10, lots: 10, maker: 3 }]);
  assert.deepEqual(entriesFrom(world.log.records, from).slice(-2), ["gtc 3", "fok 4"]);
  assert.equal(world.log.records[trade.logPosition]?.entry.type, "message");
  assert.deepEqual(await positionsOf(venue, taker.account), [10, -10]);
  assert.deepEqual(await positionsOf(venue, makers[0].account), [-10, 10]);
  const [state] = await world.sequencer.service.packages.requests();
  assert.deepEqual([state?.state, state?.trade], ["filled", trade]);
  const [ended] = await world.sequencer.service.packages.quotes();
  assert.deepEqual(
    [ended?.id, ended?.state, ended?.filledLots, ended?.restingLots],
    [left.id, "filled", 10, 0],
  );
  assert.deepEqual(await resting(venue), []);
});

test("several makers fill parts, the best first, and only who is needed", async () => {
  const venue = await createRfqMarket();
  const { world, makers, spare } = venue;
  const rfq = await request(venue);
  await quote(venue, rfq, makers[0], { lots: 6, price: 11 });
  await quote(venue, rfq, makers[1], { lots: 4, price: 9 });
  await quote(venue, rfq, spare, { lots: 10, price: 12 });
  const from = world.log.records.length;
  const trade = await accept(venue, rfq, { price: 12 });
  assert.ok("fills" in trade);
  assert.deepEqual(trade.fills, [
    { price: 9, lots: 4, maker: 5 },
    { price: 11, lots: 6, maker: 3 },
  ]);
  assert.deepEqual(entriesFrom(world.log.records, from).slice(-3), ["gtc 5", "gtc 3", "fok 4"]);
  assert.deepEqual(await resting(venue), []);
});

test("a better resting order goes first; what is left of a quote rests", async () => {
  const venue = await createRfqMarket();
  const { world, makers } = venue;
  const better = quoteOf(venue, { lots: 3, price: 9 });
  const placed = await world.sequencer.service.submit(wordOf(makers[1], better));
  assert.ok(placed.accepted);
  moved(makers[1], better);
  const rfq = await request(venue);
  const whole = await quote(venue, rfq, makers[0], { isWhole: true });
  const refused = await accept(venue, rfq);
  assert.equal(codeOf(refused), "packageUnfilled");
  assert.ok("reason" in refused && refused.reason?.includes("rest in the book"));
  assert.deepEqual(await resting(venue), ["ask 3@9"]);
  await world.sequencer.service.packages.cancelQuotes(3, ({ id }) => id === whole.id);
  await quote(venue, rfq, makers[0]);
  const trade = await accept(venue, rfq);
  assert.ok("fills" in trade);
  assert.deepEqual(trade.fills, [
    { price: 9, lots: 3, maker: null },
    { price: 10, lots: 7, maker: 3 },
  ]);
  assert.deepEqual(await resting(venue), ["ask 3@10"]);
});

test("what is left is taken back by the cancel-all that came with the quote", async () => {
  const venue = await createRfqMarket();
  const { world, makers, spare } = venue;
  const rfq = await request(venue);
  const cancel = wordOf(spare, { kind: "cancelAll", deadline: world.clock.now() + 60_000 });
  await quote(venue, rfq, makers[0], { cancel });
  const trade = await accept(venue, rfq, { lots: 4 });
  assert.ok("fills" in trade);
  assert.deepEqual(trade.fills, [{ price: 10, lots: 4, maker: 3 }]);
  assert.deepEqual(await resting(venue), []);
});

test("nothing is traded where a maker has withdrawn or lacks margin", async () => {
  const venue = await createRfqMarket();
  const { world, makers, taker, spare } = venue;
  const { packages, submit } = world.sequencer.service;
  const rfq = await request(venue);
  await quote(venue, rfq, makers[0]);
  const from = world.log.records.length;
  await packages.cancelQuotes(3, () => true);
  assert.equal(codeOf(await accept(venue, rfq)), "packageUnfilled");
  await quote(venue, rfq, makers[0]);
  assert.equal(world.log.records.length, from);
  const used = { kind: "cancelAll", deadline: world.clock.now() + 60_000 } as const;
  assert.ok((await submit(wordOf(makers[0], used))).accepted);
  moved(makers[0], used);
  const refused = await accept(venue, rfq);
  assert.equal(codeOf(refused), "wrongHead");
  assert.ok("data" in refused && refused.data.side === "maker");
  await world.step();
  const [dropped] = (await packages.quotes()).filter(({ state }) => state !== "open");
  assert.equal(dropped?.state, "cancelled");
  const dear = await request(venue, { lots: 12_000 });
  const terms = { isSell: false, price: 50, lots: 12_000 };
  await assert.rejects(quote(venue, dear, makers[0], { ...terms, price: 100 }), /insufficientM/);
  await quote(venue, dear, makers[0], terms);
  // Another order of the maker's binds what the quote would need.
  const bound = { ...quoteOf(venue), book: 0, isSell: false, price: 490, lots: 4000 };
  assert.ok((await submit(wordOf(spare, bound))).accepted);
  const before = world.log.records.length;
  const unfunded = await accept(venue, dear, { ...terms, isSell: true });
  assert.equal(codeOf(unfunded), "insufficientMargin");
  assert.equal(world.log.records.length, before);
  assert.deepEqual(await positionsOf(venue, taker.account), [0, 0]);
  assert.deepEqual(await resting(venue), []);
  assert.deepEqual((await packages.requests())[0]?.state, "open");
});

test("a quote that is not what it says is refused", async () => {
  const venue = await createRfqMarket();
  const { world, makers, taker, spare } = venue;
  const rfq = await request(venue, { makers: [3] });
  const bad = async (change: object, more: object = {}) => {
    const result = await tryQuote(venue, rfq, makers[0], quoteOf(venue, change), more);
    return [codeOf(result), "reason" in result ? result.reason : null];
  };
  const text = async (change: object, more: object = {}) => String((await bad(change, more))[1]);
  assert.match(await text({ book: 0, price: 500 }), /of book `0`, the request of `48`/);
  assert.match(await text({ postOnly: false }), /post-only/);
  assert.match(await text({ lots: 11 }), /of `10` lots. Got `11`/);
  assert.match(await text({ lots: 9 }, { isWhole: true }), /all or none is of all `10` lots/);
  assert.match(await text({ deadline: rfq.expiresAt + 1 }), /after the request's end/);
  assert.equal((await bad({ deadline: world.clock.now() - 1 }))[0], "deadlinePassed");
  assert.equal((await bad({ price: -101 }))[0], "priceOutOfBand");
  const sameKey = wordOf(makers[0], { kind: "cancelAll", deadline: rfq.expiresAt });
  assert.match(await text({}, { cancel: sameKey }), /another key of the same account/);
  const stale = { ...makers[0], head: makers[0].head + 1n };
  assert.equal(codeOf(await tryQuote(venue, rfq, stale, quoteOf(venue))), "badSignature");
  const cancel = { kind: "cancelAll", deadline: rfq.expiresAt } as const;
  assert.equal(codeOf(await tryQuote(venue, rfq, spare, cancel)), "malformed");
  // Nobody quotes to himself, nor unasked.
  const own = quoteOf(venue);
  assert.equal(codeOf(await tryQuote(venue, rfq, taker, own)), "rfqClosed");
  assert.equal(codeOf(await tryQuote(venue, rfq, makers[1], own)), "rfqClosed");
  assert.equal(codeOf(await tryQuote(venue, { ...rfq, id: 1 }, makers[0], own)), "rfqClosed");
});

test("an acceptance that is not of the request, or comes too early, is refused", async () => {
  const venue = await createRfqMarket({ packages: { graceMs: 5_000 } });
  const { world, makers, taker } = venue;
  const rfq = await request(venue);
  await quote(venue, rfq, makers[0]);
  const early = await accept(venue, rfq);
  assert.equal(codeOf(early), "rfqClosed");
  assert.ok("data" in early && early.data.quotesFrom === rfq.quotesFrom);
  await world.step(5_000);
  const text = async (change: object) => {
    const result = await accept(venue, rfq, change);
    return "reason" in result ? String(result.reason) : "";
  };
  assert.match(await text({ book: 0 }), /of book `0`/);
  assert.match(await text({ timeInForce: "ioc" }), /fill-or-kill/);
  assert.match(await text({ lots: 11 }), /of `10` lots/);
  assert.equal(codeOf(await accept(venue, rfq, { price: 9 })), "packageUnfilled");
  assert.equal(codeOf(await accept(venue, rfq, { isSell: true })), "packageUnfilled");
  const { packages } = world.sequencer.service;
  const stale = wordOf({ ...taker, head: taker.head + 1n }, takeOf(venue));
  assert.equal(codeOf(await packages.accept(rfq.id, stale)), "badSignature");
  const others = wordOf(makers[1], takeOf(venue));
  assert.equal(codeOf(await packages.accept(rfq.id, others)), "rfqClosed");
  assert.equal(codeOf(await packages.cancelRequest(3, rfq.id)), "rfqClosed");
  const cancelled = await packages.cancelRequest(4, rfq.id);
  assert.ok(cancelled.accepted && cancelled.rfq.state === "cancelled");
  assert.equal(codeOf(await accept(venue, rfq)), "rfqClosed");
});

test("a quote is replaced by a word of its key; all ends by itself", async () => {
  const venue = await createRfqMarket();
  const { world, makers, spare } = venue;
  const { packages } = world.sequencer.service;
  const rfq = await request(venue);
  const first = await quote(venue, rfq, makers[0], { price: 12 });
  const plain = { isWhole: false, label: "", cancel: null };
  const other = { ...plain, signed: wordOf(spare, quoteOf(venue)) };
  assert.equal(codeOf(await packages.editQuote(first.id, other)), "malformed");
  const notOwn = { ...plain, signed: wordOf(makers[1], quoteOf(venue)) };
  assert.equal(codeOf(await packages.editQuote(first.id, notOwn)), "rfqClosed");
  const better = { ...plain, signed: wordOf(makers[0], quoteOf(venue, { price: 8 })) };
  const edited = await packages.editQuote(first.id, better);
  assert.ok(edited.accepted);
  assert.deepEqual(
    [edited.quote.id, edited.quote.price, edited.quote.isReplaced],
    [first.id, 8, true],
  );
  assert.equal((await packages.quotes()).length, 1);
  await world.step(60_000);
  const [expired] = await packages.quotes();
  assert.deepEqual([expired?.state, expired?.reason], ["expired", null]);
  await world.step(240_000);
  assert.equal((await packages.requests())[0]?.state, "expired");
  assert.equal(codeOf(await accept(venue, rfq)), "rfqClosed");
});

test("of requests, quotes and combinations there are so many and not more", async () => {
  const venue = await createRfqMarket();
  const { world, makers } = venue;
  const rfqs = [];
  for (let count = 0; count < 10; count++) rfqs.push(await request(venue));
  await assert.rejects(request(venue), /rfqFull at most 10 requests of an account/);
  await assert.rejects(request(venue, { makers: [] }), /1 to 32 makers/);
  // The same head in several requests: the first that is accepted ends the others.
  for (let count = 0; count < 50; count++) await quote(venue, rfqs[0]!, makers[0]);
  await assert.rejects(quote(venue, rfqs[0]!, makers[1]), /at most 50 quotes of a request/);
  for (let count = 0; count < 14; count++) await quote(venue, rfqs[1]!, makers[0]);
  await assert.rejects(quote(venue, rfqs[1]!, makers[0]), /at most 64 quotes of an account/);
  const trade = await accept(venue, rfqs[1]!);
  assert.ok("fills" in trade);
  await world.step();
  const quotes = await world.sequencer.service.packages.quotes();
  assert.equal(quotes.filter(({ state }) => state === "open").length, 0);
  assert.equal(quotes.filter(({ reason }) => reason === "headUsed").length, 50);
});
