/**
 * The file that a program trades with: trading keys of one account, not the wallet. Whoever has it
 * can trade for the account, so it is to be readable by its owner alone.
 */
import { KEYS_PER_ACCOUNT } from "../protocol/constants.ts";

/** A trading key: its index in the account, and its secret. */
export interface KeptKey {
  readonly index: number;
  readonly secret: bigint;
}

export interface KeyFile {
  /** The deployment that the keys are of. */
  readonly chainId: number;
  readonly rollup: `0x${string}`;
  readonly account: number;
  /** The first one trades; a second one signs words that are held. */
  readonly keys: readonly KeptKey[];
}

/** The text is not of a key file. Never says what stands in it. */
export class KeyFileError extends Error {
  override name = "KeyFileError";
}

export function keyFileText({ keys, ...rest }: KeyFile): string {
  const kept = keys.map(({ index, secret }) => ({ index, secret: `0x${secret.toString(16)}` }));
  return `${JSON.stringify({ ...rest, keys: kept }, null, 2)}\n`;
}

/** Throws {@link KeyFileError}. */
export function parseKeyFile(text: string): KeyFile {
  const value = parsed(text);
  const { chainId, rollup, account, keys } = value;
  if (!isInteger(chainId, 1, Number.MAX_SAFE_INTEGER)) fail("`chainId` must be an integer from 1");
  if (typeof rollup !== "string" || !/^0x[0-9a-fA-F]{40}$/.test(rollup)) {
    fail("`rollup` must be an address");
  }
  if (!isInteger(account, 0, Number.MAX_SAFE_INTEGER)) fail("`account` must be an integer from 0");
  if (!Array.isArray(keys) || keys.length < 1 || keys.length > KEYS_PER_ACCOUNT) {
    fail(`\`keys\` must have 1 to ${KEYS_PER_ACCOUNT} keys`);
  }
  const kept = (keys as unknown[]).map(keyOf);
  if (new Set(kept.map(({ index }) => index)).size < kept.length) {
    fail("`keys` must have different indices");
  }
  const place = { chainId: chainId as number, account: account as number };
  return { ...place, rollup: rollup as `0x${string}`, keys: kept };
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below, without what JSON's error would quote.
  }
  return fail("it must be a JSON object");
}

function keyOf(value: unknown): KeptKey {
  const { index, secret } = (value ?? {}) as Record<string, unknown>;
  if (!isInteger(index, 0, KEYS_PER_ACCOUNT - 1)) {
    fail(`an index must be an integer from 0 to ${KEYS_PER_ACCOUNT - 1}`);
  }
  if (typeof secret !== "string" || !/^0x[0-9a-f]{1,64}$/.test(secret)) {
    fail("a secret must be 0x and hex digits");
  }
  return { index: index as number, secret: BigInt(secret as string) };
}

function isInteger(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
}

function fail(reason: string): never {
  throw new KeyFileError(`no key file: ${reason}.`);
}
