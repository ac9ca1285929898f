// Builds the contracts, type-checks, then runs the tests. The tests run even when an earlier
// step fails, so that the closing summary is always printed; the exit code reports any failure.
//   --circuits  only test/circuits     --long  everything, with larger budgets
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: { circuits: { type: "boolean" }, long: { type: "boolean" } },
});

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): number {
  const result = spawnSync(process.execPath, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  if (result.error) throw result.error;
  return result.status ?? 1;
}

// The build comes first: the artifacts give the contract tests their types.
const hasContracts = existsSync(`${root}/contracts`);
const build = hasContracts ? run(["node_modules/hardhat/dist/src/cli.js", "build"]) : 0;
const types = run(["node_modules/typescript/bin/tsc", "-p", "."]);
const glob = values.circuits ? "test/circuits/**/*.test.ts" : "test/**/*.test.ts";
const tests = run(
  ["--test", "--test-reporter=spec", glob],
  values.long ? { STRADDLE_TEST_LONG: "1" } : {},
);

if (build !== 0) console.error("hardhat build failed");
if (types !== 0) console.error("The type check failed: see above");
process.exitCode = tests || types || build;
