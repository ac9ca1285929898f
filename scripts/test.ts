/**
 * `npm test`: builds circuits, contracts and the terminal, checks types, then runs the tests: first
 * everything that can share the machine, then the whole network by itself. Later steps run even
 * when an earlier one fails, so that the closing summary is always printed; the exit code reports
 * any failure.
 *   --circuits  only the circuits' tests     --long  everything, with larger budgets
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: { circuits: { type: "boolean" }, long: { type: "boolean" } },
});
const env = { ...process.env, ...(values.long ? { STRADDLE_TEST_LONG: "1" } : {}) };

/** Ends a file of tests that something keeps open. */
const FILE_LIMIT = new URL("../test/support/fileLimit.ts", import.meta.url).href;

/** Tests that are named after what the circuits promise. */
const TARGETS =
  /(wires|adversary|knownBugs|tamper|range|signatures|comparisons|circomspect)\.test\.ts$/;

const failed: string[] = [];

function step(name: string, args: readonly string[]): void {
  console.log(`\n== ${name}`);
  const start = Date.now();
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit", env });
  if (error) throw error;
  console.log(`== ${name}: ${Math.round((Date.now() - start) / 1000)} s`);
  if (status !== 0) failed.push(name);
}

function tests(name: string, pattern: string, concurrency: number, except?: RegExp): void {
  const files = globSync(pattern, { cwd: root })
    .filter((file) => except === undefined || !except.test(file))
    .sort();
  // The runner takes no tests for a success.
  if (files.length === 0) {
    console.error(`no test files match ${pattern}`);
    failed.push(name);
    return;
  }
  const flags = ["--test", "--test-reporter=spec", `--test-concurrency=${concurrency}`];
  // Long runs have files of hours.
  const limit = values.long ? [] : ["--import", FILE_LIMIT];
  step(name, [...limit, ...flags, ...files]);
}

// Circuits first: the contracts include their verifiers, and the tests their keys.
step("circuits and development keys", ["scripts/circuits.ts", "--instance", "tiny"]);
step("contracts", ["node_modules/hardhat/dist/src/cli.js", "build"]);
// Once, before two files of tests need it at the same time.
step("the terminal", ["scripts/terminal.ts"]);
step("types", ["node_modules/typescript/bin/tsc", "-p", "."]);
step("the terminal's types", ["node_modules/typescript/bin/tsc", "-p", "sequencer/web"]);
if (values.circuits) {
  // The named targets come last, one line for each with its figure.
  tests("circuit tests", "test/{agreement,circuits}/**/*.test.ts", 2, TARGETS);
  step("circuit targets", ["scripts/settlement.ts", "--circuits", "--no-build"]);
} else {
  tests("tests", "test/**/*.test.ts", 2, /^test\/e2e\//);
  tests("whole network", "test/e2e/**/*.test.ts", 1);
}

if (failed.length > 0) console.error(`\nfailed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
