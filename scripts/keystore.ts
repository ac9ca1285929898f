/** Reads encrypted key files (web3 secret storage, version 3), so that no key stands in the open. */
import { createDecipheriv, pbkdf2Sync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { scrypt } from "@noble/hashes/scrypt.js";
import { type Hex, keccak256 } from "viem";
import { z } from "zod";

/** Memory that a key derivation may take: four times what the usual cost of 2^18 needs. */
const SCRYPT_MEMORY_MAX = 2 ** 30;
const PASSWORD_VARIABLE = "STRADDLE_KEYSTORE_PASSWORD";

const hex = z.string().regex(/^([0-9a-fA-F]{2})*$/);
const keystoreSchema = z.object({
  version: z.literal(3),
  crypto: z.object({
    cipher: z.literal("aes-128-ctr"),
    cipherparams: z.object({ iv: hex.length(32) }),
    ciphertext: hex.length(64),
    mac: hex.length(64),
    kdf: z.enum(["scrypt", "pbkdf2"]),
    kdfparams: z.union([
      z.object({
        n: z.number().int().positive(),
        r: z.number().int().positive(),
        p: z.number().int().positive(),
        dklen: z.literal(32),
        salt: hex,
      }),
      z.object({
        c: z.number().int().positive(),
        prf: z.literal("hmac-sha256"),
        dklen: z.literal(32),
        salt: hex,
      }),
    ]),
  }),
});
type KdfParameters = z.infer<typeof keystoreSchema>["crypto"]["kdfparams"];

/** A key file that cannot be read, or a password that is not its own. */
export class KeystoreError extends Error {
  override name = "KeystoreError";
}

/** The private key in the text of a key file. Throws {@link KeystoreError}. */
export function decryptKeystore(text: string, password: string): Hex {
  const { crypto } = parse(text);
  const derived = derive(crypto.kdfparams, password);
  const ciphertext = Buffer.from(crypto.ciphertext, "hex");
  const mac = keccak256(Buffer.concat([derived.subarray(16, 32), ciphertext]));
  if (mac !== `0x${crypto.mac.toLowerCase()}`) {
    throw new KeystoreError("the password does not open this key file");
  }
  const iv = Buffer.from(crypto.cipherparams.iv, "hex");
  const decipher = createDecipheriv("aes-128-ctr", derived.subarray(0, 16), iv);
  return `0x${Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString("hex")}`;
}

/** The private key in `file`. The password comes from the environment, or is asked for. */
export async function readKeystore(file: string): Promise<Hex> {
  const text = readFileSync(file, "utf8");
  const password = process.env[PASSWORD_VARIABLE] ?? (await askPassword(`Password of ${file}: `));
  return decryptKeystore(text, password);
}

function parse(text: string): z.infer<typeof keystoreSchema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new KeystoreError("the key file is not JSON");
  }
  const result = keystoreSchema.safeParse(json);
  if (result.success) return result.data;
  const { path, message } = result.error.issues[0]!;
  throw new KeystoreError(`the key file is not of version 3: \`${path.join(".")}\`: ${message}`);
}

function derive(parameters: KdfParameters, text: string): Buffer {
  const password = Buffer.from(text, "utf8");
  const salt = Buffer.from(parameters.salt, "hex");
  if ("c" in parameters) return pbkdf2Sync(password, salt, parameters.c, 32, "sha256");
  const { n, r, p } = parameters;
  // Node's own refuses the costs of some older wallets (r = 1 with n above 2^16).
  return Buffer.from(scrypt(password, salt, { N: n, r, p, dkLen: 32, maxmem: SCRYPT_MEMORY_MAX }));
}

async function askPassword(question: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new KeystoreError(`no terminal to ask for the password; set ${PASSWORD_VARIABLE}`);
  }
  process.stderr.write(question);
  // What is typed goes nowhere: readline echoes to its output.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  return new Promise((resolve) => {
    lines.question("", (answer) => {
      lines.close();
      process.stderr.write("\n");
      resolve(answer);
    });
  });
}
