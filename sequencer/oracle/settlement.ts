/**
 * What an oracle knows about settlement prices: its own samples of the index in the half hour
 * before each expiry, kept on disk so that a restart does not lose them, and the prices that a
 * quorum has signed, which every oracle repeats from then on: all series of an expiry settle at one
 * price.
 */
import type { IndexSample } from "./feed.ts";
import { SAMPLE_MS } from "./indexHistory.ts";
import { type Outcome, refuse } from "./rejects.ts";
import { MILLITICKS } from "./riskMatrix.ts";
import { DEFAULT_GAP_RULES, type GapRules, timeWeightedAverage } from "./timeWeightedAverage.ts";

/** A price that a quorum signed at `time` (unix ms) for an expiry (unix seconds). */
export interface SignedSettlement {
  readonly expiry: number;
  readonly ticks: number;
  readonly time: number;
}

export type SettlementRecord =
  | { readonly sample: IndexSample }
  | { readonly settlement: SignedSettlement };

/** Where records outlive the process. */
export interface SettlementStore {
  load(): readonly SettlementRecord[];
  append(record: SettlementRecord): void;
}

export interface SettlementRules extends GapRules {
  readonly windowMs: number;
  readonly disputeDelayMs: number;
}

export interface SettlementBook {
  /** Takes a sample if it lies in the window of one of the expiries, or just before it. */
  observe(sample: IndexSample, expiries: readonly number[]): void;
  /** The average so far of an expiry's window, in 1/1000 ticks. */
  average(expiry: number, nowMs: number): Outcome<number>;
  /** The settlement price of an expiry that has passed, in ticks. */
  settlement(expiry: number): Outcome<number>;
  /** What a quorum signed, if anything. */
  signed(expiry: number): SignedSettlement | undefined;
  /** A quorum has signed this price. The newest counts, until the price is final. */
  adopt(settlement: SignedSettlement): void;
}

/** Samples this long before a window are kept: the window begins with the last of them. */
const LEAD_MS = 10 * SAMPLE_MS;
/** Two samples closer than this are one, so that a fast caller does not fill the disk. */
const SPACING_MS = SAMPLE_MS / 2;
const KEPT_MS = 86_400_000;

/**
 * `history`: the index of the past by the feeds that keep it; used where the own samples do not
 * suffice. Without it and after too long a pause the answer is a refusal.
 */
export function createSettlementBook(options: {
  rules: Pick<SettlementRules, "windowMs" | "disputeDelayMs"> & Partial<GapRules>;
  store?: SettlementStore | undefined;
  history?: ((fromMs: number, toMs: number) => Outcome<number>) | undefined;
}): SettlementBook {
  const { store, history } = options;
  const rules: SettlementRules = { ...DEFAULT_GAP_RULES, ...options.rules };
  const samples: IndexSample[] = [];
  const signed = new Map<number, SignedSettlement>();
  const computed = new Map<number, number>();

  function take(sample: IndexSample): void {
    samples.push(sample);
    const oldest = sample.time - KEPT_MS;
    while ((samples[0]?.time ?? oldest) < oldest) samples.shift();
  }

  function put(settlement: SignedSettlement): boolean {
    const known = signed.get(settlement.expiry);
    if (settlement.ticks === known?.ticks) return false;
    const finalMs = settlement.expiry * 1000 + rules.disputeDelayMs;
    if (known !== undefined && (settlement.time <= known.time || settlement.time >= finalMs)) {
      return false;
    }
    signed.set(settlement.expiry, settlement);
    return true;
  }

  for (const record of store?.load() ?? []) {
    if ("sample" in record) take(record.sample);
    else put(record.settlement);
  }
  samples.sort((a, b) => a.time - b.time);

  function averageOf(fromMs: number, toMs: number): Outcome<number> {
    if (toMs <= fromMs) return refuse("settlementGaps", "the window has just begun");
    const own = timeWeightedAverage(samples, fromMs, toMs, rules);
    if (own.refused === undefined || history === undefined) return own;
    const past = history(fromMs, toMs);
    return past.refused === undefined ? past : own;
  }

  return {
    observe: (sample, expiries) => {
      const { time, ticks } = sample;
      if (!Number.isFinite(ticks) || time < (samples.at(-1)?.time ?? 0) + SPACING_MS) return;
      const isWanted = expiries.some((expiry) => {
        const toExpiry = expiry * 1000 - time;
        return toExpiry >= 0 && toExpiry <= rules.windowMs + LEAD_MS;
      });
      if (!isWanted) return;
      take(sample);
      store?.append({ sample });
    },
    average: (expiry, nowMs) => {
      const end = expiry * 1000;
      const average = averageOf(end - rules.windowMs, Math.min(nowMs, end));
      if (average.refused !== undefined) return average;
      return { value: Math.round(average.value * MILLITICKS) };
    },
    settlement: (expiry) => {
      const known = signed.get(expiry)?.ticks ?? computed.get(expiry);
      if (known !== undefined) return { value: known };
      const average = averageOf(expiry * 1000 - rules.windowMs, expiry * 1000);
      if (average.refused !== undefined) return average;
      const ticks = Math.round(average.value);
      computed.set(expiry, ticks);
      return { value: ticks };
    },
    signed: (expiry) => signed.get(expiry),
    adopt: (settlement) => {
      if (put(settlement)) store?.append({ settlement });
    },
  };
}
