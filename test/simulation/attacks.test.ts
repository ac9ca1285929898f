// Attacks that emptied other venues, played against this one. In each the attackers withdraw what
// they can at every step; they must never be able to have more than they brought.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  attack,
  liquidationActions,
  openVenue,
  PRICE,
  round,
  rounds,
  summary,
  USDC,
  withdrawAll,
} from "./venue.ts";

/** Lots that the attackers trade with each other: 2000 USDC at the true price. */
const LOTS = 2000;

test("Mango 2022: own trades at a pumped mark are no money to walk away with", async (context) => {
  const venue = await openVenue({
    attackerDeposits: [500, 500, 800].map((n) => n * USDC),
    depth: 1000,
  });
  await attack(venue, 0, { isSell: false, price: PRICE, lots: LOTS });
  assert.equal(await attack(venue, 1, { isSell: true, price: PRICE, lots: LOTS }), LOTS);
  for (let count = 0; count < 8; count++) {
    await round(venue, PRICE * 2);
    await withdrawAll(venue, 0);
  }
  // The long sells to a third account of theirs at the top, and takes the cash.
  await attack(venue, 2, { isSell: false, price: venue.mark, lots: LOTS });
  await attack(venue, 0, { isSell: true, price: venue.mark, lots: LOTS });
  await round(venue, PRICE * 2);
  for (const index of [0, 1, 2]) await withdrawAll(venue, index);
  for (let count = 0; count < 60; count++) {
    await round(venue, PRICE);
    if (count < 10) for (const index of [0, 1, 2]) await withdrawAll(venue, index);
  }
  context.diagnostic(await summary(venue));
  assert.ok(liquidationActions(venue).includes("locked"));
});

test("dYdX YFI 2023: a crash under leveraged longs does not drain the fund", async (context) => {
  const venue = await openVenue({
    attackerDeposits: [500, 500, 1000].map((n) => n * USDC),
    depth: 500,
  });
  // Two longs with all the leverage there is, one short that hopes for the fund's money.
  for (const index of [0, 1]) {
    await attack(venue, index, { isSell: false, price: PRICE, lots: 2500 });
  }
  assert.equal(await attack(venue, 2, { isSell: true, price: PRICE, lots: 5000 }), 5000);
  await rounds(venue, PRICE * 1.1, 3);
  for (const index of [0, 1]) await withdrawAll(venue, index);
  for (let count = 0; count < 65; count++) {
    await round(venue, 0);
    if (count < 12) await withdrawAll(venue, 2);
  }
  context.diagnostic(await summary(venue));
  assert.ok(liquidationActions(venue).includes("locked"));
});

test("Hyperliquid JELLY 2025: a short left to the fund pays no pump", async (context) => {
  const venue = await openVenue({ attackerDeposits: [500, 800].map((n) => n * USDC), depth: 100 });
  await attack(venue, 1, { isSell: false, price: PRICE, lots: LOTS });
  await attack(venue, 0, { isSell: true, price: PRICE, lots: LOTS });
  // The short takes out all that its margin lets go, and is left behind.
  await withdrawAll(venue, 0);
  for (let count = 0; count < 70; count++) {
    await round(venue, PRICE * 2);
    if (count < 12 || count % 10 === 0) await withdrawAll(venue, 1);
  }
  for (let count = 0; count < 10; count++) await round(venue, PRICE);
  context.diagnostic(await summary(venue));
  assert.ok(liquidationActions(venue).includes("locked"));
});
