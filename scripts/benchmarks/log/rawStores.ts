/** What the engines stand on, without the order log: the same bytes, no chain, no verification. */
import { jetstream, jetstreamManager, StorageType } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { encodeJson } from "../../../sequencer/batch/log.ts";
import type { Append } from "./load.ts";
import { type AppendTexts, grouped, openTexts } from "./texts.ts";

export interface RawStore {
  readonly append: Append;
  close(): Promise<void>;
}

/** Bytes that a record has besides its entry: two hashes, numbers, names. */
const LINK = "0".repeat(215);

/** Of entries, as long as records of them would be. */
function asRecords(append: AppendTexts): Append {
  return (entries) => append(entries.map((entry) => LINK + encodeJson(entry)));
}

export async function rawLevel(folder: string): Promise<RawStore> {
  const { append, close } = await openTexts(folder);
  return { append: asRecords(append), close };
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
  return { append: asRecords(append), close: () => connection.close() };
}
