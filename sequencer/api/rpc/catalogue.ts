/** Instruments by name and by book, past ones included, and the marks that go with them. */
import type { ExchangeService, Info } from "../../exchangeService.ts";
import { bookName } from "../../market/combo.ts";
import { instrumentName } from "../../market/instrument.ts";
import { forwardsOf } from "../../market/optionQuotes.ts";
import type {
  BookOpening,
  BookSummary,
  ChainInfo,
  Listing,
  SeriesInfo,
} from "../../market/publicBook.ts";
import type { Clock } from "../../ports.ts";
import { RpcError } from "./errorTable.ts";

export interface Instrument {
  readonly name: string;
  readonly kind: "option" | "option_combo";
  /** Of the first leg that expires, unix seconds. */
  readonly expiry: number;
  /** Null: no book is open under this name. */
  readonly book: number | null;
  /** Null for a past series. */
  readonly summary: BookSummary | null;
  /** Slot and weight of each leg; a past series has none. */
  readonly legs: readonly (readonly [slot: number, weight: number])[];
  /** Of an option: its series while the slot has it, and its listing. */
  readonly series: SeriesInfo | null;
  readonly listing: Listing | null;
}

/** One reading of the market; it is not changed later. */
export interface Catalogue {
  readonly info: Info;
  readonly chain: ChainInfo;
  /** Forwards in ticks by expiry. */
  readonly forwards: ReadonlyMap<number, number>;
  readonly byName: ReadonlyMap<string, Instrument>;
  readonly byBook: ReadonlyMap<number, Instrument>;
  /** Past and present, oldest first; and what each book's id has meant, likewise. */
  readonly listings: readonly Listing[];
  readonly openings: ReadonlyMap<number, readonly BookOpening[]>;
  readonly readAt: number;
}

export interface CatalogueSource {
  /** At most `AGE_MS` old. */
  current(): Promise<Catalogue>;
  /** Something was listed, opened or settled: begins a reading after whatever is under way. */
  refresh(): Promise<Catalogue>;
  /** What was read last; undefined before the first reading. */
  latest(): Catalogue | undefined;
  /** Throws {@link RpcError}. An unknown name makes it read again. */
  find(name: string): Promise<Instrument>;
}

/** Within this listings, marks and open interest may lag. */
const AGE_MS = 250;
/** How often unknown names may make it read again. */
const RETRY_MS = 50;

export function createCatalogueSource(
  service: ExchangeService,
  clock: Clock,
  onRead: (catalogue: Catalogue) => void = () => undefined,
): CatalogueSource {
  let known: Catalogue | undefined;
  let reading: Promise<Catalogue> | undefined;
  const read = (): Promise<Catalogue> => {
    reading ??= readCatalogue(service, clock)
      .then((catalogue) => {
        known = catalogue;
        onRead(catalogue);
        return catalogue;
      })
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
  const youngerThan = async (ageMs: number): Promise<Catalogue> => {
    const age = known === undefined ? Number.POSITIVE_INFINITY : clock.now() - known.readAt;
    return known !== undefined && age >= 0 && age < ageMs ? known : read();
  };
  return {
    current: () => youngerThan(AGE_MS),
    refresh: () => (reading === undefined ? read() : reading.then(read)),
    latest: () => known,
    async find(name) {
      const text = name.trim().toUpperCase();
      const found =
        (await youngerThan(AGE_MS)).byName.get(text) ??
        (await youngerThan(RETRY_MS)).byName.get(text);
      if (found !== undefined) return found;
      const param = "instrument_name";
      const message = `no such instrument: \`${name.slice(0, 80)}\`.`;
      throw new RpcError("invalid_or_unsupported_instrument", message, { param });
    },
  };
}

async function readCatalogue(service: ExchangeService, clock: Clock): Promise<Catalogue> {
  const readAt = clock.now();
  const [info, chain, books, listings, opened] = await Promise.all([
    ...([service.info(), service.chain(), service.books()] as const),
    ...([service.listings(), service.bookOpenings()] as const),
  ]);
  const byName = new Map<string, Instrument>();
  for (const listing of listings) {
    const name = nameOf(listing, info);
    byName.set(name, { ...PAST, name, expiry: listing.expiry, listing });
  }
  addSeries({ info, chain, books, listings }, byName);
  const byBook = new Map<number, Instrument>();
  for (const summary of books) {
    const instrument = instrumentOf(summary, { info, chain, byName });
    if (instrument === undefined) continue;
    byBook.set(summary.book, instrument);
    if (instrument.kind === "option_combo" && summary.isOpen)
      byName.set(instrument.name, instrument);
  }
  const forwards = forwardsOf(chain.series);
  const openings = openingsOf(opened);
  return { info, chain, forwards, byName, byBook, listings, openings, readAt };
}

function openingsOf(all: readonly BookOpening[]): Map<number, BookOpening[]> {
  const openings = new Map<number, BookOpening[]>();
  for (const opening of all) {
    const own = openings.get(opening.book);
    if (own === undefined) openings.set(opening.book, [opening]);
    else own.push(opening);
  }
  return openings;
}

/** Past listings are the same objects each time, and there are many. */
const names = new WeakMap<Listing, string>();

function nameOf(listing: Listing, info: Info): string {
  const known = names.get(listing) ?? instrumentName(listing, info);
  names.set(listing, known);
  return known;
}

const PAST: Pick<Instrument, "kind" | "book" | "summary" | "legs" | "series"> = {
  ...{ kind: "option", book: null, summary: null, legs: [], series: null },
};

interface Read {
  readonly info: Info;
  readonly chain: ChainInfo;
  readonly books: readonly BookSummary[];
  readonly listings: readonly Listing[];
}

/** The series that the slots hold now; where two bear one name, the one that still trades. */
function addSeries(read: Read, byName: Map<string, Instrument>): void {
  const { info, chain, books, listings } = read;
  const listingOf = new Map(listings.map((item) => [`${item.slot}:${item.generation}`, item]));
  const present = chain.series.filter(({ status }) => status !== "empty");
  const rank = ({ book }: SeriesInfo) => (book === null ? 0 : 1);
  for (const series of present.sort((a, b) => rank(a) - rank(b))) {
    const { slot, generation, book, expiry } = series;
    const name = instrumentName(series, info);
    const summary = books.find((item) => item.book === book) ?? null;
    const listing = listingOf.get(`${slot}:${generation}`) ?? null;
    const legs = [[slot, 1]] as const;
    byName.set(name, { name, kind: "option", expiry, book, summary, legs, series, listing });
  }
}

/** Undefined: what its slots hold today is not what they held when it was opened. */
function instrumentOf(
  summary: BookSummary,
  { info, chain, byName }: Pick<Catalogue, "info" | "chain" | "byName">,
): Instrument | undefined {
  const { weights, generation, book } = summary;
  const today = weights.reduce(
    (sum, weight, slot) => sum + weight ** 2 * (chain.series[slot]?.generation ?? 0),
    0,
  );
  const name = today === generation ? bookName(weights, chain.series, info) : undefined;
  if (name === undefined) return undefined;
  if (summary.plainSlot !== null) return byName.get(name);
  const legs = [...weights.entries()].filter(([, weight]) => weight !== 0);
  const expiry = Math.min(...legs.map(([slot]) => chain.series[slot]!.expiry));
  return {
    ...{ name, kind: "option_combo", expiry, book, summary, legs },
    ...{ series: null, listing: null },
  };
}
