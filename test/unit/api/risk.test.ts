// The methods of risk: what they answer over the wire, down to figures worked out by hand.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LiquidationInfo } from "../../../sequencer/market/liquidation.ts";
import type { OrderPreview } from "../../../sequencer/market/orderPreview.ts";
import type { RiskAnswer } from "../../../sequencer/market/riskReport.ts";
import { startFixture } from "./apiFixture.ts";

test("straddle/get_risk has the report and everything it is made of", async (context) => {
  const { call } = await startFixture(context);
  const { result } = await call("straddle/get_risk", { account: 7 });
  const { report, snapshot, series, liquidation } = result as RiskAnswer;
  assert.equal(report.scenarios.length, 18);
  assert.deepEqual(report.weights, { value: 4, change: 5 });
  const [position] = report.positions;
  assert.deepEqual(position?.changes, snapshot.slots[0]?.changes, "marks and changes are named");
  for (const { scenario, pnl, maintenanceHeadroom, initialHeadroom } of report.scenarios) {
    // By hand, as the report's reader would: lots times change times unit.
    const change = position?.changes[scenario] ?? 0;
    const gain = (position?.lots ?? 0) * change * report.sizes.unit;
    assert.equal(pnl, gain);
    assert.equal(maintenanceHeadroom, report.equity + gain);
    assert.equal(initialHeadroom, report.equity + (5 * gain) / 4);
  }
  assert.match(String(snapshot.signatures[0]?.r8x), /^0x[0-9a-f]+$/);
  assert.equal(series.length, 4);
  assert.equal(liquidation, null);
});

test("straddle/preview_order takes an order without its flags", async (context) => {
  const { call } = await startFixture(context);
  const order = { account: 7, book: 1, isSell: true, price: 1200, lots: 50 };
  const { result, error } = await call("straddle/preview_order", order);
  assert.equal(error, undefined);
  const { verdict, premium, fee, before, after } = result as OrderPreview;
  assert.equal(verdict, null);
  assert.deepEqual([premium, fee], [-60_000_000, 150_000]);
  assert.equal(before.maintenanceMargin, 165_000_000);
  assert.equal(after.maintenanceMargin, 110_000_000);
  assert.equal(after.equity, before.equity - fee);
});

test("straddle/get_auctions has what is offered now and at most", async (context) => {
  const { call } = await startFixture(context);
  const { result } = await call("straddle/get_auctions");
  const [locked] = result as LiquidationInfo[];
  assert.equal(locked?.account, 9);
  assert.equal(locked?.lockedFor, 64);
  const [offer] = locked?.offers ?? [];
  assert.deepEqual([offer?.amountPerLot, offer?.amountPerLotMax], [500_000, 2_000_000]);
});
