/**
 * Tables for the keys that sign often: with one a verification takes no doublings. A table depends
 * on the key alone, and is given out only for the very coordinates it was filled for.
 */
import { assembly, writeWord } from "./wasm.ts";

/** Keys remembered, the least recently used is forgotten: 55 MB if each has its table. */
export const KEYS_MAX = 1024;
/** Verifications after which a table, which costs about six of them, is filled. */
export const USES_BEFORE_TABLE = 8;

interface Entry {
  readonly y: bigint;
  uses: number;
  /** Address, 0 before it is filled. */
  table: number;
}

/** By x: of two keys with the same x the newer one takes the place. The oldest use comes first. */
const entries = new Map<bigint, Entry>();
/** Addresses of forgotten keys' tables. */
const free: number[] = [];

/** The address of the key's table, or 0 while it has none. Writes the third and fourth word. */
export function keyTable(x: bigint, y: bigint): number {
  writeWord(2, x);
  writeWord(3, y);
  const found = entries.get(x);
  if (found?.y === y) return use(x, found);
  if (found !== undefined) forget(x, found);
  if (entries.size === KEYS_MAX) forget(...entries.entries().next().value!);
  entries.set(x, { y, uses: 1, table: 0 });
  return 0;
}

function use(x: bigint, entry: Entry): number {
  entries.delete(x);
  entries.set(x, entry);
  entry.uses += 1;
  if (entry.uses === USES_BEFORE_TABLE) fill(entry);
  return entry.table;
}

/** No table for a key that no signature can verify for. */
function fill(entry: Entry): void {
  const table = free.pop() ?? assembly.reserve(assembly.keyTableBytes());
  if (assembly.fillKeyTable(table) === 1) entry.table = table;
  else free.push(table);
}

function forget(x: bigint, { table }: Entry): void {
  entries.delete(x);
  if (table !== 0) free.push(table);
}
