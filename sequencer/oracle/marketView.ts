/** An oracle's view of the market: what its sources say together, and what was left out and why. */
import { STRIKE_BITS } from "../protocol/constants.ts";
import { type CleanQuote, cleanQuotes } from "./cleanQuotes.ts";
import {
  type Agreement,
  type Consensus,
  type ConsensusLimits,
  createConsensus,
  type Reading,
} from "./consensus.ts";
import { type Feed, isExpired, type Market, quotableExpiries, type SeriesTerms } from "./feed.ts";
import { type OracleReject, type Outcome, refuse, reject } from "./rejects.ts";
import { IV_BPS_MAX } from "./riskMatrix.ts";
import { DEFAULT_GAP_RULES, type GapRules, timeWeightedAverage } from "./timeWeightedAverage.ts";

/** The volatility at a strike, of the out-of-the-money option where there is one. */
export interface VolatilityPoint {
  readonly strike: number;
  readonly ivBps: number;
}

/** Something that does not count, by source; the view holds at most {@link ISSUES_MAX}. */
export interface Issue {
  readonly source: string;
  readonly reject: OracleReject;
}

/** At `time` (unix ms). `forwards` and `points` by expiry (unix seconds), in ticks and 1/10,000. */
export interface MarketView {
  readonly time: number;
  readonly index: Outcome<number>;
  readonly forwards: ReadonlyMap<number, Outcome<number>>;
  readonly points: ReadonlyMap<number, readonly VolatilityPoint[]>;
  readonly issues: readonly Issue[];
}

export interface MarketSources {
  readonly count: number;
  /** `localMs`: the local clock where `nowMs` is the time of another's proposal. */
  read(nowMs: number, table: readonly SeriesTerms[], localMs?: number): Promise<MarketView>;
  /** The index' average in the past, by the sources that keep it, agreed as the index is. */
  average(fromMs: number, toMs: number): Outcome<number>;
}

export interface ViewLimits {
  readonly price: ConsensusLimits;
  readonly volatility: ConsensusLimits;
  /** How long a source may take to answer. */
  readonly answerMs: number;
}

const ISSUES_MAX = 100;

/** Most of the sources must be live and agree: a minority is then never what counts. */
export function sourceMajority(sources: number): number {
  return Math.floor(sources / 2) + 1;
}

/**
 * Prices: Deribit's band of 0.5 %; sources agree within 1 %; 5 % in a round of three seconds is a
 * jump. Volatilities, as parts of themselves: a band of 5 %, agreement within 15 %, and a jump
 * begins at 50 %.
 */
export function defaultLimits(sources: number): ViewLimits {
  const common = {
    staleMs: 15_000,
    aheadMs: 5000,
    sourcesMin: sourceMajority(sources),
    combine: "median",
    jumpRounds: 3,
    roundMs: 1000,
    memoryMs: 600_000,
  } as const;
  return {
    price: { ...common, agreeBps: 100, clampBps: 50, jumpBps: 500, max: 2 ** STRIKE_BITS - 1 },
    volatility: {
      ...{ ...common, staleMs: 60_000, agreeBps: 1500, clampBps: 500 },
      ...{ jumpBps: 5000, max: IV_BPS_MAX },
    },
    answerMs: 2500,
  };
}

interface Answer {
  readonly source: string;
  readonly market: Market;
}

export function createMarketSources(
  feeds: readonly Feed[],
  limits: ViewLimits = defaultLimits(feeds.length),
  gapRules: GapRules = DEFAULT_GAP_RULES,
): MarketSources {
  const prices = createConsensus(limits.price);
  const volatilities = createConsensus(limits.volatility);
  // An average over half an hour is not compared with the one before.
  const averages = createConsensus({ ...limits.price, jumpBps: Number.POSITIVE_INFINITY });
  const count = feeds.length;

  async function read(
    nowMs: number,
    table: readonly SeriesTerms[],
    localMs = nowMs,
  ): Promise<MarketView> {
    prices.prune(nowMs);
    volatilities.prune(nowMs);
    const issues: Issue[] = [];
    const answers = await ask(feeds, { nowMs, table, answerMs: limits.answerMs, issues });
    const agree = (key: string, pick: (market: Market) => number | undefined) =>
      take(prices.read(key, readingsOf(answers, pick), count, nowMs, localMs), issues);
    const index = agree("index", ({ indexTicks }) => indexTicks);
    const forwards = new Map<number, Outcome<number>>();
    for (const expiry of quotableExpiries(table)) {
      if (isExpired({ expiry }, nowMs)) continue;
      const isQuoted = answers.some(({ market }) => market.forwardTicks.has(expiry));
      forwards.set(
        expiry,
        isQuoted
          ? agree(`forward ${expiry}`, ({ forwardTicks }) => forwardTicks.get(expiry))
          : refuse("missingForward", `expiry \`${expiry}\``),
      );
    }
    const times = { nowMs, localMs };
    const points = readPoints({ answers, forwards, volatilities, count, ...times, issues });
    return { time: nowMs, index, forwards, points, issues: issues.slice(0, ISSUES_MAX) };
  }

  return {
    count,
    read,
    average: (fromMs, toMs) => {
      averages.prune(toMs);
      const readings: Reading[] = [];
      for (const feed of feeds) {
        const samples = feed.history?.(fromMs, toMs);
        if (samples === undefined) continue;
        const average = timeWeightedAverage(samples, fromMs, toMs, gapRules);
        if (average.refused !== undefined) continue;
        readings.push({ source: feed.name, time: toMs, value: average.value });
      }
      return averages.read(`average to ${toMs}`, readings, count, toMs);
    },
  };
}

/** Asks all feeds at once; one that fails or is late is an issue and nothing else. */
async function ask(
  feeds: readonly Feed[],
  options: {
    nowMs: number;
    table: readonly SeriesTerms[];
    answerMs: number;
    issues: Issue[];
  },
): Promise<Answer[]> {
  const { nowMs, table, answerMs, issues } = options;
  const answers = await Promise.all(
    feeds.map(async (feed): Promise<Answer | undefined> => {
      try {
        const market = await inTime(answerMs, async () => feed.read(nowMs, table));
        return { source: feed.name, market };
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error);
        issues.push({ source: feed.name, reject: reject("noAnswer", detail) });
        return undefined;
      }
    }),
  );
  return answers.filter((answer) => answer !== undefined);
}

async function inTime<T>(ms: number, run: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, refuseIt) => {
    timer = setTimeout(() => refuseIt(new Error(`no answer within \`${ms}\` ms`)), ms);
  });
  try {
    return await Promise.race([run(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function readingsOf(
  answers: readonly Answer[],
  pick: (market: Market) => number | undefined,
): Reading[] {
  return answers.flatMap(({ source, market }) => {
    const value = pick(market);
    return value === undefined ? [] : [{ source, time: market.time, value }];
  });
}

function take(agreement: Agreement, issues: Issue[]): Outcome<number> {
  issues.push(...agreement.excluded);
  return agreement;
}

function readPoints(options: {
  answers: readonly Answer[];
  forwards: ReadonlyMap<number, Outcome<number>>;
  volatilities: Consensus;
  count: number;
  nowMs: number;
  localMs: number;
  issues: Issue[];
}): Map<number, VolatilityPoint[]> {
  const { answers, volatilities, count, nowMs, localMs, issues } = options;
  const forwards = new Map<number, number>();
  for (const [expiry, { value }] of options.forwards) {
    if (value !== undefined) forwards.set(expiry, value);
  }
  const readings = new Map<number, Map<number, Reading[]>>();
  for (const { source, market } of answers) {
    const { quotes, rejects } = cleanQuotes(market, forwards, nowMs);
    for (const fault of rejects) issues.push({ source, reject: fault });
    for (const { expiry, strike, ivBps } of outOfTheMoney(quotes, forwards)) {
      const strikes = readings.get(expiry) ?? new Map<number, Reading[]>();
      readings.set(expiry, strikes);
      const list = strikes.get(strike) ?? [];
      strikes.set(strike, list);
      list.push({ source, time: market.time, value: ivBps });
    }
  }
  const points = new Map<number, VolatilityPoint[]>();
  for (const [expiry, strikes] of readings) {
    const agreed = [...strikes].flatMap(([strike, list]): VolatilityPoint[] => {
      const key = `volatility ${expiry} ${strike}`;
      const agreement = volatilities.read(key, list, count, nowMs, localMs);
      const { value, refused } = take(agreement, issues);
      if (refused !== undefined) issues.push({ source: "all", reject: refused });
      return value === undefined ? [] : [{ strike, ivBps: value }];
    });
    points.set(
      expiry,
      agreed.sort((a, b) => a.strike - b.strike),
    );
  }
  return points;
}

/** Of a call and a put with the same strike, the one out of the money. */
function outOfTheMoney(
  quotes: readonly CleanQuote[],
  forwards: ReadonlyMap<number, number>,
): CleanQuote[] {
  const chosen = new Map<string, CleanQuote>();
  for (const quote of quotes) {
    const key = `${quote.expiry} ${quote.strike}`;
    const isOut = quote.isCall === quote.strike >= (forwards.get(quote.expiry) as number);
    if (isOut || !chosen.has(key)) chosen.set(key, quote);
  }
  return [...chosen.values()];
}
