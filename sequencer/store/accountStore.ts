/** What the sequencer keeps for accounts besides the log: one value each, replaced as a whole. */
import type { AccountStore } from "../ports.ts";
import { type Database, decodeValue, writeValue } from "./database.ts";
import { numberedKey, numberOfKey, rangeFrom } from "./keys.ts";

export function createAccountStore(database: Database): AccountStore {
  return {
    load: async function* () {
      for await (const [key, value] of database.iterator(rangeFrom("account", 0))) {
        yield [numberOfKey("account", key), decodeValue(key, value)];
      }
    },
    save: (account, value) => writeValue(database, numberedKey("account", account), value),
    delete: (account) => database.del(numberedKey("account", account), { sync: true }),
  };
}
