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

type Row<T> = readonly [id: number, value: T];

interface ExportedKey extends Omit<TradingKey, "x" | "y" | "head"> {
  readonly x: string;
  readonly y: string;
  readonly head: string;
}

/** JSON-safe; rows ascend by id. */
export interface ExportedState {
  readonly shape: Shape;
  readonly accounts: readonly Row<Omit<Account, "owner"> & { readonly owner: string }>[];
  readonly sessions: readonly Row<{
    readonly keys: readonly ExportedKey[];
    readonly watermark: number;
    readonly lockedSince: number;
  }>[];
  readonly books: readonly Row<Book>[];
  readonly series: readonly Series[];
  readonly nextSeq: number;
  readonly carry: Carry | null;
  readonly fees: number;
  readonly ranking: Ranking | null;
}

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
  return {
    shape: { ...shape },
    accounts: rowsOf(parts.accounts, ({ owner, cash, positions }) => {
      return { owner: String(owner), cash, positions: [...positions] };
    }),
    sessions: rowsOf(parts.sessions, ({ keys, ...rest }) => {
      return { ...rest, keys: keys.map(exportKey) };
    }),
    books: rowsOf(parts.books, (book) => structuredClone(book)),
    series: parts.series.map((series) => ({ ...series })),
    nextSeq: parts.nextSeq,
    carry: parts.carry === undefined ? null : { ...parts.carry },
    fees: parts.fees,
    ranking: parts.ranking === undefined ? null : { ...parts.ranking },
  };
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

function rowsOf<T, U>(rows: ReadonlyMap<number, T>, convert: (row: T) => U): Row<U>[] {
  return [...rows].sort(([a], [b]) => a - b).map(([id, row]) => [id, convert(row)]);
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
