/**
 * The database and the form of its values. LevelDB does not verify its checksums when it reads, so
 * every value other than a log record (which has a hash of its own) carries its SHA-256.
 */

import path from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { Level } from "level";
import { decodeJson, encodeJson } from "../batch/log.ts";

export type Database = Level<string, string>;

/** The database of the store in `directory`; it opens itself when it is first used. */
export function createDatabase(directory: string): Database {
  return new Level(path.join(directory, "level"));
}

/** A stored value that is not what was written. The node must stop. */
export class StoreCorruptionError extends Error {
  override name = "StoreCorruptionError";
  readonly key: string;
  constructor(key: string, options?: ErrorOptions) {
    super(`the stored value \`${key}\` does not fit its checksum`, options);
    this.key = key;
  }
}

const DIGEST_LENGTH = 64;

export function encodeValue(value: unknown): string {
  const text = encodeJson(value);
  return bytesToHex(sha256(utf8ToBytes(text))) + text;
}

/** Throws {@link StoreCorruptionError}. */
export function decodeValue(key: string, stored: string): unknown {
  const text = stored.slice(DIGEST_LENGTH);
  if (bytesToHex(sha256(utf8ToBytes(text))) !== stored.slice(0, DIGEST_LENGTH)) {
    throw new StoreCorruptionError(key);
  }
  return decodeJson(text);
}

export async function readValue(database: Database, key: string): Promise<unknown> {
  // The typings leave out that a missing key gives undefined.
  const stored = (await database.get(key)) as string | undefined;
  return stored === undefined ? undefined : decodeValue(key, stored);
}

/** Resolves when the value is durable. */
export async function writeValue(database: Database, key: string, value: unknown): Promise<void> {
  await database.batch([{ type: "put", key, value: encodeValue(value) }], { sync: true });
}
