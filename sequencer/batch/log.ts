/**
 * The order log: a hash-linked sequence of entries from which every node derives the same state.
 * Entries are stored and sent as canonical JSON (bigints as `"0x..n"` strings, keys in the order
 * of construction), and the hash covers exactly those bytes.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Author, LedgerOperation, Liquidation } from "../engine/records.ts";
import type { BatchKind } from "../protocol/constants.ts";
import type { Signature } from "../protocol/eddsa.ts";
import type { Snapshot } from "../protocol/snapshot.ts";

/** Begins a batch: everything up to its `seal` runs at this time against this snapshot. */
export interface OpenEntry {
  readonly type: "open";
  readonly kind: BatchKind;
  readonly number: number;
  /** Unix ms. */
  readonly time: number;
  readonly snapshot: Snapshot;
}

/** A trade message; `signature` is over the chain head after it. */
export interface MessageEntry {
  readonly type: "message";
  readonly author: Author;
  readonly word: bigint;
  readonly signature: Signature;
}

/** A ledger operation; `signature` for those with an author, `queueId` for layer-one ones. */
export interface OperationEntry {
  readonly type: "operation";
  readonly operation: LedgerOperation;
  readonly signature?: Signature;
  readonly queueId?: number;
}

/** Removes a void order. */
export interface PurgeEntry {
  readonly type: "purge";
  readonly book: number;
  readonly isSell: boolean;
  readonly price: number;
  readonly seq: number;
}

/** The operator's step for an account below maintenance margin. */
export interface LiquidateEntry extends Liquidation {
  readonly type: "liquidate";
}

/** Ends a batch and states the root that it led to. */
export interface SealEntry {
  readonly type: "seal";
  readonly number: number;
  readonly root: bigint;
}

export type LogEntry =
  | OpenEntry
  | MessageEntry
  | OperationEntry
  | PurgeEntry
  | LiquidateEntry
  | SealEntry;

/** An entry in its place. `previous` and `hash` are 64 hex digits; `position` counts from 0. */
export interface LogRecord {
  readonly position: number;
  readonly previous: string;
  readonly hash: string;
  readonly entry: LogEntry;
}

/** `previous` of the first record: binds the log to a deployment. */
export function logOrigin(domain: bigint): string {
  return bytesToHex(sha256(utf8ToBytes(`straddle log ${domain}`)));
}

/** A record that does not continue the log. The node must stop. */
export class LogCorruptionError extends Error {
  override name = "LogCorruptionError";
  readonly position: number;
  constructor(position: number, reason: string) {
    super(`the order log is damaged at position \`${position}\`: ${reason}`);
    this.position = position;
  }
}

export function makeRecord(position: number, previous: string, entry: LogEntry): LogRecord {
  return { position, previous, hash: recordHash(position, previous, entry), entry };
}

function recordHash(position: number, previous: string, entry: LogEntry): string {
  const place = new Uint8Array(8);
  new DataView(place.buffer).setBigUint64(0, BigInt(position));
  return bytesToHex(
    sha256(concatBytes(place, hexToBytes(previous), utf8ToBytes(encodeJson(entry)))),
  );
}

/** Throws {@link LogCorruptionError} unless `record` is what follows `previous` at `position`. */
export function assertContinues(record: LogRecord, position: number, previous: string): void {
  if (record.position !== position) {
    throw new LogCorruptionError(position, `found the record of position ${record.position}`);
  }
  if (record.previous !== previous) {
    throw new LogCorruptionError(position, "its link to the record before is wrong");
  }
  if (recordHash(position, previous, record.entry) !== record.hash) {
    throw new LogCorruptionError(position, "its contents do not fit its hash");
  }
}

/** JSON with bigints as strings `"0x1fn"`. */
export function encodeJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "bigint" ? `0x${item.toString(16)}n` : item,
  );
}

/** Inverse of {@link encodeJson}. Throws SyntaxError on malformed JSON. */
export function decodeJson(text: string): unknown {
  return JSON.parse(text, (_key, item: unknown) =>
    typeof item === "string" && /^0x[0-9a-f]{1,64}n$/.test(item) ? BigInt(item.slice(0, -1)) : item,
  );
}

export function decodeRecord(text: string): LogRecord {
  return decodeJson(text) as LogRecord;
}
