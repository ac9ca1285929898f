// A sequencer's process as far as certification goes: a durable log, served to validators, and what
// their reports certify of it. Appends as many records as a message says.

import { benchSitting, DOMAIN, quiet } from "../../scripts/benchmarks/certify/sitting.ts";
import { blockHash } from "../../sequencer/consensus/block.ts";
import { isFinalizedBy } from "../../sequencer/consensus/certificate.ts";
import { faultOf, rulesOf } from "../../sequencer/consensus/verification.ts";
import { createLogServer } from "../../sequencer/gossip/logServer.ts";
import { openStore } from "../../sequencer/store/store.ts";
import { sampleEntry } from "../unit/store/sampleEntries.ts";

export interface LogStart {
  readonly directory: string;
  readonly listen: string;
}

/** What it sends: first where it can be dialled, then what each message has led to. */
export interface LogTold {
  readonly address: string;
  readonly head: { readonly position: number; readonly hash: string };
  readonly certified: number;
}

const { directory, listen } = JSON.parse(process.argv[2] ?? "") as LogStart;
const { validators, genesis, keys } = await benchSitting();
const rules = rulesOf(validators, genesis, keys.verify);
const { log } = await openStore(directory, DOMAIN);
const source = { record: (from: number) => log.read(from), proofOf: async () => undefined };
const server = await createLogServer({ listen, source, logger: quiet });
let certified = 0;
server.onReport((_peer, { final }) => {
  if (final === null || final.block.to <= certified) return;
  const { block, certificate } = final;
  if (!isFinalizedBy(blockHash(block), certificate)) return;
  if (faultOf(rules, { type: "certificate", certificate }) === undefined) certified = block.to;
});
const tell = (): void => {
  const told: LogTold = { address: server.addresses()[0]!, head: log.head(), certified };
  process.send?.(told);
};
process.on("disconnect", () => process.exit(0));
process.on("message", async (count: number) => {
  const from = log.head().position;
  const entries = Array.from({ length: count }, (_, place) => sampleEntry(from + place));
  const records = await log.append(entries);
  if (records.length > 0) server.announce(records.at(-1)!.position);
  tell();
});
tell();
