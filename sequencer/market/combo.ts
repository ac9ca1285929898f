/**
 * Names of books with weights, after Deribit's combos (`BTC-CS-31MAR23-100000_200000`,
 * `BTC-PCAL-28AUG26_31JUL26-62000`, `BTC-ICOND-16JUL26-63000_63500_65500_66000`), with this
 * market's dates: `ETH-CS-20261225-3000_3200`. Legs have one name, and a name one list of legs;
 * legs are terms, so that where two slots have the same terms a name means the newest listing.
 * Buying the book buys what this table says; where two expiries or strikes make a pair, the first
 * is bought and the second sold.
 *
 * | name | legs |
 * | --- | --- |
 * | `CS`, `PS` | `expiry-strike_strike`: a vertical spread of calls or puts |
 * | `CCAL`, `PCAL`, `FS` | `expiry_expiry-strike`: a calendar; of forwards without strike |
 * | `CDIAG`, `PDIAG` | `expiry_expiry-strike_strike` |
 * | `RR` | buys the call of the higher strike, sells the put of the lower |
 * | `STRD`, `STRG`, `GUTS` | buys put and call: of one strike; put below call; call below put |
 * | `CBUT`, `PBUT` | ascending strikes +1 -2 +1 |
 * | `CCOND`, `PCOND` | ascending strikes +1 -1 -1 +1 |
 * | `IBUT`, `ICOND` | ascending: put +1 -1, call -1 +1; the iron butterfly's middle is one strike |
 * | `CUSTOM` | `expiry-strike-C:weight`, joined by `_`: everything else, ratios too |
 */
import { WEIGHT_BITS, WEIGHT_OFFSET } from "../protocol/constants.ts";
import { formatPrice } from "./decimal.ts";
import {
  expiryText,
  fail,
  findInstrument,
  type InstrumentTerms,
  instrumentName,
  type NamingMarket,
  parseExpiry,
  parseInstrument,
} from "./instrument.ts";

export interface ComboLeg extends InstrumentTerms {
  readonly weight: number;
}

type Side = "C" | "P";

/** Legs by ascending strike, puts before calls: side and weight. One expiry. */
const LADDERS: Readonly<Record<string, readonly (readonly [Side, number])[]>> = {
  STRD: [
    ["P", 1],
    ["C", 1],
  ],
  STRG: [
    ["P", 1],
    ["C", 1],
  ],
  GUTS: [
    ["C", 1],
    ["P", 1],
  ],
  RR: [
    ["P", -1],
    ["C", 1],
  ],
  CBUT: [
    ["C", 1],
    ["C", -2],
    ["C", 1],
  ],
  PBUT: [
    ["P", 1],
    ["P", -2],
    ["P", 1],
  ],
  CCOND: [
    ["C", 1],
    ["C", -1],
    ["C", -1],
    ["C", 1],
  ],
  PCOND: [
    ["P", 1],
    ["P", -1],
    ["P", -1],
    ["P", 1],
  ],
  IBUT: [
    ["P", 1],
    ["P", -1],
    ["C", -1],
    ["C", 1],
  ],
  ICOND: [
    ["P", 1],
    ["P", -1],
    ["C", -1],
    ["C", 1],
  ],
};

/** Which neighbours in a ladder share their strike: the second of them. */
const SHARED: Readonly<Record<string, number>> = { STRD: 1, IBUT: 2 };

const PAIRS = ["CS", "PS", "CCAL", "PCAL", "CDIAG", "PDIAG", "FS"] as const;

/** The legs in their canonical order, which `CUSTOM` names have. */
export function sortLegs(legs: readonly ComboLeg[]): ComboLeg[] {
  return [...legs].sort(
    (a, b) => a.expiry - b.expiry || a.strike - b.strike || Number(a.isCall) - Number(b.isCall),
  );
}

/** One leg of weight 1 has its instrument's name. Legs differ in their terms; none weighs 0. */
export function comboName(legs: readonly ComboLeg[], market: NamingMarket): string {
  const sorted = sortLegs(legs);
  const [only] = sorted;
  if (only !== undefined && sorted.length === 1 && only.weight === 1) {
    return instrumentName(only, market);
  }
  const body = pairBody(sorted, market) ?? ladderBody(sorted, market) ?? customBody(sorted, market);
  return `${market.underlying}-${body}`;
}

function pairBody(legs: readonly ComboLeg[], market: NamingMarket): string | undefined {
  if (legs.length !== 2) return undefined;
  const [first, second] = [...legs].sort((a, b) => b.weight - a.weight) as [ComboLeg, ComboLeg];
  if (first.weight !== 1 || second.weight !== -1 || first.isCall !== second.isCall)
    return undefined;
  const expiries = `${expiryText(first.expiry)}_${expiryText(second.expiry)}`;
  if (isForward(first) && isForward(second)) return `FS-${expiries}`;
  if (isForward(first) || isForward(second)) return undefined;
  const side = first.isCall ? "C" : "P";
  const price = (leg: ComboLeg) => formatPrice(leg.strike, market);
  if (first.expiry === second.expiry) {
    return `${side}S-${expiryText(first.expiry)}-${price(first)}_${price(second)}`;
  }
  if (first.strike === second.strike) return `${side}CAL-${expiries}-${price(first)}`;
  return `${side}DIAG-${expiries}-${price(first)}_${price(second)}`;
}

function isForward({ isCall, strike }: InstrumentTerms): boolean {
  return isCall && strike === 0;
}

function ladderBody(legs: readonly ComboLeg[], market: NamingMarket): string | undefined {
  const [first] = legs;
  if (first === undefined || legs.some((leg) => leg.expiry !== first.expiry || isForward(leg))) {
    return undefined;
  }
  const code = Object.keys(LADDERS).find((name) => fitsLadder(legs, name));
  if (code === undefined) return undefined;
  const strikes = legs.filter((_, place) => place === 0 || place !== SHARED[code]);
  const texts = strikes.map(({ strike }) => formatPrice(strike, market));
  return `${code}-${expiryText(first.expiry)}-${texts.join("_")}`;
}

function fitsLadder(legs: readonly ComboLeg[], code: string): boolean {
  const ladder = LADDERS[code] ?? [];
  if (ladder.length !== legs.length) return false;
  return ladder.every(([side, weight], place) => {
    const leg = legs[place]!;
    const before = legs[place - 1];
    const isShared = before !== undefined && before.strike === leg.strike;
    if (isShared !== (place === SHARED[code])) return false;
    return leg.weight === weight && leg.isCall === (side === "C");
  });
}

function customBody(legs: readonly ComboLeg[], market: NamingMarket): string {
  const prefix = market.underlying.length + 1;
  const texts = legs.map((leg) => `${instrumentName(leg, market).slice(prefix)}:${leg.weight}`);
  return `CUSTOM-${texts.join("_")}`;
}

/**
 * The legs of a name, in their canonical order; of an instrument's name, one of weight 1. Throws
 * {@link InstrumentError} that says what is wrong, also for legs that bear another name.
 */
export function parseCombo(name: string, market: NamingMarket): ComboLeg[] {
  const text = name.trim().toUpperCase();
  const [underlying, code = "", ...rest] = text.split("-");
  if (underlying !== market.underlying) fail(name, `it must begin with \`${market.underlying}-\``);
  if (!/^[A-Z]+$/.test(code)) return [{ ...parseInstrument(text, market), weight: 1 }];
  const legs = sortLegs(legsOf({ name, code, rest }, market));
  if (new Set(legs.map((leg) => instrumentName(leg, market))).size < legs.length) {
    fail(name, "the same leg stands in it twice");
  }
  const canonical = comboName(legs, market);
  if (canonical !== text) fail(name, `these legs are \`${canonical}\``);
  return legs;
}

interface Parts {
  readonly name: string;
  readonly code: string;
  readonly rest: readonly string[];
}

function legsOf(parts: Parts, market: NamingMarket): ComboLeg[] {
  const { name, code, rest } = parts;
  if (code === "CUSTOM") return customLegs(name, rest.join("-"), market);
  const ladder = LADDERS[code];
  if (ladder === undefined && !(PAIRS as readonly string[]).includes(code)) {
    const known = [...PAIRS, ...Object.keys(LADDERS), "CUSTOM"].join(", ");
    fail(name, `\`${code}\` is not a combination. There are ${known}`);
  }
  const expiries = (rest[0] ?? "").split("_").map((text) => parseExpiry(name, text));
  const texts = rest[1] === undefined ? [] : rest[1].split("_");
  const strikes = texts.map((text) => parseStrike(name, text, market));
  if (rest.length > 2) fail(name, "after the expiries it needs strikes and nothing else");
  return ladder === undefined
    ? pairLegs(parts, expiries, strikes)
    : ladderLegs({ ...parts, ladder }, expiries, strikes);
}

function parseStrike(name: string, text: string, market: NamingMarket): number {
  const { strike } = parseInstrument(`${market.underlying}-20260101-${text}-C`, market);
  return strike === 0 ? fail(name, "a strike of 0 is a forward") : strike;
}

function pairLegs(
  { name, code }: Parts,
  expiries: readonly number[],
  strikes: readonly number[],
): ComboLeg[] {
  const isVertical = code === "CS" || code === "PS";
  const isFlat = code.endsWith("CAL");
  const wanted = { expiries: isVertical ? 1 : 2, strikes: isFlat ? 1 : code === "FS" ? 0 : 2 };
  assertCounts(name, { expiries, strikes }, wanted);
  const isCall = code !== "PS" && !code.startsWith("P");
  return [0, 1].map((place) => ({
    isCall,
    expiry: expiries[isVertical ? 0 : place]!,
    strike: code === "FS" ? 0 : strikes[isFlat ? 0 : place]!,
    weight: place === 0 ? 1 : -1,
  }));
}

function ladderLegs(
  { name, code, ladder }: Parts & { ladder: readonly (readonly [Side, number])[] },
  expiries: readonly number[],
  strikes: readonly number[],
): ComboLeg[] {
  const shared = SHARED[code];
  const wanted = { expiries: 1, strikes: ladder.length - (shared === undefined ? 0 : 1) };
  assertCounts(name, { expiries, strikes }, wanted);
  return ladder.map(([side, weight], place) => {
    const strike = strikes[shared !== undefined && place >= shared ? place - 1 : place]!;
    return { isCall: side === "C", expiry: expiries[0]!, strike, weight };
  });
}

function assertCounts(
  name: string,
  found: { expiries: readonly number[]; strikes: readonly number[] },
  wanted: { expiries: number; strikes: number },
): void {
  for (const part of ["expiries", "strikes"] as const) {
    if (found[part].length === wanted[part]) continue;
    fail(name, `it needs ${wanted[part]} ${part}, not \`${found[part].length}\``);
  }
}

const WEIGHT_MAX = 2 ** WEIGHT_BITS - 1 - WEIGHT_OFFSET;

function customLegs(name: string, text: string, market: NamingMarket): ComboLeg[] {
  return text.split("_").map((part) => {
    const [terms = "", weightText = "", ...more] = part.split(":");
    const weight = Number(weightText);
    const isWeight = /^-?[1-9]$/.test(weightText) && more.length === 0;
    if (!isWeight || weight < -WEIGHT_OFFSET || weight > WEIGHT_MAX) {
      const range = `${-WEIGHT_OFFSET} to ${WEIGHT_MAX} and not 0`;
      fail(name, `each leg needs a weight of ${range}, as in \`20261225-3000-C:-2\``);
    }
    return { ...parseInstrument(`${market.underlying}-${terms}`, market), weight };
  });
}

/** A slot with its terms, as the chain has them. */
export type NamedSeries = InstrumentTerms & { readonly slot: number; readonly generation: number };

/** The name of a book by its weights; undefined where a leg's slot has never been listed. */
export function bookName(
  weights: readonly number[],
  series: readonly NamedSeries[],
  market: NamingMarket,
): string | undefined {
  const legs: ComboLeg[] = [];
  for (const [slot, weight] of weights.entries()) {
    if (weight === 0) continue;
    const terms = series.find((item) => item.slot === slot);
    if (terms === undefined || terms.expiry === 0) return undefined;
    legs.push({ isCall: terms.isCall, strike: terms.strike, expiry: terms.expiry, weight });
  }
  return legs.length === 0 ? undefined : comboName(legs, market);
}

/** Inverse of {@link bookName}: terms that stand in several slots mean the newest listing. */
export function weightsOfName(
  name: string,
  series: readonly NamedSeries[],
  market: NamingMarket,
): number[] {
  const weights = new Array<number>(series.length).fill(0);
  for (const leg of parseCombo(name, market)) {
    const instrument = instrumentName(leg, market);
    const { slot } = findInstrument(instrument, market, series);
    weights[slot] = leg.weight;
  }
  return weights;
}
