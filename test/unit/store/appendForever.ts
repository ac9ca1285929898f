// Appends to the log in `process.argv[2]` until it is killed, and says what was acknowledged.
import { writeSync } from "node:fs";
import { openStore } from "../../../sequencer/store/store.ts";
import { DOMAIN, sampleEntry } from "./sampleEntries.ts";

const store = await openStore(process.argv[2]!, DOMAIN);
for (let number = 0; ; number += 3) {
  const entries = [number, number + 1, number + 2].map(sampleEntry);
  const records = await Promise.all([store.log.append(entries), store.log.append(entries)]);
  const last = records.flat().at(-1)!;
  writeSync(1, `${last.position} ${last.hash}\n`);
}
