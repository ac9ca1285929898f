/**
 * Receipts signed by a thread of their own: what becomes durable together is sent to it together.
 * Where it ends, the node signs by itself, the same bytes.
 */
import { Worker } from "node:worker_threads";
import { bytesToHex } from "@noble/hashes/utils.js";
import type { Hex } from "../exchangeService.ts";
import type { Logger } from "../ports.ts";
import { DIGEST_BYTES, SIGNATURE_BYTES } from "../protocol/recovery.ts";
import type { DigestSigner } from "../roles/receipts.ts";
import { createDigestSigner } from "./keys.ts";

interface Asked {
  readonly digest: Uint8Array;
  readonly resolve: (signature: Hex) => void;
}

export interface ReceiptSigner extends DigestSigner {
  /** What is asked afterwards is signed at once. */
  stop(): Promise<void>;
}

/** `thread`: another one, as tests have that fails. */
export function openReceiptSigner(
  privateKey: Hex,
  logger: Logger,
  { thread = new URL("./receiptThread.ts", import.meta.url) } = {},
): ReceiptSigner {
  const own = createDigestSigner(privateKey);
  const worker = new Worker(thread, { workerData: privateKey });
  // It keeps the process only while somebody waits for it.
  worker.unref();
  /** Not sent yet; then sent and not answered, in the order of the answers. */
  let asked: Asked[] = [];
  const sent: (readonly Asked[])[] = [];
  let isOver = false;

  function signHere(): void {
    isOver = true;
    for (const { digest, resolve } of [...sent.splice(0).flat(), ...asked.splice(0)]) {
      resolve(own.sign(digest));
    }
  }

  function end(reason: unknown): void {
    if (isOver) return;
    logger.error("the thread that signs receipts has ended: signed here", { reason });
    signHere();
  }

  function send(): void {
    if (asked.length === 0) return;
    const digests = new Uint8Array(DIGEST_BYTES * asked.length);
    for (const [at, { digest }] of asked.entries()) digests.set(digest, DIGEST_BYTES * at);
    worker.ref();
    worker.postMessage(digests, [digests.buffer]);
    sent.push(asked);
    asked = [];
  }

  worker.on("message", (signatures: Uint8Array) => {
    for (const [at, { resolve }] of (sent.shift() ?? []).entries()) {
      const from = SIGNATURE_BYTES * at;
      resolve(`0x${bytesToHex(signatures.subarray(from, from + SIGNATURE_BYTES))}`);
    }
    if (sent.length === 0) worker.unref();
  });
  worker.on("error", end);
  worker.on("exit", end);

  return {
    address: own.address,
    sign(digest) {
      if (isOver) return own.sign(digest);
      // After all that follows from the same event.
      if (asked.length === 0) process.nextTick(send);
      return new Promise((resolve) => void asked.push({ digest, resolve }));
    },
    stop: async () => {
      signHere();
      await worker.terminate();
    },
  };
}
