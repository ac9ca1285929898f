/** The thread behind `receiptSigner.ts`: signs the digests of a message, answers in its order. */
import { parentPort, workerData } from "node:worker_threads";
import { hexToBytes } from "@noble/hashes/utils.js";
import type { Hex } from "../exchangeService.ts";
import { DIGEST_BYTES, SIGNATURE_BYTES } from "../protocol/recovery.ts";
import { loadVoteKeys } from "./voteKeys.ts";

const signer = loadVoteKeys().signer(hexToBytes((workerData as Hex).slice(2)));

parentPort?.on("message", (digests: Uint8Array) => {
  const signatures = new Uint8Array((digests.length / DIGEST_BYTES) * SIGNATURE_BYTES);
  for (let from = 0, to = 0; from < digests.length; from += DIGEST_BYTES, to += SIGNATURE_BYTES) {
    const signature = signer.sign(digests.subarray(from, from + DIGEST_BYTES));
    signatures.set(hexToBytes(signature.slice(2)), to);
  }
  parentPort?.postMessage(signatures, [signatures.buffer]);
});
