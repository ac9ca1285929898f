/** Child of solidityTests.ts: runs the Solidity tests that match, and sends what came of each. */
import hre from "hardhat";

/** Can cross a process boundary. */
export interface SolidityResult {
  readonly file: string;
  /** With the types of its arguments, if it has any. */
  readonly title: string;
  readonly status: "passed" | "failed" | "skipped";
  readonly reason?: string;
  readonly seconds: number;
  readonly runs?: number;
  readonly depth?: number;
}

/** The parts of Hardhat's report that are read here; it does not export their types. */
interface TestResult {
  readonly name: string;
  readonly status: "Success" | "Failure" | "Skipped";
  readonly reason?: string;
  readonly durationNs: bigint;
  readonly kind: { readonly runs?: bigint; readonly calls?: bigint };
}
interface Suite {
  readonly id: { readonly source: string };
  readonly testResults: readonly TestResult[];
}
interface RunResult {
  readonly success: boolean;
  readonly value?: { readonly suiteResults: readonly Suite[] };
  readonly error?: { readonly suiteResults: readonly Suite[] };
}

const STATUS = { Success: "passed", Failure: "failed", Skipped: "skipped" } as const;

function resultOf(source: string, test: TestResult): SolidityResult {
  const { runs, calls } = test.kind;
  return {
    // Hardhat names the project's own files so.
    file: source.replace(/^project\//, ""),
    title: test.name,
    status: STATUS[test.status],
    ...(test.reason === undefined ? {} : { reason: test.reason }),
    seconds: Number(test.durationNs) / 1e9,
    ...(runs === undefined ? {} : { runs: Number(runs) }),
    ...(runs === undefined || calls === undefined ? {} : { depth: Number(calls / runs) }),
  };
}

const task = hre.tasks.getTask(["test", "solidity"]);
const { value, error } = (await task.run({ grep: process.argv[2] ?? "" })) as RunResult;
const suites = (value ?? error)?.suiteResults ?? [];
const results = suites.flatMap(({ id, testResults }) =>
  testResults.map((test) => resultOf(id.source, test)),
);
process.send?.(results, () => process.disconnect());
