/**
 * Where an oracle's view of the market comes from. A feed is one source and is not trusted: its
 * numbers are doubles of any kind, which `consensus.ts` and `cleanQuotes.ts` check before anything
 * is made of them.
 */
import type { SeriesStatus } from "../protocol/constants.ts";
import type { Series } from "../protocol/state.ts";

/** A slot as an oracle sees it; `strike` in ticks, `expiry` in unix seconds. */
export interface SeriesTerms extends Pick<Series, "isCall" | "strike" | "expiry"> {
  /** What is announced is listed once a snapshot prices it: it should have a price, not must. */
  readonly status: SeriesStatus | "announced";
}

/**
 * What a source says of one option. `strike` in ticks, `expiry` in unix seconds; `ivBps` the
 * implied volatility for a 365-day year in 1/10,000; `bid` and `ask` in ticks, undiscounted.
 */
export interface Quote {
  readonly isCall: boolean;
  readonly strike: number;
  readonly expiry: number;
  readonly ivBps?: number | undefined;
  readonly bid?: number | undefined;
  readonly ask?: number | undefined;
}

/**
 * A source's market at `time` (unix ms), the time of the data and not of its arrival. Prices in
 * ticks, forwards by expiry (unix seconds).
 */
export interface Market {
  readonly time: number;
  readonly indexTicks?: number | undefined;
  readonly forwardTicks: ReadonlyMap<number, number>;
  readonly quotes: readonly Quote[];
}

/** The index at a time (unix ms), in ticks; not necessarily a whole number of them. */
export interface IndexSample {
  readonly time: number;
  readonly ticks: number;
}

export interface Feed {
  /** For messages; unique among the feeds of an oracle. */
  readonly name: string;
  /** `table`: the slots to speak about, since listings change while a feed runs. */
  read(nowMs: number, table: readonly SeriesTerms[]): Promise<Market> | Market;
  /** The index of the past, where the source keeps it: ascending, from `fromMs` to `toMs`. */
  history?(fromMs: number, toMs: number): readonly IndexSample[];
}

/** Whether a listed series has reached its expiry; the engine stops trading it at that second. */
export function isExpired(terms: Pick<SeriesTerms, "expiry">, nowMs: number): boolean {
  return terms.expiry * 1000 <= nowMs;
}

/** Whether the slot should have a price. */
export function isQuotable({ status }: Pick<SeriesTerms, "status">): boolean {
  return status === "listed" || status === "announced";
}

/** The table with what is about to be listed in its free slots. */
export function withAnnounced(
  series: readonly SeriesTerms[],
  announced: readonly (Omit<SeriesTerms, "status"> & { readonly slot: number })[],
): SeriesTerms[] {
  const table = [...series];
  for (const { slot, isCall, strike, expiry } of announced) {
    const isFree = slot < table.length && table[slot]?.status !== "listed";
    if (isFree) table[slot] = { status: "announced", isCall, strike, expiry };
  }
  return table;
}

/** Expiries of the listed series, ascending, each once. */
export function listedExpiries(table: readonly SeriesTerms[]): number[] {
  return expiriesOf(table.filter(({ status }) => status === "listed"));
}

/** Expiries of the listed series and of those that are announced, ascending, each once. */
export function quotableExpiries(table: readonly SeriesTerms[]): number[] {
  return expiriesOf(table.filter(isQuotable));
}

function expiriesOf(series: readonly SeriesTerms[]): number[] {
  return [...new Set(series.map(({ expiry }) => expiry))].sort((a, b) => a - b);
}

/** What a feed must know to answer; times in unix ms, expiries in unix seconds. */
export interface MarketModel {
  index(nowMs: number): number;
  forward(expiry: number, nowMs: number): number;
  /** Implied volatility in 1/10,000. */
  iv(terms: Pick<Quote, "isCall" | "strike" | "expiry">, nowMs: number): number;
  /** Options quoted besides those of the table, so that there are enough for a smile. */
  strikes?(expiry: number, nowMs: number): readonly number[];
}

/** The market of a table by a model: options with a strike of each expiry that has not passed. */
export function readModel(
  model: MarketModel,
  nowMs: number,
  table: readonly SeriesTerms[],
): Market {
  const forwardTicks = new Map<number, number>();
  const quotes = new Map<string, Quote>();
  const add = (quote: Pick<Quote, "isCall" | "strike" | "expiry">): void => {
    const { isCall, strike, expiry } = quote;
    const key = `${expiry} ${strike} ${isCall}`;
    if (quotes.has(key)) return;
    quotes.set(key, { isCall, strike, expiry, ivBps: model.iv(quote, nowMs) });
  };
  for (const terms of table) {
    if (!isQuotable(terms) || isExpired(terms, nowMs)) continue;
    const { expiry } = terms;
    if (!forwardTicks.has(expiry)) {
      forwardTicks.set(expiry, model.forward(expiry, nowMs));
      for (const strike of model.strikes?.(expiry, nowMs) ?? []) {
        for (const isCall of [true, false]) add({ isCall, strike, expiry });
      }
    }
    if (terms.strike > 0) add(terms);
  }
  const indexTicks = model.index(nowMs);
  return { time: nowMs, indexTicks, forwardTicks, quotes: [...quotes.values()] };
}
