/** Undo: what objects and values were before they were edited, since each checkpoint. */

export interface Journal {
  /**
   * Called before `key` changes: unless it was already called for it since the latest checkpoint
   * or no checkpoint was taken, `capture` copies what is there and returns how to put it back.
   */
  record(key: string, capture: () => () => void): void;
  checkpoint(): number;
  /** Undoes everything since `point`, which stays a point to return to. */
  rollback(point: number): void;
  clear(): void;
}

export function createJournal(): Journal {
  let undos: (() => void)[] = [];
  let isRecording = false;
  /** What was recorded since the latest checkpoint or rollback. */
  const recorded = new Set<string>();
  return {
    record(key, capture) {
      if (!isRecording || recorded.has(key)) return;
      recorded.add(key);
      undos.push(capture());
    },
    checkpoint() {
      isRecording = true;
      recorded.clear();
      return undos.length;
    },
    rollback(point) {
      if (!isRecording || point > undos.length) {
        throw new RangeError(
          `\`point\` must be a checkpoint since the last commit. Got \`${point}\`.`,
        );
      }
      while (undos.length > point) undos.pop()!();
      recorded.clear();
    },
    clear() {
      undos = [];
      isRecording = false;
      recorded.clear();
    },
  };
}

/** Objects by id. */
export interface Table<T> {
  readonly rows: Map<number, T>;
  /** Ids that were edited or put. */
  readonly touched: Set<number>;
  /** The live object, to be changed. Creates it where there is none. */
  edit(id: number): T;
  put(id: number, row: T): void;
  ids(): number[];
}

/** A table whose changes `journal` can undo; ids from 0 to `size - 1`. */
export function createTable<T>(options: {
  name: string;
  size: number;
  journal: Journal;
  create: () => T;
  clone: (row: T) => T;
}): Table<T> {
  const { name, size, journal, create, clone } = options;
  const rows = new Map<number, T>();
  const touched = new Set<number>();

  function prepare(id: number): void {
    if (!Number.isInteger(id) || id < 0 || id >= size) {
      throw new RangeError(`\`${name}\` must be below ${size}. Got \`${id}\`.`);
    }
    touched.add(id);
    journal.record(`${name} ${id}`, () => {
      const row = rows.get(id);
      const before = row === undefined ? undefined : clone(row);
      return () => {
        // The leaf may have been written to a tree meanwhile: it is to be written again.
        touched.add(id);
        if (before === undefined) rows.delete(id);
        else rows.set(id, before);
      };
    });
  }

  return {
    rows,
    touched,
    edit(id) {
      prepare(id);
      const row = rows.get(id) ?? create();
      rows.set(id, row);
      return row;
    },
    put(id, row) {
      prepare(id);
      rows.set(id, row);
    },
    ids: () => [...rows.keys()].sort((a, b) => a - b),
  };
}
