// Every method that the class says it has, against the real sequencer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { callEveryMethod } from "./everyMethod.ts";
import { CALL, startVenue } from "./exchange.ts";

test("every method that the class says it has works", async (context) => {
  const { rpc, maker, taker } = await startVenue(context);
  await maker.createOrder(CALL, "limit", "sell", 5, 50.5);
  await maker.createOrder(CALL, "limit", "buy", 5, 49.5);
  // Its clock stands still unless it is told to go on, and payments wait for a batch of theirs.
  const pump = setInterval(() => void rpc.world.step(300), 50);
  context.after(() => clearInterval(pump));
  await callEveryMethod({
    ...{ exchange: taker, symbol: CALL, otherAccount: `${rpc.maker.account}` },
    trade: () => taker.createOrder(CALL, "limit", "buy", 0.01, 50.5, { timeInForce: "IOC" }),
  });
  assert.ok((await maker.fetchMyTrades(CALL)).length > 0);
});
