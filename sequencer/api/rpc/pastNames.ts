/** What books and slots were called when something happened in them: both are used again. */
import { bookName } from "../../market/combo.ts";
import { instrumentName } from "../../market/instrument.ts";
import type { Listing } from "../../market/publicBook.ts";
import type { Catalogue } from "./catalogue.ts";

/** The book's name at `time` (unix ms); undefined where the node no longer knows its series. */
export function bookNameAt(book: number, time: number, catalogue: Catalogue): string | undefined {
  const weights = catalogue.weights.get(book);
  if (weights === undefined) return undefined;
  const slots = [...weights.entries()].filter(([, weight]) => weight !== 0);
  const series = slots.flatMap(([slot]) => listedAt(slot, time, catalogue) ?? []);
  return series.length < slots.length ? undefined : bookName(weights, series, catalogue.info);
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
