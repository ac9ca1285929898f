/**
 * A trading key from one signature of the owner's wallet, so that nothing but the wallet has to
 * be kept: the same wallet, deployment, key index and version text give the same key again.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, hexToBytes } from "@noble/hashes/utils.js";
import { recoverTypedDataAddress } from "viem";
import { KEYS_PER_ACCOUNT } from "../protocol/constants.ts";
import { type PublicKey, publicKeyOf, secretFromSeed } from "../protocol/eddsa.ts";

type Hex = `0x${string}`;

/** What a trading key belongs to. */
export interface TradingKeyScope {
  readonly chainId: number;
  readonly rollup: Hex;
  readonly keyIndex: number;
  /** Another text gives another key: change it to replace a key that leaked. Default: `1`. */
  readonly version?: string;
}

/** What the wallet shows and signs (EIP-712). */
export function tradingKeyTypedData(scope: TradingKeyScope) {
  const { chainId, rollup, keyIndex, version = "1" } = scope;
  if (!Number.isInteger(keyIndex) || keyIndex < 0 || keyIndex >= KEYS_PER_ACCOUNT) {
    const allowed = `an integer from 0 to ${KEYS_PER_ACCOUNT - 1}`;
    throw new RangeError(`\`keyIndex\` must be ${allowed}. Got \`${keyIndex}\`.`);
  }
  return {
    domain: { name: "Straddle trading key", chainId, verifyingContract: rollup },
    types: {
      TradingKey: [
        { name: "purpose", type: "string" },
        { name: "keyIndex", type: "uint8" },
        { name: "version", type: "string" },
      ],
    },
    primaryType: "TradingKey",
    message: {
      purpose: "Whoever has this signature can trade for me. I sign it only where I trade.",
      keyIndex,
      version,
    },
  } as const;
}

/** A viem local account is one; for a browser wallet wrap `walletClient.signTypedData`. */
export interface WalletSigner {
  readonly address: Hex;
  signTypedData(typedData: ReturnType<typeof tradingKeyTypedData>): Promise<Hex>;
}

export interface TradingKeyPair {
  readonly secret: bigint;
  readonly publicKey: PublicKey;
}

/** The wallet's signature cannot make a key that would be found again. */
export class WalletSignatureError extends Error {
  override name = "WalletSignatureError";
}

/** Asks the wallet for one signature and derives the key from it. */
export async function deriveTradingKey(
  wallet: WalletSigner,
  scope: TradingKeyScope,
): Promise<TradingKeyPair> {
  const typedData = tradingKeyTypedData(scope);
  const signature = await wallet.signTypedData(typedData);
  if (!/^0x[0-9a-fA-F]{130}$/.test(signature)) {
    throw new WalletSignatureError(
      `the wallet's signature must be 65 bytes, as key-controlled wallets make it. Got ` +
        `\`${(signature.length - 2) / 2}\` bytes. A contract wallet cannot derive a key.`,
    );
  }
  const signer = await recoverTypedDataAddress({ ...typedData, signature });
  if (signer.toLowerCase() !== wallet.address.toLowerCase()) {
    throw new WalletSignatureError(
      `the signature must be by \`${wallet.address}\`. It is by \`${signer}\`.`,
    );
  }
  return keyFromSignature(signature);
}

/** Wallets differ in `v` and some in the sign of `s`: neither goes into the key. */
export function keyFromSignature(signature: Hex): TradingKeyPair {
  const bytes = hexToBytes(signature.slice(2));
  const s = BigInt(`0x${signature.slice(66, 130)}`);
  const low = s > HALF_ORDER ? ORDER - s : s;
  const lowBytes = hexToBytes(low.toString(16).padStart(64, "0"));
  const secret = secretFromSeed(sha256(concatBytes(bytes.slice(0, 32), lowBytes)));
  return { secret, publicKey: publicKeyOf(secret) };
}

/** Order of secp256k1. */
const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const HALF_ORDER = ORDER / 2n;
