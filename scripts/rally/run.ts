/** One rally: set up, play, prove, report. */
import path from "node:path";
import type { ExchangeEvent } from "../../sequencer/exchangeService.ts";
import type { Logger } from "../../sequencer/ports.ts";
import { FEE_ACCOUNT, INSURANCE_ACCOUNT } from "../../sequencer/protocol/constants.ts";
import { openStore } from "../../sequencer/store/store.ts";
import { createReplayFeed, loadReplay, type Replay, replayTerms } from "../replay/deribit.ts";
import { bidInAuctions } from "./backstop.ts";
import { proveBatches } from "./proving.ts";
import { writeReport } from "./report.ts";
import { noCounts, type Sample, takeSample, totalOf } from "./sampling.ts";
import {
  type Chance,
  createChance,
  fund,
  join,
  type Participant,
  quoteAll,
  takeRandom,
} from "./traders.ts";
import { createVenue, DOMAIN, type Venue } from "./venue.ts";

export interface RallyOptions {
  readonly directory: string;
  /** Folder of the venue's store. */
  readonly store: string;
  readonly out: string;
  readonly seed: number;
  readonly traders: number;
  readonly hours: number;
  readonly proveMax: number;
  readonly signal: AbortSignal;
  say(line: string): void;
}

const MICROS = 1_000_000;
const INSURANCE = 500_000 * MICROS;
const FEE_SEED = 1 * MICROS;
const MAKER_CASH = 5_000_000 * MICROS;
const BACKSTOP_CASH = 500_000 * MICROS;
const TRADER_CASH_MIN = 1_000 * MICROS;
const TRADER_CASH_MAX = 20_000 * MICROS;
const MAKER_LOTS = 3000;
const TRADE_LOTS = 800;
/** Orders that each trader sends at the beginning, while its margin takes them. */
const OPENING_ORDERS = 30;
/** Traders who trade again in one step, on average. */
const TRADES_PER_STEP = 1.5;
const STEP_MS = 300_000;
/** While somebody is being liquidated. */
const STEP_MS_LOCKED = 60_000;
const QUOTE_EVERY_MS = 3_600_000;
const HOUR_MS = 3_600_000;
/** What rounding of equities to 1e-6 USDC may add up to over all accounts, USDC. */
const ROUNDING = 0.01;

interface Rally {
  readonly options: RallyOptions;
  readonly venue: Venue;
  readonly chance: Chance;
  readonly makers: readonly Participant[];
  readonly backstop: Participant;
  readonly traders: readonly Participant[];
  readonly deposited: number;
  readonly samples: Sample[];
  readonly counts: ReturnType<typeof noCounts>;
  /** Numbers of the batches in which somebody was liquidated. */
  readonly liquidating: Set<number>;
}

/** Returns what should not have happened: nothing, if all went well. */
export async function runRally(options: RallyOptions): Promise<{ failures: string[] }> {
  const replay = loadReplay(options.directory);
  const store = await openStore(options.store, DOMAIN);
  const logger = quietLogger(options.say);
  const startMs = replay.snapshots[0]!.time;
  const plan = planOf(replay, startMs);
  const feed = createReplayFeed(replay, { startMs, speed: 1 });
  const venue = await createVenue({ store, feed, startMs, plan, logger });
  try {
    const rally = await openMarket(options, venue);
    await play(rally, startMs + options.hours * HOUR_MS);
    const numbers = [...rally.liquidating].sort((a, b) => a - b);
    const chosen = numbers.slice(0, options.proveMax);
    options.say(`proving ${chosen.length} of ${numbers.length} batches with liquidations`);
    const { say, signal } = options;
    const onProven = (done: number): void => {
      if (done % 5 === 0) say(`proven: ${done} of ${chosen.length}`);
    };
    const proofs = await proveBatches(store.batches, chosen, { logger, signal, onProven });
    return finish(rally, replay, { ...proofs, wanted: numbers.length });
  } finally {
    await venue.stop();
    await store.close();
  }
}

function planOf(replay: Replay, startMs: number) {
  const series = replayTerms(replay, startMs).map(({ isCall, strikeTicks, expiry }, slot) => {
    return { slot, isCall, strike: strikeTicks, expiry };
  });
  const books = series.map(({ slot }) => {
    return { book: slot, legs: [[slot, 1] as [number, number]] };
  });
  return { series, books };
}

async function openMarket(options: RallyOptions, venue: Venue): Promise<Rally> {
  const chance = createChance(options.seed);
  fund(venue, FEE_ACCOUNT, FEE_SEED);
  fund(venue, INSURANCE_ACCOUNT, INSURANCE);
  let account = INSURANCE_ACCOUNT;
  const next = (cash: number): Participant => join(venue, ++account, cash);
  const makers = [next(MAKER_CASH), next(MAKER_CASH)];
  const backstop = next(BACKSTOP_CASH);
  const traders = Array.from({ length: options.traders }, () =>
    next(TRADER_CASH_MIN + Math.floor(chance() * (TRADER_CASH_MAX - TRADER_CASH_MIN))),
  );
  const all = [...makers, backstop, ...traders];
  const deposited = all.reduce((sum, { deposit }) => sum + deposit, INSURANCE + FEE_SEED);
  const rally: Rally = {
    ...{ options, venue, chance, makers, backstop, traders },
    deposited: deposited / MICROS,
    samples: [],
    counts: noCounts(),
    liquidating: new Set(),
  };
  venue.service.subscribe((event) => count(rally, event));
  await untilOpen(venue, account);
  for (const maker of makers) await quoteAll(venue, maker, MAKER_LOTS);
  for (let round = 0; round < OPENING_ORDERS; round++) {
    for (const trader of traders) await takeRandom(venue, trader, chance, TRADE_LOTS);
    await venue.step(1000);
    for (const maker of makers) await quoteAll(venue, maker, MAKER_LOTS);
  }
  return rally;
}

const OPENING_STEPS_MAX = 500;

/** Waits for the accounts, the series and their books. */
async function untilOpen(venue: Venue, lastAccount: number): Promise<void> {
  for (let count = 0; count < OPENING_STEPS_MAX; count++) {
    await venue.step(2000);
    // Listings go on as soon as the ones before are proven; here they are proven at the end.
    const { sealed, proven } = await venue.service.status();
    for (let number = proven + 1; number <= sealed; number++) venue.proven(number);
    const books = await venue.service.books();
    const { series } = await venue.service.chain();
    const listed = series.filter(({ status }) => status === "listed").length;
    const isThere = (await venue.service.account({ id: lastAccount })) !== null;
    if (isThere && listed > 0 && books.filter(({ isOpen }) => isOpen).length === listed) return;
  }
  throw new Error("the market did not open");
}

function count(rally: Rally, event: ExchangeEvent): void {
  if (event.type !== "liquidation") return;
  rally.counts[event.update.action] += 1;
  rally.liquidating.add(event.update.batchNumber);
}

async function play(rally: Rally, endMs: number): Promise<void> {
  const { venue, options } = rally;
  let quotedAt = venue.now();
  let hour = 0;
  while (venue.now() < endMs) {
    options.signal.throwIfAborted();
    const { lockedAccounts } = await venue.service.status();
    await venue.step(lockedAccounts > 0 ? STEP_MS_LOCKED : STEP_MS);
    if (venue.now() - quotedAt >= QUOTE_EVERY_MS) {
      quotedAt = venue.now();
      for (const maker of rally.makers) await quoteAll(venue, maker, MAKER_LOTS);
    }
    await tradeAtRandom(rally);
    await bidInAuctions(venue, rally.backstop);
    await sample(rally);
    const passed = Math.floor((venue.now() - (endMs - options.hours * HOUR_MS)) / HOUR_MS);
    if (passed > hour && passed % 6 === 0) options.say(progress(rally, passed));
    hour = passed;
  }
}

async function tradeAtRandom({ venue, traders, chance }: Rally): Promise<void> {
  for (const trader of traders) {
    if (chance() * traders.length >= TRADES_PER_STEP) continue;
    await takeRandom(venue, trader, chance, TRADE_LOTS);
  }
}

async function sample(rally: Rally): Promise<void> {
  const { venue, traders, makers, backstop, counts } = rally;
  const ids = (group: readonly Participant[]) => group.map(({ account }) => account);
  const groups = { traders: ids(traders), makers: ids([...makers, backstop]) };
  const taken = await takeSample(venue.service, groups, { time: venue.now(), counts });
  if (taken !== undefined) rally.samples.push(taken);
}

function progress({ samples, counts }: Rally, hours: number): string {
  const last = samples.at(-1);
  const { locked, order, backstop, insure, deleverage } = counts;
  const forward = ((last?.forward ?? 0) / 10).toFixed(1);
  const taken = `backstop ${backstop}, insurance ${insure}, deleveraged ${deleverage}`;
  return `${hours} h: forward ${forward}, locked ${locked}, fills ${order}, ${taken}`;
}

function finish(
  { options, samples, counts, deposited, traders }: Rally,
  replay: Replay,
  proofs: { proven: number; seconds: number; wanted: number },
): { failures: string[] } {
  const [first, last] = [samples[0]!, samples.at(-1)!];
  const failures: string[] = [];
  const drift = Math.max(...samples.map((each) => Math.abs(totalOf(each) - deposited)));
  if (drift > ROUNDING) failures.push(`accounts and fees are off the vault by ${drift} USDC`);
  if (last.deficit < -ROUNDING) failures.push(`accounts owe ${-last.deficit} USDC at the end`);
  const fund = Math.min(...samples.map(({ insuranceEquity }) => insuranceEquity));
  if (fund < 0) failures.push(`the insurance fund fell to ${fund} USDC`);
  const move = ((last.forward / first.forward - 1) * 100).toFixed(1);
  const money = (value: number): string => Math.round(value).toLocaleString("en");
  const page = writeReport(
    options.out,
    {
      title: "A recorded rally with leveraged portfolios",
      rows: [
        ["seed, traders", `${options.seed}, ${traders.length}`],
        [
          "recorded time",
          `${options.hours} h, ${replay.snapshots.length} chains of ${replay.asset}`,
        ],
        ["forward", `${first.forward / 10} to ${last.forward / 10} (${move} %)`],
        ["deposited, USDC", money(deposited)],
        ["accounts, fees and fund at the end, USDC", money(totalOf(last))],
        ["largest difference on the way, USDC", drift.toFixed(6)],
        ["deficit at the end, USDC", money(last.deficit)],
        ["insurance fund, lowest and last, USDC", `${money(fund)}, ${money(last.insuranceEquity)}`],
        ["accounts locked", String(counts.locked)],
        ["fills of liquidation orders", String(counts.order)],
        ["takeovers by backstop, fund, deleveraging", takeovers(counts)],
        ["batches with liquidations, proven", `${proofs.wanted}, ${proofs.proven}`],
        ["seconds a proof", (proofs.seconds / Math.max(proofs.proven, 1)).toFixed(1)],
      ],
      notes: replay.notes,
    },
    samples,
  );
  options.say(`report: ${path.resolve(page)}`);
  return { failures };
}

function takeovers({ backstop, insure, deleverage }: Rally["counts"]): string {
  return `${backstop}, ${insure}, ${deleverage}`;
}

function quietLogger(say: (line: string) => void): Logger {
  const nothing = (): void => undefined;
  const tell = (message: string, context?: Record<string, unknown>): void =>
    say(`${message} ${JSON.stringify(context ?? {})}`);
  return { debug: nothing, info: nothing, warn: tell, error: tell };
}
