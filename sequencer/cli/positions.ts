/** `straddle positions`: cash, risk, positions and open orders of the account. */
import type { Command } from "commander";
import { bookNames } from "../client/bookNames.ts";
import { ExchangeError } from "../client/rpc.ts";
import { formatPrice, formatQuantity, formatUsdc } from "../market/decimal.ts";
import type { RiskReport } from "../market/riskReport.ts";
import { type Cell, facts, table } from "./output.ts";
import { greekCells, liquidationText, lockFacts, positionTable, slotNames } from "./risk.ts";
import type { Run } from "./run.ts";
import type { AccountInfo, Market, Session } from "./session.ts";

export function addPositionsCommand(program: Command, run: Run): void {
  program
    .command("positions")
    .description("cash, margin, positions with their greeks, and open orders")
    .action(run(positions));
}

async function positions(session: Session): Promise<void> {
  const { exchange, output } = session;
  const market = await session.info();
  const account = await session.account();
  const trader = await session.trader();
  const [{ series }, books, orders, risk] = await Promise.all([
    exchange.chain(),
    exchange.books(),
    trader.orders(),
    trader.risk().catch(noSnapshot),
  ]);
  const { account: id, cash, equity, headroom, maintenance, lockedSince } = account;
  const names = slotNames(series, market);
  const held = (risk?.positions ?? []).map((item) => ({ instrument: names[item.slot], ...item }));
  const shown = { account: id, cash, equity, headroom, maintenance, lockedSince };
  output.result({ ...shown, greeks: risk?.greeks ?? null, positions: held, orders }, () => {
    const parts = [facts([...accountFacts(account), ...riskFacts(risk, market)])];
    const bookNamesById = bookNames(books, series, market);
    if (risk !== undefined && held.length > 0) parts.push(positionTable(risk, names, market));
    if (orders.length > 0) parts.push(ordersTable(orders, bookNamesById, market));
    return parts.join("\n\n");
  });
}

/** Before the first snapshot there is no risk to tell. */
function noSnapshot(error: unknown): undefined {
  if (error instanceof ExchangeError && error.reason === "notFound") return undefined;
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

function ordersTable(
  orders: readonly {
    readonly orderId: string;
    readonly book: number;
    readonly isSell: boolean;
    readonly price: number;
    readonly lots: number;
  }[],
  names: ReadonlyMap<number, string>,
  market: Market,
): string {
  const rows = orders.map(({ orderId, book, isSell, price, lots }) => [
    orderId,
    names.get(book) ?? `book ${book}`,
    isSell ? "sell" : "buy",
    formatQuantity(lots, market),
    formatPrice(price, market),
  ]);
  return table(["order", "instrument", "side", "quantity", "price"], rows, 2);
}
