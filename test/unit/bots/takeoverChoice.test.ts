import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  affordableLots,
  exitOf,
  type TakeoverView,
  takeoverOf,
} from "../../../sequencer/bots/takeoverChoice.ts";
import { isCovered, type Risk } from "../../../sequencer/engine/risk.ts";
import type { AuctionOffer, LiquidationInfo } from "../../../sequencer/market/liquidation.ts";
import { SCENARIOS } from "../../../sequencer/protocol/constants.ts";
import { level, listed } from "./listed.ts";

const UNIT = 1000;
const SETTINGS = {
  ...{ lots: 500, positionMax: 1000, edgeMin: 3, patienceSeconds: 10, exitTicksMax: 20 },
};
/** Every scenario 100 ticks up, the next 100 down. */
const RISK: Risk = {
  marks: [720, 300],
  changes: [0, 1].map(() => Array.from({ length: SCENARIOS }, (_, row) => (row % 2 ? -100 : 100))),
};

function offer(given: Partial<AuctionOffer> = {}): AuctionOffer {
  return {
    ...{ slot: 0, position: -4000, mark: 720, scenario: 0, lossPerLot: 100 * UNIT, lotsMax: 800 },
    ...{ amountPerLot: 20 * UNIT, amountPerLotMax: 50 * UNIT, ...given },
  };
}

function locked(account: number, lockedFor: number, offers: AuctionOffer[]): LiquidationInfo {
  const state = { lockedSince: 1, cash: 0, positions: [], equity: 1, maintenance: -1, time: 1 };
  return { account, lockedFor, offers, ...state };
}

const book = listed({ slot: 0, mark: 720, asks: [level(726, 100)], bids: [level(714, 100)] });
const VIEW: TakeoverView = {
  picture: { series: [book], unit: UNIT },
  own: { account: 9, cash: 1e12, positions: [0, 0] },
  risk: RISK,
};

test("what is left after the way out decides, and is counted for all lots", () => {
  // The offer pays 20 ticks; buying the short back costs 6 beyond the mark and a fee of 8.
  const found = takeoverOf([locked(3, 100, [offer()])], VIEW, SETTINGS);
  assert.deepEqual(found, { from: 3, slot: 0, lots: 500, amount: 500 * 20 * UNIT, profit: 3000 });
  const none = (offers: AuctionOffer[], change: object = {}, lockedFor = 100) =>
    assert.equal(
      takeoverOf([locked(3, lockedFor, offers)], VIEW, { ...SETTINGS, ...change }),
      undefined,
    );
  none([offer({ amountPerLot: 16.9 * UNIT })]);
  none([offer()], { edgeMin: 7 });
  none([offer()], {}, 9);
  none([offer({ lotsMax: 0 })]);
  none([]);
  const own = locked(9, 100, [offer()]);
  assert.equal(takeoverOf([own], VIEW, SETTINGS), undefined, "nobody takes over from himself");
});

test("the offer that leaves the most is taken, of whichever account", () => {
  const small = locked(3, 200, [offer({ lotsMax: 10, amountPerLot: 50 * UNIT })]);
  const large = locked(4, 100, [offer({ amountPerLot: 19 * UNIT }), offer({ lotsMax: 50 })]);
  assert.deepEqual(takeoverOf([small, large], VIEW, SETTINGS)?.from, 4);
  const found = takeoverOf([small, large], VIEW, SETTINGS)!;
  assert.deepEqual([found.lots, found.amount], [500, 500 * 19 * UNIT]);
  const fraction = offer({ amountPerLot: 20_000.7, lotsMax: 3 });
  assert.equal(takeoverOf([locked(3, 99, [fraction])], VIEW, SETTINGS)?.amount, 60_002);
});

test("where nobody quotes, a quarter of the scenario's loss must be paid and more", () => {
  const view = { ...VIEW, picture: { series: [], unit: UNIT } };
  const at = (amountPerLot: number) =>
    takeoverOf([locked(3, 100, [offer({ amountPerLot })])], view, SETTINGS);
  assert.equal(at(27 * UNIT), undefined);
  assert.equal(at(28 * UNIT)?.profit, 500 * 3);
});

test("limits of position and margin bound the lots", () => {
  const lotsFor = (own: Partial<TakeoverView["own"]>) =>
    takeoverOf([locked(3, 100, [offer()])], { ...VIEW, own: { ...VIEW.own, ...own } }, SETTINGS)
      ?.lots;
  assert.equal(lotsFor({ positions: [-900, 0] }), 100);
  assert.equal(lotsFor({ positions: [-1000, 0] }), undefined);
  assert.equal(lotsFor({ positions: [900, 0] }), 500, "it reduces what is held");
  // A short lot needs 5/4 of 100 ticks: 125 USDC for 1000 lots of 1e-3 USDC a tick.
  assert.equal(lotsFor({ cash: 10_000_000 }), 80);
  assert.equal(lotsFor({ cash: -1 }), undefined);
});

test("what is affordable leaves the account covered, and one lot more does not", () => {
  const held = fc.integer({ min: -300, max: 300 });
  fc.assert(
    fc.property(fc.nat(5e8), held, held, fc.boolean(), (cash, first, second, isLong) => {
      const positions = [first, second];
      const account = { owner: 0n, cash, positions };
      if (!isCovered(account, RISK, UNIT)) return;
      const sign = isLong ? 1 : -1;
      const lots = affordableLots({ cash, positions }, { slot: 0, position: 7 * sign }, RISK, UNIT);
      const after = (count: number) => ({
        owner: 0n,
        cash: cash - sign * count * 720 * UNIT,
        positions: [first + sign * count, second],
      });
      assert.ok(isCovered(after(lots), RISK, UNIT));
      assert.ok(!isCovered(after(lots + 1), RISK, UNIT));
    }),
  );
});

test("it gets out of the largest option, and leaves forwards to the hedge", () => {
  const other = listed({ slot: 1, mark: 300, bids: [level(295, 15)], asks: [level(400, 5)] });
  const forward = listed({ slot: 2, strike: 0, mark: 25_000, bids: [level(25_000, 999)] });
  const series = [book, other, forward];
  const settings = { lots: 200, exitTicksMax: 20 };
  assert.equal(exitOf({ series }, [0, 0, 900], settings), undefined);
  assert.deepEqual(exitOf({ series }, [-60, 40, 900], settings), {
    ...{ book: 0, name: "S0", isSell: false, price: 726, lots: 60 },
  });
  assert.deepEqual(exitOf({ series }, [30, 40, 0], settings), {
    ...{ book: 1, name: "S1", isSell: true, price: 295, lots: 15 },
  });
  assert.equal(exitOf({ series }, [0, -40, 0], settings), undefined, "100 ticks beyond the mark");
  assert.equal(exitOf({ series }, [-400, 0, 0], { ...settings, lots: 50 })?.lots, 50);
});
