/**
 * Prepares the recorded market data for the devnet: a small ETH market, its chain over four days
 * and a synthetic tape of trades. The data is not part of the repository; the directory that holds
 * it (with `chain/` and `trades/` inside) is named on the command line:
 *
 *   node scripts/replay/deribit.ts DIR     prints what a replay would contain
 */
import { pathToFileURL } from "node:url";
import type { Feed } from "../../sequencer/oracle/feed.ts";
import {
  createRecordedFeed,
  type PlaybackConfig,
  type RecordedTerms,
  type Recording,
  shiftMs,
} from "../../sequencer/oracle/recordedFeed.ts";
import { type Chain, readChains } from "./chains.ts";
import { mapTape, type TapeTrade } from "./tradeTape.ts";

const SLOTS = 16;
const EXPIRIES = 2;
const MS_PER_DAY = 86_400_000;
/** Least time to expiry at the beginning, so that a series lives long enough to trade. */
const DAYS_MIN = 2;
/** "Most": the part of the chains in which an expiry or a series has to be present. */
const PRESENCE_MIN = 0.8;

/** `forwardTicks` and `ivBps`: at the first snapshot. `expiry` as recorded, unix seconds. */
export interface ReplaySeries extends RecordedTerms {
  readonly forwardTicks: number;
  readonly ivBps: number;
}

/** Index in `series` is the slot of a market that lists them all in order. */
export interface Replay extends Recording {
  readonly asset: "ETH";
  readonly series: readonly ReplaySeries[];
  readonly trades: readonly TapeTrade[];
  /** What a reader of the replay must be told about the data. */
  readonly notes: readonly string[];
}

/**
 * Chooses the two earliest expiries that most chains show, and on each the strikes nearest to the
 * money at the beginning, call and put of each. Throws an error that names what is missing.
 */
export function loadReplay(directory: string, options: { slots?: number } = {}): Replay {
  const { slots = SLOTS } = options;
  const chains = readChains(directory);
  const expiries = chooseExpiries(chains);
  const pairs = Math.floor(slots / (2 * expiries.length));
  if (pairs < 1) throw new RangeError(`\`slots\` must be at least 4. Got \`${slots}\`.`);
  const series = expiries.flatMap((expiry) => chooseSeries(chains, expiry, pairs));
  const snapshots = chains.map((chain) => ({
    time: chain.time,
    forwards: expiries.map((expiry) => chain.forwards.get(expiry) ?? null),
    ivs: series.map((terms) => ivIn(chain, terms) ?? null),
  }));
  const recording = { expiries, series, snapshots };
  const { trades, skipped } = mapTape(
    directory,
    series.map(({ isCall, strikeTicks, expiry }) => {
      const daysToExpiry = (expiry * 1000 - timeOf(chains)) / MS_PER_DAY;
      return { isCall, strikeTicks, daysToExpiry };
    }),
    marketOf(recording),
  );
  const notes = notesOn(recording, trades.length, skipped);
  return { asset: "ETH", ...recording, trades, notes };
}

/** The replay as a feed. List the series with {@link replayTerms} for the same `startMs`. */
export function createReplayFeed(replay: Replay, config: PlaybackConfig): Feed {
  return createRecordedFeed(replay, config);
}

/** A replay's series with expiries moved so that the first snapshot is at `startMs`. */
export function replayTerms(replay: Replay, startMs: number): RecordedTerms[] {
  const shiftSeconds = shiftMs(replay, startMs) / 1000;
  return replay.series.map(({ isCall, strikeTicks, expiry }) => {
    return { isCall, strikeTicks, expiry: expiry + shiftSeconds };
  });
}

function timeOf(chains: readonly Chain[]): number {
  return chains[0]?.time as number;
}

function chooseExpiries(chains: readonly Chain[]): number[] {
  const earliest = timeOf(chains) / 1000 + (DAYS_MIN * MS_PER_DAY) / 1000;
  const chosen = [...(chains[0]?.forwards.keys() ?? [])]
    .filter((expiry) => expiry >= earliest)
    .filter((expiry) => isMost(chains, (chain) => chain.forwards.has(expiry)))
    .sort((a, b) => a - b)
    .slice(0, EXPIRIES);
  if (chosen.length < EXPIRIES) {
    throw new Error(`Most chains share only \`${chosen.length}\` expiries of ETH options.`);
  }
  return chosen;
}

function chooseSeries(chains: readonly Chain[], expiry: number, pairs: number): ReplaySeries[] {
  const [first] = chains;
  const forwardTicks = first?.forwards.get(expiry) as number;
  const isSeen = (terms: RecordedTerms) =>
    isMost(
      chains.filter((chain) => chain.forwards.has(expiry)),
      (chain) => ivIn(chain, terms) !== undefined,
    );
  const candidates = new Set(
    first?.quotes.filter((quote) => quote.expiry === expiry).map((quote) => quote.strikeTicks),
  );
  const strikes = [...candidates]
    .filter((strikeTicks) =>
      [true, false].every((isCall) => isSeen({ isCall, strikeTicks, expiry })),
    )
    .sort((a, b) => Math.abs(a - forwardTicks) - Math.abs(b - forwardTicks))
    .slice(0, pairs)
    .sort((a, b) => a - b);
  return strikes.flatMap((strikeTicks) =>
    [true, false].map((isCall) => {
      const terms = { isCall, strikeTicks, expiry };
      return { ...terms, forwardTicks, ivBps: ivIn(first, terms) as number };
    }),
  );
}

function isMost(chains: readonly Chain[], test: (chain: Chain) => boolean): boolean {
  return chains.filter(test).length >= PRESENCE_MIN * chains.length;
}

function ivIn(chain: Chain | undefined, terms: RecordedTerms): number | undefined {
  return chain?.quotes.find(
    ({ isCall, strikeTicks, expiry }) =>
      isCall === terms.isCall && strikeTicks === terms.strikeTicks && expiry === terms.expiry,
  )?.ivBps;
}

/** The recording's own market, played from 0 at the recorded speed; read once a minute. */
function marketOf(recording: Recording) {
  const shiftSeconds = shiftMs(recording, 0) / 1000;
  const feed = createRecordedFeed(recording, { startMs: 0, speed: 1 });
  const table = recording.series.map(({ isCall, strikeTicks, expiry }) => {
    return {
      status: "listed" as const,
      isCall,
      strike: strikeTicks,
      expiry: expiry + shiftSeconds,
    };
  });
  const minutes = new Map<number, ReturnType<typeof readAt>>();
  const readAt = (minute: number) => {
    const market = feed.read(minute * 60_000, table);
    if (market instanceof Promise) throw new TypeError("A recorded feed answers at once.");
    const { indexTicks, quotes } = market;
    return table.map(({ isCall, strike, expiry }, slot) => {
      const forwardTicks = market.forwardTicks.get(expiry) ?? indexTicks;
      const quote = quotes.find(
        (other) => other.isCall === isCall && other.strike === strike && other.expiry === expiry,
      );
      // An expired series has no quote any more, and no trades but those at its expiry.
      const ivBps = quote?.ivBps ?? recording.snapshots.at(-1)?.ivs[slot];
      return { forwardTicks: forwardTicks as number, ivBps: ivBps as number };
    });
  };
  return (slot: number, atMs: number) => {
    const minute = Math.floor(atMs / 60_000);
    const row = minutes.get(minute) ?? readAt(minute);
    minutes.set(minute, row);
    return row[slot] as { forwardTicks: number; ivBps: number };
  };
}

function notesOn(recording: Recording, trades: number, skipped: number): string[] {
  const { snapshots } = recording;
  const iso = (ms: number) => new Date(ms).toISOString();
  const [from, to] = [snapshots[0]?.time ?? 0, snapshots.at(-1)?.time ?? 0];
  const missing = snapshots.flatMap(({ ivs }) => ivs.filter((iv) => iv === null)).length;
  return [
    `Chains: ${snapshots.length} ETH chains of Deribit, ${iso(from)} to ${iso(to)}, collected by
      others; values between them are interpolated linearly.`,
    `${missing} volatilities are missing (series already expired, or not shown) and hold their last
      value.`,
    `Trades are SYNTHETIC: ${trades} BTC trades of 2022-01-01, moved onto these series by days to
      expiry and moneyness, with volatilities relative to this chain; ${skipped} were left out.`,
    "Settlement prices are interpolated forwards, not the venue's delivery prices.",
  ].map((note) => note.replace(/\s+/g, " "));
}

function describe(replay: Replay): void {
  console.table(
    replay.series.map(({ expiry, ...terms }) => {
      return { ...terms, expiry: new Date(expiry * 1000).toISOString() };
    }),
  );
  for (const note of replay.notes) console.log(note);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [directory] = process.argv.slice(2);
  if (directory === undefined) {
    console.error("usage: node scripts/replay/deribit.ts DIR   (the recorded-data directory)");
    process.exitCode = 2;
  } else {
    try {
      describe(loadReplay(directory));
    } catch (error) {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
    }
  }
}
