/** What is signed besides message chains, batches and snapshots: receipts, and reads. */
import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { poseidon } from "./hash.ts";

const RECEIPT_MAGIC = utf8ToBytes("straddle receipt 1");

/**
 * What a receipt's signature covers: sha256 of 18 bytes of name, the deployment's domain (32), the
 * record's position (8, big-endian) and its hash (32). What the log leads to is a function of it
 * (SPEC I6), so nothing else needs signing, and two receipts of two logs convict the signer
 * (evidence.ts). Sign the 32 bytes as they are. Twin: contracts/libraries/Evidence.sol.
 */
export function receiptDigest(domain: bigint, logPosition: number, logHash: string): Uint8Array {
  const position = new Uint8Array(8);
  new DataView(position.buffer).setBigUint64(0, BigInt(logPosition));
  const domainBytes = hexToBytes(domain.toString(16).padStart(64, "0"));
  return sha256(concatBytes(RECEIPT_MAGIC, domainBytes, position, hexToBytes(logHash)));
}

/** First element of what a reader signs: "read" in ASCII. */
const READ_TAG = 0x72656164n;

/**
 * What a trading key signs to read its account's orders: a Poseidon of five, which no chain head
 * (of two or four) can equal, so the signature moves nothing. `time` bounds how long it is good.
 */
export function readRequestHash(options: {
  domain: bigint;
  account: number;
  keyIndex: number;
  time: number;
}): bigint {
  const { domain, account, keyIndex, time } = options;
  return poseidon([READ_TAG, domain, BigInt(account), BigInt(keyIndex), BigInt(time)]);
}
