/** One verdict for each property from what was found and what the runners reported. */
import { isResultOf, type NamedTest } from "./namedTests.ts";
import type { Outcome, Report } from "./outcome.ts";
import { PROPERTIES } from "./properties.ts";

export type Status = "passed" | "failed" | "missing" | "skipped" | "long";

export interface Verdict {
  readonly name: string;
  readonly status: Status;
  /** How many tests ran under the name. */
  readonly tests: number;
  readonly seconds: number;
  readonly statement: string;
  /** What was measured. */
  readonly figures: readonly string[];
  /** What is wrong, or why something did not run. */
  readonly reasons: readonly string[];
}

interface Evidence {
  readonly found: readonly NamedTest[];
  readonly reports: readonly Report[];
  /** Whether long tests were asked for. */
  readonly isLong: boolean;
}

export function verdictsOf(names: readonly string[], evidence: Evidence): Verdict[] {
  return names.map((name) => verdictOf(name, evidence));
}

/** Good is a run in which nothing failed and nothing is missing; what was skipped is shown. */
export function isGood(verdicts: readonly Verdict[]): boolean {
  return verdicts.every(({ status }) => status !== "failed" && status !== "missing");
}

function verdictOf(name: string, { found, reports, isLong }: Evidence): Verdict {
  const { statement, isLong: takesLong } = PROPERTIES[name]!;
  const places = found.filter((test) => test.name === name);
  const outcomes = reports.flatMap((report) => report.outcomes).filter((of) => of.name === name);
  const failures = failuresOf(places, outcomes, reports);
  const skips = outcomes.filter(({ status }) => status === "skipped");
  const isLeftOut = takesLong === true && !isLong;
  const seconds = outcomes.reduce((sum, outcome) => sum + outcome.seconds, 0);
  const told = reports.flatMap(({ figures }) => figures).filter((figure) => figure.name === name);
  const figures = [...new Set([...told.map(({ text }) => text), ...fuzzFigures(outcomes)])];
  const base = { name, statement, seconds, figures, tests: outcomes.length - skips.length };
  if (failures.length > 0) return { ...base, status: "failed", reasons: failures };
  if (outcomes.length === 0) return { ...base, status: "missing", reasons: ["no test has it"] };
  if (skips.length === 0) return { ...base, status: "passed", reasons: [] };
  const reasons = [...new Set(skips.map(({ reason }) => `${reason}`))];
  return { ...base, status: isLeftOut ? "long" : "skipped", reasons };
}

function failuresOf(
  places: readonly NamedTest[],
  outcomes: readonly Outcome[],
  reports: readonly Report[],
): string[] {
  const broken = reports.flatMap((report) => report.broken);
  return [
    ...outcomes
      .filter(({ status }) => status === "failed")
      .map(({ file, line, title, reason }) => `${file}:${line} ${title}: ${reason}`),
    ...broken
      .filter(({ file }) => places.some((place) => place.file === file))
      .map(({ file, reason }) => `${file}: ${reason}`),
    ...places
      .filter((place) => !outcomes.some((outcome) => isResultOf(place, outcome)))
      .map(({ file, line, title }) => `${file}:${line} ${title}: did not run`),
  ];
}

/** What the runner itself counts. */
function fuzzFigures(outcomes: readonly Outcome[]): string[] {
  const campaigns = outcomes.filter(({ depth }) => depth !== undefined);
  const fuzzed = outcomes.filter(({ runs, depth }) => runs !== undefined && depth === undefined);
  const runs = fuzzed.map((outcome) => outcome.runs!.toLocaleString("en"));
  return [
    ...campaigns.map((outcome) => `${outcome.runs} campaigns of ${outcome.depth} calls`),
    ...(runs.length === 0 ? [] : [`fuzz runs ${runs.join(" + ")}`]),
  ];
}
