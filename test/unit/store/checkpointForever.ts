// Goes on from the newest checkpoint in `process.argv[2]`, edits the state as every life of it
// does, and saves after each step until it is killed; says what is durable.
import { writeSync } from "node:fs";
import { createCheckpointStore } from "../../../sequencer/store/checkpointStore.ts";
import { createDatabase } from "../../../sequencer/store/database.ts";
import { beginFrom, changeAt, editAtRandom } from "./sampleStates.ts";

const checkpoints = createCheckpointStore(createDatabase(process.argv[2]!));
const newest = await checkpoints.latest();
const state = beginFrom(newest?.state);
for (let since = newest?.position ?? 0; ; since++) {
  editAtRandom(state, since + 1);
  await checkpoints.save(changeAt(state, since, since + 1));
  writeSync(1, `${since + 1}\n`);
}
