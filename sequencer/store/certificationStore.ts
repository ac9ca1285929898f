/**
 * What a member of the validator set keeps of certification, for one session: its votes in one
 * record that each vote replaces, the newest delivered block, recent blocks for those who missed
 * them, and evidence. One synced write takes all that one call changes.
 */
import { type Block, blockHash } from "../consensus/block.ts";
import type { Durable } from "../consensus/state.ts";
import { LAG_BLOCKS_MAX } from "../consensus/state.ts";
import type { Evidence } from "../consensus/verification.ts";
import { offenceOf } from "../consensus/vote.ts";
import type { CertificationStore, FinalBlock } from "../ports.ts";
import { type Database, decodeValue, encodeValue, readValue, writeValue } from "./database.ts";
import { valueKey, valuesUnder } from "./keys.ts";

/** Who is further behind takes over a state and asks for no blocks: twice that is enough. */
const BLOCKS_KEPT = 2 * LAG_BLOCKS_MAX;

export interface LevelCertification extends CertificationStore {
  /** All that was kept of members who lied. */
  accusations(): AsyncGenerator<Evidence>;
}

/** `session`: of the validator set; votes of another session say nothing in this one. */
export function createCertificationStore(database: Database, session: string): LevelCertification {
  const keyOf = (name: string): string => valueKey(`certification/${session}/${name}`);
  const blockKey = (hash: string): string => keyOf(`block/${hash}`);
  const heightKey = (height: number): string => keyOf(`height/${height}`);
  const read = <T>(name: string) => readValue(database, keyOf(name)) as Promise<T | undefined>;
  const put = (key: string, value: unknown) => {
    return { type: "put" as const, key, value: encodeValue(value) };
  };
  const del = (key: string) => ({ type: "del" as const, key });

  async function blockChanges({ block }: FinalBlock) {
    const hash = blockHash(block);
    const old = block.height - BLOCKS_KEPT;
    const oldHash = old < 1 ? undefined : await readValue(database, heightKey(old));
    const dropped =
      typeof oldHash === "string" ? [del(heightKey(old)), del(blockKey(oldHash))] : [];
    return [put(blockKey(hash), block), put(heightKey(block.height), hash), ...dropped];
  }

  return {
    load: async () => {
      const durable = await read<Durable>("votes");
      const delivered = await read<FinalBlock>("delivered");
      return { ...(durable && { durable }), ...(delivered && { delivered }) };
    },
    save: async ({ durable, delivered }) => {
      const newest = delivered.at(-1);
      const blocks = await Promise.all(delivered.map(blockChanges));
      const changes = [
        ...(durable === undefined ? [] : [put(keyOf("votes"), durable)]),
        ...(newest === undefined ? [] : [put(keyOf("delivered"), newest)]),
        ...blocks.flat(),
      ];
      await database.batch(changes, { sync: true });
    },
    block: async (hash) => (await readValue(database, blockKey(hash))) as Block | undefined,
    accuse: async ({ first, second }) => {
      // One for each validator and offence: a liar can make as many as it likes.
      const key = keyOf(`evidence/${first.validator}/${offenceOf(first, second)}`);
      if ((await readValue(database, key)) !== undefined) return;
      await writeValue(database, key, { first, second });
    },
    accusations: async function* () {
      for await (const [key, value] of database.iterator(valuesUnder(keyOf("evidence")))) {
        yield decodeValue(key, value) as Evidence;
      }
    },
  };
}
