// Appends to the log in a folder until the disk refuses, and says what was acknowledged. With a
// second argument it keeps that many bytes in reserve, frees them then, and opens the log again.
import { rmSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import type { LogRecord } from "../../sequencer/batch/log.ts";
import { openStore } from "../../sequencer/store/store.ts";
import { collect } from "../unit/store/logConformance.ts";
import { DOMAIN, sampleEntry } from "../unit/store/sampleEntries.ts";

export interface AppendReport {
  readonly acknowledged: number;
  readonly lastHash: string;
  readonly reason: string;
  /** From the failure to the end of the last append that waited. */
  readonly stoppedMs: number;
  readonly acknowledgedAfter: number;
  /** Found after the reserve was freed; absent without one. */
  readonly recovered?: number;
}

const APPENDS_MAX = 100_000;
const IN_FLIGHT = 8;

async function fill(folder: string, reserve: number): Promise<AppendReport> {
  const store = await openStore(folder, DOMAIN);
  const ballast = path.join(folder, "ballast");
  if (reserve > 0) writeFileSync(ballast, Buffer.alloc(reserve, 1));
  const acknowledged: LogRecord[] = [];
  let failedAt: number | undefined;
  let acknowledgedAfter = 0;
  const { failure } = store.log;
  failure.addEventListener("abort", () => {
    failedAt = performance.now();
  });
  const append = async (number: number): Promise<void> => {
    const records = await store.log.append([sampleEntry(number), sampleEntry(number + 1)]);
    acknowledged.push(...records);
    if (failedAt !== undefined) acknowledgedAfter += 1;
  };
  for (let number = 0; number < APPENDS_MAX && !failure.aborted; number += IN_FLIGHT) {
    const numbers = Array.from({ length: IN_FLIGHT }, (_, index) => number + index);
    await Promise.allSettled(numbers.map(append));
  }
  // What comes after the failure is refused too, however often it is tried.
  await Promise.allSettled([append(0), append(0), append(0)]);
  const report = {
    acknowledged: acknowledged.length,
    lastHash: acknowledged.at(-1)?.hash ?? "",
    reason: String((failure.reason as Error | undefined)?.message),
    stoppedMs: performance.now() - (failedAt ?? 0),
    acknowledgedAfter,
  };
  if (reserve === 0) return report;
  await store.close().catch(() => undefined);
  rmSync(ballast);
  return { ...report, recovered: await recovered(folder, acknowledged) };
}

async function recovered(folder: string, acknowledged: readonly LogRecord[]): Promise<number> {
  const store = await openStore(folder, DOMAIN);
  const found = await collect(store.log.read(0));
  await store.log.append([sampleEntry(1)]);
  await store.close();
  const isThere = acknowledged.every(({ position, hash }) => found[position]?.hash === hash);
  return isThere ? found.length : -1;
}

if (import.meta.main) {
  const [folder = "", reserve = "0"] = process.argv.slice(2);
  const report = await fill(folder, Number(reserve));
  writeSync(1, `${JSON.stringify(report)}\n`);
  process.exit(0);
}
