/** `straddle book`: what rests in one book. */
import { type Command, InvalidArgumentError } from "commander";
import { bookNames } from "../client/bookNames.ts";
import { openLocalBook } from "../client/localBook.ts";
import type { Result } from "../client/rpcConnection.ts";
import { UsageError } from "./failure.ts";
import { type Cell, table } from "./output.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";
import { show } from "./watch.ts";

const DEPTH_MAX = 100;

export function addBookCommand(program: Command, run: Run): void {
  program
    .command("book")
    .description("the resting orders of an instrument, by price")
    .argument("<instrument>", "ETH-20261225-3000-C, ETH-STRD-20261225-3000, or a number")
    .option("--depth <levels>", "levels a side", depthOf, 10)
    .option("--watch", "show it again with each change, until interrupted")
    .action(run(book));
}

interface BookOptions {
  readonly depth: number;
  readonly watch?: boolean;
}

async function book(
  session: Session,
  [instrument = ""]: readonly string[],
  { depth, watch = false }: BookOptions,
): Promise<void> {
  const { rpc } = session.exchange;
  const { id, name } = await namedBook(session, instrument);
  await show(session, watch, {
    read: () => rpc.call("public/get_order_book", { instrument_name: name, depth }),
    people: (answer) => bookText(id, answer),
    async follow(touch) {
      const local = await openLocalBook(rpc, { instrument: name });
      local.on("update", touch);
      return local.stop;
    },
  });
}

/** As the API calls it, whatever order its legs were named in. */
async function namedBook(session: Session, instrument: string) {
  const market = await session.info();
  const id = await session.bookOf(instrument);
  const [books, { series }] = await Promise.all([
    session.exchange.books(),
    session.exchange.chain(),
  ]);
  const name = bookNames(books, series, market).get(id);
  if (name === undefined) throw new UsageError(`no such open book: \`${instrument}\`.`);
  return { id, name };
}

type Answer = Result<"public/get_order_book">;

function bookText(id: number, answer: Answer): string {
  const { bids, asks } = answer;
  const rows = Array.from({ length: Math.max(bids.length, asks.length) }, (_, row): Cell[] => {
    const [[bid, bidAmount] = [], [ask, askAmount] = []] = [bids[row], asks[row]];
    return [bidAmount, bid, ask, askAmount];
  });
  const resting = table(["quantity", "bid", "ask", "quantity"], rows, 0);
  const head = `book ${id}, ${answer.instrument_name}, mark ${answer.mark_price ?? "-"}`;
  return [head, resting, ...impliedText(answer.implied)].join("\n");
}

/** What the books of the legs would give; of a plain book nothing. */
function impliedText(implied: Answer["implied"]): string[] {
  if (implied === undefined) return [];
  const quote = (price: number | null, amount: number) =>
    price === null ? "-" : `${price} for ${amount}`;
  const { bid_price, bid_amount, ask_price, ask_amount } = implied;
  return [`by its legs: bid ${quote(bid_price, bid_amount)}, ask ${quote(ask_price, ask_amount)}`];
}

function depthOf(text: string): number {
  const depth = Number(text);
  if (Number.isInteger(depth) && depth >= 1 && depth <= DEPTH_MAX) return depth;
  throw new InvalidArgumentError(`It must be an integer from 1 to ${DEPTH_MAX}.`);
}
