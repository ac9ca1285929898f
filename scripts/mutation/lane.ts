/**
 * One lane of a campaign, a process of its own in a sandbox: compiles mutants, runs the Solidity
 * tests in this process and, when they notice nothing, the others in a new one. A mutant whose
 * tests do not end costs its lane, which is started anew.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import hre from "hardhat";
import { EXIT } from "./nodeTestExit.ts";
import {
  type Change,
  type Contracts,
  compileTests,
  differing,
  emptyBuildInfo,
  install,
  installForNode,
  originalInput,
  withChange,
} from "./sandboxBuild.ts";

export interface Task extends Change {
  readonly nodeTests: readonly string[];
  readonly millisecondsMax: number;
}

export type Outcome = "killed" | "survived" | "invalid" | "same code" | "endless";

export interface Verdict {
  readonly outcome: Outcome;
  /** The test that noticed, or the compiler's error. */
  readonly by: string;
}

const NODE_TESTS = join("scripts", "mutation", "runNodeTests.ts");

interface SolidityResult {
  readonly success: boolean;
  readonly error?: {
    readonly suiteResults: readonly {
      readonly id: { readonly name: string };
      readonly testResults: readonly { readonly name: string; readonly status: string }[];
    }[];
  };
}

async function runSolidityTests(): Promise<Verdict> {
  const task = hre.tasks.getTask(["test", "solidity"]);
  const result = (await task.run({ noCompile: true })) as SolidityResult;
  if (result.success) return { outcome: "survived", by: "" };
  const failed = (result.error?.suiteResults ?? []).flatMap(({ id, testResults }) =>
    testResults
      .filter(({ status }) => status === "Failure")
      .map(({ name }) => `${id.name}.${name.replace(/\(.*/, "")}`),
  );
  // A runner that fails has noticed nothing.
  return failed.length === 0
    ? { outcome: "endless", by: "the runner failed" }
    : { outcome: "killed", by: failed[0]! };
}

function runNodeTests(files: readonly string[], timeout: number): Verdict {
  const { status, signal, stdout } = spawnSync(process.execPath, [NODE_TESTS, ...files], {
    encoding: "utf8",
    timeout,
    killSignal: "SIGKILL",
  });
  if (status === EXIT.passed) return { outcome: "survived", by: "" };
  // Only failed tests are a verdict: not the end of patience, nor a runner that died or ran none.
  if (signal !== null || status !== EXIT.failed) return { outcome: "endless", by: signal ?? "" };
  return { outcome: "killed", by: /^failed: (.*)$/m.exec(stdout)?.[1] ?? "a test file" };
}

function createJudge(folder: string) {
  const input = originalInput(folder);
  const { contracts: original, error } = compileTests(input);
  if (original === undefined) throw new Error(error);
  // Everything is installed once, so that the original runs as its mutants do.
  let installed: Contracts = {};
  return async ({ nodeTests, millisecondsMax, ...change }: Task): Promise<Verdict> => {
    const mutated = withChange(input, change);
    const compiled = compileTests(mutated);
    if (compiled.contracts === undefined) return { outcome: "invalid", by: compiled.error ?? "" };
    const isOriginal = change.content === input.sources[change.sourceName]?.content;
    if (!isOriginal && differing(original, compiled.contracts).length === 0) {
      return { outcome: "same code", by: "the compiler" };
    }
    install(folder, compiled.contracts, differing(installed, compiled.contracts));
    installed = compiled.contracts;
    emptyBuildInfo(folder);
    const verdict = await runSolidityTests();
    if (verdict.outcome !== "survived") return verdict;
    installForNode(folder, mutated);
    installed = {};
    return runNodeTests(nodeTests, millisecondsMax);
  };
}

if (process.send !== undefined) {
  const judge = createJudge(process.cwd());
  process.on("message", async (task: Task) => {
    process.send!(await judge(task));
  });
  process.on("disconnect", () => process.exit());
}
