// Random requests, quotes, withdrawals, resting orders and acceptances: whatever happens, nothing
// is filled outside a limit that was signed, and what is refused leaves no trace in the log.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { QuoteInfo, RfqTrade } from "../../sequencer/protocol/blockRfq.ts";
import { messageFromWord, type PlaceMessage } from "../../sequencer/protocol/messages.ts";
import type { TestKey } from "../unit/roles/heldFixture.ts";
import {
  createRfqMarket,
  quoteOf,
  type RfqWorld,
  takeOf,
  tryQuote,
  wordOf,
} from "../unit/roles/rfqFixture.ts";

const SEEDS = process.env.STRADDLE_TEST_LONG === "1" ? 40 : 6;
const TURNS = 150;

function randomOf(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Play {
  readonly venue: RfqWorld;
  readonly keys: readonly TestKey[];
  readonly random: (below: number) => number;
  filled: number;
  refused: number;
}

/** Heads as they are now: who quotes signs on them. */
async function syncHeads({ venue, keys }: Play): Promise<void> {
  for (const key of keys) {
    const info = await venue.world.sequencer.service.session(key.account, key.keyIndex);
    key.head = info!.head;
  }
}

const pick = <T>(list: readonly T[], random: Play["random"]): T | undefined =>
  list[random(list.length)];

async function play(one: Play): Promise<void> {
  const { venue, random, keys } = one;
  const { service } = venue.world.sequencer;
  const { packages } = service;
  const open = (await packages.requests()).filter(({ state }) => state === "open");
  const rfq = pick(open, random);
  const key = pick(keys, random)!;
  const isSell = random(2) === 0;
  const terms = { isSell, price: random(21) - 10, lots: 1 + random(10) };
  switch (random(10)) {
    case 0:
      await packages.request({
        ...{ account: key.account, book: venue.book, isReversed: false, lots: 1 + random(10) },
        ...{ legs: [], label: "", makers: null, isDisclosed: false },
      });
      return;
    case 1:
    case 2: {
      if (rfq === undefined) return;
      const isWhole = random(3) === 0;
      const lots = isWhole ? rfq.lots : Math.min(terms.lots, rfq.lots);
      await tryQuote(venue, rfq, key, quoteOf(venue, { ...terms, lots }), { isWhole });
      return;
    }
    case 3: {
      const quote = pick(await packages.quotes(), random);
      if (quote === undefined) return;
      const signed = wordOf(key, quoteOf(venue, terms));
      await packages.editQuote(quote.id, { signed, isWhole: false, label: "", cancel: null });
      return;
    }
    case 4:
      await packages.cancelQuotes(key.account, () => random(2) === 0);
      return;
    case 5: {
      const order = quoteOf(venue, { ...terms, postOnly: false, lots: 1 + random(3) });
      await service.submit(wordOf(key, order));
      return;
    }
    case 6:
      if (rfq !== undefined && random(3) === 0) await packages.cancelRequest(rfq.account, rfq.id);
      return;
    default:
      if (rfq !== undefined) await acceptOne(one, rfq.id, rfq.account);
  }
}

async function acceptOne(one: Play, id: number, account: number): Promise<void> {
  const { venue, keys, random } = one;
  const { world } = venue;
  const { packages } = world.sequencer.service;
  const taker = keys.find((key) => key.account === account)!;
  const rfq = (await packages.requests()).find((known) => known.id === id)!;
  const lots = random(2) === 0 ? rfq.lots : 1 + random(rfq.lots);
  const isSell = random(2) === 0;
  const far = isSell ? -10 : 10;
  const limit = takeOf(venue, { isSell, price: random(2) === 0 ? far : random(21) - 10, lots });
  const quotes = (await packages.quotes()).filter((quote) => quote.rfq === id);
  const before = world.log.records.length;
  const result = await packages.accept(id, wordOf(taker, limit));
  if (!result.accepted) {
    one.refused += 1;
    const added = world.log.records.slice(before).map(({ entry }) => entry.type);
    assert.ok(!added.includes("message"), `${result.code}: ${added}`);
    return;
  }
  one.filled += 1;
  checkTrade(limit, result.trade, quotes);
  const messages = world.log.records.slice(before).flatMap(({ entry }) => {
    return entry.type === "message" ? [entry] : [];
  });
  const at = messages.findIndex(({ word }) => word === wordOf(taker, limit).word);
  for (const { word, author } of messages.slice(0, at)) {
    const message = messageFromWord(word) as PlaceMessage;
    const isLeft = quotes.some(({ account: of, price, state }) => {
      return of === author.account && price === message.price && state === "open";
    });
    assert.ok(isLeft, "a word that nobody had left");
  }
}

function checkTrade(limit: PlaceMessage, trade: RfqTrade, quotes: readonly QuoteInfo[]): void {
  const sign = limit.isSell ? -1 : 1;
  let lots = 0;
  for (const fill of trade.fills) {
    lots += fill.lots;
    assert.ok(sign * fill.price <= sign * limit.price, "beyond the taker's limit");
    if (fill.maker === null) continue;
    const quote = quotes.find(({ account, price, state, isSell, ...of }) => {
      const isOf = account === fill.maker && price === fill.price && isSell !== limit.isSell;
      return isOf && state === "open" && fill.lots <= of.lots;
    });
    assert.ok(quote !== undefined, "not at a price that the maker had signed");
    if (quote.isWhole) assert.equal(fill.lots, quote.lots);
  }
  assert.equal(lots, limit.lots, "all of it, or nothing");
}

test("no sequence of calls fills anything outside both limits", async () => {
  let filled = 0;
  let refused = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const venue = await createRfqMarket();
    const keys = [venue.taker, ...venue.makers, venue.spare];
    const one: Play = { venue, keys, random: randomOf(seed), filled: 0, refused: 0 };
    for (let turn = 0; turn < TURNS; turn++) {
      await syncHeads(one);
      await play(one);
      if (one.random(10) === 0) await venue.world.step(500);
    }
    filled += one.filled;
    refused += one.refused;
    const { service } = venue.world.sequencer;
    const held = await Promise.all([3, 4, 5].map((id) => service.account({ id })));
    for (const slot of [0, 1]) {
      assert.equal(
        held.reduce((sum, info) => sum + (info?.positions[slot] ?? 0), 0),
        0,
      );
    }
    // Whoever reads the log comes to the same.
    const again = await venue.world.restart();
    for (const info of held) {
      const other = await again.sequencer.service.account({ id: info!.account });
      assert.deepEqual([other?.positions, other?.cash], [info!.positions, info!.cash]);
    }
  }
  assert.ok(filled >= SEEDS && refused >= SEEDS, `${filled} filled, ${refused} refused`);
});
