/** Samples and settlement prices in an append-only file, one JSON record to a line. */
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { z } from "zod";
import type { SettlementRecord, SettlementStore } from "./settlement.ts";

/** The file of an oracle is damaged; nothing in it may be trusted until somebody has looked. */
export class SettlementFileError extends Error {
  override name = "SettlementFileError";
}

const DAY_MS = 86_400_000;
/** Samples are of no use once their window is settled; signed prices until the slot is. */
const SAMPLES_KEPT_MS = DAY_MS;
const SETTLEMENTS_KEPT_MS = 400 * DAY_MS;

const price = z.number().positive();
const schema = z.union([
  z.strictObject({ sample: z.strictObject({ time: z.int().min(0), ticks: price }) }),
  z.strictObject({
    settlement: z.strictObject({ expiry: z.int().min(0), ticks: z.int().min(0), time: z.int() }),
  }),
]);

/**
 * A line that a crash cut off at the end is dropped; damage anywhere else throws
 * {@link SettlementFileError}. Loading rewrites the file without what is too old at `nowMs`.
 * A record is small and rare (one in four seconds, for half an hour): written synchronously.
 */
export function createSettlementFile(file: string, nowMs: number): SettlementStore {
  return {
    load: () => {
      const records = readRecords(file).filter((record) =>
        "sample" in record
          ? record.sample.time > nowMs - SAMPLES_KEPT_MS
          : record.settlement.expiry * 1000 > nowMs - SETTLEMENTS_KEPT_MS,
      );
      const text = records.map((record) => `${JSON.stringify(record)}\n`).join("");
      writeFileSync(`${file}.new`, text);
      renameSync(`${file}.new`, file);
      return records;
    },
    append: (record) => appendFileSync(file, `${JSON.stringify(record)}\n`),
  };
}

function readRecords(file: string): SettlementRecord[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  // What follows the last line end is empty, or a record that was never written in full.
  lines.pop();
  return lines.map((line, index) => {
    try {
      return schema.parse(JSON.parse(line));
    } catch {
      throw new SettlementFileError(`\`${file}\` is damaged in line \`${index + 1}\``);
    }
  });
}
