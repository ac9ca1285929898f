// A package is one turn: one batch, one append, and blocks that two have agreed on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DOMAIN, PLACE } from "./market.ts";
import { createLog } from "./ports.ts";
import {
  accept,
  codeOf,
  createRfqMarket,
  entriesFrom,
  moved,
  quote,
  quoteOf,
  request,
  resting,
  takeOf,
  wordOf,
} from "./rfqFixture.ts";

test("what the open batch has no room for goes into the next one as a whole", async () => {
  for (const used of [0, 5, 6, 7]) {
    const venue = await createRfqMarket();
    const { world, makers } = venue;
    await world.step(10_000);
    const rfq = await request(venue);
    await quote(venue, rfq, makers[0]);
    const from = world.log.records.length;
    for (let count = 0; count < used; count++) {
      const deadline = world.clock.now() + 60_000;
      const order = { ...PLACE, price: 400 - count, deadline };
      assert.ok((await world.sequencer.service.submit(wordOf(makers[1], order))).accepted);
      moved(makers[1], order);
    }
    assert.ok("fills" in (await accept(venue, rfq)));
    const entries = entriesFrom(world.log.records, from).filter((entry) => entry !== "seal");
    assert.deepEqual(entries.slice(-2), ["gtc 3", "fok 4"], `${used}`);
    // Eight steps a batch: two are needed.
    assert.equal(entries.slice(0, -2).includes("end"), used > 6, `${used}: ${entries}`);
  }
});

test("the words of a package are handed to the log in one append", async () => {
  const log = createLog(DOMAIN);
  const appended: string[] = [];
  const append: typeof log.append = (entries) => {
    appended.push(entries.map(({ type }) => type).join());
    return log.append(entries);
  };
  const venue = await createRfqMarket({}, { log: { ...log, append } });
  const rfq = await request(venue);
  await quote(venue, rfq, venue.makers[0], { lots: 4 });
  await quote(venue, rfq, venue.makers[1], { lots: 6 });
  appended.length = 0;
  assert.ok("fills" in (await accept(venue, rfq)));
  assert.deepEqual(
    appended.filter((entries) => entries.includes("message")),
    ["message,message,message"].map((all) =>
      appended[0]?.startsWith("open") ? `open,${all}` : all,
    ),
  );
});

test("a rehearsal leaves no trace: the state's root is that of a market without it", async () => {
  const venues = [await createRfqMarket(), await createRfqMarket()];
  for (const [index, venue] of venues.entries()) {
    const rfq = await request(venue);
    await quote(venue, rfq, venue.makers[0], { lots: 4 });
    // Not as many as are asked for: tried, and refused.
    if (index === 0) assert.equal(codeOf(await accept(venue, rfq)), "packageUnfilled");
    const order = { ...PLACE, deadline: venue.world.clock.now() + 60_000 };
    assert.ok((await venue.world.sequencer.service.submit(wordOf(venue.taker, order))).accepted);
    await venue.world.step(10_000);
  }
  const roots = venues.map(({ world }) => [...world.batches.batches.values()].at(-1)?.rootAfter);
  assert.ok(roots[0] !== undefined);
  assert.equal(roots[0], roots[1]);
});

test("a block is two words that say the same, of two accounts, and large enough", async () => {
  const venue = await createRfqMarket({ packages: { graceMs: 0, blockLotsMin: 5 } });
  const { world, makers, taker, spare } = venue;
  const { packages } = world.sequencer.service;
  const maker = (change: object = {}) => wordOf(makers[0], quoteOf(venue, change));
  const take = (change: object = {}) => wordOf(taker, takeOf(venue, change));
  const code = async (one: typeof maker, other = take, first = {}, second = {}) =>
    codeOf(await packages.block(one(first), other(second)));
  assert.equal(await code(maker, take, { lots: 4 }, { lots: 4 }), "badLots");
  assert.equal(await code(maker, take, { lots: 6 }, { lots: 5 }), "malformed");
  assert.equal(await code(maker, take, { price: 9 }), "malformed");
  assert.equal(await code(maker, take, { isSell: false }), "malformed");
  assert.equal(await code(maker, take, { book: 0, price: 500 }), "malformed");
  assert.equal(await code(maker, take, { postOnly: false }), "badFlags");
  assert.equal(await code(maker, take, {}, { timeInForce: "ioc" }), "badFlags");
  assert.equal(await code(take as never, maker as never), "badFlags");
  const self = (change: object = {}) => wordOf(spare, takeOf(venue, change));
  assert.equal(await code(maker, self as never), "malformed");
  const stale = { ...makers[0], head: 1n };
  assert.equal(codeOf(await packages.block(wordOf(stale, quoteOf(venue)), take())), "badSignature");
  assert.equal((await packages.checkBlock(maker({ lots: 4 })))?.code, "badLots");
  assert.equal((await packages.checkBlock(take({ timeInForce: "ioc" })))?.code, "badFlags");
  assert.equal(await packages.checkBlock(maker()), null);
  assert.equal(await packages.checkBlock(take()), null);
  const from = world.log.records.length;
  assert.equal(await code(maker), "accepted");
  assert.deepEqual(entriesFrom(world.log.records, from).slice(-2), ["gtc 3", "fok 4"]);
  // The same words a second time extend heads that are gone.
  assert.notEqual(await code(maker), "accepted");
  assert.deepEqual(await resting(venue), []);
});
