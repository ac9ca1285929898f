// Prints what oracles sign for the proposal in a file, and how this process writes numbers.
import { readFileSync } from "node:fs";
import { proposalFromJson, proposalToSlots } from "../../../sequencer/oracle/proposal.ts";
import { DEFAULT_RISK_PARAMETERS } from "../../../sequencer/oracle/riskMatrix.ts";
import { snapshotHash } from "../../../sequencer/protocol/snapshot.ts";

const { value } = proposalFromJson(JSON.parse(readFileSync(process.argv[2] as string, "utf8")));
if (value === undefined) throw new Error("no well-formed proposal");
const slots = proposalToSlots(value, DEFAULT_RISK_PARAMETERS);
const hash = snapshotHash(12_345n, { time: value.time, slots });
const habits = `${(1234.5).toLocaleString()} ${new Date(0).getHours()}`;
process.stdout.write(JSON.stringify({ hash: `${hash}`, habits, version: process.version }));
