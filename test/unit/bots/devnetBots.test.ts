// The bots of a devnet together on a real sequencer whose market moves: quotes in all series,
// trades that happen by themselves, inventories within bounds, and no order left at the end.
import assert from "node:assert/strict";
import { test } from "node:test";
import { botKindsFor, PLANNED } from "../../../scripts/devnet/bots.ts";
import { BOT_KINDS, numbersOf } from "../../../sequencer/bots/botSettings.ts";
import { createChance } from "../../simulation/random.ts";
import { eventually, FORWARD, marksAt, startLiveMarket } from "./liveMarket.ts";

const SAMPLES = 60;
/** On a machine that is busy with other things. */
const SAMPLES_MAX = 400;
const TRADES_MIN = 10;
const SAMPLE_MS = 150;
/** The forward's moves from sample to sample, in ticks. */
const MOVE_MAX = 15;
/** A devnet's turns are some seconds apart, for its proofs; here nothing is proven. */
const FAST = { "interval-ms": "200", "messages-per-second": "100", "messages-max": "40" };

test("bots are chosen by name", () => {
  const once = false;
  assert.deepEqual(botKindsFor({ bots: "none", once }), []);
  assert.deepEqual(botKindsFor({ bots: "maker, taker", once }), ["maker", "taker"]);
  assert.deepEqual(botKindsFor({ once }), [...BOT_KINDS]);
  assert.deepEqual(botKindsFor({ once: true }), []);
  assert.deepEqual(botKindsFor({ once, replay: "recorded" }), []);
  const neither = /--bots goes neither with --once nor with --replay/;
  assert.throws(() => botKindsFor({ bots: "maker", once: true }), neither);
  assert.throws(() => botKindsFor({ bots: "maker", once, replay: "recorded" }), neither);
  for (const text of ["", "makers", "maker,,taker", "maker,none"]) {
    assert.throws(
      () => botKindsFor({ bots: text, once }),
      /--bots must be none, or some of maker, arbitrageur/,
    );
  }
  for (const { kind, flags } of PLANNED) assert.ok(numbersOf(kind, flags));
  const planned = new Set(PLANNED.map(({ kind }) => kind));
  assert.ok(BOT_KINDS.every((kind) => planned.has(kind)));
});

test("a market of bots lives, within its bounds", async (context) => {
  const market = await startLiveMarket(context, { accounts: PLANNED.length });
  const { world, identities } = market;
  const bots = await Promise.all(
    PLANNED.map(async ({ kind, quotes, flags }, at) => {
      const trader = await market.trader(identities[at]!);
      const { "messages-max": most, ...fast } = FAST;
      const own = kind === "maker" ? { ...fast, "messages-max": most } : fast;
      const rate = kind === "taker" ? { "per-minute": "600" } : {};
      return market.start(kind, trader, { ...flags, ...own, ...rate }, quotes);
    }),
  );
  const isTwoSided = async (): Promise<boolean> => {
    const books = await world.sequencer.service.books();
    return books.every(({ bestBid, bestAsk }) => bestBid !== null && bestAsk !== null);
  };
  await eventually("quotes in all series", bots[0]!, async () => (await isTwoSided()) || undefined);
  const limits = PLANNED.map(({ kind, flags }) => numbersOf(kind, flags)["position-max"]);
  const { pick } = createChance(20_261_122);
  let [forward, alive] = [FORWARD, 0];
  let trades = 0;
  let samples = 0;
  for (; samples < SAMPLES || (trades < TRADES_MIN && samples < SAMPLES_MAX); samples++) {
    forward += pick(2 * MOVE_MAX + 1) - MOVE_MAX;
    world.snapshotOptions = { ...world.snapshotOptions, marks: marksAt(forward) };
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    if (await isTwoSided()) alive += 1;
    trades = (await world.sequencer.service.trades(null, 1000)).length;
    for (const [at, identity] of identities.entries()) {
      const positions = await market.positions(identity);
      const furthest = Math.max(...positions.map(Math.abs));
      assert.ok(furthest <= limits[at]!, `${PLANNED[at]!.name} holds ${positions}`);
    }
  }
  const said = bots.map(({ lines }, at) => `${PLANNED[at]!.name}:\n${lines.join("\n")}`).join("\n");
  assert.ok(alive > samples / 2, `two-sided ${alive} of ${samples} times\n${said}`);
  assert.ok(trades >= TRADES_MIN, `${trades} trades\n${said}`);
  assert.ok(
    bots.every(({ lines }) => !lines.some((line) => /^(failed|stops|keeps)/.test(line))),
    said,
  );
  context.diagnostic(`two-sided ${alive} of ${samples} times, ${trades} trades`);
  for (const bot of bots) assert.equal(await bot.stop(), "stopped");
  for (const { account } of identities) {
    assert.deepEqual(await world.sequencer.service.orders(account), []);
  }
});
