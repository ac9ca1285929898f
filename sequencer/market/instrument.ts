/**
 * Instrument names: `ETH-20261225-3000-C`, `-P` for puts, `ETH-20261225-F` for forwards (calls
 * with strike 0). Expiries at 08:00 UTC are a date; others add the time, as `20261225T1630` or
 * `20261225T163007`. Strikes are decimals in USDC.
 */
import { DecimalError, formatPrice, type MarketSizes, parsePrice } from "./decimal.ts";

/** What a name tells. `expiry` in unix seconds, `strike` in ticks. */
export interface InstrumentTerms {
  readonly isCall: boolean;
  readonly strike: number;
  readonly expiry: number;
}

/** The part of `straddle/get_info` that names depend on. */
export interface NamingMarket extends MarketSizes {
  readonly underlying: string;
}

/** A name that cannot be read, or that no series bears. */
export class InstrumentError extends Error {
  override name = "InstrumentError";
}

export function instrumentName(terms: InstrumentTerms, market: NamingMarket): string {
  const expiry = expiryText(terms.expiry);
  if (terms.isCall && terms.strike === 0) return `${market.underlying}-${expiry}-F`;
  const strike = formatPrice(terms.strike, market);
  return `${market.underlying}-${expiry}-${strike}-${terms.isCall ? "C" : "P"}`;
}

/** Throws {@link InstrumentError} that says which part is wrong. */
export function parseInstrument(name: string, market: NamingMarket): InstrumentTerms {
  const parts = name.trim().toUpperCase().split("-");
  const [underlying, date = "", ...rest] = parts;
  if (underlying !== market.underlying) {
    fail(name, `it must begin with \`${market.underlying}-\``);
  }
  const expiry = parseExpiry(name, date);
  if (rest.length === 1 && rest[0] === "F") return { isCall: true, strike: 0, expiry };
  const [strikeText = "", side] = rest;
  if (rest.length !== 2 || (side !== "C" && side !== "P")) {
    fail(name, "after the expiry it needs a strike and `C` or `P`, or `F` alone");
  }
  try {
    const strike = parsePrice(strikeText, market, "strike");
    if (strike < 0) fail(name, "the strike must not be negative");
    return { isCall: side === "C", strike, expiry };
  } catch (error) {
    if (error instanceof DecimalError) fail(name, error.message);
    throw error;
  }
}

/** The series of that name, newest listing first. Names of settled series stay readable. */
export function findInstrument<S extends InstrumentTerms & { readonly generation: number }>(
  name: string,
  market: NamingMarket,
  series: readonly S[],
): S {
  const { isCall, strike, expiry } = parseInstrument(name, market);
  const fits = series.filter(
    (item) => item.isCall === isCall && item.strike === strike && item.expiry === expiry,
  );
  const [newest] = fits.sort((a, b) => b.generation - a.generation);
  if (newest !== undefined) return newest;
  const listed = series.filter((item) => item.expiry > 0);
  const some = listed.slice(0, 3).map((item) => `\`${instrumentName(item, market)}\``);
  return fail(name, some.length === 0 ? "nothing is listed" : `listed are ${some.join(", ")}, ...`);
}

const DAILY = "T080000";

/** `20261225`, or with the time where that is not 08:00 UTC. */
export function expiryText(expiry: number): string {
  const [date = "", time = ""] = new Date(expiry * 1000).toISOString().split("T");
  const day = date.replaceAll("-", "");
  const clock = `T${time.slice(0, 8).replaceAll(":", "")}`;
  if (clock === DAILY) return day;
  return day + (clock.endsWith("00") ? clock.slice(0, 5) : clock);
}

/** Inverse of {@link expiryText}; `name` is for the error. */
export function parseExpiry(name: string, text: string): number {
  const match = /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})?)?$/.exec(text);
  if (match === null) fail(name, `the expiry must be YYYYMMDD or YYYYMMDDTHHMM. Got \`${text}\``);
  const [, year, month, day, hour = "08", minute = "00", second = "00"] = match;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  // Date.parse takes 31 June for 1 July in some engines.
  if (Number.isNaN(ms) || new Date(ms).getUTCDate() !== Number(day)) {
    fail(name, `there is no such date: \`${text}\``);
  }
  return ms / 1000;
}

/** Throws {@link InstrumentError}. */
export function fail(name: string, reason: string): never {
  throw new InstrumentError(`no instrument \`${name.slice(0, 60)}\`: ${reason}.`);
}
