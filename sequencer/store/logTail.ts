/**
 * The newest records of the log in memory. Every follower asks for what was written a moment ago:
 * one that keeps up is served from here, and reads, parses and hashes nothing again.
 */
import type { LogRecord } from "../batch/log.ts";

const RECORDS_KEPT = 1024;

export interface LogTail {
  /** Records that were made durable, after those before. */
  push(records: readonly LogRecord[]): void;
  /** The records from `from` to before `to`; undefined where not all of them are here. */
  between(from: number, to: number): readonly LogRecord[] | undefined;
  /** Forgets the records from `to` on. */
  cut(to: number): void;
}

export function createLogTail(): LogTail {
  let kept: LogRecord[] = [];
  const first = (): number => kept[0]?.position ?? Number.POSITIVE_INFINITY;
  return {
    push: (records) => {
      for (const record of records) kept.push(record);
      if (kept.length >= 2 * RECORDS_KEPT) kept = kept.slice(-RECORDS_KEPT);
    },
    between: (from, to) => {
      const start = first();
      if (from < start || to > start + kept.length) return undefined;
      return kept.slice(from - start, to - start);
    },
    cut: (to) => {
      kept = kept.filter(({ position }) => position < to);
    },
  };
}
