/** A real sequencer with its API, a forward and options at two strikes, and accounts with money. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Ending } from "../../../sequencer/bots/botLoop.ts";
import { type BotKind, type FlagName, numbersOf } from "../../../sequencer/bots/botSettings.ts";
import { startBot } from "../../../sequencer/bots/startBot.ts";
import type { Trader } from "../../../sequencer/client/trader.ts";
import { blackPrice } from "../../../sequencer/pricing/black76.ts";
import { publicKeyOf } from "../../../sequencer/protocol/eddsa.ts";
import type { SequencerConfig } from "../../../sequencer/roles/sequencerConfig.ts";
import { startVenue, type Venue } from "../client/liveSequencer.ts";
import {
  createTrader as createIdentity,
  createWorld,
  EXPIRY,
  infoOf,
  START,
  type TestTrader,
  type World,
} from "../roles/market.ts";

export const FORWARD = 25_000;
export const ROLLUP = `0x${"5f".repeat(20)}` as const;
const STRIKES = [24_500, 25_500];
export const SLOTS = { forward: 0, lowCall: 1, lowPut: 2, highCall: 3, highPut: 4 } as const;
const TERMS = [
  { isCall: true, strike: 0 },
  ...STRIKES.flatMap((strike) => [
    { isCall: true, strike },
    { isCall: false, strike },
  ]),
];
const CASH = 1_000_000_000_000;
const MOVE_TICKS = 100;
export const GUARD = { index: 1, secret: 777n };
const WAIT_MS = 30_000;
const POLL_MS = 50;
const PROVE_MS = 200;

/** In ticks by slot, of one volatility. */
export function marksAt(forward: number): number[] {
  return TERMS.map(({ isCall, strike }) => {
    const years = (EXPIRY - START / 1000) / (365 * 86_400);
    const inputs = { isCall, strike, forward, yearsToExpiry: years, volatility: 0.8 };
    return Math.round(blackPrice(inputs));
  });
}

export const MARKS = marksAt(FORWARD);

const PLAN: SequencerConfig["plan"] = {
  series: TERMS.map((terms, slot) => ({ slot, ...terms, expiry: EXPIRY })),
  books: TERMS.map((_, slot) => ({ book: slot, legs: [[slot, 1]] })),
};

type Flags = Partial<Record<FlagName, string>>;

export interface LiveMarket {
  readonly world: World;
  readonly venue: Venue;
  /** Accounts 3 and up, with money. */
  readonly identities: readonly TestTrader[];
  trader(identity: TestTrader, node?: string): Promise<Trader>;
  /** Starts a bot of the kind; it is stopped with the test. */
  start(kind: BotKind, trader: Trader, flags?: Flags, quotes?: "all" | "forwards"): RunningBot;
  positions(identity: TestTrader): Promise<readonly number[]>;
}

export interface RunningBot {
  readonly lines: string[];
  stop(): Promise<Ending>;
}

/** `poor`: accounts of these places have 1000 USDC. */
export async function startLiveMarket(
  context: TestContext,
  { accounts, poor = [] }: { readonly accounts: number; readonly poor?: readonly number[] },
): Promise<LiveMarket> {
  const world = await createWorld({ plan: PLAN, info: { ...infoOf(), rollup: ROLLUP } });
  world.snapshotOptions = { marks: MARKS, moves: MARKS.map(() => MOVE_TICKS) };
  const identities = Array.from({ length: accounts }, (_, at) => createIdentity(3 + at));
  for (const [at, identity] of identities.entries()) {
    world.open(identity, poor.includes(at) ? 1_000_000_000 : CASH);
  }
  const { account, owner } = identities[0]!;
  world.settlement.enqueue({
    ...{ kind: "deposit", account, owner, amount: 1, keyIndex: GUARD.index },
    ...{ key: publicKeyOf(GUARD.secret), keyExpiry: EXPIRY + 86_400 },
  });
  const isReady = async (): Promise<boolean> => {
    const books = await world.sequencer.service.books();
    const last = await world.sequencer.service.account({ id: 2 + accounts });
    return books.length === PLAN.books.length && last !== null;
  };
  for (let count = 0; count < 100 && !(await isReady()); count++) {
    await world.step(400);
    await world.prove();
  }
  for (let count = 0; count < 5; count++) await world.step(400);
  assert.ok(await isReady());
  const venue = await startVenue(context, world);
  // Trading pauses where too much waits for proofs.
  const proving = setInterval(() => void world.prove(), PROVE_MS);
  context.after(() => clearInterval(proving));
  const now = () => world.clock.now();
  return {
    ...{ world, venue, identities },
    trader: (identity, node) => venue.trader(identity, node === undefined ? {} : { node }),
    start(kind, trader, flags = {}, quotes = "all") {
      const stopping = new AbortController();
      const lines: string[] = [];
      const say = (what: string, line: string): void => void lines.push(`${what} ${line}`);
      const numbers = numbersOf(kind, { "interval-ms": "100", ...flags });
      const isFirst = trader.account === identities[0]!.account;
      const guardKey = isFirst ? GUARD : undefined;
      const { signal } = stopping;
      const running = startBot({ kind, numbers, quotes, trader, guardKey, say, signal, now });
      // A bot that fails ends the wait for what it should have done.
      running.catch((error: unknown) => lines.push(`failed ${String(error)}`));
      context.after(() => stopping.abort());
      return {
        lines,
        stop: () => {
          stopping.abort();
          return running;
        },
      };
    },
    async positions({ account: id }) {
      return (await world.sequencer.service.account({ id }))!.positions;
    },
  };
}

/** Asks again until there is an answer; the test fails with the bot's lines where there is none. */
export async function eventually<T>(
  what: string,
  { lines }: Pick<RunningBot, "lines">,
  ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const end = Date.now() + WAIT_MS;
  while (Date.now() < end && !lines.some((line) => line.startsWith("failed"))) {
    const found = await ask();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return assert.fail(`${what} did not come about; the bot said:\n${lines.join("\n")}`);
}
