/**
 * Orders that wait: words signed in advance and left with the sequencer until their conditions have
 * come true (SPEC section 12). A word extends one head of its key's chain, so all that one key
 * leaves serves one purpose: of two words on the same head at most one is ever in the log. Each
 * purpose has a key of its own; an account has four.
 */
import { parseQuantity } from "../market/decimal.ts";
import { sign } from "../protocol/eddsa.ts";
import { HELD_PER_REQUEST_MAX } from "../protocol/heldWord.ts";
import {
  messageWord,
  nextHead,
  type PlaceMessage,
  type TradeMessage,
} from "../protocol/messages.ts";
import { parseOrderId } from "../protocol/orderId.ts";
import { type SignedWord, wireWord } from "./exchange.ts";
import { createOrderMessages } from "./orderMessages.ts";
import type { Params, Result } from "./rpcConnection.ts";
import type { Quote, Trader } from "./trader.ts";

export type Held = Result<"straddle/hold">["held"][number];
export type HeldCondition = NonNullable<
  Params<"straddle/hold">["words"][number]["conditions"]
>[number];

/** A price (USDC) of the instrument's mark, unless told of the underlying's index. */
export interface Trigger {
  readonly price: number | string;
  readonly of?: "mark_price" | "index_price";
}

export interface HeldOrdersOptions {
  readonly trader: Trader;
  /** A key that signs nothing else: whoever uses its head withdraws what it has left. */
  readonly keyIndex: number;
  readonly secret: bigint;
  /** After so many milliseconds a word can no longer act. Default: a day. */
  readonly lifetimeMs?: number;
  /** Unix ms. */
  readonly now?: () => number;
}

export interface HeldOrders {
  readonly keyIndex: number;
  /** Goes out at the worse price: a buy at or above the trigger, a sell at or below it. */
  stop(order: Quote, trigger: Trigger): Promise<Held[]>;
  /** Goes out at the better price. */
  takeProfit(order: Quote, trigger: Trigger): Promise<Held[]>;
  /** A stop and a profit of one position: whichever goes out first, the other never can. */
  oneCancelsOther(stop: Waiting, profit: Waiting): Promise<Held[]>;
  /** The first goes out now; each of the others when the one before it is filled. */
  oneTriggersOther(orders: readonly Quote[]): Promise<Held[]>;
  /** Slices of `shown` contracts, each when the one before it is filled; at most 16. */
  iceberg(order: Quote, shown: number | string): Promise<Held[]>;
  /** Cancels the order at a time (unix ms): good til date. */
  cancelAt(orderId: string, time: number): Promise<Held[]>;
  /** Cancels all orders of the account when its last connection ends without a logout. */
  cancelAllWhenGone(): Promise<Held[]>;
  /** What this key has left and is not over. */
  held(): Promise<Held[]>;
  /** Takes all of it back; those that will not act any more. */
  withdraw(): Promise<readonly string[]>;
}

export interface Waiting {
  readonly order: Quote;
  readonly trigger: Trigger;
}

/** The key serves another purpose: what is left now would exclude it, or be excluded by it. */
export class HeldKeyError extends Error {
  override name = "HeldKeyError";
  constructor(keyIndex: number, count: number) {
    const why = `it has left \`${count}\` words already, and at most one of a head can act`;
    super(`key \`${keyIndex}\` is in use: ${why}. Give each purpose a key, or withdraw first.`);
  }
}

interface Leaving {
  readonly message: TradeMessage;
  readonly conditions: readonly HeldCondition[];
  readonly label?: string | undefined;
}

const DAY_MS = 86_400_000;

export function createHeldOrders(options: HeldOrdersOptions): HeldOrders {
  const { trader, keyIndex, secret, lifetimeMs = DAY_MS, now = Date.now } = options;
  const { account, exchange, rpc } = trader;

  async function messageOf(order: Quote): Promise<PlaceMessage> {
    const messages = createOrderMessages(rpc, await exchange.info());
    const { direction, lifetimeMs: lifetime = lifetimeMs } = order;
    return messages(order, direction === "sell", now() + lifetime);
  }

  async function held(): Promise<Held[]> {
    await trader.login();
    const { held: all } = await rpc.call("straddle/get_held", {});
    return all.filter((each) => each.key_index === keyIndex);
  }

  /** `isChain`: each extends the one before; else all extend the key's head. */
  async function leave(words: readonly Leaving[], isChain: boolean): Promise<Held[]> {
    const { length } = await held();
    if (length > 0) throw new HeldKeyError(keyIndex, length);
    const first = BigInt((await exchange.key(account, keyIndex)).head);
    let head = first;
    const signed = words.map(({ message, conditions, label }, place) => {
      const word = messageWord(message);
      head = nextHead(isChain ? head : first, word);
      const sent = { account, keyIndex, word, signature: sign(secret, head) };
      return {
        ...{ signed: wireWord(sent) satisfies SignedWord, conditions: [...conditions] },
        follows: isChain && place > 0 ? place - 1 : null,
        ...(label !== undefined && { label }),
      };
    });
    return (await rpc.call("straddle/hold", { words: signed })).held;
  }

  async function waiting({ order, trigger }: Waiting, isStop: boolean): Promise<Leaving> {
    const message = await messageOf(order);
    return { message, label: order.label, conditions: [priceCondition(order, trigger, isStop)] };
  }

  async function following(orders: readonly Quote[]): Promise<Held[]> {
    const messages = await Promise.all(orders.map(messageOf));
    const words = messages.map((message, place): Leaving => {
      return { message, label: orders[place]!.label, conditions: place === 0 ? [] : FILLED };
    });
    return leave(words, true);
  }

  return {
    keyIndex,
    stop: async (order, trigger) => leave([await waiting({ order, trigger }, true)], false),
    takeProfit: async (order, trigger) => leave([await waiting({ order, trigger }, false)], false),
    oneCancelsOther: async (stop, profit) =>
      leave(await Promise.all([waiting(stop, true), waiting(profit, false)]), false),
    oneTriggersOther: following,
    async iceberg(order, shown) {
      const info = await exchange.info();
      const slices = slicesOf(
        parseQuantity(String(order.amount), info, "amount"),
        parseQuantity(String(shown), info, "shown"),
      );
      const { lotsPerContract } = info;
      return following(slices.map((lots) => ({ ...order, amount: lots / lotsPerContract })));
    },
    async cancelAt(orderId, time) {
      const place = parseOrderId(orderId);
      if (place === undefined) throw new RangeError(`\`${orderId}\` is no order id.`);
      const message = { kind: "cancel", ...place, deadline: time + lifetimeMs } as const;
      return leave([{ message, conditions: [{ type: "time", timestamp: time }] }], false);
    },
    cancelAllWhenGone: () => {
      const message = { kind: "cancelAll", deadline: now() + lifetimeMs } as const;
      const gone = { type: "disconnected", scope: "account" } as const;
      return leave([{ message, conditions: [gone] }], false);
    },
    held,
    async withdraw() {
      const ids = (await held()).map(({ held_id }) => held_id);
      if (ids.length === 0) return [];
      return (await rpc.call("straddle/withdraw_held", { held_ids: ids })).held_ids;
    },
  };
}

const FILLED: readonly HeldCondition[] = [{ type: "filled", order_id: null, part: "all" }];

/** A stop waits for the worse price: a buy above, a sell below. */
function priceCondition(
  { instrument_name, direction }: Quote,
  { price, of = "mark_price" }: Trigger,
  isStop: boolean,
): HeldCondition {
  const is = (direction === "buy") === isStop ? "at_or_above" : "at_or_below";
  if (of === "index_price") return { type: of, is, price };
  return { type: of, instrument_name, is, price };
}

/** Lots of each slice. */
function slicesOf(lots: number, shown: number): number[] {
  const count = Math.ceil(lots / shown);
  if (count > HELD_PER_REQUEST_MAX) {
    const most = `an iceberg has at most ${HELD_PER_REQUEST_MAX} slices`;
    throw new RangeError(`${most}. Got \`${count}\`: show more of it.`);
  }
  return Array.from({ length: count }, (_, place) => Math.min(shown, lots - place * shown));
}
