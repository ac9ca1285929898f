/** What books and slots were called when something happened in them: both are used again. */
import { comboName } from "../../market/combo.ts";
import { instrumentName } from "../../market/instrument.ts";
import type { Listing } from "../../market/publicBook.ts";
import type { Catalogue, Instrument } from "./catalogue.ts";
import type { KnownOrder } from "./orderFeed.ts";

/**
 * The book's name at `time` (unix ms); undefined where the node no longer knows what it was opened
 * for, or one of the series.
 */
export function bookNameAt(book: number, time: number, catalogue: Catalogue): string | undefined {
  const opening = catalogue.openings
    .get(book)
    ?.findLast(({ since, until }) => since <= time && (until === null || time < until));
  if (opening === undefined) return undefined;
  const legs = opening.legs.flatMap(({ slot, weight, generation }) => {
    const listing = catalogue.listings.findLast(
      (item) => item.slot === slot && item.generation === generation,
    );
    return listing === undefined ? [] : [{ ...listing, weight }];
  });
  return legs.length < opening.legs.length ? undefined : comboName(legs, catalogue.info);
}

/**
 * What is traded in the book at `time` (unix ms). Undefined where that was not read yet: what had
 * expired by then is not traded, so the id has been opened again.
 */
export function tradedAt(
  book: number,
  time: number,
  { byBook }: Pick<Catalogue, "byBook">,
): Instrument | undefined {
  const instrument = byBook.get(book);
  return instrument !== undefined && time < instrument.expiry * 1000 ? instrument : undefined;
}

/** The order with its instrument's name, also where that was not read yet when it came. */
export function namedOrder(order: KnownOrder, catalogue: Catalogue): KnownOrder {
  if (order.instrument !== "") return order;
  // A batch that opens a book ends what rested in it: that was of the book of before.
  const instrument = bookNameAt(order.book, order.createdAt - 1, catalogue) ?? "";
  return { ...order, instrument };
}

/** Of the series that the slot held at `time`. */
export function seriesNameAt(slot: number, time: number, catalogue: Catalogue): string | undefined {
  const listing = listedAt(slot, time, catalogue);
  return listing && instrumentName(listing, catalogue.info);
}

/** Until another takes its place a series stays in its slot, past its expiry. */
function listedAt(slot: number, time: number, { listings }: Catalogue): Listing | undefined {
  return listings.findLast((item) => item.slot === slot && (item.listedAt ?? 0) <= time);
}
