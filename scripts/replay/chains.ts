/** The recorded option chains (Deribit's public output, collected by others) as integers. */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { readCsv } from "./csv.ts";

/** Ticks of 0.1 USDC. */
const TICKS_PER_USDC = 10;
const BPS = 10_000;
const FILE_PATTERN = /^deribit_options_snapshot_\d{8}T\d{6}Z\.csv\.gz$/;

/** `expiry` in unix seconds as recorded, `ivBps` the venue's mark volatility. */
export interface ChainQuote {
  readonly isCall: boolean;
  readonly strikeTicks: number;
  readonly expiry: number;
  readonly ivBps: number;
}

/** All ETH options at `time` (unix ms); forwards in ticks by expiry. */
export interface Chain {
  readonly time: number;
  readonly forwards: ReadonlyMap<number, number>;
  readonly quotes: readonly ChainQuote[];
}

/** Every chain of the recorded-data directory, oldest first. Throws naming what is missing. */
export function readChains(directory: string): Chain[] {
  const folder = path.join(directory, "chain");
  if (!existsSync(folder)) {
    throw new Error(`The recorded chains are missing: \`${folder}\` does not exist.`);
  }
  const files = readdirSync(folder).filter((file) => FILE_PATTERN.test(file));
  if (files.length === 0) {
    const example = "deribit_options_snapshot_20260818T154459Z.csv.gz";
    throw new Error(`The recorded chains are missing: \`${folder}\` has no file like ${example}.`);
  }
  return files.map((file) => readChain(path.join(folder, file))).sort((a, b) => a.time - b.time);
}

const COLUMNS = [
  "timestamp",
  "underlying",
  "option_type",
  "strike",
  "expiry_datetime",
  "implied_volatility",
  "currency",
] as const;

function readChain(file: string): Chain {
  const rows = readCsv(file, COLUMNS).filter((row) => row.currency === "ETH");
  const time = Date.parse(rows[0]?.timestamp ?? "");
  if (!Number.isFinite(time)) throw new Error(`\`${file}\` has no ETH options with a timestamp.`);
  const underlyings = new Map<number, number[]>();
  const quotes: ChainQuote[] = [];
  for (const row of rows) {
    const expiry = Date.parse(row.expiry_datetime) / 1000;
    const underlying = Number(row.underlying);
    const ivBps = Math.round(Number(row.implied_volatility) * BPS);
    const strikeTicks = Math.round(Number(row.strike) * TICKS_PER_USDC);
    if (!(underlying > 0) || !(ivBps > 0) || !(strikeTicks > 0) || !(expiry > 0)) continue;
    underlyings.set(expiry, [...(underlyings.get(expiry) ?? []), underlying]);
    quotes.push({ isCall: row.option_type === "call", strikeTicks, expiry, ivBps });
  }
  // A chain takes seconds to collect, so `underlying` drifts a little inside an expiry.
  const forwards = new Map(
    [...underlyings].map(([expiry, values]) => {
      return [expiry, Math.round(median(values) * TICKS_PER_USDC)] as const;
    }),
  );
  return { time, forwards, quotes };
}

/** The upper median of at least one value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}
