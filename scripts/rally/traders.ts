/** Who trades in the rally: makers around the mark, leveraged traders at random, a backstop. */
import { createHash } from "node:crypto";
import type { ExchangeService, SubmitResult } from "../../sequencer/exchangeService.ts";
import type { ChainInfo, SeriesInfo } from "../../sequencer/market/publicBook.ts";
import { publicKeyOf, sign } from "../../sequencer/protocol/eddsa.ts";
import {
  firstHead,
  type Message,
  messageWord,
  nextHead,
} from "../../sequencer/protocol/messages.ts";
import { DOMAIN, type Venue } from "./venue.ts";

/** Numbers from 0 (inclusive) to 1 that a seed determines. */
export type Chance = () => number;

/** xorshift32: the same on every machine. */
export function createChance(seed: number): Chance {
  let state = seed % 2 ** 32 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

export interface Participant {
  readonly account: number;
  readonly deposit: number;
  submit(service: ExchangeService, message: Message): Promise<SubmitResult>;
}

/** Queues the account's deposit (1e-6 USDC) with a key that lasts. `account` must be the next. */
export function join(venue: Venue, account: number, deposit: number): Participant {
  const secret = secretOf(account);
  const keyExpiry = Math.floor(venue.now() / 1000) + 400 * 86_400;
  const owner = 0xa000n + BigInt(account);
  venue.enqueue({
    ...{ kind: "deposit", account, owner, amount: deposit },
    ...{ key: publicKeyOf(secret), keyIndex: 0, keyExpiry },
  });
  let head = firstHead({ domain: DOMAIN, account, keyIndex: 0, version: 1 });
  return {
    account,
    deposit,
    submit: async (service, message) => {
      const word = messageWord(message);
      const next = nextHead(head, word);
      const signature = sign(secret, next);
      const result = await service.submit({ account, keyIndex: 0, word, signature });
      // A message that is refused at the door does not extend the chain.
      if (result.accepted) head = next;
      return result;
    },
  };
}

/** Money only, for an account without a key (the venue's own). */
export function fund(venue: Venue, account: number, amount: number): void {
  const noKey = { key: { x: 0n, y: 0n }, keyIndex: 0, keyExpiry: 0 };
  const owner = 0xa000n + BigInt(account);
  venue.enqueue({ kind: "deposit", account, owner, amount, ...noKey });
}

/** Simulated participants hold simulated money: their keys follow from their number. */
function secretOf(account: number): bigint {
  const digest = createHash("sha256").update(`rally participant ${account}`).digest("hex");
  return BigInt(`0x${digest}`) >> 8n;
}

const SPREAD_PARTS = 25;
const SPREAD_TICKS_MIN = 3;
const ORDER_LIFE_MS = 3_600_000;

/** Cancels what the maker has and quotes every open book on both sides, `lots` each. */
export async function quoteAll(venue: Venue, maker: Participant, lots: number): Promise<void> {
  const { service } = venue;
  const deadline = venue.now() + ORDER_LIFE_MS;
  await maker.submit(service, { kind: "cancelAll", deadline });
  const { series } = await service.chain();
  for (const { book, mark } of tradable(series)) {
    const half = Math.max(SPREAD_TICKS_MIN, Math.round(mark / SPREAD_PARTS));
    for (const isSell of [false, true]) {
      const price = isSell ? mark + half : Math.max(mark - half, 1);
      await maker.submit(service, { ...ORDER, book, isSell, price, lots, deadline });
    }
  }
}

const ORDER = {
  kind: "place",
  timeInForce: "gtc",
  postOnly: false,
  reduceOnly: false,
} as const;

/** Series that can be traded now: their open plain books with marks in ticks. */
function tradable(series: readonly SeriesInfo[]): { book: number; mark: number }[] {
  return series.flatMap(({ status, book, mark }) => {
    return status === "listed" && book !== null ? [{ book, mark }] : [];
  });
}

/** How often a trader sells; the rest buys. Sellers of options are those whom a rally hurts. */
const SELLING = 0.75;
const SLIPPAGE_PARTS = 8;

/** Takes one random position of about `lots`; returns whether it was filled at all. */
export async function takeRandom(
  venue: Venue,
  trader: Participant,
  chance: Chance,
  lots: number,
): Promise<boolean> {
  const { series }: ChainInfo = await venue.service.chain();
  const books = tradable(series);
  const chosen = books[Math.floor(chance() * books.length)];
  if (chosen === undefined) return false;
  const isSell = chance() < SELLING;
  const slip = Math.max(2 * SPREAD_TICKS_MIN, Math.round(chosen.mark / SLIPPAGE_PARTS));
  const price = isSell ? Math.max(chosen.mark - slip, 1) : chosen.mark + slip;
  const result = await trader.submit(venue.service, {
    ...ORDER,
    ...{ book: chosen.book, isSell, price, timeInForce: "ioc" },
    lots: 1 + Math.floor(chance() * lots),
    deadline: venue.now() + ORDER_LIFE_MS,
  });
  return result.accepted && result.receipt.fills.length > 0;
}
