/** Texts into LevelDB, in groups: each synced write takes what has gathered meanwhile. */
import { createDatabase } from "../../../sequencer/store/database.ts";

export interface BareStore {
  /** Resolves when it is durable; `done` in the order of the calls. */
  append(text: string, done: () => void): void;
  /** One synced write of its own. */
  put(key: string, value: string): Promise<void>;
  close(): Promise<void>;
}

export async function openBareStore(folder: string): Promise<BareStore> {
  const database = createDatabase(folder);
  await database.open();
  let waiting: { readonly text: string; readonly done: () => void }[] = [];
  let isWriting = false;
  let next = 0;

  async function write(): Promise<void> {
    isWriting = true;
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      const puts = group.map(({ text }) => {
        next += 1;
        return { type: "put" as const, key: String(next).padStart(16, "0"), value: text };
      });
      await database.batch(puts, { sync: true });
      for (const { done } of group) done();
    }
    isWriting = false;
  }

  return {
    append: (text, done) => {
      waiting.push({ text, done });
      if (!isWriting) void write();
    },
    put: (key, value) => database.batch([{ type: "put", key, value }], { sync: true }),
    close: () => database.close(),
  };
}
