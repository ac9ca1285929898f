/**
 * What the door asks of a message: first what is of the message alone, when it comes; then what
 * hangs on the state, in the turn in which it would be executed.
 */
import { checkMessage, type IncomingMessage } from "../engine/door.ts";
import type { Author } from "../engine/records.ts";
import { effectiveRisk, type Risk } from "../engine/risk.ts";
import type { Refused, Submission } from "../exchangeService.ts";
import type { Clock } from "../ports.ts";
import { KEYS_PER_ACCOUNT } from "../protocol/constants.ts";
import { verify } from "../protocol/eddsa.ts";
import {
  isTradeMessage,
  type Message,
  messageFromWord,
  nextHead,
  type TradeMessage,
} from "../protocol/messages.ts";
import type { DoorReject } from "../protocol/rejection.ts";
import { nextHeadOnce, verifyOnce } from "../protocol/remembered.ts";
import type { TradingKey } from "../protocol/state.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { Batcher } from "./batcher.ts";
import type { Stop } from "./circuitBreakers.ts";
import type { KeyLanes } from "./keyLanes.ts";
import { TRADING_AGE_MS_MAX } from "./opening.ts";
import type { RateLimiter } from "./rateLimiter.ts";
import type { Admission } from "./riskQueries.ts";
import { type SeenHeads, seenRefusal } from "./seenHeads.ts";

export interface Door {
  readonly state: MemoryState;
  readonly batcher: Batcher;
  readonly clock: Clock;
  readonly takeRate: RateLimiter;
  readonly admission: Admission;
  readonly heads: SeenHeads;
  readonly lanes: Pick<KeyLanes, "chain" | "previousHead">;
  /** At the backlog bound: new orders are refused, everything else is taken. */
  isOverloaded(): boolean;
  /** Why nothing that could trade is taken, or undefined. */
  stop(): Stop | undefined;
  /** Why the account's own policy does not take the message, or undefined. */
  policyRefusal(author: Author, message: Message): Refused | undefined;
  /** Whether accounts may be liquidated now: the rule of the two snapshots. */
  areTakeoversOpen(now: number): boolean;
}

/** A message whose form is right, with its author. */
export interface Signed {
  readonly author: Author;
  readonly message: Message;
  readonly word: bigint;
  readonly submission: Submission;
}

/** What is refused is returned, not thrown. */
export type Checked<T> = { readonly refused: Refused } | { readonly value: T };

/** The key's head when the message was found to be signed, and after it. */
export interface Link {
  readonly before: bigint;
  readonly after: bigint;
}

export function parse(state: MemoryState, submission: Submission): Checked<Signed> {
  const { account, keyIndex, word } = submission;
  const message = messageFromWord(word);
  if (message === undefined) return { refused: refuse("malformed") };
  if (!(Number.isInteger(account) && account >= 0 && account < 4 ** state.shape.accountLevels)) {
    return { refused: refuse("unknownAccount", null, { account }) };
  }
  if (!(Number.isInteger(keyIndex) && keyIndex >= 0 && keyIndex < KEYS_PER_ACCOUNT)) {
    return { refused: refuse("unknownKey", null, { account, keyIndex }) };
  }
  return { value: { author: { account, keyIndex }, message, word, submission } };
}

/** What is of the message alone: who signed it, for which place in its key's chain, how often. */
export function admit(door: Door, { author, message, word, submission }: Signed): Checked<Link> {
  const unknown = unknownKey(door, author);
  const barred = unknown ?? door.policyRefusal(author, message);
  if (barred !== undefined) return { refused: barred };
  const key = keyOf(door, author);
  // What waits counts as done: whoever extends another head has not heard of it.
  const before = door.lanes.chain(author)?.head ?? key.head;
  const after = nextHeadOnce(before, word);
  if (!verifyOnce(key, after, submission.signature)) {
    return { refused: refuseSignature(door, { author, word, submission }, before) };
  }
  const { seen } = submission;
  const unseen = seen && seenRefusal(door.heads, { key, before, after, seen });
  if (unseen !== undefined) return { refused: unseen };
  const isCancel = message.kind === "cancel" || message.kind === "cancelAll";
  const isTaken = door.takeRate(author.account, door.clock.now(), isCancel);
  return isTaken ? { value: { before, after } } : { refused: refuse("rateLimited") };
}

/** What hangs on the state, in the turn in which the message would be executed. */
export function judge(
  door: Door,
  { author, message, word }: Signed,
  now: number,
): Refused | undefined {
  const { state } = door;
  const time = timeNow(door, message, now);
  // Asked again: it may have changed while the message waited for its turn.
  const barred = door.policyRefusal(author, message);
  if (barred !== undefined) return barred;
  if (message.kind === "backstop") {
    const stop = door.stop();
    if (stop !== undefined) return refuseStopped(stop);
    if (!door.areTakeoversOpen(now)) {
      return refuse("takeoverRefused", "two new snapshots must come first");
    }
  }
  const incoming: IncomingMessage = { author, message, word };
  const risk = riskNow(door, message);
  const reject = checkMessage(state, incoming, { risk, time, ...door.admission });
  return reject === undefined ? undefined : refuse(reject, null, { time });
}

function keyOf({ state }: Door, { account, keyIndex }: Author): TradingKey {
  return state.session(account).keys[keyIndex]!;
}

function unknownKey(door: Door, author: Author): Refused | undefined {
  if (door.state.account(author.account).owner === 0n) return refuse("unknownAccount");
  const { x, y } = keyOf(door, author);
  return x === 0n && y === 0n ? refuse("unknownKey") : undefined;
}

/** The key may have changed since the message was admitted, by its owner's order on layer one. */
export function keyRefusal(door: Door, author: Author, before: bigint): Refused | undefined {
  const refused = unknownKey(door, author);
  if (refused !== undefined) return refused;
  return keyOf(door, author).head === before ? undefined : refuseMoved(door, author);
}

function refuseMoved(door: Door, author: Author): Refused {
  const { head } = keyOf(door, author);
  return refuse("wrongHead", "the head that the message extends never came to be", { head });
}

function refuseSignature(
  door: Door,
  { author, word, submission }: Omit<Signed, "message">,
  head: bigint,
): Refused {
  const key = keyOf(door, author);
  const previous = door.lanes.chain(author)?.previous ?? door.lanes.previousHead(author);
  const isStale =
    previous !== undefined && verify(key, nextHead(previous, word), submission.signature);
  if (!isStale) return refuse("badSignature", null, { head });
  return refuse("wrongHead", "the signature extends the head before the present one", { head });
}

/** Why no order is taken now, or undefined. */
export function closedTo(door: Door, { kind }: TradeMessage): Refused | undefined {
  if (kind !== "place") return undefined;
  const stop = door.stop();
  if (stop !== undefined) return refuseStopped(stop);
  return door.isOverloaded() ? refuse("overloaded") : undefined;
}

export function staleAt(
  { batcher }: Door,
  message: TradeMessage,
  time: number,
): Refused | undefined {
  return isTradeOpen(batcher, message, time) ? undefined : refuse("noSnapshot");
}

/** Orders need marks that are fresh; what takes orders back goes on without. */
export function isTradeOpen(
  batcher: Batcher,
  { kind }: Pick<TradeMessage, "kind">,
  time: number,
): boolean {
  const hasBatch = batcher.current()?.kind === "trade";
  if (kind !== "place") return hasBatch || batcher.canOpen("cancels", time);
  const newest = batcher.newestSnapshot();
  const isFresh = newest !== undefined && time - newest.time < TRADING_AGE_MS_MAX;
  if (!isFresh || !hasBatch) return isFresh && batcher.canOpen("trade", time);
  // A batch of cancels may have been opened by a snapshot that was too old for trading.
  return time - (batcher.batchSnapshot()?.time ?? 0) < TRADING_AGE_MS_MAX;
}

/** A ledger message comes into the ledger batch that is open. */
function isForOpenLedger({ batcher }: Door, message: Message): boolean {
  return !isTradeMessage(message) && batcher.current()?.kind === "ledger";
}

/** The earliest time of the batch that the message comes into. */
export function timeNow(door: Door, message: Message, now: number): number {
  const { batcher } = door;
  return isForOpenLedger(door, message) ? batcher.current()!.time : batcher.timeAt(now);
}

/** The risk by which the next message will be judged. */
export function riskNow(door: Door, message: Message): Risk | undefined {
  const { state, batcher } = door;
  const isLedger = isForOpenLedger(door, message);
  const inUse = isLedger ? batcher.batchSnapshot() : batcher.snapshotInUse();
  return inUse === undefined ? undefined : effectiveRisk(state.series(), inUse);
}

function refuseStopped(stop: Stop): Refused {
  return refuse("tradingPaused", null, { ...stop });
}

export function refuse(
  code: DoorReject,
  reason: string | null = null,
  data: Refused["data"] = {},
): Refused {
  return { accepted: false, code, reason, data };
}
