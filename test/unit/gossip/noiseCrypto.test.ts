/** Noise's ciphers by keys that Node knows: what ChaCha20-Poly1305 gives, for every length. */
import assert from "node:assert/strict";
import { createCipheriv, randomBytes } from "node:crypto";
import { test } from "node:test";
import { noiseCrypto } from "../../../sequencer/gossip/noiseCrypto.ts";

/** Around both bounds, libp2p's and ours, and the longest that Noise sends. */
const LENGTHS = [0, 1, 583, 584, 599, 600, 601, 1199, 1200, 4096, 65_519];
const own = noiseCrypto();
const additional = new Uint8Array(0);

function reference(plain: Uint8Array, nonce: Uint8Array, key: Uint8Array): Buffer {
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

test("what is written is the cipher's, and is read again", () => {
  const keys = [randomBytes(32), randomBytes(32)];
  for (const [index, length] of LENGTHS.entries()) {
    const nonce = new Uint8Array(12).fill(index);
    const plain = randomBytes(length);
    // Twice with each key: the second time it is known.
    for (const key of [...keys, ...keys]) {
      const written = own.chaCha20Poly1305Encrypt(plain, nonce, additional, key).subarray();
      assert.deepEqual(Buffer.from(written), reference(plain, nonce, key));
      const read = own.chaCha20Poly1305Decrypt(written, nonce, additional, key).subarray();
      assert.deepEqual(Buffer.from(read), plain);
    }
  }
});

test("what was changed, or is of another key, is refused", () => {
  const [key, other] = [randomBytes(32), randomBytes(32)];
  const nonce = new Uint8Array(12);
  for (const length of LENGTHS) {
    const plain = randomBytes(length);
    const written = own.chaCha20Poly1305Encrypt(plain, nonce, additional, key).subarray();
    assert.throws(() => own.chaCha20Poly1305Decrypt(written, nonce, additional, other));
    const changed = Uint8Array.from(written);
    changed[length >> 1]! ^= 1;
    assert.throws(() => own.chaCha20Poly1305Decrypt(changed, nonce, additional, key));
  }
});
