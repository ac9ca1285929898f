// What an auction offers is what a takeover may take, to the last lot and 1e-6 USDC.
import assert from "node:assert/strict";
import { test } from "node:test";
import { applyOperation } from "../../../sequencer/engine/ledger.ts";
import { checkTakeover } from "../../../sequencer/engine/transactions/takeover.ts";
import { describeLiquidation } from "../../../sequencer/market/auction.ts";
import { readLiquidations } from "../../../sequencer/roles/riskQueries.ts";
import {
  contextsOf,
  createMarket,
  depositOf,
  NOW,
  SHAPE,
  SNAPSHOT,
  slotRisk,
  snapshotOf,
} from "../engine/market.ts";

/** Account 1 is short 50 lots of slot 0 and long 10 of slot 1, marks 100, changes +-20. */
function lockedMarket(cash: number, secondsAgo: number) {
  const market = createMarket([1, 1]);
  const { state, ledger } = market;
  applyOperation(state, depositOf(3, 10e9), ledger);
  const account = state.editAccount(1);
  Object.assign(account, { cash, positions: [-50, 10, 0, 0] });
  const lockedSince = NOW / 1000 - secondsAgo;
  state.editSession(1).lockedSince = lockedSince;
  const context = { risk: ledger.risk, time: NOW };
  const holdings = { cash: account.cash, positions: account.positions };
  const info = describeLiquidation({
    ...{ account: 1, holdings, lockedSince, ...context },
    unit: SHAPE.unit,
  });
  const check = (slot: number, lots: number, amount: number, scenario: number) => {
    const takeover = { from: 1, slot, lots, amount, isSubsidy: false, scenario };
    return checkTakeover(state, takeover, 3, context);
  };
  return { info, check };
}

/** Equity is cash - 4000 USD-ticks: 1000 * (-50 + 10) * 100 = -4 USDC; up moves cost 0.8 USDC. */
const CASH = 4_300_000;

test("figures of a locked account", () => {
  const { info } = lockedMarket(CASH, 100);
  assert.equal(info.equity, 300_000);
  assert.equal(info.maintenance, 300_000 - 1000 * 40 * 20);
  assert.equal(info.lockedFor, 100);
  const [offer, ...others] = info.offers;
  // The long position gains in what threatens the account: nobody may take it over.
  assert.deepEqual(others, []);
  assert.deepEqual(offer, {
    slot: 0,
    position: -50,
    mark: 100,
    scenario: 0,
    lossPerLot: 20_000,
    // A headroom of 4 * 0.3 - 5 * 0.8 USDC, and 0.1 for each lot.
    lotsMax: 28,
    amountPerLot: (100 * 20_000) / 512,
    amountPerLotMax: 10_000,
  });
});

for (const seconds of [0, 1, 77, 255, 256, 5000]) {
  test(`the engine takes the offer after ${seconds} s, and not more`, () => {
    const { info, check } = lockedMarket(CASH, seconds);
    const { slot, lotsMax, amountPerLot, scenario } = info.offers[0]!;
    for (const lots of [1, 7, lotsMax]) {
      const amount = Math.floor(lots * amountPerLot);
      assert.equal(check(slot, lots, amount, scenario), undefined, `${lots} lots`);
      assert.match(check(slot, lots, amount + 1, scenario) ?? "", /`amount` must be at most/);
    }
    assert.match(
      check(slot, lotsMax + 1, 0, scenario) ?? "",
      /no more than restore initial margin in scenario `0`/,
    );
  });
}

test("no more is offered than relieves the account, the discount counted", () => {
  // Slot 1 loses 1900 ticks in a fall, against 2000 of slots 0 and 1 in a rise: 100 ticks of room.
  const moves = slotRisk(100, 39).changes.map((move) => Math.max(0, -move));
  const slots = [slotRisk(100, 20), { ...slotRisk(100, 0), changes: moves }];
  const market = createMarket([1, 1, 10e9]);
  const { state } = market;
  const rest = [slotRisk(100, 20), slotRisk(100, 20)];
  const { ledger } = contextsOf(state, { snapshot: snapshotOf([...slots, ...rest]) });
  const holdings = { cash: 21_500_000, positions: [-100, -100, 0, 0] };
  Object.assign(state.editAccount(1), holdings);
  for (const [secondsAgo, lotsMax] of [
    [1, 4], // 20 ticks a lot, and a little
    [256, 3], // 30
  ] as const) {
    const lockedSince = NOW / 1000 - secondsAgo;
    state.editSession(1).lockedSince = lockedSince;
    const context = { risk: ledger.risk, time: NOW };
    const locked = { account: 1, holdings, lockedSince, ...context, unit: SHAPE.unit };
    const [offer] = describeLiquidation(locked).offers;
    assert.equal(offer?.lotsMax, lotsMax);
    const amount = Math.floor(lotsMax * offer.amountPerLot);
    const takeover = { from: 1, slot: 0, isSubsidy: false, scenario: offer.scenario };
    assert.equal(
      checkTakeover(state, { ...takeover, lots: lotsMax, amount }, 3, context),
      undefined,
    );
    const more = { lots: lotsMax + 1, amount: Math.floor((lotsMax + 1) * offer.amountPerLot) };
    assert.match(checkTakeover(state, { ...takeover, ...more }, 3, context) ?? "", /fall too low/);
  }
});

test("the node lists locked accounts, the longest first", () => {
  const market = createMarket([1, 1, 10e9]);
  const { state } = market;
  for (const [id, secondsAgo] of [
    [1, 10],
    [2, 90],
  ] as const) {
    Object.assign(state.editAccount(id), { cash: CASH, positions: [-50, 10, 0, 0] });
    state.editSession(id).lockedSince = NOW / 1000 - secondsAgo;
  }
  const clock = { now: () => NOW };
  const batcher = { snapshotInUse: () => SNAPSHOT };
  const parts = { state, clock, batcher } as unknown as Parameters<typeof readLiquidations>[0];
  const found = readLiquidations(parts).map(({ account, lockedFor, offers }) => {
    return [account, lockedFor, offers[0]?.amountPerLot];
  });
  assert.deepEqual(found, [
    [2, 90, (90 * 20_000) / 512],
    [1, 10, (10 * 20_000) / 512],
  ]);
});

test("no more is offered than is held, and nothing of a healthy account", () => {
  assert.equal(lockedMarket(0, 10).info.offers[0]?.lotsMax, 50);
  assert.deepEqual(lockedMarket(4_800_000, 10).info.offers, [], "maintenance is exactly 0");
  assert.equal(lockedMarket(4_799_999, 10).info.offers[0]?.lotsMax, 9, "initial margin");
});

test("without a snapshot there are no figures", () => {
  const locked = { account: 1, lockedSince: 5, time: 9000, unit: 1, risk: undefined };
  const info = describeLiquidation({ ...locked, holdings: { cash: 1, positions: [3] } });
  assert.deepEqual(
    [info.equity, info.maintenance, info.offers, info.lockedFor],
    [null, null, [], 4],
  );
});
