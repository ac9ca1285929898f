/** The public view of the log: hashes by position, the last of them signed like a receipt. */
import type { Hex } from "../exchangeService.ts";
import type { Log } from "../ports.ts";
import type { LogHashes } from "../protocol/evidence.ts";
import { receiptDigest } from "../protocol/receipt.ts";
import type { DigestSigner } from "./receipts.ts";

/** Records of one answer. */
const HASHES_MAX = 1_000;

/**
 * Not the records themselves: they name the owner of every order, which only takes part in public
 * once it has traded. A hash is enough to see whether two people were shown one log.
 */
export function createLogQuery(options: {
  readonly log: Log;
  readonly domain: bigint;
  readonly signer: DigestSigner;
}): (from: number, limit: number) => Promise<LogHashes> {
  const { log, domain, signer } = options;
  return async (from, limit) => {
    const wanted = Math.min(limit, HASHES_MAX);
    const hashes: string[] = [];
    if (wanted > 0 && from < log.head().position) {
      for await (const { hash } of log.read(from)) {
        hashes.push(hash);
        if (hashes.length === wanted) break;
      }
    }
    const last = hashes.at(-1);
    if (last === undefined) return { from, hashes, signature: null };
    const digest = receiptDigest(domain, from + hashes.length - 1, last);
    const signature: Hex = await signer.sign(digest);
    return { from, hashes, signature };
  };
}
