/** The public view of the log: hashes by position, the last of them signed like a receipt. */
import type { Hex } from "../exchangeService.ts";
import type { Log } from "../ports.ts";
import type { LogHashes } from "../protocol/evidence.ts";
import { receiptDigest } from "../protocol/receipt.ts";
import type { DigestSigner } from "./receipts.ts";
import type { SeenHeads } from "./seenHeads.ts";

/** Records of one answer. */
const HASHES_MAX = 1_000;

/**
 * Not the records themselves: they name the owner of every order, which only takes part in public
 * once it has traded. A hash is enough to see whether two people were shown one log.
 */
export function createLogQuery(options: {
  readonly log: Pick<Log, "head" | "read">;
  /** Those of the newest records: what people ask for. */
  readonly heads: Pick<SeenHeads, "hashAt">;
  readonly domain: bigint;
  readonly signer: DigestSigner;
}): (from: number, limit: number) => Promise<LogHashes> {
  const { domain, signer } = options;
  return async (from, limit) => {
    const hashes = await readHashes(options, from, Math.min(limit, HASHES_MAX));
    const last = hashes.at(-1);
    if (last === undefined) return { from, hashes, signature: null };
    const digest = receiptDigest(domain, from + hashes.length - 1, last);
    const signature: Hex = await signer.sign(digest);
    return { from, hashes, signature };
  };
}

async function readHashes(
  { log, heads }: Pick<Parameters<typeof createLogQuery>[0], "log" | "heads">,
  from: number,
  wanted: number,
): Promise<string[]> {
  const hashes: string[] = [];
  for (let position = from; hashes.length < wanted; position++) {
    const hash = heads.hashAt(position);
    if (hash === undefined) break;
    hashes.push(hash);
  }
  if (hashes.length > 0 || wanted === 0 || from >= log.head().position) return hashes;
  for await (const { hash } of log.read(from)) {
    hashes.push(hash);
    if (hashes.length === wanted) break;
  }
  return hashes;
}
