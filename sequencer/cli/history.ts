/** `straddle history`: the account's fills with their fees, cash that moved, liquidations. */
import { type Command, InvalidArgumentError } from "commander";
import { bookNames } from "../client/bookNames.ts";
import type { Trader } from "../client/trader.ts";
import { formatPrice, formatQuantity, formatUsdc } from "../market/decimal.ts";
import { type Cell, table } from "./output.ts";
import type { Run } from "./run.ts";
import type { Market, Session } from "./session.ts";

type AccountEvent = Awaited<ReturnType<Trader["history"]>>[number];

const ROWS_MAX = 1000;

export function addHistoryCommand(program: Command, run: Run): void {
  program
    .command("history")
    .description("the account's latest fills and fees, cash movements and liquidations")
    .option("--limit <rows>", "how many", rowsOf, 20)
    .action(run(history));
}

async function history(
  session: Session,
  _args: readonly string[],
  { limit }: { readonly limit: number },
): Promise<void> {
  const market = await session.info();
  const trader = await session.trader();
  const [events, books, { series }] = await Promise.all([
    trader.history(limit),
    session.exchange.books(),
    session.exchange.chain(),
  ]);
  session.output.result(events, () => {
    if (events.length === 0) return "nothing has happened to this account lately";
    const names = bookNames(books, series, market);
    const bookOf = (book: number) => names.get(book) ?? `book ${book}`;
    const rows = events.map((event) => [
      new Date(event.update.time).toISOString().slice(0, 19).replace("T", " "),
      ...cellsOf(event, market, bookOf),
    ]);
    const columns = ["time", "what", "where", "quantity", "price", "fee", "amount"];
    return table(columns, rows, 3);
  });
}

/** What, where, quantity, price, fee, amount. */
function cellsOf(event: AccountEvent, market: Market, bookOf: (book: number) => string): Cell[] {
  if (event.type === "order") {
    const { book, isSell, fill } = event.update;
    if (fill === null) return ["order", bookOf(book)];
    const { lots, price, fee } = fill;
    const quantity = formatQuantity(lots, market);
    const numbers = [quantity, formatPrice(price, market), formatUsdc(fee)];
    return [isSell ? "sold" : "bought", bookOf(book), ...numbers, null];
  }
  if (event.type === "ledger") {
    const { operation, outcome, amount } = event.update;
    const what = outcome === "refused" ? `${operation}, refused` : operation;
    return [what, null, null, null, null, formatUsdc(amount)];
  }
  const { action, book, slot, lots, price, amount } = event.update;
  const where = book !== null ? bookOf(book) : slot === null ? null : `slot ${slot}`;
  const quantity = lots === 0 ? null : formatQuantity(lots, market);
  const at = price === null ? null : formatPrice(price, market);
  const paid = amount === 0 ? null : formatUsdc(-amount);
  return [`liquidation: ${action}`, where, quantity, at, null, paid];
}

function rowsOf(text: string): number {
  const rows = Number(text);
  if (Number.isInteger(rows) && rows >= 1 && rows <= ROWS_MAX) return rows;
  throw new InvalidArgumentError(`It must be an integer from 1 to ${ROWS_MAX}.`);
}
