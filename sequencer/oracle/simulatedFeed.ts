/**
 * A made-up market: geometric Brownian motion with a volatility smile. The path is a function of
 * seed and time alone, so oracles that share a seed agree without talking, whenever they start.
 */
import { MS_PER_YEAR } from "../pricing/black76.ts";
import { exp, log, roundHalfAway } from "../pricing/deterministicMath.ts";
import type { Feed, SeriesTerms } from "./feed.ts";
import { readModel } from "./feed.ts";

/** The path lives for 2^40 ms (35 years) after `startMs`, in steps of 2^10 ms. */
const HORIZON_MS = 2 ** 40;
const LEVELS = 30;
const TICKS_MAX = 2 ** 20 - 1;
const MS_PER_DAY = 86_400_000;
const MS_PER_MINUTE = 60_000;
/** Settlement is the mean over the last half hour (Deribit's rule), read once a minute. */
const SETTLEMENT_READINGS = 30;

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
  const spot = (timeMs: number): number => {
    const elapsed = Math.min(Math.max(timeMs - startMs, 0), HORIZON_MS - 1);
    const motion = brownianMotion(seed, elapsed) / Math.sqrt(MS_PER_YEAR);
    const drift = -(volatility * volatility * elapsed) / (2 * MS_PER_YEAR);
    return spotTicks * exp(volatility * motion + drift);
  };
  const forward = (expiry: number, nowMs: number): number => {
    const years = (expiry * 1000 - nowMs) / MS_PER_YEAR;
    return toTicks(spot(nowMs) * exp((carryBps / 10_000) * years));
  };
  const settlement = (expiry: number): number => {
    let sum = 0;
    for (let minute = 0; minute < SETTLEMENT_READINGS; minute++) {
      sum += spot(expiry * 1000 - minute * MS_PER_MINUTE);
    }
    return toTicks(sum / SETTLEMENT_READINGS);
  };
  const iv = (terms: SeriesTerms, nowMs: number): number =>
    smile({ terms, forwardTicks: forward(terms.expiry, nowMs), nowMs, volatilityBps });
  return { read: (nowMs, table) => readModel({ forward, settlement, iv }, nowMs, table) };
}

/**
 * A parabola in standardised moneyness `z = ln(K / F) / sqrt(days / 30)`, flat beyond |z| = 1:
 * out-of-the-money puts dearer than calls, as in the recorded ETH chains.
 */
function smile(options: {
  terms: SeriesTerms;
  forwardTicks: number;
  nowMs: number;
  volatilityBps: number;
}): number {
  const { terms, forwardTicks, nowMs, volatilityBps } = options;
  if (terms.strike === 0) return volatilityBps;
  const days = Math.max((terms.expiry * 1000 - nowMs) / MS_PER_DAY, 1);
  const moneyness = log(terms.strike / forwardTicks) / Math.sqrt(days / 30);
  const z = Math.min(Math.max(moneyness, -1), 1);
  return roundHalfAway(volatilityBps * (1 - 0.15 * z + 0.6 * z * z));
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
