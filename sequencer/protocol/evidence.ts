/**
 * Two histories. A receipt says: the record of hash H stands at position P of the log. Every fraud
 * of ordering ends in two such statements of one key that cannot be of one log: what was left out,
 * put in or moved changes the hash of the record in its place and of all that follow. Evidence is
 * both statements and, where they are of two positions, the records that lead from *another* hash
 * at the first position to what the second one signed.
 */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { receiptDigest } from "./receipt.ts";
import { recoverAddress } from "./recovery.ts";
import {
  type Fields,
  FormatError,
  readCount,
  readHash,
  readList,
  readObject,
  readSignature,
} from "./shape.ts";

/** The log's record at `position` has this hash (64 hex digits). */
export interface LogPlace {
  readonly position: number;
  readonly hash: string;
}

/** What a receipt says, signed: `0x` and 65 bytes r, s, v. */
export interface SignedPlace extends LogPlace {
  readonly signature: string;
}

/** A record of the log without what follows from where it stands. */
export interface HistoryRecord {
  readonly epoch: number;
  /** JSON of the entry, byte for byte as its hash covers it. */
  readonly entry: string;
}

/** From the record of hash `link` to the last one of `records`, which follow it. */
export interface HistoryPart {
  readonly link: string;
  readonly records: readonly HistoryRecord[];
}

/**
 * What a node shows of its log: hashes alone, since the records of orders are their owners'. The
 * signature is as of a receipt, about the last hash: a node cannot deny what it has shown.
 */
export interface LogHashes {
  readonly from: number;
  readonly hashes: readonly string[];
  /** Null where there are none. */
  readonly signature: `0x${string}` | null;
}

/** Two receipts of one key; `link` is of the second one's log, at the position of the first. */
export interface TwoReceipts extends HistoryPart {
  readonly kind: "receipts";
  readonly domain: bigint;
  readonly first: SignedPlace;
  readonly second: SignedPlace;
}

/** Whose signatures count. Addresses in lower case. */
export interface EvidenceRules {
  readonly domain: bigint;
  readonly sequencers: readonly string[];
  readonly validators: readonly string[];
}

export type Verdict =
  | { readonly isProven: true; readonly guilty: string; readonly offence: string }
  | { readonly isProven: false; readonly reason: string };

/** Of one piece of evidence. */
export const EVIDENCE_RECORDS_MAX = 2 ** 16;
export const EVIDENCE_BYTES_MAX = 2 ** 26;
/** What layer one takes: ValidatorRegistry.slashReceipts. */
export const SLASHING_LIMITS = { records: 256, bytes: 65_536 } as const;

export function notProven(reason: string): Verdict {
  return { isProven: false, reason };
}

/**
 * JSON as the log writes it: bigints as `"0x..n"` strings. A replacer would do it too, but is
 * called for every value, and that takes longer.
 */
export function logJson(value: unknown): string {
  return JSON.stringify(withoutBigints(value));
}

/** The value itself where it has no bigint; else a copy of what leads to them. */
function withoutBigints(value: unknown): unknown {
  if (typeof value === "bigint") return `0x${value.toString(16)}n`;
  if (typeof value !== "object" || value === null) return value;
  const object = value as Record<string, unknown>;
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(object)) {
    const item = object[key];
    const changed = withoutBigints(item);
    if (changed === item) continue;
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
    copy[key] = changed;
  }
  return copy ?? value;
}

/** Hash of a record; twin of batch/log.ts and contracts/libraries/Evidence.sol. */
export function recordHash(position: number, link: string, record: HistoryRecord): string {
  const text = `${position} ${record.epoch} ${link} ${record.entry}`;
  return bytesToHex(sha256(utf8ToBytes(text)));
}

/** Where the records lead that follow the one at `position`. */
export function endOfHistory(position: number, part: HistoryPart): LogPlace {
  const hash = hashesOf(position, part).at(-1)!;
  return { position: position + part.records.length, hash };
}

/** Why the records do not lead from another log than that of `first` to `second`. */
export function historyFault(
  first: LogPlace,
  second: LogPlace,
  part: HistoryPart,
): string | undefined {
  if (part.link === first.hash) return "both statements are of one log";
  const end = endOfHistory(first.position, part);
  if (end.position !== second.position) {
    const wanted = second.position - first.position;
    return `it has ${part.records.length} records between the positions, not ${wanted}`;
  }
  if (end.hash !== second.hash) return "the records do not lead to the second statement's hash";
  return undefined;
}

/** Who signed receipts of two logs. Needs nothing but the evidence. */
export function checkReceipts(evidence: TwoReceipts, rules: EvidenceRules): Verdict {
  const { domain, first, second } = evidence;
  if (domain !== rules.domain) return notProven("it is of another deployment");
  const fault = historyFault(first, second, evidence);
  if (fault !== undefined) return notProven(fault);
  const [signer, other] = [first, second].map((place) => signerOf(domain, place));
  if (signer === undefined || signer !== other) {
    return notProven("the receipts are not signed by one key");
  }
  return verdictOn(signer, "two histories", [...rules.sequencers, ...rules.validators]);
}

export function signerOf(domain: bigint, place: SignedPlace): string | undefined {
  return recoverAddress(receiptDigest(domain, place.position, place.hash), place.signature);
}

export function verdictOn(guilty: string, offence: string, signers: readonly string[]): Verdict {
  if (signers.includes(guilty)) return { isProven: true, guilty, offence };
  return notProven(`\`${guilty}\` signed it, who is neither a sequencer nor a validator`);
}

/** Receipts of one key, and a log in which some of them stand and one does not. */
export interface Search {
  readonly domain: bigint;
  readonly receipts: readonly SignedPlace[];
  /** Position of the record whose hash is `link`. */
  readonly position: number;
  readonly history: HistoryPart;
}

/**
 * The shortest evidence that receipts give against whoever wrote this part of a log: undefined if
 * all of them may be of it, or none that stands in it comes at or after one that does not.
 */
export function findTwoReceipts({
  domain,
  receipts,
  position,
  history,
}: Search): TwoReceipts | undefined {
  const hashes = hashesOf(position, history);
  const hashAt = (place: LogPlace) => hashes[place.position - position];
  const isOff = (place: LogPlace) => ![undefined, place.hash].includes(hashAt(place));
  const ascending = [...receipts].sort((a, b) => a.position - b.position);
  let shortest: TwoReceipts | undefined;
  let first: SignedPlace | undefined;
  for (const receipt of ascending) {
    if (isOff(receipt)) {
      first = receipt;
    } else if (first !== undefined && hashAt(receipt) === receipt.hash) {
      const from = first.position - position;
      const records = history.records.slice(from, receipt.position - position);
      if (shortest !== undefined && shortest.records.length <= records.length) continue;
      const part = { link: hashes[from]!, records };
      shortest = { kind: "receipts", domain, first, second: receipt, ...part };
    }
  }
  return shortest;
}

/** Of the record at `position` and of those that follow. */
function hashesOf(position: number, { link, records }: HistoryPart): string[] {
  const hashes = [link];
  for (const [index, record] of records.entries()) {
    hashes.push(recordHash(position + 1 + index, hashes[index]!, record));
  }
  return hashes;
}

/** One text for one piece of evidence, once it has been read: keys stand in their order. */
export function evidenceText(evidence: object): string {
  return `${logJson(evidence)}\n`;
}

/** Checks the shape only. Throws {@link FormatError}. */
export function readTwoReceipts(value: Fields): TwoReceipts {
  return {
    kind: "receipts",
    domain: readDomain(value.domain),
    first: readSignedPlace(value.first),
    second: readSignedPlace(value.second),
    ...readHistoryPart(value),
  };
}

export function readDomain(value: unknown): bigint {
  if (typeof value === "bigint" && value >= 0n && value < 2n ** 248n) return value;
  throw new FormatError("`domain` must be an integer of 248 bits");
}

export function readSignedPlace(value: unknown): SignedPlace {
  const { position, hash, signature } = readObject(value);
  const place = { position: readCount(position), hash: readHash(hash) };
  return { ...place, signature: readSignature(signature) };
}

export function readHistoryPart({ link, records }: Fields): HistoryPart {
  const list = readList(records, EVIDENCE_RECORDS_MAX);
  return { link: readHash(link), records: list.map(readRecord) };
}

function readRecord(value: unknown): HistoryRecord {
  const { epoch, entry } = readObject(value);
  if (typeof entry !== "string") throw new FormatError("`entry` must be a text");
  return { epoch: readCount(epoch), entry };
}
