/** What an oracle's configuration says of its market data and of the risk matrix made from it. */
import { z } from "zod";
import { jsonMapping } from "../oracle/jsonFeed.ts";

const ms = z.int().min(1);
const file = z.string().min(1);
const httpUrl = z.url({ protocol: /^https?$/ });
const httpFeed = {
  /** Ticks for 1 USD. */
  ticksPerUnit: z.number().positive(),
  refreshMs: ms.optional(),
  timeoutMs: ms.optional(),
};

/** Where an oracle has its prices from. */
export const feed = z.union([
  z.strictObject({
    kind: z.literal("simulated"),
    seed: z.int(),
    startMs: z.int(),
    spotTicks: z.int().min(1).optional(),
    volatilityBps: z.int().min(1).optional(),
    carryBps: z.int().optional(),
  }),
  z.strictObject({
    kind: z.literal("recorded"),
    /** JSON of `oracle/recordedFeed.ts`' Recording. */
    recording: file,
    startMs: z.int(),
    speed: z.number().positive(),
  }),
  z.strictObject({
    kind: z.literal("deribit"),
    url: httpUrl.default("https://www.deribit.com/api/v2"),
    currency: z.enum(["BTC", "ETH"]),
    ...httpFeed,
  }),
  z.strictObject({
    kind: z.literal("json"),
    name: z.string().min(1),
    url: httpUrl,
    headers: z.record(z.string(), z.string()).optional(),
    mapping: jsonMapping,
    ...httpFeed,
  }),
]);

const bps = z.int().min(0).max(100_000);
/** Fields of `oracle/riskMatrix.ts`' RiskParameters that differ from the underlying's defaults. */
export const risk = z.strictObject({
  underlying: z.enum(["BTC", "ETH"]).default("ETH"),
  priceRangeBps: bps.optional(),
  extremeMultiple: z.int().min(1).max(20).optional(),
  extremeCoveredBps: bps.optional(),
  volatilityUpBps: bps.optional(),
  volatilityDownBps: bps.optional(),
  powerShortBps: bps.optional(),
  powerLongBps: bps.optional(),
  volatilityFloorBps: bps.optional(),
  shortMinimumBps: bps.optional(),
  settlementWindowMs: ms.optional(),
  disputeDelayMs: z.int().min(0).optional(),
});
