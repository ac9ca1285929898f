/** Books by name and names by book: instruments and combinations. */
import { bookName, parseCombo, weightsOfName } from "../market/combo.ts";
import {
  findInstrument,
  InstrumentError,
  instrumentName,
  type NamingMarket,
} from "../market/instrument.ts";
import type { Exchange } from "./exchange.ts";

type Books = Awaited<ReturnType<Exchange["books"]>>;
type Series = Awaited<ReturnType<Exchange["chain"]>>["series"];

/**
 * Names of the open books. Closed ones have none: what stands in their slots today may not be what
 * they were of.
 */
export function bookNames(
  books: Books,
  series: Series,
  market: NamingMarket,
): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const { book, weights, isOpen } of books) {
    const name = isOpen ? bookName(weights, series, market) : undefined;
    if (name !== undefined) names.set(book, name);
  }
  return names;
}

/**
 * The open book with the lowest id for an instrument's or combination's name, or for a number as
 * it is. Throws {@link InstrumentError}.
 */
export async function findBook(
  exchange: Pick<Exchange, "chain" | "books">,
  market: NamingMarket,
  name: string,
): Promise<number> {
  if (/^\d{1,4}$/.test(name)) return Number(name);
  const { series } = await exchange.chain();
  const legs = parseCombo(name, market);
  const [only] = legs;
  if (only !== undefined && legs.length === 1 && only.weight === 1) {
    const { book } = findInstrument(instrumentName(only, market), market, series);
    if (book !== null) return book;
  } else {
    const wanted = weightsOfName(name, series, market);
    const books = await exchange.books();
    const fits = books.find(
      ({ isOpen, weights }) => isOpen && weights.every((weight, slot) => weight === wanted[slot]),
    );
    if (fits !== undefined) return fits.book;
  }
  throw new InstrumentError(`\`${name}\` has no open book: it has expired, or none is open yet.`);
}
