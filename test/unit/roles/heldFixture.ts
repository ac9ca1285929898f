/** A market whose traders have several keys and leave words with the sequencer. */
import assert from "node:assert/strict";
import type { ExchangeEvent, Refused } from "../../../sequencer/exchangeService.ts";
import { publicKeyOf, type Signature, sign } from "../../../sequencer/protocol/eddsa.ts";
import type { HeldCondition, HeldInfo } from "../../../sequencer/protocol/heldWord.ts";
import {
  firstHead,
  type Message,
  messageWord,
  nextHead,
} from "../../../sequencer/protocol/messages.ts";
import { createMarket, DOMAIN, EXPIRY, PLACE, type TestTrader, type World } from "./market.ts";

/** One key of an account; `head` is moved by whoever knows what was sequenced. */
export interface TestKey {
  readonly account: number;
  readonly keyIndex: number;
  readonly secret: bigint;
  head: bigint;
}

export const DEADLINE = EXPIRY * 1000;
export const CANCEL_ALL = { kind: "cancelAll", deadline: DEADLINE } as const;
export const SELL = { ...PLACE, isSell: true, price: 510, lots: 5, deadline: DEADLINE } as const;
export const BUY = { ...PLACE, price: 490, lots: 5, deadline: DEADLINE } as const;

export interface HeldWorld {
  world: World;
  readonly maker: TestTrader;
  readonly taker: TestTrader;
  /** Of the maker: keys 1, 2 and 3. */
  readonly keys: readonly [TestKey, TestKey, TestKey];
}

export async function createHeldMarket(
  change: Parameters<typeof createMarket>[0] = {},
): Promise<HeldWorld> {
  const { world, maker, taker } = await createMarket(change);
  const keys = [1, 2, 3].map((keyIndex) => addKey(world, maker, keyIndex));
  for (let count = 0; count < 4; count++) await world.step(400);
  return { world, maker, taker, keys: keys as [TestKey, TestKey, TestKey] };
}

export function addKey(world: World, { account, owner }: TestTrader, keyIndex: number): TestKey {
  const secret = 5000n + BigInt(account * 4 + keyIndex);
  const key = publicKeyOf(secret);
  const keyExpiry = EXPIRY + 3_600_000;
  world.settlement.enqueue({ kind: "registerKey", account, owner, keyIndex, key, keyExpiry });
  const head = firstHead({ domain: DOMAIN, account, keyIndex, version: 1 });
  return { account, keyIndex, secret, head };
}

/** The message's word on a head of the key's chain. */
export function signOn(key: Pick<TestKey, "secret">, head: bigint, message: Message) {
  const word = messageWord(message);
  const after = nextHead(head, word);
  const signature: Signature = sign(key.secret, after);
  return { word, signature, after };
}

export interface Left {
  readonly message: Message;
  readonly conditions?: readonly HeldCondition[];
  /** Default: the one before it, or the head. */
  readonly follows?: number | null;
  readonly label?: string;
}

/** What the words of a request are: each on the head that it is to extend. */
export function wordsOf(key: TestKey, left: readonly Left[]) {
  const heads: bigint[] = [];
  return left.map(({ message, conditions = [], follows, label = "" }, index) => {
    const parent = follows === undefined ? (index === 0 ? null : index - 1) : follows;
    const head = parent === null ? key.head : heads[parent]!;
    const { after, ...signed } = signOn(key, head, message);
    heads.push(after);
    return { ...signed, follows: parent, conditions, label };
  });
}

export async function hold(
  world: World,
  key: TestKey,
  ...left: readonly Left[]
): Promise<readonly HeldInfo[]> {
  const result = await tryHold(world, key, ...left);
  if (!result.accepted) throw new Error(`refused: ${result.code} ${result.reason}`);
  return result.held;
}

export async function tryHold(world: World, key: TestKey, ...left: readonly Left[]) {
  const { account, keyIndex } = key;
  return world.sequencer.service.policy.hold({ account, keyIndex, words: wordsOf(key, left) });
}

export function refusedFor(result: { accepted: true } | Refused): string {
  assert.equal(result.accepted, false, "it was taken");
  return result.accepted ? "" : result.code;
}

/** Sends a message by one of the maker's further keys now. */
export async function submitBy(world: World, key: TestKey, message: Message) {
  const { after, ...signed } = signOn(key, key.head, message);
  const { account, keyIndex } = key;
  const result = await world.sequencer.service.submit({ account, keyIndex, ...signed });
  if (result.accepted) key.head = after;
  return result;
}

/** [state, reason] of everything that was told of the word. */
export function toldOf({ events }: World, id: string): readonly (readonly [string, unknown])[] {
  return events.flatMap((event: ExchangeEvent) =>
    event.type === "held" && event.update.id === id && event.receipt === null
      ? [[event.update.state, event.update.reason] as const]
      : [],
  );
}

export async function ordersOf(world: World, account: number): Promise<readonly string[]> {
  const orders = await world.sequencer.service.orders(account);
  return orders.map(({ isSell, price, lots }) => `${isSell ? "S" : "B"}${lots}@${price}`).sort();
}

/** Marks by which the underlying, 20000 and call less put, is at `index`. */
export function atIndex(index: number): { marks: number[] } {
  return { marks: index >= 20_000 ? [500 + index - 20_000, 500] : [500, 500 + 20_000 - index] };
}
