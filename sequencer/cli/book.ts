/** `straddle book`: what rests in one book. */
import { type Command, InvalidArgumentError } from "commander";
import { formatPrice, formatQuantity } from "../market/decimal.ts";
import type { ImpliedPrices } from "../market/publicBook.ts";
import { table } from "./output.ts";
import type { Run } from "./run.ts";
import type { Market, Session } from "./session.ts";

const DEPTH_MAX = 100;

export function addBookCommand(program: Command, run: Run): void {
  program
    .command("book")
    .description("the resting orders of an instrument, by price")
    .argument("<instrument>", "ETH-20261225-3000-C, ETH-STRD-20261225-3000, or a number")
    .option("--depth <levels>", "levels a side", depthOf, 10)
    .action(run(book));
}

async function book(
  session: Session,
  [instrument = ""]: readonly string[],
  { depth }: { readonly depth: number },
): Promise<void> {
  const market = await session.info();
  const id = await session.bookOf(instrument);
  const answer = await session.exchange.book(id, depth);
  session.output.result(answer, () => {
    const rows = Array.from(
      { length: Math.max(answer.bids.length, answer.asks.length) },
      (_, row) => {
        const [bid, ask] = [answer.bids[row], answer.asks[row]];
        return [
          bid && formatQuantity(bid.lots, market),
          bid && formatPrice(bid.price, market),
          ask && formatPrice(ask.price, market),
          ask && formatQuantity(ask.lots, market),
        ];
      },
    );
    const state = answer.isOpen ? "" : " (closed)";
    const resting = table(["quantity", "bid", "ask", "quantity"], rows, 0);
    return [`book ${id}${state}`, resting, ...impliedText(answer.implied, market)].join("\n");
  });
}

/** What the books of the legs would give; of a plain book nothing. */
function impliedText(implied: ImpliedPrices | null, market: Market): string[] {
  if (implied === null) return [];
  const quote = (side: ImpliedPrices["bid"]) =>
    side === null
      ? "-"
      : `${formatPrice(side.price, market)} for ${formatQuantity(side.lots, market)}`;
  return [`by its legs: bid ${quote(implied.bid)}, ask ${quote(implied.ask)}`];
}

function depthOf(text: string): number {
  const depth = Number(text);
  if (Number.isInteger(depth) && depth >= 1 && depth <= DEPTH_MAX) return depth;
  throw new InvalidArgumentError(`It must be an integer from 1 to ${DEPTH_MAX}.`);
}
