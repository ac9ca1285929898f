/** Objects by id, whose changes a journal can undo. */
import type { Journal } from "./journal.ts";
import { createPages } from "./pages.ts";

export interface Table<T> {
  readonly rows: ReadonlyMap<number, T>;
  /** Ids that were edited or put. */
  readonly touched: ReadonlySet<number>;
  /** The live object, if there is one. */
  at(id: number): T | undefined;
  /** The live object, to be changed. Creates it where there is none. */
  edit(id: number): T;
  put(id: number, row: T): void;
  /** Whoever changes a part of a row, and undoes it himself, says so. */
  touch(id: number): void;
  clearTouched(): void;
  ids(): number[];
  /** Replaces all rows; what goes and what comes is touched. */
  refill(rows: ReadonlyMap<number, T>): void;
}

/** A table whose changes `journal` can undo; ids from 0 to `size - 1`. */
export function createTable<T>(options: {
  name: string;
  size: number;
  journal: Journal;
  create: () => T;
  clone: (row: T) => T;
  /** Called before a row changes or is put back as a whole. */
  note?: (id: number) => void;
}): Table<T> {
  const { name, size, journal, create, clone, note } = options;
  const rows = new Map<number, T>();
  const touched = new Set<number>();
  // The same once more, without hashes.
  const byId = createPages<T>();
  const isTouched = createPages<true>();

  function touch(id: number): void {
    if (isTouched.at(id) === true) return;
    isTouched.put(id, true);
    touched.add(id);
  }

  function touchWhole(id: number): void {
    touch(id);
    note?.(id);
  }

  function set(id: number, row: T): void {
    rows.set(id, row);
    byId.put(id, row);
  }

  const record = journal.recorder<number>((id) => {
    const row = byId.at(id);
    const before = row === undefined ? undefined : clone(row);
    return () => {
      // The leaf may have been written to a tree meanwhile: it is to be written again.
      touchWhole(id);
      if (before !== undefined) set(id, before);
      else {
        rows.delete(id);
        byId.put(id, undefined);
      }
    };
  });

  function prepare(id: number): void {
    if (!Number.isInteger(id) || id < 0 || id >= size) {
      throw new RangeError(`\`${name}\` must be below ${size}. Got \`${id}\`.`);
    }
    touchWhole(id);
    record(id);
  }

  return {
    rows,
    touched,
    at: byId.at,
    edit(id) {
      prepare(id);
      const known = byId.at(id);
      if (known !== undefined) return known;
      const row = create();
      set(id, row);
      return row;
    },
    put(id, row) {
      prepare(id);
      set(id, row);
    },
    touch,
    clearTouched() {
      for (const id of touched) isTouched.put(id, undefined);
      touched.clear();
    },
    ids: () => [...rows.keys()].sort((a, b) => a - b),
    refill(given) {
      // What goes is touched too: its leaf is empty again.
      for (const id of rows.keys()) touchWhole(id);
      rows.clear();
      byId.clear();
      for (const [id, row] of given) {
        touchWhole(id);
        set(id, row);
      }
    },
  };
}
