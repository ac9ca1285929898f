/**
 * The order log: a hash-linked sequence of entries from which every node derives the same state.
 * Entries are stored and sent as canonical JSON (bigints as `"0x..n"` strings, keys in the order
 * of construction), and the hash covers exactly those bytes.
 */
import { hash as digest } from "node:crypto";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import type { Author, LedgerOperation, Liquidation } from "../engine/records.ts";
import type { BatchKind } from "../protocol/constants.ts";
import type { Signature } from "../protocol/eddsa.ts";
import { logJson } from "../protocol/evidence.ts";
import type { SeenHead } from "../protocol/seenHead.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import type { PauseReason } from "../protocol/trading.ts";

/** Begins a batch: everything up to its end runs at this time against this snapshot. */
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
  /** When the sequencer took it in (unix ms): its place among the others follows (fairOrder.ts). */
  readonly arrived: number;
  /** What of the log its author had seen: the record must stand in this log, before the entry. */
  readonly seen?: SeenHead;
}

/** A ledger operation; `signature` for those with an author, `queueId` for layer-one ones. */
export interface OperationEntry {
  readonly type: "operation";
  readonly operation: LedgerOperation;
  readonly signature?: Signature;
  readonly queueId?: number;
  /** As in {@link MessageEntry}. */
  readonly seen?: SeenHead;
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

/** Ends a batch: nothing more comes into it. Its seal follows before the next one ends. */
export interface EndEntry {
  readonly type: "end";
  readonly number: number;
}

/** States the root that a batch led to; ends the batch where it is open. */
export interface SealEntry {
  readonly type: "seal";
  readonly number: number;
  readonly root: bigint;
}

/** Trading stops here. `time` of these three in unix ms; their rules stand in tradingMode.ts. */
export interface PauseEntry {
  readonly type: "pause";
  readonly time: number;
  readonly reason: PauseReason;
  /** What was measured, for people. */
  readonly detail: string;
}

/** Announces the reopening: trading stays as it is until `opensAt` at least. */
export interface CancelOnlyEntry {
  readonly type: "cancelOnly";
  readonly time: number;
  readonly opensAt: number;
}

/** Trading goes on, behind two snapshots that are newer than the pause. */
export interface ResumeEntry {
  readonly type: "resume";
  readonly time: number;
  readonly snapshots: readonly [Snapshot, Snapshot];
}

/** What changes the trading mode and nothing that is proven; in a batch or between two. */
export type TradingEntry = PauseEntry | CancelOnlyEntry | ResumeEntry;

export type LogEntry =
  | OpenEntry
  | MessageEntry
  | OperationEntry
  | PurgeEntry
  | LiquidateEntry
  | EndEntry
  | SealEntry
  | TradingEntry;

/**
 * An entry in its place. `position` counts from 0; `previous` and `hash` are 64 hex digits. The
 * epoch numbers the writers one after another: it never falls, so a writer that has been replaced
 * cannot be taken for the one that followed it. The hash covers the rest of the record, every byte
 * of it, and is its checksum too: no shorter one stands beside it.
 */
export interface LogRecord {
  readonly position: number;
  readonly epoch: number;
  readonly previous: string;
  readonly hash: string;
  readonly entry: LogEntry;
}

/** Where a log ends: position of the next record, hash and epoch of the last one. */
export interface LogHead {
  readonly position: number;
  readonly epoch: number;
  readonly hash: string;
}

/** `previous` of the first record: binds the log to a deployment. */
export function logOrigin(domain: bigint): string {
  return bytesToHex(sha256(utf8ToBytes(`straddle log ${domain}`)));
}

/** The head of a log without records. */
export function emptyHead(origin: string): LogHead {
  return { position: 0, epoch: 0, hash: origin };
}

/** The head of a log that ends with the record. */
export function headAfter({ position, epoch, hash }: LogRecord): LogHead {
  return { position: position + 1, epoch, hash };
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

/** The record of `entry` after `head`. An epoch below the head's is refused with a RangeError. */
export function makeRecord(head: LogHead, entry: LogEntry, epoch = head.epoch): LogRecord {
  if (!Number.isSafeInteger(epoch) || epoch < head.epoch) {
    throw new RangeError(`epoch \`${epoch}\` is below the log's, \`${head.epoch}\``);
  }
  const place = { position: head.position, epoch, previous: head.hash };
  const text = encodeJson(entry);
  const record = { ...place, hash: recordHash(place, text), entry };
  entryTexts.set(record, text);
  return record;
}

/** sha256 of position, epoch, previous hash and the entry's JSON, with a space between them. */
function recordHash(place: Omit<LogRecord, "hash" | "entry">, entryText: string): string {
  const { position, epoch, previous } = place;
  // Node's own sha256: every record is hashed, and it is several times as fast as JavaScript's.
  return digest("sha256", `${position} ${epoch} ${previous} ${entryText}`, "hex");
}

/** Throws {@link LogCorruptionError} unless `record` is one that follows `head`. */
export function assertContinues(record: LogRecord, head: LogHead): void {
  const { position, epoch, previous } = record;
  const fail = (reason: string): never => {
    throw new LogCorruptionError(head.position, reason);
  };
  if (position !== head.position) fail(`found the record of position ${position}`);
  if (previous !== head.hash) fail("its link to the record before is wrong");
  if (!Number.isSafeInteger(epoch) || epoch < head.epoch) {
    fail(`its epoch is ${epoch}, after epoch ${head.epoch}`);
  }
  if (entryTexts.has(record)) return;
  const text = encodeJson(record.entry);
  if (recordHash({ position, epoch, previous }, text) !== record.hash) {
    fail("its contents do not fit its hash");
  }
  entryTexts.set(record, text);
}

/** JSON of entries whose hashes were made or found right here, so that it is written once. */
const entryTexts = new WeakMap<LogRecord, string>();

/** The same as {@link encodeJson} of the record. */
export function encodeRecord(record: LogRecord): string {
  const { position, epoch, previous, hash } = record;
  const entry = entryTexts.get(record) ?? encodeJson(record.entry);
  const place = `"position":${position},"epoch":${epoch},"previous":"${previous}"`;
  return `{${place},"hash":"${hash}","entry":${entry}}`;
}

export const encodeJson = logJson;

/** Inverse of {@link encodeJson}. Throws SyntaxError on malformed JSON. */
export function decodeJson(text: string): unknown {
  return withBigints(JSON.parse(text));
}

const BIGINT_PATTERN = /^0x[0-9a-f]{1,64}n$/;

/** Changes the value in place: a reviver's `JSON.parse` takes several times as long. */
function withBigints(value: unknown): unknown {
  if (typeof value === "string") {
    return BIGINT_PATTERN.test(value) ? BigInt(value.slice(0, -1)) : value;
  }
  if (typeof value !== "object" || value === null) return value;
  const object = value as Record<string, unknown>;
  for (const key of Object.keys(object)) {
    const item = object[key];
    if (typeof item !== "string" && typeof item !== "object") continue;
    const changed = withBigints(item);
    if (changed !== item) object[key] = changed;
  }
  return value;
}

export function decodeRecord(text: string): LogRecord {
  return decodeJson(text) as LogRecord;
}
