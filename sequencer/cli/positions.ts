/** `straddle positions`: cash, risk, positions and open orders of the account. */
import type { Command } from "commander";
import { formatPrice, formatQuantity, formatUsdc } from "../client/decimal.ts";
import { instrumentName } from "../client/instrument.ts";
import { facts, table } from "./output.ts";
import type { Run } from "./run.ts";
import type { Market, Session } from "./session.ts";

export function addPositionsCommand(program: Command, run: Run): void {
  program
    .command("positions")
    .description("cash, equity, positions and open orders")
    .action(run(positions));
}

async function positions(session: Session): Promise<void> {
  const { exchange, output } = session;
  const market = await session.info();
  const account = await session.account();
  const trader = await session.trader();
  const [{ series }, orders] = await Promise.all([exchange.chain(), trader.orders()]);
  const held = series.flatMap((item) => {
    const lots = account.positions[item.slot] ?? 0;
    if (lots === 0) return [];
    const value = lots * item.mark * market.shape.unit;
    return [
      {
        instrument: instrumentName(item, market),
        lots,
        mark: item.mark,
        value,
        ...risk(item, lots, market),
      },
    ];
  });
  const { account: id, cash, equity, headroom } = account;
  output.result({ account: id, cash, equity, headroom, positions: held, orders }, () => {
    const parts = [
      facts([
        ["account", id],
        ["cash", formatUsdc(cash)],
        ["equity", equity === null ? null : formatUsdc(equity)],
        ["may be withdrawn", headroom === null ? null : formatUsdc(Math.max(0, headroom))],
      ]),
    ];
    const names = new Map(series.map((item) => [item.book, instrumentName(item, market)]));
    if (held.length > 0) parts.push(heldTable(held, market));
    if (orders.length > 0) parts.push(ordersTable(orders, names, market));
    return parts.join("\n\n");
  });
}

/** Delta of the position in contracts of the underlying, where the node knows it. */
function risk(
  { delta }: { readonly delta: number | null },
  lots: number,
  { lotsPerContract }: Market,
): { readonly delta: number | null } {
  return { delta: delta === null ? null : (delta * lots) / lotsPerContract };
}

function heldTable(
  held: readonly {
    readonly instrument: string;
    readonly lots: number;
    readonly mark: number;
    readonly value: number;
    readonly delta: number | null;
  }[],
  market: Market,
): string {
  const rows = held.map(({ instrument, lots, mark, value, delta }) => [
    instrument,
    formatQuantity(lots, market),
    formatPrice(mark, market),
    formatUsdc(value),
    delta?.toFixed(3),
  ]);
  return table(["position", "quantity", "mark", "value", "delta"], rows);
}

function ordersTable(
  orders: readonly {
    readonly orderId: string;
    readonly book: number;
    readonly isSell: boolean;
    readonly price: number;
    readonly lots: number;
  }[],
  names: ReadonlyMap<number | null, string>,
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
