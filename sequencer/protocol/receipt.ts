/** What is signed besides message chains, batches and snapshots: receipts, and reads. */
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { poseidon } from "./hash.ts";

/**
 * What a receipt's signature covers: the deployment and the log up to the record. What the log
 * leads to is a function of it (SPEC I6), so two receipts of one position with different hashes
 * convict the sequencer, and nothing else needs signing. Sign the 32 bytes as they are.
 */
export function receiptDigest(domain: bigint, logPosition: number, logHash: string): Uint8Array {
  return sha256(utf8ToBytes(`straddle receipt ${domain} ${logPosition} ${logHash}`));
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
