// ccxt's unified methods of trading and of the account, each against the real sequencer.
import assert from "node:assert/strict";
import { test } from "node:test";
import ccxt from "ccxt";
import { startRpc } from "../api/rpcFixture.ts";
import { CALL, createExchange, PUT, startVenue } from "./exchange.ts";

test("orders rest, trade, are changed and cancelled", async (context) => {
  const { maker, taker } = await startVenue(context);
  const offer = await maker.createOrder(CALL, "limit", "sell", 0.2, 50.5, { clientOrderId: "a" });
  assert.deepEqual(
    [offer.status, offer.amount, offer.remaining, offer.price, offer.clientOrderId],
    ["open", 0.2, 0.2, 50.5, "a"],
  );
  const bought = await taker.createOrder(CALL, "limit", "buy", 0.1, 50.5, { timeInForce: "IOC" });
  assert.deepEqual([bought.status, bought.filled, bought.average], ["closed", 0.1, 50.5]);
  assert.equal(bought.trades?.length, 1);
  assert.equal(bought.fee?.currency, "USDC");
  const seen = await maker.fetchOrder(String(offer.id), CALL);
  assert.deepEqual([seen.filled, seen.remaining, seen.symbol], [0.1, 0.1, CALL]);
  const moved = await maker.editOrder(String(offer.id), CALL, "limit", "sell", 0.1, 50.6);
  assert.deepEqual([moved.status, moved.price, moved.amount], ["open", 50.6, 0.1]);
  const open = await maker.fetchOpenOrders(CALL);
  assert.deepEqual(
    open.map(({ id }) => id),
    [moved.id],
  );
  assert.deepEqual(await maker.fetchOpenOrders(PUT), []);
  const cancelled = await maker.cancelOrder(String(moved.id), CALL);
  assert.equal(cancelled.status, "canceled");
  assert.deepEqual(await maker.fetchOpenOrders(), []);
  const ended = await maker.fetchClosedOrders(CALL);
  assert.deepEqual(new Set(ended.map(({ id }) => id)), new Set([offer.id, moved.id]));
  const trades = await taker.fetchMyTrades(CALL);
  assert.deepEqual(
    trades.map(({ side, price, amount, takerOrMaker, order }) => {
      return { side, price, amount, takerOrMaker, order };
    }),
    [{ side: "buy", price: 50.5, amount: 0.1, takerOrMaker: "taker", order: bought.id }],
  );
  assert.equal((await taker.fetchOrderTrades(String(bought.id))).length, 1);
  assert.equal((await taker.fetchMyTrades(undefined, 1)).length, 1);
});

test("a market order is a bounded one that does not rest", async (context) => {
  const { maker, taker } = await startVenue(context);
  await maker.createOrder(CALL, "limit", "sell", 0.2, 50.5);
  const bought = await taker.createOrder(CALL, "market", "buy", 0.3);
  assert.deepEqual([bought.filled, bought.average, bought.timeInForce], [0.2, 50.5, "IOC"]);
  assert.deepEqual(await taker.fetchOpenOrders(), []);
  await assert.rejects(taker.createOrder(CALL, "market", "buy", 0.1), ccxt.InvalidOrder);
});

test("many orders at once, and all of one book or of the account cancelled", async (context) => {
  const { maker } = await startVenue(context);
  const prices = [50.5, 50.6, 50.7];
  const inCall = prices.map((price) => maker.createOrder(CALL, "limit", "sell", 0.1, price));
  const inPut = prices.map((price) => maker.createOrder(PUT, "limit", "sell", 0.1, price));
  assert.equal(new Set((await Promise.all([...inCall, ...inPut])).map(({ id }) => id)).size, 6);
  assert.equal((await maker.cancelAllOrders(PUT)).length, 3);
  assert.equal((await maker.fetchOpenOrders()).length, 3);
  const [all] = await maker.cancelAllOrders();
  assert.equal((all!.info as { cancelled: number }).cancelled, 3);
  assert.deepEqual(await maker.fetchOpenOrders(), []);
});

test("refusals are ccxt's exceptions, and leave the key usable", async (context) => {
  const { maker, taker, rpc } = await startVenue(context);
  await maker.createOrder(CALL, "limit", "sell", 0.2, 50.5);
  const crossing = taker.createOrder(CALL, "limit", "buy", 0.1, 50.5, { postOnly: true });
  await assert.rejects(crossing, ccxt.InvalidOrder);
  await assert.rejects(taker.createOrder(CALL, "limit", "buy", 0.1), ccxt.ArgumentsRequired);
  const trigger = taker.createOrder(CALL, "limit", "buy", 0.1, 50, { stopLossPrice: 40 });
  await assert.rejects(trigger, ccxt.NotSupported);
  await assert.rejects(taker.cancelOrder("0-B-350-999"), ccxt.InvalidOrder);
  await assert.rejects(taker.cancelOrder("nonsense"), ccxt.InvalidOrder);
  const late = { validUntil: rpc.world.clock.now() - 1 };
  const expired = taker.createOrder(CALL, "limit", "buy", 0.1, 50, late);
  await assert.rejects(expired, ccxt.OperationRejected);
  const good = await taker.createOrder(CALL, "limit", "buy", 0.1, 50.5);
  assert.equal(good.status, "closed");
});

test("another program's word moves the chain; the next is signed again", async (context) => {
  const { maker, rpc } = await startVenue(context);
  await maker.createOrder(CALL, "limit", "sell", 0.1, 50.5);
  const other = createExchange(rpc, rpc.maker);
  context.after(() => other.close());
  await other.createOrder(CALL, "limit", "sell", 0.1, 50.6);
  await maker.createOrder(CALL, "limit", "sell", 0.1, 50.7);
  const prices = (await maker.fetchOpenOrders()).map(({ price }) => price);
  assert.deepEqual(prices.sort(), [50.5, 50.6, 50.7]);
});

test("a lost answer is asked for again: one order, not two", async (context) => {
  const { maker } = await startVenue(context);
  await maker.createOrder(CALL, "limit", "sell", 0.1, 50.9);
  const { fetch: real } = maker;
  let lost = 0;
  maker.fetch = async (...args: Parameters<typeof real>) => {
    const answer = await real.apply(maker, args);
    if (args[1] === "POST" && lost++ === 0) throw new ccxt.RequestTimeout("the answer was lost");
    return answer;
  };
  const order = await maker.createOrder(CALL, "limit", "sell", 0.1, 50.5);
  assert.equal(order.status, "open");
  assert.equal(lost, 2);
  assert.equal((await maker.fetchOpenOrders()).length, 2);
});

test("an answer that never comes leaves a doubt, which is told", async (context) => {
  const { maker } = await startVenue(context);
  await maker.createOrder(CALL, "limit", "sell", 0.1, 50.9);
  const { fetch: real } = maker;
  maker.options.resendMs = 300;
  // A chain of its own, with that patience.
  Reflect.set(maker, "chain", undefined);
  maker.fetch = async (...args: Parameters<typeof real>) => {
    const answer = await real.apply(maker, args);
    if (args[1] === "POST") throw new ccxt.NetworkError("the answer was lost");
    return answer;
  };
  const doubtful = maker.createOrder(CALL, "limit", "sell", 0.1, 50.5);
  await assert.rejects(doubtful, (error: Error) => {
    assert.ok(error instanceof ccxt.RequestTimeout);
    assert.match(error.message, /^straddle the connection was lost: the place may be sequenced/);
    return true;
  });
  maker.fetch = real;
  await maker.createOrder(CALL, "limit", "sell", 0.1, 50.6);
  const prices = (await maker.fetchOpenOrders()).map(({ price }) => price);
  assert.deepEqual(prices.sort(), [50.5, 50.6, 50.9], "the next word finds its head");
});

test("a receipt that nobody answers for is not taken for one", async (context) => {
  // The test world's own signature is a dummy.
  const rpc = await startRpc(context);
  const maker = createExchange(rpc, rpc.maker);
  context.after(() => maker.close());
  await maker.loadMarkets();
  const order = maker.createOrder(CALL, "limit", "sell", 0.1, 50.5);
  await assert.rejects(order, (error: Error) => {
    assert.ok(error instanceof ccxt.BadResponse);
    assert.match(error.message, /the receipt of log position `\d+` is not valid: it is signed by/);
    return true;
  });
});

test("balance, positions, accounts and money that moves", async (context) => {
  const { maker, taker, rpc } = await startVenue(context);
  await maker.createOrder(CALL, "limit", "sell", 0.2, 50.5);
  await taker.createOrder(CALL, "limit", "buy", 0.2, 50.5);
  const balance = await taker.fetchBalance();
  const { free, used, total } = balance.USDC as { free: number; used: number; total: number };
  assert.ok(total > 0 && free < total && Math.abs(free + used - total) < 1e-9);
  const [long] = await taker.fetchPositions();
  assert.deepEqual([long?.symbol, long?.side, long?.contracts], [CALL, "long", 0.2]);
  const money = ({ entryPrice, unrealizedPnl, info }: (typeof positions)[number]) => {
    return [entryPrice, unrealizedPnl, info.realized_profit_loss, info.total_profit_loss];
  };
  const positions = await taker.fetchPositions();
  assert.deepEqual(money(positions[0]!), [50.5, -0.1, 0, -0.1], "bought above the mark of 50");
  await taker.createOrder(CALL, "limit", "sell", 0.1, 51);
  await maker.createOrder(CALL, "limit", "buy", 0.1, 51, { timeInForce: "IOC" });
  const [half] = await taker.fetchPositions();
  assert.deepEqual(money(half!), [50.5, -0.05, 0.05, 0], "half of it is out at 51");
  await taker.createOrder(CALL, "limit", "buy", 0.1, 51);
  await maker.createOrder(CALL, "limit", "sell", 0.1, 51, { timeInForce: "IOC" });
  assert.deepEqual(money((await taker.fetchPositions())[0]!), [50.75, -0.15, 0.05, -0.1]);
  const [short] = await maker.fetchPositions([CALL]);
  assert.deepEqual(money(short!), [50.75, 0.15, -0.05, 0.1]);
  assert.deepEqual([short?.side, short?.contracts], ["short", 0.2]);
  assert.equal((await maker.fetchPosition(CALL)).side, "short");
  const [account] = await taker.fetchAccounts();
  assert.equal(account?.id, String(rpc.taker.account));
  // Money moves in ledger batches, which the world's clock brings about.
  const pump = setInterval(() => void rpc.world.step(300), 50);
  context.after(() => clearInterval(pump));
  const to = String(rpc.maker.account);
  const own = String(rpc.taker.account);
  const sent = await taker.transfer("USDC", 1.5, own, to);
  assert.deepEqual([sent.amount, sent.toAccount, sent.status], [1.5, to, "ok"]);
  await assert.rejects(taker.transfer("USDC", 1, own, "99999"), ccxt.BadRequest);
  await assert.rejects(taker.transfer("USDC", 1, to, own), ccxt.BadRequest);
  await assert.rejects(taker.transfer("ETH", 1, own, to), ccxt.BadRequest);
  const stranger = `0x${"12".repeat(20)}`;
  await assert.rejects(taker.withdraw("USDC", 1, stranger), ccxt.InvalidAddress);
  const { owner } = account!.info as { owner: string };
  const withdrawal = await taker.withdraw("USDC", 2, owner);
  const { amount, currency, status } = withdrawal;
  assert.deepEqual([amount, currency, status], [2, "USDC", "pending"]);
});

test("credentials that cannot be are told as such", async (context) => {
  const { rpc } = await startVenue(context);
  const nobody = createExchange(rpc);
  await nobody.loadMarkets();
  await assert.rejects(nobody.fetchBalance(), ccxt.AuthenticationError);
  for (const change of [{ apiKey: "seven" }, { apiKey: "1/0", secret: "hello" }]) {
    const wrong = Object.assign(createExchange(rpc, rpc.maker), change);
    await wrong.loadMarkets();
    await assert.rejects(wrong.fetchBalance(), ccxt.AuthenticationError);
  }
  const thief = Object.assign(createExchange(rpc, rpc.maker), { secret: "0x2a" });
  await thief.loadMarkets();
  await assert.rejects(thief.fetchBalance(), ccxt.AuthenticationError);
  await assert.rejects(thief.createOrder(CALL, "limit", "sell", 0.1, 50), ccxt.InvalidNonce);
});
