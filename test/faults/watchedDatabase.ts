/** A database whose synced writes can be counted and held back. */
import type { Database } from "../../sequencer/store/database.ts";

export interface Sync {
  readonly isSynced: boolean;
  /** Log records in the write. */
  readonly records: number;
}

export interface WatchedDatabase {
  readonly database: Database;
  readonly syncs: readonly Sync[];
  hold(): void;
  /** Lets the write go that is held back; the next one waits again. */
  letGo(): Promise<void>;
}

interface Put {
  readonly type: "put";
  readonly key: string;
  readonly value: string;
}

export function createWatchedDatabase(raw: Database): WatchedDatabase {
  const syncs: Sync[] = [];
  let isHeld = false;
  const held: (() => void)[] = [];
  const batch = async (puts: Put[], options: { sync?: boolean }): Promise<void> => {
    if (isHeld) await new Promise<void>((resolve) => held.push(resolve));
    await raw.batch(puts, options);
    const records = puts.filter(({ key }) => key.startsWith("log/")).length;
    syncs.push({ isSynced: options.sync === true, records });
  };
  const database = new Proxy(raw, {
    get: (target, name) => {
      if (name === "batch") return batch;
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return {
    database,
    syncs,
    hold: () => {
      isHeld = true;
    },
    letGo: async () => {
      while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
      held.shift()?.();
    },
  };
}
