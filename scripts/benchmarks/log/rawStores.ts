/** What the engines stand on, without the order log: the same bytes, no chain, no verification. */
import { jetstream, jetstreamManager, StorageType } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { encodeJson } from "../../../sequencer/batch/log.ts";
import { createDatabase } from "../../../sequencer/store/database.ts";
import type { Append } from "./load.ts";

export interface RawStore {
  readonly append: Append;
  close(): Promise<void>;
}

/** Bytes that a record has besides its entry: two hashes, numbers, names. */
const LINK = "0".repeat(215);

interface Waiting {
  readonly texts: readonly string[];
  resolve(): void;
  reject(error: unknown): void;
}

/** Writes what waits in one go, again and again. */
function grouped(write: (texts: readonly string[]) => Promise<void>): Append {
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
  return (entries) =>
    new Promise<void>((resolve, reject) => {
      const texts = entries.map((entry) => LINK + encodeJson(entry));
      waiting.push({ texts, resolve, reject });
      if (!isWriting) void run();
    });
}

export async function rawLevel(folder: string): Promise<RawStore> {
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
  return { append, close: () => database.close() };
}

export async function rawJetstream(servers: readonly string[], name: string): Promise<RawStore> {
  const connection = await connect({ servers: [...servers] });
  const manager = await jetstreamManager(connection);
  const settings = { storage: StorageType.File, num_replicas: 3 };
  await manager.streams.add({ name, subjects: [name], ...settings });
  const client = jetstream(connection);
  const bytesMax = (connection.info?.max_payload ?? 2 ** 20) / 2;
  const append = grouped(async (texts) => {
    for (let start = 0; start < texts.length; ) {
      const count = Math.max(1, Math.floor(bytesMax / (texts[start]?.length ?? 1)));
      await client.publish(name, texts.slice(start, start + count).join("\n"));
      start += count;
    }
  });
  return { append, close: () => connection.close() };
}
