import path from "node:path";
import { encodeJson, headAfter, logOrigin } from "../../../sequencer/batch/log.ts";
import { createDatabase, type Database } from "../../../sequencer/store/database.ts";
import { openHeadFile } from "../../../sequencer/store/headFile.ts";
import { HEAD_KEY, numberedKey } from "../../../sequencer/store/keys.ts";
import { openLevelLog } from "../../../sequencer/store/levelLog.ts";
import { testLog } from "./logConformance.ts";
import { DOMAIN, temporaryFolder } from "./sampleEntries.ts";

testLog({
  name: "embedded",
  rival: "locked out",
  create: async (context) => {
    const folder = await temporaryFolder(context);
    let current: Database | undefined;
    return {
      open: async () => {
        const database = createDatabase(folder);
        await database.open();
        current = database;
        const headFile = await openHeadFile(path.join(folder, "log-head"));
        const closeFiles = async () => {
          await headFile.close();
          await database.close();
        };
        const origin = logOrigin(DOMAIN);
        const log = await openLevelLog({ database, headFile, origin }).catch(async (error) => {
          await closeFiles();
          throw error;
        });
        const close = async () => {
          await log.close();
          await closeFiles();
        };
        return { ...log, close };
      },
      forge: async (records) => {
        const database = createDatabase(folder);
        for (const [at, record] of records.entries()) {
          if (record !== undefined) await database.put(numberedKey("log", at), encodeJson(record));
        }
        await database.put(HEAD_KEY, encodeJson(headAfter(records.at(-1)!)));
        await database.close();
      },
      breakDown: () => {
        context.mock.method(current!, "batch", async () => {
          throw new Error("no space left on device");
        });
      },
    };
  },
});
