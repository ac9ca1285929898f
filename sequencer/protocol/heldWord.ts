/**
 * Words that are held: signed in advance and left with the sequencer together with a condition.
 * When that has come true, the sequencer submits the word as if it had just arrived. A word extends
 * one head of its key's chain, so of several that extend the same head at most one is ever in the
 * log. All of this is the sequencer's policy: no proof knows of it.
 */
import type { Signature } from "./eddsa.ts";
import type { TradeMessage } from "./messages.ts";
import type { DoorReject } from "./rejection.ts";

/** Words that may be held: of an account, in one request, and of everybody. */
export const HELD_PER_ACCOUNT_MAX = 32;
export const HELD_PER_REQUEST_MAX = 16;
export const HELD_MAX = 20_000;
export const CONDITIONS_MAX = 3;
/** Held words of an account that have ended and are remembered. */
export const ENDED_KEPT = 32;
export const HELD_LABEL_LENGTH_MAX = 64;

export type Comparison = "atOrAbove" | "atOrBelow";

export type HeldCondition =
  /** `price` of the underlying in ticks, as each fresh snapshot of the oracles tells it. */
  | { readonly type: "index"; readonly is: Comparison; readonly price: number }
  /** The same of a book's mark: of its legs by their weights. */
  | {
      readonly type: "mark";
      readonly book: number;
      readonly is: Comparison;
      readonly price: number;
    }
  /** Unix ms. */
  | { readonly type: "time"; readonly at: number }
  /** The connection has ended; null: the last one with a session of the account. */
  | { readonly type: "disconnected"; readonly connection: string | null }
  /** An order was filled, some of it or all; null: that of the word which this one follows. */
  | { readonly type: "filled"; readonly orderId: string | null; readonly part: "any" | "all" }
  /** The account's market-maker protection has been triggered. */
  | { readonly type: "protection" };

/** Whether something waits for the end of this connection; null: of the account's last one. */
export function waitsForDisconnect(
  conditions: readonly HeldCondition[],
  connection: string | null,
): boolean {
  return conditions.some((each) => each.type === "disconnected" && each.connection === connection);
}

export interface HeldRequest {
  readonly account: number;
  readonly keyIndex: number;
  readonly words: readonly {
    readonly word: bigint;
    /** Over the key's chain head after the word. */
    readonly signature: Signature;
    /** Place in the request of the word that this one extends; null: the key's present head. */
    readonly follows: number | null;
    /** Come true one after the other; none: the word goes out as soon as it is its turn. */
    readonly conditions: readonly HeldCondition[];
    readonly label: string;
  }[];
}

/** `held`: waits; `triggered`: on its way, or waits until the door is open again. */
export type HeldState = "held" | "triggered" | "sent" | "refused" | "dropped" | "withdrawn";

/** Why a held word has ended without its owner's asking. */
export const DROPS = {
  headUsed: "its key's chain has gone on without it",
  deadlinePassed: "its deadline has passed",
  keyExpired: "its key has expired",
  keyChanged: "its key was replaced or revoked",
  bookClosed: "a series of its book has expired",
  beforeEnded: "the word before it was not sent",
  orderEnded: "the order that it waited for has ended unfilled",
  orderUnknown: "what became of the order that it waited for is not known after a restart",
  writerMoved: "another sequencer may have written meanwhile: leave it again",
  loggedOut: "its connection's session was ended by its owner",
} as const satisfies Record<string, string>;
export type Drop = keyof typeof DROPS;

/** JSON-safe. */
export interface HeldInfo {
  readonly id: string;
  /** Id of the first word of its request. */
  readonly group: string;
  readonly account: number;
  readonly keyIndex: number;
  readonly message: TradeMessage;
  readonly conditions: readonly HeldCondition[];
  /** How many of them have come true. */
  readonly met: number;
  readonly state: HeldState;
  readonly reason: Drop | DoorReject | null;
  /** Of the word that it extends, where that is held too. */
  readonly follows: string | null;
  readonly label: string;
  readonly leftAt: number;
  readonly updatedAt: number;
  /** Of a place that was sent: text of `orderId.ts`. */
  readonly orderId: string | null;
}

const ID_PREFIX = "held-";
const ID_DIGITS = 24;

/** A name by the chain's head after the word: the same word has the same. */
export function heldId(after: bigint): string {
  return ID_PREFIX + after.toString(16).padStart(64, "0").slice(-ID_DIGITS);
}

export function isHeldId(text: string): boolean {
  return text.startsWith(ID_PREFIX);
}

/** Limits of what a market maker's resting orders may be filled for within an interval. */
export interface ProtectionLimits {
  readonly intervalMs: number;
  /** How long quotes are refused afterwards; 0: until it is reset. */
  readonly frozenMs: number;
  /** In contracts; null: none. */
  readonly quantity: number | null;
  /** Sums over the fills, without their signs, as `market/optionQuotes.ts` counts them. */
  readonly delta: number | null;
  readonly vega: number | null;
}

export interface ProtectionInfo {
  readonly account: number;
  readonly limits: ProtectionLimits;
  readonly isFrozen: boolean;
  /** Unix ms; null: not frozen, or until it is reset. */
  readonly frozenUntil: number | null;
  /** Whether a word is held that cancels when it is triggered. */
  readonly hasWord: boolean;
}
