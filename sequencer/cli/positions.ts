/** `straddle positions`: cash, risk, positions and open orders of the account. */
import type { Command } from "commander";
import { ExchangeError } from "../client/rpcErrors.ts";
import type { Trader } from "../client/trader.ts";
import { formatUsdc } from "../market/decimal.ts";
import { costIn, positionProfit } from "../market/positionCost.ts";
import type { RiskReport } from "../market/riskReport.ts";
import { followAccount, ordersTable } from "./orders.ts";
import { type Cell, facts } from "./output.ts";
import { greekCells, liquidationText, lockFacts, positionTable, slotNames } from "./risk.ts";
import type { Run } from "./run.ts";
import type { AccountInfo, Market, Session } from "./session.ts";
import { show } from "./watch.ts";

const POSITIONS_HELP = `
Average prices and profits are without fees; a combination's price is shared out over its legs by
their marks. Floating is of the open lots at the mark, realized of what was closed, taken over or
paid out since the series was listed. A dash: the node does not know it.`;

export function addPositionsCommand(program: Command, run: Run): void {
  program
    .command("positions")
    .description("cash, margin, positions with average prices, profits and greeks, and open orders")
    .option("--watch", "show them again with each change, until interrupted")
    .addHelpText("after", POSITIONS_HELP)
    .action(run(positions));
}

async function positions(
  session: Session,
  _args: readonly string[],
  { watch = false }: { readonly watch?: boolean },
): Promise<void> {
  const market = await session.info();
  const trader = await session.trader();
  await show(session, watch, {
    read: () => readPositions(session, trader, market),
    people: ({ account, names, risk, positions, orders }) => {
      const parts = [facts([...accountFacts(account), ...riskFacts(risk, market)])];
      if (risk !== undefined && risk.positions.length > 0) {
        parts.push(positionTable({ positions }, names, market));
      }
      if (orders.length > 0) parts.push(ordersTable(orders));
      return parts.join("\n\n");
    },
    follow: (touch) => followAccount(trader, touch),
  });
}

async function readPositions(session: Session, trader: Trader, market: Market) {
  const [{ series }, account, orders, risk] = await Promise.all([
    session.exchange.chain(),
    session.account(),
    trader.openOrders(),
    trader.risk().catch(noSnapshot),
  ]);
  const { account: id, cash, equity, headroom, maintenance, lockedSince } = account;
  const names = slotNames(series, market);
  const { lotsPerContract } = market;
  const shown = (risk?.positions ?? []).map((item) => {
    const { slot, lots, value } = item;
    const profit = positionProfit(costIn(account.costs, slot), { lots, value, lotsPerContract });
    return { ...item, profit };
  });
  const held = shown.map((item) => ({ instrument: names[item.slot], ...item }));
  const greeks = risk?.greeks ?? null;
  const figures = { account: id, cash, equity, headroom, maintenance, lockedSince };
  // What programs are given, and what the tables are made of.
  return {
    toJSON: () => ({ ...figures, greeks, positions: held, orders }),
    account,
    names,
    risk,
    positions: shown,
    orders,
  };
}

/** Before the first snapshot there is no risk to tell. */
function noSnapshot(error: unknown): undefined {
  if (error instanceof ExchangeError && error.reason === "not_found") return undefined;
  throw error;
}

function accountFacts(account: AccountInfo): [string, Cell][] {
  const { account: id, cash, equity, headroom, lockedSince } = account;
  // Profits that are not in cash yet cannot leave, so cash bounds it too.
  const free = headroom === null ? null : formatUsdc(Math.max(0, Math.min(cash, headroom)));
  return [
    ["account", id],
    ["cash", formatUsdc(cash)],
    ["equity", equity === null ? null : formatUsdc(equity)],
    ["may be withdrawn", free],
    ...(lockedSince === null ? [] : lockFacts(lockedSince)),
  ];
}

function riskFacts(risk: RiskReport | undefined, market: Market): [string, Cell][] {
  if (risk === undefined || risk.positions.length === 0) return [];
  const { usage, maintenanceMargin, liquidationPrices, greeks } = risk;
  const part = usage === null ? "" : `, ${(usage * 100).toFixed(1)} % of equity`;
  return [
    ["initial margin", formatUsdc(risk.initialMargin)],
    ["maintenance margin", `${formatUsdc(maintenanceMargin)}${part}`],
    ["liquidation price", liquidationText(liquidationPrices, market)],
    ...Object.entries(greekCells(greeks)),
  ];
}
