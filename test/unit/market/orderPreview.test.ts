// What a preview says of an order is what the engine's fill of it does.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkMessage } from "../../../sequencer/engine/door.ts";
import { weighOrder } from "../../../sequencer/market/orderPreview.ts";
import { type RiskInputs, reportRisk } from "../../../sequencer/market/riskReport.ts";
import {
  createMarket,
  type Market,
  NOW,
  placeOf,
  SHAPE,
  SNAPSHOT,
  send,
  signedBy,
} from "../engine/market.ts";
import { inputsOf } from "./exampleMarket.ts";

const SIZES = { unit: SHAPE.unit, tickSize: 100_000, lotsPerContract: 100 };
const FEES = { taker: 4, maker: -1 };

function holdingsOf({ state }: Market, id: number): RiskInputs {
  const { cash, positions } = state.account(id);
  const holdings = { cash, positions: [...positions] };
  return { holdings, snapshot: SNAPSHOT, series: state.series(), sizes: SIZES };
}

test("selling 10 calls at 120: premium in, fee out, margin of the short", () => {
  const book = { weights: [1, 0, 0, 0], fees: { taker: 3, maker: 0 } };
  const order = { isSell: true, price: 1200, lots: 10 };
  const preview = weighOrder(inputsOf(500e6, [0, 0, 0, 0]), book, order);
  assert.equal(preview.premium, -12e6, "received");
  assert.equal(preview.fee, 10 * 3 * 1000);
  assert.equal(preview.before.initialMargin, 0);
  assert.equal(preview.after.equity, 500e6 - 30_000, "sold at the mark");
  assert.equal(preview.after.maintenanceMargin, 40e6);
  assert.equal(preview.after.initialMargin, 50e6);
  assert.equal(preview.after.worstScenario, 10);
  assert.equal(preview.before.liquidationPrices.up, null);
  assert.ok(preview.after.liquidationPrices.up! > 30_000);
});

test("a fee is capped by an eighth of the premium", () => {
  const book = { weights: [1, 0, 0, 0], fees: { taker: 300, maker: 0 } };
  const fee = (price: number) =>
    weighOrder(inputsOf(1e9, [0, 0, 0, 0]), book, { isSell: false, price, lots: 2 }).fee;
  assert.equal(fee(16), 2 * 2 * 1000);
  assert.equal(fee(17), 2 * 3 * 1000, "rounded up");
  assert.equal(fee(1), 2 * 1000);
  assert.equal(fee(8000), 2 * 300 * 1000);
});

test("random fills leave what the preview foretold, and what it finds uncovered is refused", () => {
  const seed = 2026;
  let random = seed;
  const below = (limit: number) => {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    return Math.floor((random / 2 ** 32) * limit);
  };
  const verdicts = new Map<string, number>();
  for (let round = 0; round < 300; round++) {
    const market = createMarket([1_000_000 + below(20_000_000), 10e9], SHAPE, FEES);
    const order = placeOf({
      book: below(3),
      isSell: below(2) === 0,
      price: 40 + below(120),
      lots: 1 + below(400),
    });
    const book = market.state.book(order.book)!;
    const preview = weighOrder(holdingsOf(market, 1), book, order);
    const resting = { ...order, isSell: !order.isSell };
    const rested = send(market, 2, resting).at(-1)!;
    assert.equal("order" in rested && rested.order.outcome, "rested");
    const { risk } = market.trade;
    const context = { risk, time: NOW, openOrders: [] };
    const reject = checkMessage(market.state, signedBy(1, order), context);
    verdicts.set(reject ?? "sequenced", (verdicts.get(reject ?? "sequenced") ?? 0) + 1);
    // The account is flat: the door asks for the cover that the figures after the fill show.
    if (reject === undefined) assert.ok(preview.after.initialHeadroom >= 0, `round ${round}`);
    if (reject === "insufficientMargin") {
      assert.ok(preview.after.initialHeadroom < 0, `round ${round}`);
    }
    if (reject !== undefined) continue;
    const filled = send(market, 1, order).at(-1)!;
    assert.equal("order" in filled && filled.order.outcome, "filled");
    const fill = "order" in filled ? filled.order.fill : undefined;
    assert.equal(fill?.takerFee, preview.fee);
    const { liquidationPrices: _, ...figures } = preview.after;
    const report = reportRisk(holdingsOf(market, 1));
    for (const [name, value] of Object.entries(figures)) {
      assert.equal(Reflect.get(report, name), value, `${name} in round ${round} of seed ${seed}`);
    }
  }
  assert.ok((verdicts.get("sequenced") ?? 0) > 30, JSON.stringify([...verdicts]));
  assert.ok((verdicts.get("insufficientMargin") ?? 0) > 30, JSON.stringify([...verdicts]));
});
