// Saves records of accounts in `process.argv[2]` until it is killed, and says what is durable.
import { writeSync } from "node:fs";
import { loadAccountRecords } from "../../../sequencer/roles/accountRecords.ts";
import { openStore } from "../../../sequencer/store/store.ts";
import { DOMAIN } from "./sampleEntries.ts";

const ACCOUNTS = 5;

const store = await openStore(process.argv[2]!, DOMAIN);
const records = await loadAccountRecords(store.accounts);
for (let time = 1; ; time++) {
  const account = time % ACCOUNTS;
  const record = records.open(account);
  record.scopes = [{ keyIndex: 1, version: 1, scope: "none", time }];
  const first = records.save(account);
  // What changes while it is being written is written after it.
  record.scopes = [{ keyIndex: 1, version: 1, scope: "none", time: time + 0.5 }];
  await Promise.all([first, records.save(account)]);
  writeSync(1, `${account} ${time + 0.5}\n`);
}
