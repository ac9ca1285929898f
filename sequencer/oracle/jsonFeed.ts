/**
 * A feed for any JSON document over HTTP, told where in it the numbers stand. What is missing or no
 * number becomes NaN, which the checks of `consensus.ts` and `cleanQuotes.ts` refuse by code. What
 * is no option is left out: a list may have futures in it.
 */
import { z } from "zod";
import type { Feed, Market, Quote } from "./feed.ts";
import { createHttpFeed } from "./httpFeed.ts";
import { BPS } from "./riskMatrix.ts";

const MS = { ms: 1, s: 1000, us: 1 / 1000 } as const;
const IV_UNITS = { fraction: BPS, percent: BPS / 100, bps: 1 } as const;
/** A way into a document: names and places in lists, separated by dots: `result.0.price`. */
const path = z.string().min(1).max(200);

/**
 * `index` and `time` are ways from the document's root, `options.list` too; the others are ways
 * from an entry of the list. Without `time` the data is as old as the answer.
 */
export const jsonMapping = z.strictObject({
  index: path.optional(),
  time: path.optional(),
  timeUnit: z.enum(["ms", "s", "us", "iso"]).default("ms"),
  options: z
    .strictObject({
      list: path,
      expiry: path,
      expiryUnit: z.enum(["ms", "s", "iso"]).default("ms"),
      strike: path,
      /** Begins with C or P, in either case, or is true for a call; else it is no option. */
      kind: path,
      forward: path.optional(),
      iv: path.optional(),
      ivUnit: z.enum(["fraction", "percent", "bps"]).default("fraction"),
      bid: path.optional(),
      ask: path.optional(),
    })
    .optional(),
});

export type JsonMapping = z.output<typeof jsonMapping>;

export interface JsonFeedConfig {
  readonly name: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Ticks for 1 of the currency in which the document states prices. */
  readonly ticksPerUnit: number;
  readonly mapping: JsonMapping;
  readonly refreshMs?: number | undefined;
  readonly timeoutMs?: number | undefined;
}

export function createJsonFeed(config: JsonFeedConfig): Feed {
  const { name, url, headers, ticksPerUnit, mapping, refreshMs, timeoutMs } = config;
  return createHttpFeed({
    ...{ name, urls: [url], headers, refreshMs, timeoutMs },
    parse: ([body], receivedMs) => parseJson(body, mapping, { ticksPerUnit, receivedMs }),
  });
}

export function parseJson(
  body: unknown,
  mapping: JsonMapping,
  options: { readonly ticksPerUnit: number; readonly receivedMs: number },
): Market {
  const { ticksPerUnit, receivedMs } = options;
  const { index, time, timeUnit, options: fields } = mapping;
  const lists = fields === undefined ? EMPTY : parseOptions(body, fields, ticksPerUnit);
  return {
    time: time === undefined ? receivedMs : timeOf(at(body, time), timeUnit),
    indexTicks: index === undefined ? undefined : toNumber(at(body, index)) * ticksPerUnit,
    ...lists,
  };
}

type OptionLists = Pick<Market, "forwardTicks" | "quotes">;
const EMPTY: OptionLists = { forwardTicks: new Map(), quotes: [] };

function parseOptions(
  body: unknown,
  fields: NonNullable<JsonMapping["options"]>,
  ticksPerUnit: number,
): OptionLists {
  const forwardTicks = new Map<number, number>();
  const list = at(body, fields.list);
  if (!Array.isArray(list)) throw new TypeError(`\`${fields.list}\` is not a list`);
  const quotes = list.flatMap((entry): Quote[] => {
    const isCall = isCallOf(at(entry, fields.kind));
    if (isCall === undefined) return [];
    const price = (way: string | undefined): number | undefined =>
      way === undefined ? undefined : optional(at(entry, way), ticksPerUnit);
    const expiry = Math.round(timeOf(at(entry, fields.expiry), fields.expiryUnit) / 1000);
    const forward = price(fields.forward);
    if (forward !== undefined) forwardTicks.set(expiry, forward);
    const iv = fields.iv === undefined ? undefined : at(entry, fields.iv);
    const strike = toNumber(at(entry, fields.strike)) * ticksPerUnit;
    const ivBps = optional(iv, IV_UNITS[fields.ivUnit]);
    return [{ isCall, strike, expiry, ivBps, bid: price(fields.bid), ask: price(fields.ask) }];
  });
  return { forwardTicks, quotes };
}

function at(value: unknown, way: string): unknown {
  let here = value;
  for (const name of way.split(".")) {
    const isInside = typeof here === "object" && here !== null && Object.hasOwn(here, name);
    if (!isInside) return undefined;
    here = (here as Record<string, unknown>)[name];
  }
  return here;
}

/** Numbers may stand in quotes. */
function toNumber(value: unknown): number {
  if (typeof value === "number") return value;
  return typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
}

/** Null and missing say that there is none. */
function optional(value: unknown, factor: number): number | undefined {
  return value === undefined || value === null ? undefined : toNumber(value) * factor;
}

function timeOf(value: unknown, unit: keyof typeof MS | "iso"): number {
  if (unit === "iso") return typeof value === "string" ? Date.parse(value) : Number.NaN;
  return toNumber(value) * MS[unit];
}

/** Undefined for what is neither call nor put. */
function isCallOf(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  const text = String(value).toUpperCase();
  if (text.startsWith("C")) return true;
  return text.startsWith("P") ? false : undefined;
}
