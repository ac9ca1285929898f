/** Undo: what objects and values were before they were edited, since each checkpoint. */

export interface Journal {
  /**
   * A recorder for things of one kind: called with what is about to change. Unless that was
   * already recorded since the latest checkpoint, or no checkpoint was taken, `capture` copies what
   * is there and returns how to put it back.
   */
  recorder<K>(capture: (key: K) => () => void): (key: K) => void;
  /** Whether a checkpoint was taken: else nothing is to be noted. */
  isRecording(): boolean;
  /** Something small has changed; `undo` puts it back. */
  note(undo: () => void): void;
  checkpoint(): number;
  /** Undoes everything since `point`, which stays a point to return to. */
  rollback(point: number): void;
  clear(): void;
}

export function createJournal(): Journal {
  let undos: (() => void)[] = [];
  let isRecording = false;
  /** Counts checkpoints and rollbacks: what was recorded in an earlier one is recorded again. */
  let span = 0;
  return {
    recorder<K>(capture: (key: K) => () => void) {
      const recorded = new Map<K, number>();
      return (key: K) => {
        if (!isRecording || recorded.get(key) === span) return;
        recorded.set(key, span);
        undos.push(capture(key));
      };
    },
    isRecording: () => isRecording,
    note: (undo) => void undos.push(undo),
    checkpoint() {
      isRecording = true;
      span += 1;
      return undos.length;
    },
    rollback(point) {
      if (!isRecording || point > undos.length) {
        throw new RangeError(
          `\`point\` must be a checkpoint since the last commit. Got \`${point}\`.`,
        );
      }
      while (undos.length > point) undos.pop()!();
      span += 1;
    },
    clear() {
      if (undos.length > 0) undos = [];
      isRecording = false;
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
  /** Called before a row changes or is put back. */
  note?: (id: number) => void;
}): Table<T> {
  const { name, size, journal, create, clone, note } = options;
  const rows = new Map<number, T>();
  const touched = new Set<number>();

  function touch(id: number): void {
    touched.add(id);
    note?.(id);
  }

  const record = journal.recorder<number>((id) => {
    const row = rows.get(id);
    const before = row === undefined ? undefined : clone(row);
    return () => {
      // The leaf may have been written to a tree meanwhile: it is to be written again.
      touch(id);
      if (before === undefined) rows.delete(id);
      else rows.set(id, before);
    };
  });

  function prepare(id: number): void {
    if (!Number.isInteger(id) || id < 0 || id >= size) {
      throw new RangeError(`\`${name}\` must be below ${size}. Got \`${id}\`.`);
    }
    touch(id);
    record(id);
  }

  return {
    rows,
    touched,
    edit(id) {
      prepare(id);
      const known = rows.get(id);
      if (known !== undefined) return known;
      const row = create();
      rows.set(id, row);
      return row;
    },
    put(id, row) {
      prepare(id);
      rows.set(id, row);
    },
    ids: () => [...rows.keys()].sort((a, b) => a - b),
    refill(given) {
      // What goes is touched too: its leaf is empty again.
      for (const id of rows.keys()) touch(id);
      rows.clear();
      for (const [id, row] of given) {
        touch(id);
        rows.set(id, row);
      }
    },
  };
}
