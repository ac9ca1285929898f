/**
 * A made-up market: geometric Brownian motion with a volatility smile. The path is a function of
 * seed and time alone, so oracles that share a seed agree without talking, whenever they start.
 */
import { MS_PER_YEAR } from "../pricing/black76.ts";
import { exp, log, roundHalfAway } from "../pricing/deterministicMath.ts";
import { type Feed, type Quote, readModel } from "./feed.ts";
import { sampleIndex } from "./indexHistory.ts";

/** The path lives for 2^40 ms (35 years) after `startMs`, in steps of 2^10 ms. */
const HORIZON_MS = 2 ** 40;
const LEVELS = 30;
const TICKS_MAX = 2 ** 20 - 1;
const MS_PER_DAY = 86_400_000;
/** Strikes quoted besides those of the table: up to three deviations, about half of one apart. */
const LADDER_DEVIATIONS = 3;
const LADDER_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000];

export interface SimulatedFeedConfig {
  readonly seed: number;
  /** Where the path begins (unix ms); the price is still before. */
  readonly startMs: number;
  /** Price at the beginning; 25,000 ticks of 0.1 USDC by default. */
  readonly spotTicks?: number;
  /** Volatility of the path and at the money, and the forward's growth, for one year. */
  readonly volatilityBps?: number;
  readonly carryBps?: number;
}

export function createSimulatedFeed(config: SimulatedFeedConfig): Feed {
  const { seed, startMs, spotTicks = 25_000, volatilityBps = 6500, carryBps = 300 } = config;
  const volatility = volatilityBps / 10_000;
  const index = (timeMs: number): number => {
    const elapsed = Math.min(Math.max(timeMs - startMs, 0), HORIZON_MS - 1);
    const motion = brownianMotion(seed, elapsed) / Math.sqrt(MS_PER_YEAR);
    const drift = -(volatility * volatility * elapsed) / (2 * MS_PER_YEAR);
    return spotTicks * exp(volatility * motion + drift);
  };
  const forward = (expiry: number, nowMs: number): number => {
    const years = (expiry * 1000 - nowMs) / MS_PER_YEAR;
    return toTicks(index(nowMs) * exp((carryBps / 10_000) * years));
  };
  const iv: Iv = ({ strike, expiry }, nowMs) =>
    smile({ strike, expiry, forwardTicks: forward(expiry, nowMs), nowMs, volatilityBps });
  const strikes = (expiry: number, nowMs: number): number[] => {
    const years = Math.max(expiry * 1000 - nowMs, 0) / MS_PER_YEAR;
    return ladder(forward(expiry, nowMs), volatility * Math.sqrt(years));
  };
  const model = { index, forward, iv, strikes };
  return {
    name: `simulated ${seed}`,
    read: (nowMs, table) => readModel(model, nowMs, table),
    history: (fromMs, toMs) => sampleIndex(index, fromMs, toMs),
  };
}

/** Strikes at whole multiples of a round step, so that they stay while the forward moves. */
function ladder(forward: number, deviation: number): number[] {
  const reach = LADDER_DEVIATIONS * deviation * forward;
  const step = LADDER_STEPS.findLast((size) => size * 6 <= reach) ?? 1;
  const lowest = Math.max(Math.ceil((forward - reach) / step), 1);
  const highest = Math.floor((forward + reach) / step);
  const count = Math.max(highest - lowest + 1, 0);
  return Array.from({ length: count }, (_, index) => (lowest + index) * step);
}

type Iv = (quote: Pick<Quote, "strike" | "expiry">, nowMs: number) => number;

/**
 * A smile in standardised moneyness `z = ln(K / F) / sqrt(days / 30)`: out-of-the-money puts dearer
 * than calls, as in the recorded ETH chains, with total variance linear in the wings.
 */
function smile(options: {
  strike: number;
  expiry: number;
  forwardTicks: number;
  nowMs: number;
  volatilityBps: number;
}): number {
  const { strike, expiry, forwardTicks, nowMs, volatilityBps } = options;
  const days = Math.max((expiry * 1000 - nowMs) / MS_PER_DAY, 1);
  const z = log(strike / forwardTicks) / Math.sqrt(days / 30);
  const shape = 0.8 + 0.4 * (-0.3 * z + Math.sqrt(z * z + 0.25));
  return roundHalfAway(volatilityBps * Math.sqrt(shape));
}

function toTicks(price: number): number {
  return Math.min(Math.max(roundHalfAway(price), 1), TICKS_MAX);
}

/**
 * Brownian motion in sqrt(ms) by Levy's construction: halving the horizon towards `elapsed`, each
 * midpoint is the mean of its ends plus an independent normal with variance `width / 4`.
 */
function brownianMotion(seed: number, elapsed: number): number {
  let left = 0;
  let width = HORIZON_MS;
  let atLeft = 0;
  let atRight = Math.sqrt(HORIZON_MS) * normal(seed, 0, 0);
  let index = 0;
  for (let level = 1; level <= LEVELS; level++) {
    const deviation = Math.sqrt(width) / 2;
    const atMiddle = (atLeft + atRight) / 2 + deviation * normal(seed, level, index);
    width /= 2;
    const isRight = elapsed >= left + width;
    index = index * 2 + (isRight ? 1 : 0);
    if (isRight) {
      left += width;
      atLeft = atMiddle;
    } else {
      atRight = atMiddle;
    }
  }
  return atLeft + ((atRight - atLeft) * (elapsed - left)) / width;
}

/** Nearly normal: the sum of 12 uniform numbers less 6 has mean 0 and variance 1. */
function normal(seed: number, level: number, index: number): number {
  let state = mix(mix(mix(seed) ^ level) ^ index);
  let sum = -6;
  for (let draw = 0; draw < 12; draw++) {
    state = (state + 0x9e3779b9) | 0;
    sum += (mix(state) >>> 0) / 2 ** 32;
  }
  return sum;
}

/** The finaliser of MurmurHash3 (A. Appleby, public domain), on 32 bits. */
function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
