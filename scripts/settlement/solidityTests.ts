/** Runs the named Solidity tests by Hardhat, in a process of their own. */
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { NamedTest } from "./namedTests.ts";
import { firstLine, type OnOutcome, type Outcome, type Report } from "./outcome.ts";
import type { SolidityResult } from "./solidityRun.ts";

const RUN = fileURLToPath(new URL("./solidityRun.ts", import.meta.url));

export async function runSolidityTests(
  root: string,
  tests: readonly NamedTest[],
  onOutcome: OnOutcome,
): Promise<Report> {
  if (tests.length === 0) return { outcomes: [], figures: [], broken: [] };
  const { results, error } = await askHardhat(root, tests);
  const outcomes = results.flatMap((result) => outcomesOf(result, tests));
  for (const outcome of outcomes) onOutcome(outcome);
  const files = [...new Set(tests.map(({ file }) => file))];
  const broken = error === undefined ? [] : files.map((file) => ({ file, reason: error }));
  return { outcomes, figures: [], broken };
}

interface Answer {
  readonly results: readonly SolidityResult[];
  readonly error: string | undefined;
}

async function askHardhat(root: string, tests: readonly NamedTest[]): Promise<Answer> {
  const names = [...new Set(tests.map(({ name }) => name))];
  // The child is another test runner; told of ours, it would report to it in its own format.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const stdio = ["ignore", "ignore", "pipe", "ipc"] as const;
  const child = fork(RUN, [`_(${names.join("|")})_`], { cwd: root, env, stdio: [...stdio] });
  let told = "";
  let results: readonly SolidityResult[] = [];
  child.stderr?.on("data", (chunk) => {
    told += chunk;
  });
  child.on("message", (message) => {
    results = message as readonly SolidityResult[];
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  return { results, error: code === 0 ? undefined : `Hardhat: ${firstLine(told) || code}` };
}

function outcomesOf(result: SolidityResult, tests: readonly NamedTest[]): Outcome[] {
  const title = result.title.split("(", 1)[0]!;
  const { status, reason, seconds, runs, depth } = result;
  return tests
    .filter((test) => test.title === title && test.file === result.file)
    .map(({ name, file, line }) => ({
      ...{ name, file, line, title, status, seconds },
      ...(reason === undefined ? {} : { reason: firstLine(reason) }),
      ...(runs === undefined ? {} : { runs }),
      ...(depth === undefined ? {} : { depth }),
    }));
}
