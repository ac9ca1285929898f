/** Every key of the database. Numbers are zero-padded, so that keys sort as the numbers do. */

const NUMBER_DIGITS = 16;

export const KEY_PREFIXES = {
  log: "log/",
  checkpoint: "checkpoint/",
  baseAccounts: "checkpoint-base/accounts/",
  baseSessions: "checkpoint-base/sessions/",
  baseBooks: "checkpoint-base/books/",
  baseOwn: "checkpoint-base/own/",
  newerAccounts: "checkpoint-newer/accounts/",
  newerSessions: "checkpoint-newer/sessions/",
  newerBooks: "checkpoint-newer/books/",
  newerOwn: "checkpoint-newer/own/",
  batch: "batch/",
  inputs: "inputs/",
  proof: "proof/",
  attestation: "attestation/",
  account: "account/",
  value: "value/",
} as const;
export type NumberedPrefix = Exclude<keyof typeof KEY_PREFIXES, "value">;

/** Position and hash of the log's last record, written with it. */
export const HEAD_KEY = "head";
/** The same of the log up to the newest checkpoint, written with that. */
export const EXECUTED_KEY = "executed";
/** `previous` of the log's first record: a store serves one deployment. */
export const ORIGIN_KEY = "origin";

export function numberedKey(prefix: NumberedPrefix, number: number): string {
  if (!Number.isSafeInteger(number) || number < 0) {
    throw new RangeError(`a key's number must be a non-negative integer. Got \`${number}\`.`);
  }
  return KEY_PREFIXES[prefix] + String(number).padStart(NUMBER_DIGITS, "0");
}

export function numberOfKey(prefix: NumberedPrefix, key: string): number {
  return Number(key.slice(KEY_PREFIXES[prefix].length));
}

export function valueKey(name: string): string {
  return KEY_PREFIXES.value + name;
}

/** All numbers from `from` on. */
export function rangeFrom(prefix: NumberedPrefix, from: number): { gte: string; lte: string } {
  return { gte: numberedKey(prefix, from), lte: numberedKey(prefix, Number.MAX_SAFE_INTEGER) };
}

/** All numbers up to `to`, itself included. */
export function rangeTo(prefix: NumberedPrefix, to: number): { gte: string; lte: string } {
  return { gte: numberedKey(prefix, 0), lte: numberedKey(prefix, to) };
}

/** All keys that go on after `key` with a slash. */
export function valuesUnder(key: string): { gt: string; lt: string } {
  return { gt: `${key}/`, lt: `${key}0` };
}
