/** Legs with their prices, and the book in which they trade as one. */
import { comboName } from "../../market/combo.ts";
import { parseInstrument } from "../../market/instrument.ts";
import { commonPart, type PricedLeg } from "../math/strategy.ts";
import type { Ticker } from "./tickers.ts";
import type { Catalogue, Instrument } from "./venue.ts";
import type { BuiltLeg } from "./view.ts";

/** At what the legs are taken to fill. */
export type Fill = "market" | "mid" | "mark";

export interface Built {
  readonly legs: readonly PricedLeg[];
  /** Of one contract of each leg. */
  readonly prices: readonly number[];
  /** USDC that all legs cost together; below 0: received. */
  readonly cost: number;
  /** The combination's name, its legs without their common factor. */
  readonly name: string;
  readonly size: number;
  /** USDC for one of the combination, as its book counts. */
  readonly price: number;
  readonly combo: Instrument | undefined;
  /** The book is of the opposite: it is sold. */
  readonly isReversed: boolean;
}

export interface BuildOptions {
  readonly legs: readonly BuiltLeg[];
  readonly catalogue: Pick<Catalogue, "byName" | "info">;
  /** Price of the underlying. */
  readonly base: number | null;
  readonly fill: Fill;
  readonly tickerOf: (name: string) => Ticker | undefined;
}

/** Undefined while there are no legs, or the mark of one is not known. */
export function buildStrategy(options: BuildOptions): Built | undefined {
  const { legs, catalogue, base, fill, tickerOf } = options;
  const { info, byName } = catalogue;
  if (legs.length === 0 || info === undefined || base === null) return undefined;
  const priced: PricedLeg[] = [];
  const prices: number[] = [];
  for (const { instrument, weight } of legs) {
    const terms = byName.get(instrument);
    const ticker = tickerOf(instrument);
    const price = ticker === undefined ? undefined : priceOf(ticker, weight, fill);
    if (terms === undefined || ticker === undefined || price === undefined) return undefined;
    prices.push(price);
    priced.push({
      isCall: terms.option_type === "call",
      strike: terms.strike ?? 0,
      expiry: terms.expiration_timestamp,
      contracts: weight,
      volatility: ticker.mark_iv === null ? undefined : ticker.mark_iv / 100,
      forward: ticker.underlying_price ?? base,
    });
  }
  const cost = legs.reduce((sum, { weight }, at) => sum + weight * prices[at]!, 0);
  const market = marketOf(legs, { info, byName });
  const price = (market.isReversed ? -cost : cost) / market.size;
  return { legs: priced, prices, cost, price, ...market };
}

function priceOf(ticker: Ticker, weight: number, fill: Fill): number | undefined {
  const { best_bid_price: bid, best_ask_price: ask, mark_price: mark } = ticker;
  if (fill === "mid" && bid !== null && ask !== null) return (bid + ask) / 2;
  const taken = weight > 0 ? ask : bid;
  if (fill === "market" && taken !== null) return taken;
  return mark ?? undefined;
}

function marketOf(
  legs: readonly BuiltLeg[],
  { info, byName }: { info: NonNullable<Catalogue["info"]>; byName: Catalogue["byName"] },
): Pick<Built, "name" | "size" | "combo" | "isReversed"> {
  const size = commonPart(legs.map(({ weight }) => weight));
  const nameOf = (sign: 1 | -1): string =>
    comboName(
      legs.map(({ instrument, weight }) => ({
        ...parseInstrument(instrument, info),
        weight: (sign * weight) / size,
      })),
      info,
    );
  const name = nameOf(1);
  const direct = byName.get(name);
  const reversed = direct === undefined ? byName.get(nameOf(-1)) : undefined;
  const combo = direct ?? reversed;
  return {
    name,
    size,
    combo: combo?.book == null ? undefined : combo,
    isReversed: reversed !== undefined,
  };
}
