// A taker and two makers trade packages through a node, over WebSockets, with the client.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type PackageTrader, tradePackages } from "../../../sequencer/client/packages.ts";
import type { Trader } from "../../../sequencer/client/trader.ts";
import { messageFromWord } from "../../../sequencer/protocol/messages.ts";
import { createTrader as createIdentity, createWorld, type World } from "../roles/market.ts";
import { connect } from "./liveSequencer.ts";

const USDC = 1_000_000;
const CALL = "ETH-20270116-2000-C";
const PUT = "ETH-20270116-2000-P";
/** A risk reversal of one strike, which has no name of its own. */
const COMBO = `ETH-CUSTOM-${PUT.slice(4)}:1_${CALL.slice(4)}:-1`;
/** Buys calls, sells puts: the reverse of what the book is of. */
const LEGS = [
  { instrument_name: CALL, amount: 0.2, direction: "buy" },
  { instrument_name: PUT, amount: 0.2, direction: "sell" },
] as const;

interface Venue {
  readonly world: World;
  readonly traders: readonly [Trader, Trader, Trader];
  readonly desks: readonly [PackageTrader, PackageTrader, PackageTrader];
}

async function open(context: TestContext): Promise<Venue> {
  const world = await createWorld({ packages: { graceMs: 0 } });
  const identities = [3, 4, 5].map(createIdentity);
  for (const identity of identities) world.open(identity, 1000 * USDC);
  for (let count = 0; count < 5; count++) await world.step(400);
  // The first listings, whose proof those on demand wait for.
  await world.step(10_000);
  await world.prove();
  const traders = (await connect(context, world, identities)) as unknown as Venue["traders"];
  const desks = traders.map(tradePackages) as unknown as Venue["desks"];
  return { world, traders, desks };
}

/** What a channel has brought; waits for the next one that fits. */
function collect<T>() {
  const heard: T[] = [];
  const next = async (isWanted: (one: T) => boolean): Promise<T> => {
    for (let count = 0; count < 200; count++) {
      const found = heard.find(isWanted);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`not heard: ${JSON.stringify(heard)}`);
  };
  return { heard, push: (one: T) => void heard.push(one), next };
}

test("a request that two makers quote is one sequence of the log", async (context) => {
  const { world, traders, desks } = await open(context);
  const [taker, first, second] = desks;
  const asked = collect<Awaited<ReturnType<PackageTrader["requestQuotes"]>>>();
  const own = collect<Awaited<ReturnType<PackageTrader["requestQuotes"]>>>();
  const quoted = collect<Awaited<ReturnType<PackageTrader["quoteRequest"]>>>();
  const traded = collect<object>();
  await first.follow({ asked: asked.push, quote: quoted.push });
  await taker.follow({ own: own.push, traded: traded.push });
  const rfq = await taker.requestQuotes(LEGS, { label: "mine" });
  assert.deepEqual(
    [rfq.state, rfq.role, rfq.amount, rfq.combo_id, rfq.is_reversed, rfq.label],
    ["open", "taker", 0.2, COMBO, true, "mine"],
  );
  const seen = await asked.next(({ block_rfq_id }) => block_rfq_id === rfq.block_rfq_id);
  assert.deepEqual([seen.role, seen.taker, seen.label, seen.legs], ["maker", null, "", rfq.legs]);

  const dear = await first.quoteRequest(seen, { direction: "sell", price: 1.5, amount: 0.2 });
  assert.deepEqual([dear.direction, dear.price, dear.amount], ["sell", 1.5, 0.2]);
  await second.quoteRequest(rfq, { direction: "sell", price: 1.2, amount: 0.05, label: "part" });
  const shown = await own.next(({ asks }) => asks.length === 2);
  assert.deepEqual(
    shown.asks.map(({ price, amount, makers }) => [price, amount, makers]),
    [
      [1.2, 0.05, ["ANONYMOUS"]],
      [1.5, 0.2, ["ANONYMOUS"]],
    ],
  );
  // Makers see nothing of one another.
  assert.deepEqual((await second.requests())[0]?.asks, []);

  const from = world.log.records.length;
  const done = await taker.acceptQuote(shown, { direction: "buy", price: 1.5, amount: 0.2 });
  assert.equal(done.receipt.outcome, "filled");
  const [trade] = done.block_trades;
  assert.deepEqual(
    trade?.trades.map(({ price, amount, direction, maker }) => [price, amount, direction, maker]),
    [
      [-1.2, 0.05, "sell", "ANONYMOUS"],
      [-1.5, 0.15, "sell", "ANONYMOUS"],
    ],
  );
  const authors = world.log.records.slice(from).flatMap(({ entry }) => {
    if (entry.type !== "message") return ["open", "end", "seal"].includes(entry.type) ? [] : ["?"];
    const message = messageFromWord(entry.word);
    return [`${message?.kind === "place" ? message.timeInForce : "?"} ${entry.author.account}`];
  });
  assert.deepEqual(authors.slice(0, 3), ["gtc 5", "gtc 4", "fok 3"]);
  const filled = await own.next(({ state }) => state === "filled");
  assert.deepEqual(
    filled.trades.map(({ price, amount }) => [price, amount]),
    [
      [1.2, 0.05],
      [1.5, 0.15],
    ],
  );
  const left = await quoted.next(({ quote_state }) => quote_state === "filled");
  assert.deepEqual([left.filled_amount, left.resting_amount], [0.15, 0.05]);
  await traded.next(() => true);
  const [positions] = await Promise.all([traders[0].positions()]);
  assert.deepEqual(positions.map(({ instrument_name, size }) => [instrument_name, size]).sort(), [
    [CALL, 0.2],
    [PUT, -0.2],
  ]);
  // What is left is an order like any other.
  assert.equal((await traders[1].cancel(left.order_id ?? "")).outcome, "cancelled");
  const trades = await traders[2].rpc.call("public/get_block_rfq_trades", {});
  assert.equal(trades.block_rfqs[0]?.id, rfq.block_rfq_id);
});

test("an accepted word that is sent again has the same answer", async (context) => {
  const { traders, desks } = await open(context);
  const [taker, maker] = desks;
  const rfq = await taker.requestQuotes(LEGS);
  await maker.quoteRequest(rfq, { direction: "sell", price: 1, amount: 0.2 });
  const call = traders[0].rpc.call.bind(traders[0].rpc);
  const sent: unknown[] = [];
  const rpc = traders[0].rpc as { call: unknown };
  rpc.call = async (name: never, params: never) => {
    if (name === "private/accept_block_rfq") sent.push(params);
    return call(name, params);
  };
  const done = await taker.acceptQuote(rfq, { direction: "buy", price: 1, amount: 0.2 });
  const again = await call("private/accept_block_rfq", sent[0] as never);
  assert.equal(again.is_repeat, true);
  assert.deepEqual(again.receipt, done.receipt);
  assert.deepEqual(again.block_trades, done.block_trades);
});

test("the same legs are one book, whoever asks, and lists tell of it", async (context) => {
  const { world, traders, desks } = await open(context);
  const { rpc } = traders[0];
  const [one, other] = await Promise.all([
    desks[0].createCombo(LEGS),
    desks[1].createCombo([
      { instrument_name: PUT, amount: 3, direction: "buy" },
      { instrument_name: CALL, amount: 3, direction: "sell" },
    ]),
  ]);
  assert.deepEqual(one, other);
  assert.deepEqual([one.id, one.state], [COMBO, "active"]);
  assert.deepEqual(one.legs, [
    { instrument_name: CALL, amount: -1 },
    { instrument_name: PUT, amount: 1 },
  ]);
  assert.deepEqual(await rpc.call("public/get_combo_ids", { currency: "ETH" }), [COMBO]);
  assert.deepEqual(await rpc.call("public/get_combos", { currency: "any" }), [one]);
  assert.deepEqual(await rpc.call("public/get_combo_details", { combo_id: COMBO }), one);
  const refused = async (reason: string, legs: Parameters<PackageTrader["createCombo"]>[0]) =>
    assert.rejects(desks[0].createCombo(legs), { reason });
  await refused("invalid_params", [LEGS[0], LEGS[0]]);
  await refused("invalid_or_unsupported_instrument", [
    LEGS[0],
    { ...LEGS[1], instrument_name: "ETH-20270116-9-P" },
  ]);
  await refused("invalid_params", [LEGS[0], { ...LEGS[1], amount: 9.2 }]);
  assert.equal(world.events.filter(({ type }) => type === "rfq").length, 0);
});

test("a block is executed by both sides' words, or not at all", async (context) => {
  const { world, traders, desks } = await open(context);
  const [maker, taker, other] = desks;
  // The maker sells the call at 7 and buys the put at 5.
  const terms = {
    timestamp: world.clock.now(),
    nonce: "deal-1",
    trades: [
      { instrument_name: CALL, amount: 0.4, direction: "sell" as const, price: 7 },
      { instrument_name: PUT, amount: 0.4, direction: "buy" as const, price: 5 },
    ],
  };
  await maker.createCombo(LEGS);
  const signature = await maker.verifyBlockTrade(terms, "maker");
  const reason = "word_mismatch";
  await assert.rejects(taker.executeBlockTrade({ ...terms, nonce: "deal-2" }, "taker", signature), {
    reason,
  });
  await assert.rejects(maker.executeBlockTrade(terms, "maker", signature), { reason });
  const dearer = [{ ...terms.trades[0]!, price: 8 }, terms.trades[1]!];
  await assert.rejects(taker.executeBlockTrade({ ...terms, trades: dearer }, "taker", signature), {
    reason,
  });
  // Somebody rests at as good a price: the block would leave a rest.
  const resting = await traders[2].place({
    ...{ book: 48, isSell: false, price: -20, lots: 10, postOnly: true },
  });
  assert.equal(resting.outcome, "rested");
  await assert.rejects(taker.executeBlockTrade(terms, "taker", signature), {
    reason: "package_unfilled",
  });
  assert.equal((await traders[2].cancel(resting.orderId ?? "")).outcome, "cancelled");
  const done = await taker.executeBlockTrade(terms, "taker", signature);
  assert.deepEqual(
    [done.combo_id, done.direction, done.amount, done.trades],
    [COMBO, "sell", 0.4, [{ price: -2, amount: 0.4, direction: "sell", maker: "3" }]],
  );
  await assert.rejects(taker.executeBlockTrade(terms, "taker", signature));
  // The other way round: the maker is the second to sign.
  const later = { ...terms, timestamp: world.clock.now(), nonce: "deal-3" };
  const first = await other.verifyBlockTrade(later, "taker");
  const second = await maker.executeBlockTrade(later, "maker", first);
  assert.equal(second.receipt.account, 5);
  const positions = await traders[0].positions();
  assert.deepEqual(positions.map(({ instrument_name, size }) => [instrument_name, size]).sort(), [
    [CALL, -0.8],
    [PUT, 0.8],
  ]);
});
