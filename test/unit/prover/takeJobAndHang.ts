// A prover that takes a job from the server at `process.argv[2]` and never answers it.
import { writeSync } from "node:fs";
import { createJobClient } from "../../../sequencer/prover/jobClient.ts";

const client = createJobClient({ url: process.argv[2]!, token: process.argv[3]! });
const job = await client.next(new AbortController().signal);
writeSync(1, `${job?.number}\n`);
// Not even its event loop runs any more, as in the middle of a proof.
for (;;);
