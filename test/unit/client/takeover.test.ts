// A backstop's day: it reads what is offered of a locked account, takes it, and reads what it got.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LiquidationUpdate } from "../../../sequencer/market/liquidation.ts";
import { createTrader as createIdentity, createWorld } from "../roles/market.ts";
import { connect } from "./liveSequencer.ts";

const USDC = 1_000_000;

test("what is offered of a locked account can be taken over, not more", async (context) => {
  const world = await createWorld();
  // Layer one opens accounts 1 and 2, for fees and for the insurance fund; this one is poor.
  for (const id of [1, 2]) world.deposit(createIdentity(id), 1);
  const identities = [3, 4, 5].map(createIdentity);
  for (const identity of identities) world.open(identity, 1000 * USDC);
  for (let count = 0; count < 6; count++) await world.step(400);
  const [short, long] = identities;
  await world.place(long!, { price: 500, lots: 4000 });
  await world.place(short!, { isSell: true, price: 500, lots: 4000 });
  const [backstop] = await connect(context, world, [identities[2]!]);
  const { exchange } = backstop!;
  const told: LiquidationUpdate[] = [];
  await exchange.onLiquidation((update) => told.push(update));
  assert.deepEqual(await exchange.liquidations(), []);

  world.snapshotOptions = { marks: [720] };
  const offered = async () => {
    const [locked] = await exchange.liquidations();
    return (locked?.offers[0]?.amountPerLot ?? 0) > 0 ? locked : undefined;
  };
  let locked = await offered();
  for (let count = 0; locked === undefined && count < 200; count++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    locked = await offered();
  }
  assert.equal(locked?.account, 3);
  assert.equal(told[0]?.action, "locked");
  const offer = locked!.offers[0]!;
  assert.deepEqual([offer.slot, offer.position, offer.mark], [0, -4000, 720]);
  assert.equal((await exchange.status()).lockedAccounts, 1);

  const terms = { from: 3, slot: 0, lots: 500 };
  const greedy = Math.ceil(500 * offer.amountPerLotMax) + 1;
  await assert.rejects(backstop!.takeOver({ ...terms, amount: greedy }), {
    reason: "takeover_refused",
  });
  const amount = Math.floor(500 * offer.amountPerLot);
  const before = await exchange.account({ account: 5 });
  const receipt = await backstop!.takeOver({ ...terms, amount });
  assert.deepEqual([receipt.kind, receipt.outcome], ["backstop", "executed"]);
  const after = await exchange.account({ account: 5 });
  assert.equal(after.positions[0], -500);
  const { unit } = (await exchange.info()).shape;
  assert.equal(after.cash - before.cash, 500 * 720 * unit + amount, "the mark's worth and more");
  assert.equal(after.equity! - before.equity!, amount);
  const [latest] = await backstop!.transactions(1);
  assert.deepEqual([latest?.type, latest?.balance], ["backstop", after.cash / USDC]);
  const taken = told.find(({ action }) => action === "backstop");
  assert.deepEqual(
    [taken?.account, taken?.counterparty, taken?.lots, taken?.price, taken?.amount],
    [3, 5, 500, 720, amount],
  );
});
