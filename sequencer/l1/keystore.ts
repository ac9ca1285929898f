/** Private keys at rest: web3 secret storage, version 3. */
import {
  createCipheriv,
  createDecipheriv,
  randomBytes,
  randomUUID,
  timingSafeEqual,
} from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { bytesToHex, concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import type { Hex } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { z } from "zod";

/** The keystore is damaged, of a kind that is not read here, or the password is wrong. */
export class KeystoreError extends Error {
  override name = "KeystoreError";
}

const SCRYPT = { n: 2 ** 18, r: 8, p: 1, dklen: 32 } as const;
/** 128 * n * r bytes of memory: what a foreign keystore may ask for. */
const SCRYPT_BYTES_MAX = 2 ** 29;
const PARALLELISM_MAX = 16;
const KEY_BYTES = 32;
const CIPHER = "aes-128-ctr";

const hex = z.string().regex(/^(?:[0-9a-f]{2})+$/i);
const KEYSTORE = z.object({
  version: z.literal(3),
  address: hex.length(40).optional(),
  crypto: z.object({
    cipher: z.literal(CIPHER),
    ciphertext: hex.length(2 * KEY_BYTES),
    cipherparams: z.object({ iv: hex.length(32) }),
    kdf: z.literal("scrypt"),
    kdfparams: z.object({
      n: z.number().int().positive(),
      r: z.number().int().positive(),
      p: z.number().int().positive().max(PARALLELISM_MAX),
      dklen: z.literal(SCRYPT.dklen),
      salt: hex,
    }),
    mac: hex.length(64),
  }),
});
type Keystore = z.infer<typeof KEYSTORE>;

/** Throws RangeError if the key is not 32 bytes in hex. */
export async function encryptKey(privateKey: Hex, password: string): Promise<string> {
  if (!/^0x[0-9a-f]{64}$/i.test(privateKey)) {
    throw new RangeError("`privateKey` must be 32 bytes in hex");
  }
  const secret = hexToBytes(privateKey.slice(2));
  const salt = bytesToHex(randomBytes(32));
  const iv = randomBytes(16);
  const kdfparams = { ...SCRYPT, salt };
  const derived = await deriveKey(password, kdfparams);
  const cipher = createCipheriv(CIPHER, derived.subarray(0, 16), iv);
  const ciphertext = concatBytes(cipher.update(secret), cipher.final());
  const keystore: Keystore & { id: string } = {
    version: 3,
    id: randomUUID(),
    address: privateKeyToAddress(privateKey).slice(2).toLowerCase(),
    crypto: {
      cipher: CIPHER,
      ciphertext: bytesToHex(ciphertext),
      cipherparams: { iv: bytesToHex(iv) },
      kdf: "scrypt",
      kdfparams,
      mac: bytesToHex(macOf(derived, ciphertext)),
    },
  };
  return `${JSON.stringify(keystore, null, 2)}\n`;
}

/** Throws {@link KeystoreError}. */
export async function decryptKey(text: string, password: string): Promise<Hex> {
  const { address, crypto } = parseKeystore(text);
  const derived = await deriveKey(password, crypto.kdfparams);
  const ciphertext = hexToBytes(crypto.ciphertext);
  if (!timingSafeEqual(macOf(derived, ciphertext), hexToBytes(crypto.mac))) {
    throw new KeystoreError("the password is wrong, or the keystore is damaged");
  }
  const iv = hexToBytes(crypto.cipherparams.iv);
  const decipher = createDecipheriv(CIPHER, derived.subarray(0, 16), iv);
  const secret = concatBytes(decipher.update(ciphertext), decipher.final());
  const privateKey: Hex = `0x${bytesToHex(secret)}`;
  const found = privateKeyToAddress(privateKey).slice(2).toLowerCase();
  if (address !== undefined && address.toLowerCase() !== found) {
    throw new KeystoreError(`the keystore names address \`${address}\`; its key has \`${found}\``);
  }
  return privateKey;
}

/** Writes a new keystore file that only its owner can read; never overwrites one. */
export async function writeKeystore(options: {
  readonly file: string;
  readonly privateKey: Hex;
  readonly password: string;
}): Promise<void> {
  const text = await encryptKey(options.privateKey, options.password);
  await writeFile(options.file, text, { mode: 0o600, flag: "wx" });
}

export async function readKeystore(file: string, password: string): Promise<Hex> {
  return decryptKey(await readFile(file, "utf8"), password);
}

function parseKeystore(text: string): Keystore {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new KeystoreError("the keystore is not JSON", { cause });
  }
  const { success, data, error } = KEYSTORE.safeParse(value);
  if (!success) throw new KeystoreError(`the keystore is not readable: ${z.prettifyError(error)}`);
  const { n, r } = data.crypto.kdfparams;
  if (128 * n * r > SCRYPT_BYTES_MAX) {
    throw new KeystoreError(`the keystore asks for too much memory: n \`${n}\`, r \`${r}\``);
  }
  return data;
}

/** Not `node:crypto`: OpenSSL refuses parameters that the published example has. */
async function deriveKey(
  password: string,
  { n, r, p, dklen, salt }: Keystore["crypto"]["kdfparams"],
): Promise<Uint8Array> {
  const options = { N: n, r, p, dkLen: dklen, maxmem: SCRYPT_BYTES_MAX + 2 ** 24 };
  try {
    return await scryptAsync(password.normalize("NFKC"), hexToBytes(salt), options);
  } catch (cause) {
    throw new KeystoreError("the keystore's scrypt parameters do not work", { cause });
  }
}

function macOf(derived: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return keccak_256(concatBytes(derived.subarray(16, 32), ciphertext));
}
