/** The secp256k1 keys of a node: from a keystore, or a development account on a local chain. */
import { readFileSync } from "node:fs";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import type { Hex } from "../exchangeService.ts";
import { ConfigError, type KeySource } from "./config.ts";
import { askPassword } from "./passwordPrompt.ts";
import { loadVoteKeys } from "./voteKeys.ts";

/** Throws {@link ConfigError}, or RangeError for a development account on a chain of value. */
export async function loadPrivateKey(source: KeySource, chainId: number): Promise<Hex> {
  if ("development" in source) {
    const { developmentAccount } = await import("../l1/developmentAccount.ts");
    const { privateKey } = developmentAccount(source.development, chainId).getHdKey();
    if (privateKey === null) throw new ConfigError("the development account has no key");
    return `0x${bytesToHex(privateKey)}`;
  }
  const { readKeystore } = await import("../l1/keystore.ts");
  return readKeystore(source.keystore, await passwordOf(source));
}

/** From a file that only the node's user reads, or from who starts it; never the environment. */
async function passwordOf(source: {
  readonly keystore: string;
  readonly passwordFile?: string | undefined;
}): Promise<string> {
  const { keystore, passwordFile } = source;
  if (passwordFile === undefined) {
    const password = await askPassword(keystore);
    if (password !== undefined) return password;
    const message = `no terminal to ask for the password of \`${keystore}\``;
    throw new ConfigError(`${message}; name a \`passwordFile\``);
  }
  try {
    return readFileSync(passwordFile, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    throw new ConfigError(`\`passwordFile\` cannot be read: ${(error as Error).message}`);
  }
}

/**
 * Signs digests as they are: 65 bytes `r | s | v` with v 27 or 28. By libsecp256k1 where it runs:
 * each receipt is signed, and in JavaScript that costs more than all the rest of an order.
 */
export function createDigestSigner(privateKey: Hex): {
  readonly address: Hex;
  sign(digest: Uint8Array): Hex;
} {
  const { address, sign } = loadVoteKeys().signer(hexToBytes(privateKey.slice(2)));
  return { address: address as Hex, sign: (digest) => sign(digest) as Hex };
}
