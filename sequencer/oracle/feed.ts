/** Where an oracle's view of the market comes from. Everything it says is an integer. */
import type { Series } from "../protocol/state.ts";

/** A slot as an oracle sees it; `strike` in ticks, `expiry` in unix seconds. */
export type SeriesTerms = Pick<Series, "status" | "isCall" | "strike" | "expiry">;

/**
 * A view of the market at `time` (unix ms). Maps are by expiry (unix seconds): forwards of expiries
 * that have not passed, settlement prices of those that have. `ivBps` has one entry for each slot
 * of the table that was asked about; undefined where the slot is not listed.
 */
export interface Market {
  readonly time: number;
  readonly forwardTicks: ReadonlyMap<number, number>;
  readonly ivBps: readonly (number | undefined)[];
  readonly settlementTicks: ReadonlyMap<number, number>;
}

export interface Feed {
  /** `table`: the slots to speak about, since listings change while a feed runs. */
  read(nowMs: number, table: readonly SeriesTerms[]): Promise<Market> | Market;
}

/** Whether a listed series has reached its expiry; the engine stops trading it at that second. */
export function isExpired(terms: SeriesTerms, nowMs: number): boolean {
  return terms.expiry * 1000 <= nowMs;
}

/** What a feed must know to answer; all in integers, times in unix ms, expiries in unix seconds. */
export interface MarketModel {
  forward(expiry: number, nowMs: number): number;
  settlement(expiry: number): number;
  iv(terms: SeriesTerms, nowMs: number): number;
}

/** The market of a table by a model. */
export function readModel(
  model: MarketModel,
  nowMs: number,
  table: readonly SeriesTerms[],
): Market {
  const forwardTicks = new Map<number, number>();
  const settlementTicks = new Map<number, number>();
  const ivBps = table.map((terms) => {
    if (terms.status !== "listed") return undefined;
    const { expiry } = terms;
    const isSettled = isExpired(terms, nowMs);
    if (isSettled && !settlementTicks.has(expiry)) {
      settlementTicks.set(expiry, model.settlement(expiry));
    }
    if (!isSettled && !forwardTicks.has(expiry)) {
      forwardTicks.set(expiry, model.forward(expiry, nowMs));
    }
    return model.iv(terms, nowMs);
  });
  return { time: nowMs, forwardTicks, ivBps, settlementTicks };
}
