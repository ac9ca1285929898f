/** What a seed stands for: every weather meets every kind of trouble. */
import { CALM, type Weather } from "../consensus/network.ts";
import type { FaultRates } from "./faults.ts";
import type { StormOptions } from "./storm.ts";

const { STRADDLE_SEED, STRADDLE_TEST_LONG } = process.env;

const WEATHERS: readonly Weather[] = [
  CALM,
  { lost: 5, repeated: 5, late: 5, split: 5 },
  { lost: 15, repeated: 10, late: 15, split: 25 },
];
const RATES: FaultRates = { crashes: 15, disks: 8, clocks: 10, layerOne: 8, oracles: 4 };
const TROUBLES: readonly FaultRates[] = [
  RATES,
  { ...RATES, crashes: 40 },
  { ...RATES, crashes: 5, disks: 40 },
  { ...RATES, clocks: 40, oracles: 20 },
  { ...RATES, layerOne: 40 },
];
const STORM_MS = 6_000;

export function optionsOf(seed: number): StormOptions {
  const weather = WEATHERS[seed % WEATHERS.length]!;
  const faults = TROUBLES[seed % TROUBLES.length]!;
  return { seed, weather, faults, stormMs: STORM_MS, calmMs: 0 };
}

/** `count` seeds from `first` on, `countLong` in long runs, or the one that is asked for. */
export function seedsFrom(first: number, count: number, countLong: number): number[] {
  if (STRADDLE_SEED !== undefined) return [Number(STRADDLE_SEED)];
  const length = STRADDLE_TEST_LONG ? countLong : count;
  return Array.from({ length }, (_, index) => first + index);
}
