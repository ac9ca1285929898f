/**
 * The database and the form of its values. LevelDB does not verify its checksums when it reads, so
 * every value other than a log record (which has a hash of its own) carries its SHA-256.
 */

import { hash as digest } from "node:crypto";
import path from "node:path";
import { Level } from "level";
import { decodeJson, encodeJson } from "../batch/log.ts";

export type Database = Level<string, string>;

/** One of the changes that a write makes. */
export type Change =
  | { readonly type: "put"; readonly key: string; readonly value: string }
  | { readonly type: "del"; readonly key: string };

/** The database of the store in `directory`; it opens itself when it is first used. */
export function createDatabase(directory: string): Database {
  const database: Database = new Level(path.join(directory, "level"));
  const whole = database.batch.bind(database);
  const batch = (changes: readonly Change[], options: { sync?: boolean }): Promise<void> =>
    database.status === "open" && changes.length > 0
      ? writeChain(database.batch(), changes, options)
      : whole([...changes], options);
  // Without arguments it begins a chain.
  const either = (...args: [] | Parameters<typeof batch>) =>
    args.length === 0 ? whole() : batch(...args);
  return Object.assign(database, { batch: either as Database["batch"] });
}

/** The same write as of an array, one change at a time: the binding takes half as long for it. */
function writeChain(
  chain: ReturnType<Database["batch"]>,
  changes: readonly Change[],
  options: { sync?: boolean },
): Promise<void> {
  for (const change of changes) {
    if (change.type === "put") chain.put(change.key, change.value);
    else chain.del(change.key);
  }
  return chain.write(options);
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
  return encodeText(encodeJson(value));
}

/** The same of JSON that somebody else has made. */
export function encodeText(text: string): string {
  return digest("sha256", text, "hex") + text;
}

/** Throws {@link StoreCorruptionError}. */
export function decodeValue(key: string, stored: string): unknown {
  return decodeJson(decodeText(key, stored));
}

/** Throws {@link StoreCorruptionError}. */
export function assertWhole(key: string, stored: string): void {
  decodeText(key, stored);
}

function decodeText(key: string, stored: string): string {
  const text = stored.slice(DIGEST_LENGTH);
  if (digest("sha256", text, "hex") !== stored.slice(0, DIGEST_LENGTH)) {
    throw new StoreCorruptionError(key);
  }
  return text;
}

export async function readValue(database: Database, key: string): Promise<unknown> {
  // The typings leave out that a missing key gives undefined.
  const stored = (await database.get(key)) as string | undefined;
  return stored === undefined ? undefined : decodeValue(key, stored);
}

/** Inverse of {@link encodeText}. Throws {@link StoreCorruptionError}. */
export async function readText(database: Database, key: string): Promise<string | undefined> {
  const stored = (await database.get(key)) as string | undefined;
  return stored === undefined ? undefined : decodeText(key, stored);
}

/** Resolves when the value is durable. */
export async function writeValue(database: Database, key: string, value: unknown): Promise<void> {
  await database.batch([{ type: "put", key, value: encodeValue(value) }], { sync: true });
}
