/** `straddle history`: what moved the account's cash, from fills to liquidations. */
import { type Command, InvalidArgumentError } from "commander";
import type { Trader } from "../client/trader.ts";
import { UsageError } from "./failure.ts";
import { type Cell, table } from "./output.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";

type Row = Awaited<ReturnType<Trader["transactions"]>>[number];

const ROWS_MAX = 1000;
const COLUMNS = ["time", "type", "instrument", "quantity", "price", "fee", "change", "balance"];

export function addHistoryCommand(program: Command, run: Run): void {
  program
    .command("history")
    .description("what moved the account's cash lately, fills with their fees included")
    .option("--limit <rows>", "how many", rowsOf, 20)
    .option("--csv", "comma-separated values with a head line, for a spreadsheet")
    .action(run(history));
}

async function history(
  session: Session,
  _args: readonly string[],
  { limit, csv = false }: { readonly limit: number; readonly csv?: boolean },
): Promise<void> {
  const { output, options } = session;
  if (csv && options.json === true)
    throw new UsageError("`--csv` and `--json` exclude each other.");
  const rows = await (await session.trader()).transactions(limit);
  output.result(rows, () => {
    if (csv) return [COLUMNS, ...rows.map(cellsOf)].map(csvLine).join("\n");
    if (rows.length === 0) return "nothing has happened to this account lately";
    return table(COLUMNS, rows.map(cellsOf), 3);
  });
}

function cellsOf(row: Row): Cell[] {
  const time = new Date(row.timestamp).toISOString().slice(0, 19).replace("T", " ");
  const { type, instrument_name, amount, price, commission, change, balance } = row;
  return [time, type, instrument_name, amount, price, commission, change, balance];
}

/** RFC 4180. A text that a spreadsheet would compute is made one that it only shows. */
export function csvLine(cells: readonly Cell[]): string {
  return cells
    .map((cell) => {
      const text = String(cell ?? "");
      const safe = typeof cell === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
      return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
    })
    .join(",");
}

function rowsOf(text: string): number {
  const rows = Number(text);
  if (Number.isInteger(rows) && rows >= 1 && rows <= ROWS_MAX) return rows;
  throw new InvalidArgumentError(`It must be an integer from 1 to ${ROWS_MAX}.`);
}
