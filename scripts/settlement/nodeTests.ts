/** Runs the named tests of Node's runner, each file in a process of its own. */
import path from "node:path";
import { run } from "node:test";
import type { NamedTest } from "./namedTests.ts";
import { type Figure, firstLine, type OnOutcome, type Outcome, type Report } from "./outcome.ts";
import { nameInTitle } from "./properties.ts";

const CONCURRENCY = 2;

/** The parts of the runner's events that are read here. */
interface EventData {
  readonly name?: string;
  readonly message?: string;
  readonly file?: string;
  readonly line?: number;
  readonly skip?: string | boolean;
  readonly todo?: string | boolean;
  readonly details?: {
    readonly duration_ms: number;
    readonly error?: unknown;
    /** Of `test:complete` only. */
    readonly passed?: boolean;
  };
}

/** `tests` name what to run; a test that has the name too, but was not found, runs as well. */
export async function runNodeTests(
  root: string,
  tests: readonly NamedTest[],
  onOutcome: OnOutcome,
): Promise<Report> {
  const outcomes: Outcome[] = [];
  const figures: Figure[] = [];
  const broken: { file: string; reason: string }[] = [];
  if (tests.length === 0) return { outcomes, figures, broken };
  const names = [...new Set(tests.map(({ name }) => name))];
  const files = [...new Set(tests.map(({ file }) => path.join(root, file)))];
  const pattern = new RegExp(`^(${names.join("|")})\\b`);
  const stream = run({ files, cwd: root, concurrency: CONCURRENCY, testNamePatterns: [pattern] });
  for await (const event of stream) {
    const data = event.data as EventData;
    const file = data.file === undefined ? "" : path.relative(root, data.file);
    if (event.type === "test:diagnostic") {
      const figure = figureIn(data.message ?? "");
      if (figure !== undefined && names.includes(figure.name)) figures.push(figure);
    }
    // Told at once, while results come in the order of the files.
    if (event.type === "test:complete") {
      const outcome = outcomeOf(data, file, data.details?.passed === false);
      if (outcome !== undefined) onOutcome(outcome);
    }
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    const outcome = outcomeOf(data, file, event.type === "test:fail");
    if (outcome !== undefined) outcomes.push(outcome);
    else if (event.type === "test:fail") {
      broken.push({ file, reason: reasonOf(data.details?.error) });
    }
  }
  return { outcomes, figures, broken };
}

function outcomeOf(data: EventData, file: string, hasFailed: boolean): Outcome | undefined {
  const title = data.name ?? "";
  const name = nameInTitle(title);
  if (name === undefined) return undefined;
  const seconds = (data.details?.duration_ms ?? 0) / 1000;
  const told = { name, file, line: data.line ?? 0, title, seconds };
  if (hasFailed) return { ...told, status: "failed", reason: reasonOf(data.details?.error) };
  const skipped = data.skip ?? data.todo;
  if (skipped === undefined || skipped === false) return { ...told, status: "passed" };
  return { ...told, status: "skipped", reason: skipped === true ? "no reason given" : skipped };
}

/** The runner wraps what the test threw. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return firstLine(cause instanceof Error ? cause.message : String(cause));
}

/** `A1: 205 batches` is a figure of A1; other diagnostics are the test's own affair. */
function figureIn(message: string): Figure | undefined {
  const match = /^(\w+): (.+)$/.exec(message);
  const name = match === null ? undefined : nameInTitle(match[1]!);
  return name === undefined ? undefined : { name, text: match![2]! };
}
