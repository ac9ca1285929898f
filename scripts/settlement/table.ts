/** How verdicts are shown: one line each, and below them what is wrong. */
import type { Status, Verdict } from "./verdicts.ts";

const FIGURES_MAX = 110;
const SHOWN: Readonly<Record<Status, string>> = {
  passed: "passed",
  failed: "FAILED",
  missing: "MISSING",
  skipped: "SKIPPED",
  long: "not run",
};

export function lineOf({ name, status, tests, seconds, statement, figures }: Verdict): string {
  const count = `${tests} ${tests === 1 ? "test" : "tests"}`;
  const time = `${seconds.toFixed(1)} s`;
  const columns = [
    name.padEnd(3),
    SHOWN[status].padEnd(7),
    count.padStart(8),
    time.padStart(8),
    ` ${statement}`,
  ];
  const measured = shortened(figures.join("; "));
  return `${columns.join(" ")}${measured === "" ? "" : ` [${measured}]`}`;
}

/** What there is to say about properties that did not pass. */
export function remarksOn(verdicts: readonly Verdict[]): string[] {
  return verdicts.flatMap(({ name, status, reasons }) => {
    if (status === "passed") return [];
    const hint = status === "long" ? " (long: `--long` runs it)" : "";
    return reasons.map((reason) => `${name} ${SHOWN[status]}${hint}: ${reason}`);
  });
}

/** `24 passed, 1 skipped, 1 missing`. */
export function summaryOf(verdicts: readonly Verdict[]): string {
  const counts = (Object.keys(SHOWN) as Status[]).map((status) => {
    return [verdicts.filter((verdict) => verdict.status === status).length, status] as const;
  });
  return counts
    .filter(([count]) => count > 0)
    .map(([count, status]) => `${count} ${SHOWN[status].toLowerCase()}`)
    .join(", ");
}

function shortened(text: string): string {
  return text.length <= FIGURES_MAX ? text : `${text.slice(0, FIGURES_MAX - 1)}…`;
}
