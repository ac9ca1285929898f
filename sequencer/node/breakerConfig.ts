/** When trading pauses, as the sequencer's configuration says it. */
import { z } from "zod";
import { CANCEL_ONLY_MS_MAX, CANCEL_ONLY_MS_MIN } from "../batch/tradingMode.ts";
import { DEFAULT_BREAKERS } from "../roles/circuitBreakers.ts";
import { TRADING_AGE_MS_MAX } from "../roles/opening.ts";
import type { ToleranceLimits } from "../roles/tolerance.ts";

const ms = z.int().min(1);

const tolerance = ({ floorMs, ceilingMs, factor }: ToleranceLimits) =>
  z
    .strictObject({
      floorMs: ms.default(floorMs),
      ceilingMs: ms.default(ceilingMs),
      /** The bound is so many times the 99th percentile of what was measured. */
      factor: z.number().min(1).default(factor),
    })
    .refine((limits) => limits.floorMs <= limits.ceilingMs, "the floor is above the ceiling")
    .prefault({});

export const breakers = z
  .strictObject({
    /** Until records are durable, and until a sealed batch is certified. */
    append: tolerance(DEFAULT_BREAKERS.append),
    certification: tolerance(DEFAULT_BREAKERS.certification),
    oracleStaleMs: ms.max(TRADING_AGE_MS_MAX).default(DEFAULT_BREAKERS.oracleStaleMs),
    /** Batches without proof; four times `backlogMax` where absent. */
    provingMax: z.int().min(1).optional(),
    indexMoveBpsMax: z.int().min(1).default(DEFAULT_BREAKERS.indexMoveBpsMax),
    cancelOnlyMs: z
      .int()
      .min(CANCEL_ONLY_MS_MIN)
      .max(CANCEL_ONLY_MS_MAX)
      .default(DEFAULT_BREAKERS.cancelOnlyMs),
    /** The operator's hand: trading pauses at the start, and opens at one without it. */
    isHeld: z.boolean().default(DEFAULT_BREAKERS.isHeld),
    /** `since` of a pause for `rootMismatch` that has been looked into. Nothing else ends one. */
    endsPause: z.int().min(1).optional(),
  })
  .prefault({});
