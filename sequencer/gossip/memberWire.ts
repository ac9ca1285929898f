/** What members of the validator set speak to one another, and the bounds that they hold. */
import { type Backoff, DIAL_MS_MAX } from "./dialling.ts";
import { GossipProtocolError, isCount, parseObject } from "./wire.ts";

export const MEMBER_PROTOCOL = "/straddle/member/1";
export const RANGE_PROTOCOL = "/straddle/range/1";

/** Times in ms. */
export interface MemberLimits {
  /** Of one member. Three messages a block are usual: who sends more is read no faster. */
  readonly messages: { readonly perSecond: number; readonly burst: number };
  readonly bytes: { readonly perSecond: number; readonly burst: number };
  /** Waiting to be sent to one member; beyond it the oldest are dropped. */
  readonly queueMessages: number;
  readonly queueBytes: number;
  /** Frames of one member that were received and wait to be looked at. */
  readonly framesWaiting: number;
  readonly heartbeatMs: number;
  /** After so long without a word, or without taking one, a member's connection is given up. */
  readonly silenceMsMax: number;
  readonly dialMsMax: number;
  /** How long the second of two members waits to be dialled by the first. */
  readonly patienceMs: number;
  readonly backoff: Backoff;
  /** How long a member that broke the protocol is cut off: doubled with each time. */
  readonly banMsMin: number;
  readonly banMsMax: number;
}

export const MEMBER_LIMITS: MemberLimits = {
  messages: { perSecond: 1_000, burst: 2_000 },
  bytes: { perSecond: 8 * 2 ** 20, burst: 16 * 2 ** 20 },
  queueMessages: 1_024,
  queueBytes: 4 * 2 ** 20,
  framesWaiting: 64,
  heartbeatMs: 5_000,
  silenceMsMax: 15_000,
  dialMsMax: DIAL_MS_MAX,
  patienceMs: 1_000,
  backoff: { msMin: 50, msMax: 2_000 },
  banMsMin: 5_000,
  banMsMax: 300_000,
};

export interface Range {
  readonly from: number;
  readonly to: number;
}

export function parseRange(bytes: Uint8Array): Range {
  const { from, to } = parseObject(bytes);
  if (!isCount(from) || !isCount(to) || to < from) {
    throw new GossipProtocolError("`from` and `to` must be ascending non-negative integers");
  }
  return { from, to };
}
