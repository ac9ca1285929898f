/**
 * What a member and its own sequencer say to one another. The member calls: `{ final }`. The
 * sequencer may ask `{ before }` for the hash of a record, to find where its log is the member's;
 * then it says `{ at }`, where its log ends. Records come, and at last the turn. The sequencer says
 * again and again what it does. Either ends a turn by ending the stream.
 */
import type { LogRecord } from "../batch/log.ts";
import type { LogEnd, Turn } from "../ports.ts";
import { readCount, readHash, readObject } from "../protocol/shape.ts";
import { GossipProtocolError, isCount, parseObject, readRecord } from "./wire.ts";

export const LEAD_PROTOCOL = "/straddle/lead/1";
/** How often the sequencer says what it does, and after how long a silence it is gone (ms). */
export const SAY_EVERY_MS = 300;
export const SILENCE_MS_MAX = 2_000;

/** All of these throw {@link GossipProtocolError} or FormatError. */
export function parseFinal(bytes: Uint8Array): LogEnd {
  return readEnd(parseObject(bytes).final);
}

/** Where the sequencer's log ends, or before which position it asks for a hash. */
export function parseAtOrBefore(bytes: Uint8Array): { at: number } | { before: number } {
  const { at, before } = parseObject(bytes);
  if (isCount(at)) return { at };
  if (isCount(before) && before > 0) return { before };
  throw new GossipProtocolError("expected `at` or `before`, a position");
}

export function parseHash(bytes: Uint8Array): string {
  return readHash(parseObject(bytes).hash);
}

/** The turn, or the record of `position`: whoever reads it checks the rest. */
export function parseRecordOrTurn(bytes: Uint8Array, position: number): LogRecord | Turn {
  const object = parseObject(bytes);
  if (!("turn" in object)) return readRecord(object, position);
  const { term, ...end } = readObject(object.turn);
  return { term: readCount(term), ...readEnd(end) };
}

/** Term in which the sequencer writes. */
export function parseState(bytes: Uint8Array): number | undefined {
  const { leading } = parseObject(bytes);
  if (leading !== null && !isCount(leading)) {
    throw new GossipProtocolError("`leading` must be a term or null");
  }
  return leading ?? undefined;
}

function readEnd(value: unknown): LogEnd {
  const { to, logHash } = readObject(value);
  return { to: readCount(to), logHash: readHash(logHash) };
}
