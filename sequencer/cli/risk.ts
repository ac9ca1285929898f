/** `straddle risk`: the account's margin, scenario by scenario, recomputed on this machine. */
import type { Command } from "commander";
import { verifiedRisk } from "../client/risk.ts";
import { formatPrice, formatQuantity, formatUsdc } from "../market/decimal.ts";
import { type InstrumentTerms, instrumentName } from "../market/instrument.ts";
import type { LiquidationPrices } from "../market/liquidationPrice.ts";
import type { PositionProfit } from "../market/positionCost.ts";
import type { PositionGreeks, PositionRisk, RiskReport } from "../market/riskReport.ts";
import { UsageError } from "./failure.ts";
import { type Cell, dateText, facts, table } from "./output.ts";
import type { Run } from "./run.ts";
import type { Market, Session } from "./session.ts";

type Answer = Awaited<ReturnType<Session["exchange"]["risk"]>>;

export function addRiskCommand(program: Command, run: Run): void {
  program
    .command("risk")
    .description("margin and greeks, checked against the snapshot that the oracles signed")
    .argument("[account]", "another account's number (default: the wallet's)")
    .option("--changes", "every position's change in every scenario, to recompute by hand")
    .action(run(risk));
}

async function risk(
  session: Session,
  [text]: readonly string[],
  { changes = false }: { readonly changes?: boolean },
): Promise<void> {
  const market = await session.info();
  const id = text === undefined ? (await session.account()).account : accountNumber(text);
  const answer = await session.exchange.risk(id);
  const report = verifiedRisk(answer, market);
  const { account, liquidation } = answer;
  session.output.result({ account, ...report, liquidation }, () => {
    const names = slotNames(answer.series, market);
    const parts = [
      figures(answer, report, market),
      scenarioTable(report),
      ...(report.positions.length === 0 ? [] : [positionTable(report, names, market)]),
      ...(changes ? [changeTable(report, names)] : []),
      "Greeks and liquidation prices are estimates; margins are exact and depend on neither.",
    ];
    return parts.join("\n\n");
  });
}

export function accountNumber(text: string): number {
  const account = Number(text);
  if (/^\d{1,7}$/.test(text)) return account;
  throw new UsageError(`\`account\` must be an account's number. Got \`${text}\`.`);
}

/** By slot, as the chain has them; those of slots that were never listed are their numbers. */
export function slotNames(series: readonly InstrumentTerms[], market: Market): readonly string[] {
  return series.map((terms, slot) =>
    terms.expiry === 0 ? `slot ${slot}` : instrumentName(terms, market),
  );
}

function figures(
  { account, snapshot, liquidation }: Answer,
  report: RiskReport,
  market: Market,
): string {
  const { greeks, usage, underlyingPrice } = report;
  const signers = `signed by ${snapshot.signatures.length} oracles`;
  const locked = liquidation === null ? [] : lockFacts(liquidation.lockedSince);
  return facts([
    ["account", account],
    ["snapshot", `${new Date(snapshot.time).toISOString()}, ${signers}`],
    [market.underlying, underlyingPrice === null ? null : formatPrice(underlyingPrice, market)],
    ["cash", formatUsdc(report.cash)],
    ["equity", formatUsdc(report.equity)],
    ["initial margin", marginText(report.initialMargin, report.initialHeadroom)],
    ["maintenance margin", marginText(report.maintenanceMargin, report.maintenanceHeadroom)],
    ["usage", usage === null ? null : `${(usage * 100).toFixed(1)} % of equity`],
    ["liquidation price", liquidationText(report.liquidationPrices, market)],
    ["state", stateOf(report)],
    ...locked,
    ...(Object.entries(greekCells(greeks)) as [string, Cell][]),
  ]);
}

function marginText(margin: number, headroom: number): string {
  const left = headroom < 0 ? "short of it" : "left";
  return `${formatUsdc(margin)}, ${formatUsdc(Math.abs(headroom))} ${left}`;
}

export function liquidationText({ down, up }: LiquidationPrices, market: Market): string | null {
  const at = (price: number) => formatPrice(Math.round(price), market);
  const parts = [
    ...(down === null ? [] : [`about ${at(down)} or less`]),
    ...(up === null ? [] : [`about ${at(up)} or more`]),
  ];
  return parts.length === 0 ? null : parts.join(", ");
}

function stateOf({ isBelowMaintenance, isCovered }: RiskReport): string {
  if (isBelowMaintenance) return "below maintenance: it may be liquidated";
  return isCovered ? "covered" : "below initial margin: orders may only reduce risk";
}

export function lockFacts(lockedSince: number): [string, Cell][] {
  return [["locked", `for liquidation since ${dateText(lockedSince)} UTC`]];
}

function scenarioTable({ scenarios }: RiskReport): string {
  const rows = scenarios.map(({ scenario, name, pnl, initialHeadroom, maintenanceHeadroom }) => [
    scenario,
    name,
    formatUsdc(pnl),
    formatUsdc(initialHeadroom),
    formatUsdc(maintenanceHeadroom),
  ]);
  const columns = ["", "scenario", "profit", "initial headroom", "maintenance headroom"];
  return table(columns, rows, 2);
}

/** Delta in units of the underlying, the rest in USDC: for 1 USDC, a volatility point, a day. */
export function greekCells(greeks: PositionGreeks | null): Record<string, Cell> {
  return {
    delta: greeks?.delta.toFixed(3),
    gamma: greeks?.gamma.toFixed(6),
    vega: greeks?.vega.toFixed(2),
    theta: greeks?.theta.toFixed(2),
  };
}

/** A position, and what it has brought so far where that is asked for. */
export type ShownPosition = PositionRisk & { readonly profit?: PositionProfit };

/** Shared with `straddle positions`. */
export function positionTable(
  { positions }: { readonly positions: readonly ShownPosition[] },
  names: readonly string[],
  market: Market,
): string {
  const isWithProfit = positions.some(({ profit }) => profit !== undefined);
  const rows = positions.map(({ slot, lots, mark, value, markIv, greeks, profit }) => [
    names[slot],
    formatQuantity(lots, market),
    ...(isWithProfit ? [usdcCell(profit?.averagePrice)] : []),
    formatPrice(mark, market),
    formatUsdc(value),
    ...(isWithProfit ? [usdcCell(profit?.floating), usdcCell(profit?.realized)] : []),
    markIv === null ? null : `${(markIv * 100).toFixed(1)} %`,
    ...Object.values(greekCells(greeks)),
  ]);
  const [average, profits] = isWithProfit ? [["average"], ["floating", "realized"]] : [[], []];
  const columns = ["position", "quantity", ...average, "mark", "value", ...profits, "iv"];
  return table([...columns, "delta", "gamma", "vega", "theta"], rows);
}

function usdcCell(micros: number | null | undefined): Cell {
  return micros === null || micros === undefined ? null : formatUsdc(micros);
}

function changeTable({ positions, sizes }: RiskReport, names: readonly string[]): string {
  const head = ["scenario", ...positions.map(({ slot }) => names[slot] ?? `slot ${slot}`)];
  const rows = (positions[0]?.changes ?? []).map((_, scenario) => [
    scenario,
    ...positions.map(({ changes }) => changes[scenario]),
  ]);
  const formula = [
    "Changes in ticks. Profit in a scenario: the sum of lots * change, times " +
      `${formatUsdc(sizes.unit)} USDC for one lot and tick. Maintenance headroom: equity plus`,
    "profit. Initial headroom: equity plus 5/4 of the profit.",
  ];
  return [...formula, table(head, rows)].join("\n");
}
