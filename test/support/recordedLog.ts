/**
 * A log that was recorded once, with what it led to then: whatever the code becomes, an old log
 * must lead there again, bit for bit. `test/support/recordLog.ts` has made it.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { decodeJson, decodeRecord, encodeJson, type LogRecord } from "../../sequencer/batch/log.ts";
import type { SealedBatch } from "../../sequencer/batch/sealedBatch.ts";
import { FIRST_COME } from "../../sequencer/protocol/fairOrder.ts";
import type { Deployment } from "../../sequencer/roles/nodeState.ts";
import { oracleKeys, sizesOf, TEST_DOMAIN } from "./market.ts";
import { createReplayNode } from "./replayNode.ts";

const fileOf = (name: string): string =>
  fileURLToPath(new URL(`recorded/${name}`, import.meta.url));
/** One record to a line, as nodes store it. */
export const RECORDS_FILE = fileOf("log.jsonl.gz");
export const RESULTS_FILE = fileOf("results.json");

/** What executing the recorded log gave. */
export interface RecordedResults {
  /** Hash of the last record. */
  readonly head: string;
  readonly records: number;
  /** After each batch. */
  readonly roots: readonly bigint[];
  /** sha256 of what the batches publish: roots, public words, commitments. */
  readonly batches: string;
  /** sha256 of their circuits' inputs: with other circuits it may be another one. */
  readonly inputs: string;
  /** sha256 of the state after the last batch. */
  readonly state: string;
}

export function recordedDeployment(): Deployment {
  const sizes = sizesOf("tiny");
  const { trade } = sizes;
  return {
    ...{ sizes, domain: TEST_DOMAIN, oracles: oracleKeys(sizes), quorum: trade.quorum },
    ...{ fairOrder: FIRST_COME, shape: trade },
  };
}

export function recordedLines(): string[] {
  return gunzipSync(readFileSync(RECORDS_FILE)).toString("utf8").trimEnd().split("\n");
}

export function recordedLog(): LogRecord[] {
  return recordedLines().map(decodeRecord);
}

export function recordedResults(): RecordedResults {
  return decodeJson(readFileSync(RESULTS_FILE, "utf8")) as RecordedResults;
}

function resultsOf(
  records: readonly LogRecord[],
  batches: readonly SealedBatch[],
  state: unknown,
): RecordedResults {
  return {
    ...{ head: records.at(-1)!.hash, records: records.length },
    roots: batches.map(({ rootAfter }) => rootAfter),
    batches: digestOf(batches.map(({ inputs: _, ...published }) => published)),
    inputs: digestOf(batches.map(({ inputs }) => inputs)),
    state: digestOf(state),
  };
}

/** What executing a log gives today, with the inputs of its batches' circuits. */
export async function resultsToday(records: readonly LogRecord[]): Promise<RecordedResults> {
  const node = createReplayNode(recordedDeployment());
  const batches: SealedBatch[] = [];
  for (const record of records) {
    const { sealed } = node.apply(record);
    if (sealed === undefined) continue;
    const inputs = decodeJson(await node.inputs.inputs(sealed.number)) as SealedBatch["inputs"];
    batches.push({ ...sealed, inputs });
  }
  return resultsOf(records, batches, node.state.exportState());
}

function digestOf(value: unknown): string {
  return createHash("sha256").update(encodeJson(value)).digest("hex");
}
