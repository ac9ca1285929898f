/** What runners report, in one form. */
import type { NamedTest } from "./namedTests.ts";

export interface Outcome extends Omit<NamedTest, "runner"> {
  readonly status: "passed" | "failed" | "skipped";
  /** Why it failed or was skipped. */
  readonly reason?: string;
  readonly seconds: number;
  /** Times that a fuzz test ran, and calls of each run of an invariant's campaign. */
  readonly runs?: number;
  readonly depth?: number;
}

/** What a test says that it measured. */
export interface Figure {
  readonly name: string;
  readonly text: string;
}

export interface Report {
  readonly outcomes: readonly Outcome[];
  readonly figures: readonly Figure[];
  /** What went wrong with a whole file, or with the runner: no test in there counts. */
  readonly broken: readonly { readonly file: string; readonly reason: string }[];
}

export type OnOutcome = (outcome: Outcome) => void;

/** The first line of an error, without the stack. */
export function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0] ?? "";
}
