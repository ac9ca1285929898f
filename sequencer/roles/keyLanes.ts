/**
 * What waits of each key. A key's messages are executed in the order in which they came: a withdraw
 * or transfer waits for the next ledger group, and what its key sends after it waits behind it.
 */
import type { Place } from "../batch/fairOrder.ts";
import type { Author } from "../engine/records.ts";
import type { SubmitResult } from "../exchangeService.ts";

/** Messages of one key that may wait behind its own withdraw or transfer. */
const LANE_LENGTH_MAX = 256;
/** Chains whose head before the present one is remembered. */
const HEADS_MAX = 100_000;

/** Trade messages of one key that wait for their rounds: each extends the one before. */
export interface Chain {
  /** After the last of them, and before it. */
  head: bigint;
  previous: bigint;
  /** Of the last one: what extends it stands there or later. */
  place: Place;
  waiting: number;
}

/** A message on its way; `executed` is there if that does not happen at once. */
export interface Started<T = SubmitResult> {
  readonly answer: T | Promise<T>;
  readonly executed?: Promise<void>;
}

export interface KeyLanes {
  /** Starts it when its turn in its key's lane has come. Undefined: too many wait already. */
  start<T>(key: Author, isTrade: boolean, begin: () => Started<T>): Promise<T> | undefined;
  chain(key: Author): Chain | undefined;
  /** One more trade message of the key waits, between these heads and at this place. */
  extend(key: Author, link: Omit<Chain, "waiting">): Chain;
  /** One of the chain's messages waits no more. */
  left(key: Author, chain: Chain, isExecuted: boolean): void;
  /** The head before the key's present one, where that is known. */
  previousHead(key: Author): bigint | undefined;
  /** Remembers the head that a message has just replaced. */
  replaced(key: Author, head: bigint): void;
}

interface Lanes {
  /** By key, while one waits behind a ledger message: resolves when the last one has begun. */
  readonly tails: Map<string, Promise<void>>;
  readonly waiting: Map<string, number>;
  /** By key, while trade messages wait for their rounds: resolves with the last one of them. */
  readonly trades: Map<string, Promise<void>>;
}

export function createKeyLanes(): KeyLanes {
  const lanes: Lanes = { tails: new Map(), waiting: new Map(), trades: new Map() };
  const chains = new Map<string, Chain>();
  const previousHeads = new Map<string, bigint>();
  return {
    start: (key, isTrade, begin) => start(lanes, laneOf(key), isTrade, begin),
    chain: (key) => chains.get(laneOf(key)),
    extend: (key, link) => {
      const chain = chains.get(laneOf(key)) ?? { ...link, waiting: 0 };
      Object.assign(chain, link);
      chain.waiting += 1;
      chains.set(laneOf(key), chain);
      return chain;
    },
    left: (key, chain, isExecuted) => {
      chain.waiting -= 1;
      // Whatever waits behind a refused one extends a head that never came to be.
      const isOver = !isExecuted || chain.waiting === 0;
      if (isOver && chains.get(laneOf(key)) === chain) chains.delete(laneOf(key));
    },
    previousHead: (key) => previousHeads.get(laneOf(key)),
    replaced: (key, head) => {
      const lane = laneOf(key);
      previousHeads.delete(lane);
      previousHeads.set(lane, head);
      const [oldest] = previousHeads.keys();
      if (previousHeads.size > HEADS_MAX && oldest !== undefined) previousHeads.delete(oldest);
    },
  };
}

function laneOf({ account, keyIndex }: Author): string {
  return `${account}/${keyIndex}`;
}

function start<T>(
  lanes: Lanes,
  lane: string,
  isTrade: boolean,
  begin: () => Started<T>,
): Promise<T> | undefined {
  const previous = lanes.tails.get(lane) ?? (isTrade ? undefined : lanes.trades.get(lane));
  if (previous === undefined) {
    const { answer, executed } = begin();
    if (executed !== undefined)
      setTail(lanes, isTrade ? lanes.trades : lanes.tails, lane, executed);
    return Promise.resolve(answer);
  }
  const waiting = lanes.waiting.get(lane) ?? 0;
  if (waiting >= LANE_LENGTH_MAX) return undefined;
  lanes.waiting.set(lane, waiting + 1);
  return new Promise((resolve, reject) => {
    const turn = previous.then(async () => {
      lanes.waiting.set(lane, (lanes.waiting.get(lane) ?? 1) - 1);
      try {
        if (!isTrade) await lanes.trades.get(lane);
        const { answer, executed } = begin();
        resolve(answer);
        if (executed === undefined) return;
        // Orders that wait for the same round need not wait for one another.
        if (isTrade) setTail(lanes, lanes.trades, lane, executed);
        else await executed;
      } catch (error) {
        reject(error);
      }
    });
    setTail(lanes, lanes.tails, lane, turn);
  });
}

function setTail(
  lanes: Lanes,
  tails: Map<string, Promise<void>>,
  lane: string,
  tail: Promise<void>,
): void {
  tails.set(lane, tail);
  void tail.then(() => {
    if (tails.get(lane) !== tail) return;
    tails.delete(lane);
    if (tails === lanes.tails) lanes.waiting.delete(lane);
  });
}
