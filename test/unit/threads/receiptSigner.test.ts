// The thread that signs receipts: the bytes that the node's own signer makes, each for its digest,
// also when the thread dies with digests in its hands, and after it was stopped.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { createDigestSigner } from "../../../sequencer/node/keys.ts";
import { openReceiptSigner, type ReceiptSigner } from "../../../sequencer/node/receiptSigner.ts";
import type { Logger } from "../../../sequencer/ports.ts";
import { silent } from "../roles/ports.ts";

const KEY = `0x${"22".repeat(32)}` as const;
const WAIT_MS = 60_000;
const own = createDigestSigner(KEY);

const digestOf = (at: number): Uint8Array => createHash("sha256").update(`${at}`).digest();

async function assertSigns(signer: ReceiptSigner, from: number, count: number): Promise<void> {
  const digests = Array.from({ length: count }, (_, at) => digestOf(from + at));
  // A thread alone would not keep this process.
  const awake = setTimeout(() => assert.fail("not all were signed"), WAIT_MS);
  const signatures = await Promise.all(digests.map((digest) => signer.sign(digest)));
  clearTimeout(awake);
  assert.deepEqual(
    signatures,
    digests.map((digest) => own.sign(digest)),
  );
}

test("receipts are signed as the node itself signs them, one or many at once", async () => {
  const signer = openReceiptSigner(KEY, silent);
  assert.equal(signer.address, own.address);
  await assertSigns(signer, 0, 1);
  await Promise.all([assertSigns(signer, 1, 40), assertSigns(signer, 41, 3)]);
  const isLater = signer.sign(digestOf(7)) instanceof Promise;
  assert.ok(isLater, "by the thread");
  await signer.stop();
  assert.equal(signer.sign(digestOf(7)), own.sign(digestOf(7)));
});

test("what a dead thread leaves behind is signed by the node, which says so", async () => {
  const errors: string[] = [];
  const logger: Logger = { ...silent, error: (text) => void errors.push(text) };
  const thread = new URL("./deadSigner.ts", import.meta.url);
  const signer = openReceiptSigner(KEY, logger, { thread });
  await assertSigns(signer, 0, 5);
  await assertSigns(signer, 5, 2);
  assert.deepEqual(errors, ["the thread that signs receipts has ended: signed here"]);
  await signer.stop();
});

test("what waits when the signer is stopped is still signed", async () => {
  const signer = openReceiptSigner(KEY, silent);
  const signing = assertSigns(signer, 0, 4);
  await signer.stop();
  await signing;
});
