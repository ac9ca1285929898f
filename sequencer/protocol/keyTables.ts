/**
 * Tables for the keys that sign often: with one a verification takes no doublings. A table depends
 * on the key alone, and is given out only for the very coordinates it was filled for.
 */
import { assembly, writeWord } from "./wasm.ts";

/**
 * Keys remembered, the least recently used is forgotten: 55 MB if each has its table, 62 MB of the
 * tables for pairs.
 */
export const KEYS_MAX = 1024;
/** Verifications after which a table, which costs about six of them, is filled. */
export const USES_BEFORE_TABLE = 8;

/** A module that fills tables in its memory. */
export interface TableModule {
  reserve(bytes: number): number;
  keyTableBytes(): number;
  /** For the key in the third and fourth word; 0 if it can have no signatures. */
  fillKeyTable(table: number): number;
  writeWord(index: number, value: bigint): void;
}

interface Entry {
  readonly y: bigint;
  uses: number;
  /** Address, 0 before it is filled. */
  table: number;
}

/**
 * Returns what gives the address of a key's table, or 0 while it has none, and writes the third and
 * fourth word. The table stays that key's over the next call for another one: only what is filled
 * takes a forgotten key's memory, and a key that takes another's place is not filled at once.
 */
export function createKeyTables(module: TableModule): (x: bigint, y: bigint) => number {
  /** By x: of two keys with the same x the newer one takes the place. The oldest use is first. */
  const entries = new Map<bigint, Entry>();
  /** Addresses of forgotten keys' tables. */
  const free: number[] = [];
  const forget = (x: bigint, { table }: Entry): void => {
    entries.delete(x);
    if (table !== 0) free.push(table);
  };
  /** No table for a key that no signature can verify for. */
  const fill = (entry: Entry): void => {
    const table = free.pop() ?? module.reserve(module.keyTableBytes());
    if (module.fillKeyTable(table) === 1) entry.table = table;
    else free.push(table);
  };
  const use = (x: bigint, entry: Entry): number => {
    entries.delete(x);
    entries.set(x, entry);
    entry.uses += 1;
    if (entry.uses === USES_BEFORE_TABLE) fill(entry);
    return entry.table;
  };
  return (x, y) => {
    module.writeWord(2, x);
    module.writeWord(3, y);
    const found = entries.get(x);
    if (found?.y === y) return use(x, found);
    if (found !== undefined) forget(x, found);
    if (entries.size === KEYS_MAX) forget(...entries.entries().next().value!);
    entries.set(x, { y, uses: 1, table: 0 });
    return 0;
  };
}

/** For {@link verify}. */
export const keyTable = createKeyTables({ ...assembly, writeWord });
