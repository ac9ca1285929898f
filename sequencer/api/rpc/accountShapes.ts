/** One account in the wire's words. Pure. */
import type { z } from "zod";
import type { AccountInfo, OrderUpdate, Receipt, Wire } from "../../exchangeService.ts";
import { costIn, positionProfit } from "../../market/positionCost.ts";
import { type RiskAnswer, reportRisk } from "../../market/riskReport.ts";
import { TIME_IN_FORCE_NAMES } from "../../market/timeInForce.ts";
import type * as schemas from "./accountSchemas.ts";
import { amountOf, percentOf, priceOf, rounded, usdcOf } from "./amounts.ts";
import type { Catalogue, Instrument } from "./catalogue.ts";
import { markOf, quoteOf, settlementOf } from "./marketShapes.ts";
import type { KnownOrder } from "./orderFeed.ts";
import { wire } from "./wireValue.ts";

export type OrderShape = z.output<typeof schemas.ORDER>;
export type UserTradeShape = z.output<typeof schemas.USER_TRADE>;
export type SummaryShape = z.output<typeof schemas.ACCOUNT_SUMMARY>;

export function orderShape(order: KnownOrder, { info }: Pick<Catalogue, "info">): OrderShape {
  const { filled, turnover, timeInForce, postOnly, reason, state } = order;
  const amount = amountOf(order.lots, info);
  return {
    order_id: order.orderId,
    instrument_name: order.instrument,
    direction: order.isSell ? "sell" : "buy",
    price: priceOf(order.price, info),
    ...{ amount, contracts: amount },
    filled_amount: amountOf(filled, info),
    average_price: filled === 0 ? null : rounded((turnover / filled) * priceOf(1, info)),
    order_state: state,
    ...(state !== "open" && state !== "filled" && reason !== null && { cancel_reason: reason }),
    order_type: "limit",
    time_in_force: timeInForce === null ? null : TIME_IN_FORCE_NAMES[timeInForce],
    post_only: postOnly,
    ...(postOnly && { reject_post_only: true }),
    reduce_only: order.reduceOnly,
    label: order.label,
    commission: usdcOf(order.fees),
    creation_timestamp: order.createdAt,
    last_update_timestamp: order.updatedAt,
    ...{ api: true, replaced: false, seq: order.seq },
  };
}

/** Of an update with a fill. `order` is what is known of it, also of its end. */
export function userTradeShape(
  update: OrderUpdate,
  fill: NonNullable<OrderUpdate["fill"]>,
  { instrument, order, info }: Owner,
): UserTradeShape {
  const amount = amountOf(fill.lots, info);
  return {
    trade_id: String(fill.tradeId),
    trade_seq: fill.tradeId,
    instrument_name: instrument,
    timestamp: update.time,
    price: priceOf(fill.price, info),
    ...{ amount, contracts: amount },
    direction: update.isSell ? "sell" : "buy",
    batch_number: update.batchNumber,
    order_id: update.orderId,
    order_type: "limit",
    state: order?.state ?? "archive",
    label: order?.label ?? "",
    fee: usdcOf(fill.fee),
    fee_currency: "USDC",
    liquidity: fill.isTaker ? "T" : "M",
  };
}

interface Owner {
  readonly instrument: string;
  readonly order: Pick<KnownOrder, "state" | "label"> | undefined;
  readonly info: Catalogue["info"];
}

/** The fills of a receipt; `tradeIds` in the same order. */
export function receiptTrades(
  receipt: Receipt,
  order: KnownOrder,
  { info, tradeIds }: Pick<Catalogue, "info"> & { readonly tradeIds: readonly number[] },
): UserTradeShape[] {
  const { time, batchNumber } = receipt;
  const { orderId, account, book, isSell, seq } = order;
  return receipt.fills.map(({ price, lots, fee }, index) => {
    const fill = { tradeId: tradeIds[index] ?? 0, price, lots, isTaker: true, fee };
    const place = { orderId, account, book, isSell, price, seq, lots: 0 };
    const rest = { state: "open", reason: null, fill, time, batchNumber } as const;
    return userTradeShape({ ...place, ...rest }, fill, { ...order, order, info });
  });
}

/** JSON-safe. */
export function receiptShape(receipt: Receipt): z.output<(typeof schemas)["RECEIPT"]> {
  return wire(receipt) as z.output<(typeof schemas)["RECEIPT"]> & Wire<Receipt>;
}

type Held = Pick<AccountInfo, "positions" | "costs">;

/** What is held of an option, if anything. */
export function positionShape(
  instrument: Instrument,
  { positions, costs }: Held,
  catalogue: Catalogue,
): z.output<typeof schemas.POSITION> {
  const { info, chain } = catalogue;
  const slot = instrument.series?.slot;
  const lots = slot === undefined ? 0 : (positions[slot] ?? 0);
  const mark = markOf(instrument, catalogue);
  const value = mark === null ? null : lots * mark * info.shape.unit;
  const held = { lots, value, lotsPerContract: info.lotsPerContract };
  // Of a series that has left its slot the node no longer knows.
  const cost = slot === undefined ? UNKNOWN : costIn(costs, slot);
  const { averagePrice, floating, realized, total } = positionProfit(cost, held);
  const settled = settlementOf(instrument);
  const { markIv, greeks } = quoteOf(instrument, catalogue);
  const size = amountOf(lots, info);
  const greek = (name: "delta" | "gamma" | "vega" | "theta") =>
    greeks === null ? null : rounded(greeks[name] * size);
  const index = chain.underlyingPrice;
  return {
    instrument_name: instrument.name,
    kind: "option",
    direction: lots > 0 ? "buy" : lots < 0 ? "sell" : "zero",
    size,
    average_price: usdc(averagePrice),
    floating_profit_loss: usdc(floating),
    realized_profit_loss: usdc(realized),
    total_profit_loss: usdc(total),
    mark_price: mark === null ? null : priceOf(mark, info),
    mark_iv: percentOf(markIv),
    index_price: index === null ? null : priceOf(index, info),
    value: usdc(value),
    ...{ delta: greek("delta"), gamma: greek("gamma") },
    ...{ vega: greek("vega"), theta: greek("theta") },
    settlement_price: settled === undefined ? null : priceOf(settled, info),
  };
}

const UNKNOWN = { cost: null, realized: null };

export function positionShapes(held: Held, catalogue: Catalogue) {
  const options = [...catalogue.byName.values()].filter(({ series }) => series !== null);
  return options.flatMap((instrument) => {
    const lots = held.positions[instrument.series!.slot] ?? 0;
    return lots === 0 ? [] : [positionShape(instrument, held, catalogue)];
  });
}

function usdc(micros: number | null): number | null {
  return micros === null ? null : usdcOf(micros);
}

export function summaryShape(account: AccountInfo, catalogue: Catalogue): SummaryShape {
  const { cash, equity, headroom, maintenance, lockedSince } = account;
  const positions = positionShapes(account, catalogue);
  const sum = (name: "delta" | "gamma" | "vega" | "theta") =>
    positions.some((position) => position[name] === null)
      ? null
      : rounded(positions.reduce((total, position) => total + (position[name] ?? 0), 0));
  const delta = sum("delta");
  const isKnown = equity !== null && headroom !== null && maintenance !== null;
  return {
    currency: "USDC",
    id: account.account,
    balance: usdcOf(cash),
    ...{ equity: usdc(equity), margin_balance: usdc(equity) },
    initial_margin: isKnown ? usdcOf(equity - headroom) : null,
    maintenance_margin: isKnown ? usdcOf(equity - maintenance) : null,
    available_funds: usdc(headroom),
    available_withdrawal_funds: isKnown ? usdcOf(Math.max(0, Math.min(headroom, cash))) : null,
    options_value: equity === null ? null : usdcOf(equity - cash),
    ...{ options_delta: delta, options_gamma: sum("gamma") },
    ...{ options_vega: sum("vega"), options_theta: sum("theta"), delta_total: delta },
    ...{ portfolio_margining_enabled: true, cross_collateral_enabled: false },
    margin_model: "portfolio",
    locked_since: lockedSince,
  };
}

/** The account's risk with other positions (signed lots by slot); cash stays as it is. */
export function simulatedShape(
  answer: RiskAnswer,
  positions: readonly number[],
): z.output<typeof schemas.SIMULATED> {
  const { snapshot, series, report: before } = answer;
  const { sizes, cash } = before;
  const report = reportRisk({ holdings: { cash, positions }, snapshot, series, sizes });
  const { delta, gamma, vega, theta } = report.greeks;
  return {
    currency: "USDC",
    equity: usdcOf(report.equity),
    balance: usdcOf(cash),
    initial_margin: usdcOf(report.initialMargin),
    maintenance_margin: usdcOf(report.maintenanceMargin),
    available_funds: usdcOf(report.initialHeadroom),
    worst_scenario: report.worstScenario,
    ...{ delta: rounded(delta), gamma: rounded(gamma, 10) },
    ...{ vega: rounded(vega), theta: rounded(theta) },
    scenarios: report.scenarios.map((row) => ({
      scenario: row.scenario,
      name: row.name,
      profit_loss: usdcOf(row.pnl),
      initial_headroom: usdcOf(row.initialHeadroom),
      maintenance_headroom: usdcOf(row.maintenanceHeadroom),
    })),
  };
}

/** Signed lots by slot of the account in its risk answer. */
export function positionsOf({ report, series }: RiskAnswer): number[] {
  const positions = new Array<number>(series.length).fill(0);
  for (const { slot, lots } of report.positions) positions[slot] = lots;
  return positions;
}
