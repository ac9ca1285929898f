/**
 * Noise's ciphers with keys that Node knows. Given as bytes, a key is looked at anew for every
 * frame, which takes longer than to encrypt some kilobytes: libp2p's own way around it is its
 * slower WebAssembly up to 1,200 bytes.
 */
import { createSecretKey } from "node:crypto";
import { asCrypto, defaultCrypto, nodeCrypto } from "@libp2p/noise/crypto";

type Crypto = typeof defaultCrypto;
type Key = Parameters<Crypto["chaCha20Poly1305Encrypt"]>[3];

/** Bytes below which the call into WebAssembly is still the cheaper one. */
const SMALL_BYTES = 600;

/** Use it as `crypto` of `noise()`. */
export function noiseCrypto(): Crypto {
  // By the very array, which belongs to one direction of one connection.
  const known = new WeakMap<Uint8Array, Key>();
  const keyOf = (bytes: Uint8Array): Key => {
    const before = known.get(bytes);
    if (before !== undefined) return before;
    // What takes the bytes takes the key in their place, see `crypto.createCipheriv`.
    const key = createSecretKey(bytes) as unknown as Key;
    known.set(bytes, key);
    return key;
  };
  return {
    ...defaultCrypto,
    chaCha20Poly1305Encrypt: (plaintext, nonce, ad, key) =>
      plaintext.byteLength < SMALL_BYTES
        ? asCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, key)
        : nodeCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, keyOf(key)),
    chaCha20Poly1305Decrypt: (ciphertext, nonce, ad, key, target) =>
      ciphertext.byteLength < SMALL_BYTES
        ? asCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, key, target)
        : nodeCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, keyOf(key), target),
  };
}
