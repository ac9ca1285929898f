/** `straddle book`: what rests in one book. */
import { type Command, InvalidArgumentError } from "commander";
import { formatPrice, formatQuantity } from "../client/decimal.ts";
import { table } from "./output.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";

const DEPTH_MAX = 100;

export function addBookCommand(program: Command, run: Run): void {
  program
    .command("book")
    .description("the resting orders of an instrument, by price")
    .argument("<instrument>", "name such as ETH-20261225-3000-C, or a book's number")
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
    return `book ${id}${state}\n${table(["quantity", "bid", "ask", "quantity"], rows, 0)}`;
  });
}

function depthOf(text: string): number {
  const depth = Number(text);
  if (Number.isInteger(depth) && depth >= 1 && depth <= DEPTH_MAX) return depth;
  throw new InvalidArgumentError(`It must be an integer from 1 to ${DEPTH_MAX}.`);
}
