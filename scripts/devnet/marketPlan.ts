/** What a devnet trades: a simulated ETH market, or one replayed from recorded data. */
import type { ConfigInput } from "../../sequencer/node/config.ts";
import { loadReplay, type Replay, replayTerms } from "../replay/deribit.ts";
import type { TapeTrade } from "../replay/tradeTape.ts";

type Plan = NonNullable<ConfigInput<"sequencer">["plan"]>;
type PlannedSeries = Plan["series"][number];
type Leg = Plan["books"][number]["legs"][number];

/** Price step 0.1 USDC, quantity step 0.01 contract: what `unit` 1000 stands for. */
export const MARKET = { underlying: "ETH", tickSize: 100_000, lotsPerContract: 100 } as const;

export type FeedPlan =
  | { readonly kind: "simulated"; readonly seed: number; readonly startMs: number }
  | { readonly kind: "recorded"; readonly recording: Replay; readonly startMs: number };

export interface MarketSetup {
  readonly plan: Plan;
  /** What is listed besides as the market moves; nothing where undefined. */
  readonly ladder?: ConfigInput<"sequencer">["ladder"];
  readonly feed: FeedPlan;
  /** Takers follow it where there is one. */
  readonly tape: readonly TapeTrade[];
  /** What must be said about the data. */
  readonly notes: readonly string[];
}

const SPOT_TICKS = 25_000;
const STRIKE_STEP_TICKS = 1000;
const SEED = 20_260_101;
const DAY_SECONDS = 86_400;
/** Options expire at 08:00 UTC, as on the large venues. */
const EXPIRY_HOUR_SECONDS = 8 * 3600;
const SOON_SECONDS_MIN = 900;
const SOON_SECONDS_STEP = 300;

/**
 * Calls and puts around the money for a week with their forward, a straddle of the two in the
 * middle, and a call that expires soon: its settlement can be watched.
 */
export function simulatedMarket(nowMs: number): MarketSetup {
  const now = Math.floor(nowMs / 1000);
  const today = Math.floor(now / DAY_SECONDS) * DAY_SECONDS;
  const expiry = today + 7 * DAY_SECONDS + EXPIRY_HOUR_SECONDS;
  const soon = Math.ceil((now + SOON_SECONDS_MIN) / SOON_SECONDS_STEP) * SOON_SECONDS_STEP;
  const terms = [
    { isCall: true, strike: SPOT_TICKS, expiry },
    { isCall: false, strike: SPOT_TICKS, expiry },
    { isCall: true, strike: SPOT_TICKS + STRIKE_STEP_TICKS, expiry },
    { isCall: false, strike: SPOT_TICKS - STRIKE_STEP_TICKS, expiry },
    { isCall: true, strike: SPOT_TICKS, expiry: soon },
  ];
  const options = terms.map((option, slot) => ({ slot, ...option }));
  const forward = { slot: options.length, isCall: true, strike: 0, expiry };
  const straddle = { book: options.length, legs: [0, 1].map((slot): Leg => [slot, 1]) };
  const books: Plan["books"] = [
    ...plainBooks(options),
    straddle,
    { book: straddle.book + 1, legs: [[forward.slot, 1]] },
  ];
  const feed = { kind: "simulated", seed: SEED, startMs: nowMs } as const;
  return { plan: { series: [...options, forward], books }, feed, tape: [], notes: [] };
}

/** Listings that follow the simulated market, in the slots that its plan leaves. */
export const LADDER = {
  ...{ dailies: 1, weeklies: 1, monthlies: 0 },
  ...{ strikesPerSideMax: 1, combinationsMax: 2, slotsMax: 10, spareSlots: 1 },
  startTicks: SPOT_TICKS,
};

/** Throws an error that names what is missing in the directory. */
export function replayedMarket(directory: string, nowMs: number, slots: number): MarketSetup {
  const recording = loadReplay(directory, { slots });
  const startMs = wholeDaysAfter(recording.snapshots[0]?.time ?? nowMs, nowMs);
  const series = replayTerms(recording, startMs).map(({ isCall, strikeTicks, expiry }, slot) => {
    return { slot, isCall, strike: strikeTicks, expiry };
  });
  return {
    plan: { series, books: plainBooks(series) },
    feed: { kind: "recorded", recording, startMs },
    tape: recording.trades,
    notes: recording.notes,
  };
}

/** The last time up to now that is whole days after `time`: expiries keep their hour. */
function wholeDaysAfter(time: number, nowMs: number): number {
  const dayMs = DAY_SECONDS * 1000;
  return time + Math.floor((nowMs - time) / dayMs) * dayMs;
}

function plainBooks(series: readonly PlannedSeries[]): Plan["books"] {
  return series.map(({ slot }) => ({ book: slot, legs: [[slot, 1] as [number, number]] }));
}
