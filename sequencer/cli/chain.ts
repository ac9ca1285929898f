/** `straddle chain`: every listed series, by expiry and strike, calls beside puts. */
import type { Command } from "commander";
import { bookNames } from "../client/bookNames.ts";
import type { Exchange } from "../client/exchange.ts";
import { formatPrice } from "../market/decimal.ts";
import { instrumentName } from "../market/instrument.ts";
import { UsageError } from "./failure.ts";
import { type Cell, dateText, table } from "./output.ts";
import type { Run } from "./run.ts";
import type { Market, Session } from "./session.ts";
import { show } from "./watch.ts";

type Series = Awaited<ReturnType<Exchange["chain"]>>["series"][number];
type Book = Awaited<ReturnType<Exchange["books"]>>[number];

export function addChainCommand(program: Command, run: Run): void {
  program
    .command("chain")
    .description("the option chain: bids, asks, marks and volatilities")
    .option("--expiry <date>", "one expiry only: YYYYMMDD, or as in the instruments' names")
    .option("--all", "settled series too")
    .option("--watch", "show it again with each snapshot, until interrupted")
    .action(run(chain));
}

interface ChainOptions {
  readonly expiry?: string;
  readonly all?: boolean;
  readonly watch?: boolean;
}

async function chain(
  session: Session,
  _args: readonly string[],
  options: ChainOptions,
): Promise<void> {
  const market = await session.info();
  const { rpc } = session.exchange;
  await show(session, options.watch === true, {
    read: () => readChain(session, market, options),
    people: ({ underlying, underlyingPrice, series, combos }) => {
      const price = underlyingPrice === null ? "-" : formatPrice(underlyingPrice, market);
      const listed = combos.length === 0 ? [] : [comboTable(combos, market)];
      return [`${underlying} ${price}`, ...expiries(series, market), ...listed].join("\n\n");
    },
    follow: (touch) =>
      rpc.subscribe(`markprice.options.${market.underlying.toLowerCase()}_usdc`, touch),
  });
}

async function readChain({ exchange }: Session, market: Market, options: ChainOptions) {
  const answer = await exchange.chain();
  const shown = answer.series
    .filter(({ status }) => status === "listed" || (options.all === true && status !== "empty"))
    .map((item) => ({ name: instrumentName(item, market), ...item }));
  const wanted = shown.filter(
    ({ name }) => options.expiry === undefined || expiryOf(name) === options.expiry,
  );
  if (wanted.length === 0 && options.expiry !== undefined) {
    const known = [...new Set(shown.map(({ name }) => expiryOf(name)))];
    throw new UsageError(
      `no series expires on \`${options.expiry}\`. There are: ${known.join(" ")}`,
    );
  }
  const { underlying, underlyingPrice, snapshotTime } = answer;
  const combos = combosOf(await exchange.books(), answer.series, market, options.expiry);
  return { underlying, underlyingPrice, snapshotTime, series: wanted, combos };
}

interface Combo extends Book {
  readonly name: string;
}

/** Open books that are not of one series alone. */
function combosOf(
  books: readonly Book[],
  series: readonly Series[],
  market: Market,
  expiry: string | undefined,
): Combo[] {
  const names = bookNames(books, series, market);
  return books.flatMap((book) => {
    const name = names.get(book.book);
    if (name === undefined || book.plainSlot !== null) return [];
    return expiry === undefined || name.includes(expiry) ? [{ name, ...book }] : [];
  });
}

function comboTable(combos: readonly Combo[], market: Market): string {
  const price = (quote: { readonly price: number } | null | undefined) =>
    quote ? formatPrice(quote.price, market) : null;
  const rows = combos.map(({ name, bestBid, bestAsk, implied, fees }) => [
    name,
    price(bestBid),
    price(bestAsk),
    price(implied?.bid),
    price(implied?.ask),
    `${formatPrice(fees.taker, market)} / ${formatPrice(fees.maker, market)}`,
  ]);
  const columns = ["combination", "bid", "ask", "bid by legs", "ask by legs", "taker / maker fee"];
  return table(columns, rows);
}

function expiryOf(name: string): string {
  return name.split("-")[1] ?? "";
}

function expiries(series: readonly Series[], market: Market): string[] {
  const dates = [...new Set(series.map(({ expiry }) => expiry))].sort((a, b) => a - b);
  return dates.map((expiry) => {
    const here = series.filter((item) => item.expiry === expiry);
    const strikes = [...new Set(here.map(({ strike }) => strike))].sort((a, b) => a - b);
    const rows = strikes.map((strike) => {
      const find = (isCall: boolean) =>
        here.find((item) => item.strike === strike && item.isCall === isCall);
      return [
        ...quotes(find(true), market),
        strike === 0 ? "forward" : formatPrice(strike, market),
        ...quotes(find(false), market),
      ];
    });
    const head = ["bid", "ask", "mark", "iv"];
    const columns = [...head.map((name) => `C ${name}`), "strike", ...head.map((n) => `P ${n}`)];
    return `${dateText(expiry)} UTC\n${table(columns, rows, 0)}`;
  });
}

function quotes(series: Series | undefined, market: Market): Cell[] {
  if (series === undefined) return [null, null, null, null];
  const price = (ticks: number | undefined) =>
    ticks === undefined ? null : formatPrice(ticks, market);
  const iv = series.markIv === null ? null : `${(series.markIv * 100).toFixed(1)} %`;
  return [price(series.bestBid?.price), price(series.bestAsk?.price), price(series.mark), iv];
}
