/** Texts in LevelDB, in groups: each synced write takes what has gathered meanwhile. */
import { createDatabase } from "../../../sequencer/store/database.ts";

/** Resolves when all of them are durable. */
export type AppendTexts = (texts: readonly string[]) => Promise<void>;

interface Waiting {
  readonly texts: readonly string[];
  resolve(): void;
  reject(error: unknown): void;
}

/** Writes what waits in one go, again and again. */
export function grouped(write: AppendTexts): AppendTexts {
  let waiting: Waiting[] = [];
  let isWriting = false;
  const run = async (): Promise<void> => {
    isWriting = true;
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        await write(group.flatMap(({ texts }) => texts));
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    isWriting = false;
  };
  return (texts) =>
    new Promise<void>((resolve, reject) => {
      waiting.push({ texts, resolve, reject });
      if (!isWriting) void run();
    });
}

/** With single values beside them, which are synced too. */
export async function openTexts(folder: string) {
  const database = createDatabase(folder);
  await database.open();
  let next = 0;
  const append = grouped((texts) => {
    const puts = texts.map((value) => {
      next += 1;
      return { type: "put" as const, key: String(next).padStart(16, "0"), value };
    });
    return database.batch(puts, { sync: true });
  });
  const put = (key: string, value: string) =>
    database.batch([{ type: "put", key, value }], { sync: true });
  return { append, put, close: () => database.close() };
}
