/** What the author of a message had seen of the log. */
import type { Signature } from "./eddsa.ts";
import { poseidon } from "./hash.ts";

/** A record of the log, by its place and hash (64 hex digits), signed by the author. */
export interface SeenHead {
  readonly position: number;
  readonly hash: string;
  /** By the message's trading key, over {@link seenHash}. */
  readonly signature: Signature;
}

/** First element of what is signed: "seen" in ASCII. */
const SEEN_TAG = 0x7365656en;
const HALF = 32;

/**
 * What a trading key signs beside a message to say what it had seen: a Poseidon of five that begins
 * with a tag of its own, which neither a chain head (of two or four) nor a read (of five, with
 * another tag) can equal. `head` is the key's chain head after the message, so the signature is of
 * this message, and of no other message or deployment.
 */
export function seenHash(
  head: bigint,
  { position, hash }: Pick<SeenHead, "position" | "hash">,
): bigint {
  const halves = [hash.slice(0, HALF), hash.slice(HALF)].map((digits) => BigInt(`0x${digits}`));
  return poseidon([SEEN_TAG, head, BigInt(position), ...halves]);
}
