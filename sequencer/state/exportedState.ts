/** The state as plain JSON data for snapshots on disk: big integers as decimal strings. */
import { CodecRangeError } from "../protocol/codec.ts";
import type {
  Account,
  Book,
  Carry,
  Ranking,
  Series,
  Session,
  Shape,
  TradingKey,
} from "../protocol/state.ts";

export type Row<T> = readonly [id: number, value: T];

interface ExportedKey extends Omit<TradingKey, "x" | "y" | "head"> {
  readonly x: string;
  readonly y: string;
  readonly head: string;
}

/** What stands in rows of their own, by the names of the tables. */
export interface ExportedRows {
  readonly accounts: Omit<Account, "owner"> & { readonly owner: string };
  readonly sessions: {
    readonly keys: readonly ExportedKey[];
    readonly watermark: number;
    readonly lockedSince: number;
  };
  readonly books: Book;
}
export type TableName = keyof ExportedRows;
export const TABLE_NAMES: readonly TableName[] = ["accounts", "sessions", "books"];

/** What stands in no rows. */
export interface ExportedRest {
  readonly shape: Shape;
  readonly series: readonly Series[];
  readonly nextSeq: number;
  readonly carry: Carry | null;
  readonly fees: number;
  readonly ranking: Ranking | null;
}

/** JSON-safe; rows ascend by id. */
export type ExportedState = ExportedRest & {
  readonly [Name in TableName]: readonly Row<ExportedRows[Name]>[];
};

/** What a state has become since an earlier one; null: the row is there no more, or never was. */
export type ExportedChange = ExportedRest & {
  readonly [Name in TableName]: readonly Row<ExportedRows[Name] | null>[];
};

/** What a state consists of. */
export interface StateParts {
  readonly accounts: ReadonlyMap<number, Account>;
  readonly sessions: ReadonlyMap<number, Session>;
  readonly books: ReadonlyMap<number, Book>;
  readonly series: readonly Series[];
  readonly nextSeq: number;
  readonly carry: Carry | undefined;
  readonly fees: number;
  readonly ranking: Ranking | undefined;
}

/** A copy: later changes of the state do not reach it. */
export function exportParts(shape: Shape, parts: StateParts): ExportedState {
  const { shape: copied, ...rest } = exportRest(shape, parts);
  // In the order of old: hashes of its JSON are on record.
  return {
    shape: copied,
    accounts: rowsOf(parts.accounts, exportAccount),
    sessions: rowsOf(parts.sessions, exportSession),
    books: rowsOf(parts.books, exportBook),
    ...rest,
  };
}

/** The same of some rows: those of the given ids, as they are now. */
export function exportChangeOf(
  shape: Shape,
  parts: StateParts,
  ids: Readonly<Record<TableName, ReadonlySet<number>>>,
): ExportedChange {
  return {
    ...exportRest(shape, parts),
    accounts: changedRowsOf(parts.accounts, ids.accounts, exportAccount),
    sessions: changedRowsOf(parts.sessions, ids.sessions, exportSession),
    books: changedRowsOf(parts.books, ids.books, exportBook),
  };
}

/** The state that `change` has made of `state`; undefined: of the empty one. */
export function withChange(
  state: ExportedState | undefined,
  change: ExportedChange,
): ExportedState {
  return {
    ...change,
    accounts: mergeRows(state?.accounts ?? [], change.accounts),
    sessions: mergeRows(state?.sessions ?? [], change.sessions),
    books: mergeRows(state?.books ?? [], change.books),
  };
}

/** Both ascend; what has become null is gone. */
export function mergeRows<T>(
  before: readonly Row<T>[],
  changed: readonly Row<T | null>[],
): Row<T>[] {
  const merged: Row<T>[] = [];
  let at = 0;
  for (const [id, row] of changed) {
    for (; at < before.length && before[at]![0] < id; at++) merged.push(before[at]!);
    if (before[at]?.[0] === id) at += 1;
    if (row !== null) merged.push([id, row]);
  }
  for (; at < before.length; at++) merged.push(before[at]!);
  return merged;
}

/** Inverse of {@link exportParts}. Throws CodecRangeError where the shape is another. */
export function importParts(shape: Shape, exported: ExportedState): StateParts {
  for (const name of Object.keys(shape) as (keyof Shape)[]) {
    const value = exported.shape[name];
    if (value !== shape[name]) throw new CodecRangeError(`shape.${name}`, value, shape[name]);
  }
  return {
    accounts: mapOf(exported.accounts, ({ owner, cash, positions }) => {
      return { owner: BigInt(owner), cash, positions: [...positions] };
    }),
    sessions: mapOf(exported.sessions, ({ keys, ...rest }) => {
      return { ...rest, keys: keys.map(importKey) };
    }),
    books: mapOf(exported.books, (book) => structuredClone(book)),
    series: exported.series.map((series) => ({ ...series })),
    nextSeq: exported.nextSeq,
    carry: exported.carry === null ? undefined : { ...exported.carry },
    fees: exported.fees,
    ranking: exported.ranking === null ? undefined : { ...exported.ranking },
  };
}

function exportRest(shape: Shape, parts: StateParts): ExportedRest {
  return {
    shape: { ...shape },
    series: parts.series.map((series) => ({ ...series })),
    nextSeq: parts.nextSeq,
    carry: parts.carry === undefined ? null : { ...parts.carry },
    fees: parts.fees,
    ranking: parts.ranking === undefined ? null : { ...parts.ranking },
  };
}

function exportAccount({ owner, cash, positions }: Account): ExportedRows["accounts"] {
  return { owner: String(owner), cash, positions: [...positions] };
}

function exportSession({ keys, ...rest }: Session): ExportedRows["sessions"] {
  return { ...rest, keys: keys.map(exportKey) };
}

function exportBook(book: Book): Book {
  return structuredClone(book);
}

function rowsOf<T, U>(rows: ReadonlyMap<number, T>, convert: (row: T) => U): Row<U>[] {
  return [...rows].sort(([a], [b]) => a - b).map(([id, row]) => [id, convert(row)]);
}

function changedRowsOf<T, U>(
  rows: ReadonlyMap<number, T>,
  ids: ReadonlySet<number>,
  convert: (row: T) => U,
): Row<U | null>[] {
  return [...ids]
    .sort((a, b) => a - b)
    .map((id) => {
      const row = rows.get(id);
      return [id, row === undefined ? null : convert(row)];
    });
}

function mapOf<T, U>(rows: readonly Row<T>[], convert: (row: T) => U): Map<number, U> {
  return new Map(rows.map(([id, row]) => [id, convert(row)]));
}

function exportKey({ x, y, head, expiry, version }: TradingKey): ExportedKey {
  return { x: String(x), y: String(y), head: String(head), expiry, version };
}

function importKey({ x, y, head, expiry, version }: ExportedKey): TradingKey {
  return { x: BigInt(x), y: BigInt(y), head: BigInt(head), expiry, version };
}
