/**
 * The order of messages: the one piece of code by which the sequencer's queue releases them and
 * every executor checks that it did. `arrived` is what the sequencer says of a message; the rest
 * follows from the log.
 *
 *   due   = arrived, and `bumpMs` later for an order that may take
 *   place = (the round that `due` is in; makers before takers; arrived)
 *
 * A key's messages are a chain, so none can be executed before the one that it extends: it counts
 * as standing where that one stands if its own place is before. Places so counted never fall along
 * the log. Whoever is moved ahead of another, or kept back, then shows it by a wrong `arrived`.
 */
import type { Author } from "../engine/records.ts";
import { KEYS_PER_ACCOUNT, TIME_BITS } from "../protocol/constants.ts";
import type { FairOrder } from "../protocol/fairOrder.ts";
import { type Message, messageFromWord } from "../protocol/messages.ts";
import { requireEntry } from "./invalidEntry.ts";
import type { MessageEntry } from "./log.ts";

/** Compared field by field. JSON-safe. */
export interface Place {
  readonly round: number;
  /** Whether it may take: within a round such orders come behind the others. */
  readonly isTaker: boolean;
  readonly arrived: number;
}

/** What the log has said so far. JSON-safe: checkpoints keep it. */
export interface OrderingState {
  /** Where the last message counts as standing; null before the first. */
  readonly last: Place | null;
  /** The keys, by {@link keyNumber}, whose last message counts as standing just there. */
  readonly keys: readonly number[];
}

/** Follows a log. */
export interface Ordering {
  state(): OrderingState;
  /** Where the entry counts as standing. Throws InvalidEntryError where it must not stand next. */
  placeOf(entry: MessageEntry): Place;
  /** The entry stands in the log now, at that place. */
  passed(entry: MessageEntry, place: Place): void;
}

export function createOrdering(rule: FairOrder, start: OrderingState | undefined): Ordering {
  let last = start?.last ?? null;
  const keys = new Set(start?.keys);
  return {
    state: () => ({ last, keys: [...keys] }),
    placeOf: (entry) => {
      const { author, word, arrived } = entry;
      requireEntry(
        Number.isSafeInteger(arrived) && arrived >= 0 && arrived < 2 ** TIME_BITS,
        `a message must have arrived from 0 to 2^${TIME_BITS} - 1. Got \`${arrived}\``,
      );
      const own = ownPlace(rule, isTaking(messageFromWord(word)), arrived);
      if (last === null || comparePlaces(own, last) >= 0) return own;
      const isBehindItsOwn = keys.has(keyNumber(author));
      requireEntry(isBehindItsOwn, `${placeText(own)} must not follow ${placeText(last)}`);
      return last;
    },
    passed: ({ author }, place) => {
      if (last === null || comparePlaces(place, last) !== 0) keys.clear();
      keys.add(keyNumber(author));
      last = place;
    },
  };
}

/** Where a message stands by itself. */
export function ownPlace(rule: FairOrder, isTaker: boolean, arrived: number): Place {
  const { roundMs, bumpMs } = rule;
  if (roundMs === 0) return { round: arrived, isTaker: false, arrived };
  const due = arrived + (isTaker ? bumpMs : 0);
  return { round: Math.floor(due / roundMs), isTaker, arrived };
}

/** Whether the message is an order that may take: what is no order, or post-only, may not. */
export function isTaking(message: Message | undefined): boolean {
  return message?.kind === "place" && !message.postOnly;
}

/** Below 0 where `one` comes first; 0 where either may. */
export function comparePlaces(one: Place, other: Place): number {
  return (
    one.round - other.round ||
    Number(one.isTaker) - Number(other.isTaker) ||
    one.arrived - other.arrived
  );
}

/** When nothing can arrive any more that comes before the place (unix ms). */
export function endOf({ roundMs }: FairOrder, { round }: Place): number {
  return roundMs === 0 ? round : (round + 1) * roundMs;
}

/** The earliest arrival that may follow whatever stands in the log (unix ms). */
export function earliestArrival(rule: FairOrder, { last }: OrderingState): number {
  return last === null ? 0 : endOf(rule, last);
}

/** One number for each key of a deployment. */
function keyNumber({ account, keyIndex }: Author): number {
  return account * KEYS_PER_ACCOUNT + keyIndex;
}

function placeText({ round, isTaker, arrived }: Place): string {
  return `${isTaker ? "a taker" : "a message"} of round \`${round}\`, arrived at \`${arrived}\`,`;
}
