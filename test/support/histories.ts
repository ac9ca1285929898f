/** Logs of a sequencer that may lie: real records, receipts signed by a real key. */
import { createHash } from "node:crypto";
import {
  emptyHead,
  encodeJson,
  headAfter,
  type LogEntry,
  type LogRecord,
  logOrigin,
  makeRecord,
} from "../../sequencer/batch/log.ts";
import { blockHash, genesisBlock } from "../../sequencer/consensus/block.ts";
import { certificateOf } from "../../sequencer/consensus/certificate.ts";
import type { Evidence, Sitting } from "../../sequencer/consensus/evidence.ts";
import { createSigner, type Signer } from "../../sequencer/consensus/signing.ts";
import { createValidatorSet } from "../../sequencer/consensus/validatorSet.ts";
import { type Vote, voteDigest } from "../../sequencer/consensus/vote.ts";
import type { HistoryPart, SignedPlace } from "../../sequencer/protocol/evidence.ts";
import { receiptDigest } from "../../sequencer/protocol/receipt.ts";

/** A key by its number, from 1; the Solidity tests use the same ones. */
export function keyOf(number: number): Uint8Array {
  const key = new Uint8Array(32);
  key[31] = number;
  return key;
}

/** The entry of a message that carries `salt`; its signature is of no matter to the log. */
export function entryOf(salt: number): LogEntry {
  const [r8x, r8y, s] = ["x", "y", "s"].map((name) =>
    BigInt(`0x${createHash("sha256").update(`${name}${salt}`).digest("hex").slice(4)}`),
  ) as [bigint, bigint, bigint];
  const author = { account: 3 + (salt % 5), keyIndex: 0 };
  const signature = { r8x, r8y, s };
  return { type: "message", author, word: BigInt(salt), signature, arrived: salt };
}

/** A log of the entries; the epoch rises by one before each of the positions `restarts`. */
export function logOf(
  domain: bigint,
  entries: readonly LogEntry[],
  restarts: readonly number[] = [],
): LogRecord[] {
  let head = emptyHead(logOrigin(domain));
  return entries.map((entry, position) => {
    const epoch = head.epoch + (restarts.includes(position) ? 1 : 0);
    const record = makeRecord(head, entry, epoch);
    head = headAfter(record);
    return record;
  });
}

export function receiptOf(signer: Signer, domain: bigint, record: LogRecord): SignedPlace {
  const { position, hash } = record;
  return { position, hash, signature: signer.sign(receiptDigest(domain, position, hash)) };
}

/** What leads from the record at `from` to the one at `to`. */
export function partOf(log: readonly LogRecord[], from: number, to: number): HistoryPart {
  const records = log.slice(from + 1, to + 1).map(({ epoch, entry }) => {
    return { epoch, entry: encodeJson(entry) };
  });
  return { link: log[from]!.hash, records };
}

/** Receipts of two logs: the first one's at `p`, the other one's at `q`, not before it. */
export function twoReceipts(options: {
  readonly signer: Signer;
  readonly domain: bigint;
  readonly logs: readonly [readonly LogRecord[], readonly LogRecord[]];
  readonly p: number;
  readonly q: number;
}): Extract<Evidence, { kind: "receipts" }> {
  const { signer, domain, logs, p, q } = options;
  const first = receiptOf(signer, domain, logs[0][p]!);
  const second = receiptOf(signer, domain, logs[1][q]!);
  return { kind: "receipts", domain, first, second, ...partOf(logs[1], p, q) };
}

/** Four validators with real keys, 1 to 4, and what they can be made to sign. */
export function sittingOf(domain: bigint, epoch = 1, keys = [1, 2, 3, 4]) {
  const signers = keys.map((key) => createSigner(keyOf(key)));
  const sitting: Sitting = { epoch, members: signers.map(({ address }) => address) };
  const validators = createValidatorSet({ domain, ...sitting });
  const vote = (validator: number, cast: Vote) => {
    const signature = signers[validator]!.sign(voteDigest(validators.session, cast));
    return { ...cast, validator, signature };
  };
  /** The first block of term 1, up to the log's end, with the votes of `voters` for it. */
  const certify = (
    log: readonly LogRecord[],
    kind: "notarize" | "finalize" = "finalize",
    voters: readonly number[] = [0, 1, 2],
  ) => {
    const start = { to: 0, logHash: logOrigin(domain), root: 7n };
    const genesis = genesisBlock(validators.session, start);
    const view = { term: 1, index: 0 };
    const place = { from: 0, to: log.length, logHash: log.at(-1)!.hash, root: 8n };
    const block = { height: 1, view, parent: blockHash(genesis), ...place };
    const cast: Vote = { kind, term: 1, view, block: blockHash(block) };
    return {
      block,
      certificate: certificateOf(
        kind,
        voters.map((who) => vote(who, cast)),
      ),
    };
  };
  return { signers, sitting, validators, vote, certify };
}
