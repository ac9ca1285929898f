/** A market with a taker and two makers who trade packages of the two series. */
import type { LogRecord } from "../../../sequencer/batch/log.ts";
import type { Refused } from "../../../sequencer/exchangeService.ts";
import type { BookLegs } from "../../../sequencer/market/package.ts";
import type { QuoteInfo, RfqInfo, RfqTrade } from "../../../sequencer/protocol/blockRfq.ts";
import {
  type Message,
  messageFromWord,
  type PlaceMessage,
} from "../../../sequencer/protocol/messages.ts";
import { addKey, signOn, type TestKey } from "./heldFixture.ts";
import { createMarket, createTrader, PLACE, turns, type World } from "./market.ts";

/** The last sixteen of the tree's 64 ids are for combinations on demand; the first of them. */
export const COMBO = 48;
/** Buys the call, sells the put. */
export const LEGS = [
  [0, 1],
  [1, -1],
] as const;

export interface RfqWorld {
  world: World;
  /** Account 4. */
  readonly taker: TestKey;
  /** Accounts 3 and 5. */
  readonly makers: readonly [TestKey, TestKey];
  /** Further keys of the first maker. */
  readonly spare: TestKey;
  readonly book: number;
}

const PACKAGES = { graceMs: 0 };
const SPARE_KEY = 1;

export async function createRfqMarket(
  change: Parameters<typeof createMarket>[0] = {},
  real: Parameters<typeof createMarket>[1] = {},
): Promise<RfqWorld> {
  const packages = { ...PACKAGES, ...change.packages };
  const { world, maker, taker } = await createMarket({ ...change, packages }, real);
  const other = createTrader(5);
  world.open(other, 1_000_000_000);
  const spare = addKey(world, maker, SPARE_KEY);
  for (let count = 0; count < 4; count++) await world.step(400);
  const [first, second, third] = [maker, other, taker].map(({ account, secret, head }) => {
    return { account, keyIndex: 0, secret, head: head() };
  }) as [TestKey, TestKey, TestKey];
  const book = await openCombo(world, third.account);
  return { world, taker: third, makers: [first, second], spare, book };
}

export async function openCombo(
  world: World,
  account: number,
  legs: BookLegs = LEGS,
): Promise<number> {
  const asked = world.sequencer.service.packages.openCombo(account, legs);
  for (let count = 0; count < 6; count++) {
    await world.step(1000);
    // Listings wait for the proof of those before.
    await world.prove();
  }
  const answer = await asked;
  if (!answer.accepted || answer.book === null) throw new Error("the book was not opened");
  return answer.book;
}

const LIFE_MS = 60_000;

export function quoteOf({ world, book }: RfqWorld, change: Partial<PlaceMessage> = {}) {
  const deadline = world.clock.now() + LIFE_MS;
  return { ...PLACE, book, isSell: true, price: 10, lots: 10, postOnly: true, deadline, ...change };
}

export function takeOf({ world, book }: RfqWorld, change: Partial<PlaceMessage> = {}) {
  const deadline = world.clock.now() + LIFE_MS;
  return { ...PLACE, book, price: 10, lots: 10, timeInForce: "fok", deadline, ...change } as const;
}

export function wordOf(key: TestKey, message: Message) {
  const { word, signature } = signOn(key, key.head, message);
  return { account: key.account, keyIndex: key.keyIndex, word, signature };
}

/** The key's chain has gone on by the message. */
export function moved(key: TestKey, message: Message): void {
  key.head = signOn(key, key.head, message).after;
}

export async function request(
  { world, taker, book }: RfqWorld,
  change: object = {},
): Promise<RfqInfo> {
  const { account } = taker;
  const result = await world.sequencer.service.packages.request({
    ...{ account, book, isReversed: false, lots: 10, label: "", makers: null, isDisclosed: false },
    legs: LEGS.map(([slot, ratio]) => ({ slot, ratio })),
    ...change,
  });
  if (!result.accepted) throw new Error(`refused: ${result.code} ${result.reason}`);
  return result.rfq;
}

export function tryQuote(
  { world }: RfqWorld,
  rfq: RfqInfo,
  key: TestKey,
  message: Message,
  change: { isWhole?: boolean; cancel?: ReturnType<typeof wordOf> | null } = {},
) {
  const signed = wordOf(key, message);
  const plain = { rfq: rfq.id, signed, isWhole: false, label: "", cancel: null };
  return world.sequencer.service.packages.quote({ ...plain, ...change });
}

export async function quote(
  venue: RfqWorld,
  rfq: RfqInfo,
  key: TestKey,
  change: Partial<PlaceMessage> & { isWhole?: boolean; cancel?: ReturnType<typeof wordOf> } = {},
): Promise<QuoteInfo> {
  const { isWhole = false, cancel = null, ...message } = change;
  const result = await tryQuote(venue, rfq, key, quoteOf(venue, message), { isWhole, cancel });
  if (!result.accepted) throw new Error(`refused: ${result.code} ${result.reason}`);
  return result.quote;
}

/** The trade, or the refusal's code. */
export async function accept(
  venue: RfqWorld,
  rfq: RfqInfo,
  change: Partial<PlaceMessage> = {},
): Promise<RfqTrade | Refused> {
  const message = takeOf(venue, change);
  const word = wordOf(venue.taker, message);
  const result = await venue.world.sequencer.service.packages.accept(rfq.id, word);
  if (!result.accepted) return result;
  moved(venue.taker, message);
  return result.trade;
}

export function codeOf(result: object): string {
  return "code" in result ? String(result.code) : "accepted";
}

export async function resting({ world, book }: RfqWorld): Promise<readonly string[]> {
  await turns();
  const found = await world.sequencer.service.book(book, 10);
  const text = (side: string, levels: readonly { price: number; lots: number }[]) =>
    levels.map(({ price, lots }) => `${side} ${lots}@${price}`);
  return [...text("bid", found?.bids ?? []), ...text("ask", found?.asks ?? [])];
}

/** What the log has from there: messages by their author, other entries by type. */
export function entriesFrom(records: readonly LogRecord[], from: number): string[] {
  return records.slice(from).map(({ entry }) => {
    if (entry.type !== "message") return entry.type;
    const message = messageFromWord(entry.word);
    const kind = message?.kind === "place" ? message.timeInForce : message?.kind;
    return `${kind} ${entry.author.account}`;
  });
}
