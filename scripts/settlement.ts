/**
 * `npm run test:settlement`: what the settlement layer promises, property by property. Runs the
 * tests that are named after them and prints one line for each name; what did not run is never
 * shown as passed.
 */
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { HARDHAT } from "./mutation/sandbox.ts";
import { findNamedTests, type NamedTest } from "./settlement/namedTests.ts";
import { runNodeTests } from "./settlement/nodeTests.ts";
import type { Outcome, Report } from "./settlement/outcome.ts";
import { PROPERTIES } from "./settlement/properties.ts";
import { runSolidityTests } from "./settlement/solidityTests.ts";
import { lineOf, remarksOn, summaryOf } from "./settlement/table.ts";
import { isGood, verdictsOf } from "./settlement/verdicts.ts";

const HELP = `Runs the tests that are named after the settlement layer's properties.

  npm run test:settlement -- [options]

  --only <names>    these alone, as A1,B3
  --circuits        what the circuits promise instead (C1 to C8, C10)
  --long            the long ones too (D3: mutants of the contracts)
  --list            the named tests and where they are; runs nothing
  --root <folder>   another project's tests
  --no-build        circuits, keys and contracts are as they should be
  --help            this text

One line for each name: passed, FAILED, MISSING (no test has the name), SKIPPED (something it needs
is not on this machine) or not run (long); tests, time, what is promised, what was measured.
Exit code 1 if one failed or is missing, 2 if the command is not understood. Progress on stderr.
`;

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const BUILD: readonly (readonly string[])[] = [
  ["scripts/circuits.ts", "--instance", "tiny"],
  [HARDHAT, "build"],
];

class UsageError extends Error {
  override name = "UsageError";
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: "string" },
        circuits: { type: "boolean", default: false },
        long: { type: "boolean", default: false },
        list: { type: "boolean", default: false },
        root: { type: "string", default: ROOT },
        "no-build": { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    return { ...values, names: namesIn(values.only, values.circuits) };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function namesIn(only: string | undefined, isOfCircuits: boolean): string[] {
  const all = Object.keys(PROPERTIES);
  if (only === undefined) {
    return all.filter((name) => (PROPERTIES[name]!.isOfCircuits === true) === isOfCircuits);
  }
  const asked = only.split(",").map((name) => name.trim().toUpperCase());
  const unknown = asked.find((name) => !all.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`\`--only\` takes names from ${all.join(", ")}. Got \`${unknown}\`.`);
  }
  return all.filter((name) => asked.includes(name));
}

function build(): void {
  for (const args of BUILD) {
    // What it prints is progress: the lines on stdout are the result.
    const { status, error } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: [0, 2, 2] });
    if (error) throw error;
    if (status !== 0) throw new Error(`\`${args.join(" ")}\` failed with ${status}`);
  }
}

function announce({ status, title, seconds, file }: Outcome): void {
  console.error(`  ${status.padEnd(7)} ${title} (${seconds.toFixed(1)} s, ${file})`);
}

async function runAll(root: string, tests: readonly NamedTest[]): Promise<Report[]> {
  const of = (runner: NamedTest["runner"]) => tests.filter((test) => test.runner === runner);
  const [solidity, node] = [of("solidity"), of("node")];
  console.error(`${solidity.length} Solidity tests, reported together at the end`);
  const first = await runSolidityTests(root, solidity, announce);
  console.error(`tests of ${new Set(node.map(({ file }) => file)).size} files`);
  return [first, await runNodeTests(root, node, announce)];
}

async function main(): Promise<number> {
  const { names, long, list, help, ...values } = readArguments();
  if (help) {
    console.log(HELP);
    return 0;
  }
  const root = path.resolve(values.root);
  const found = findNamedTests(root).filter(({ name }) => names.includes(name));
  if (list) {
    for (const { name, file, line, title } of found)
      console.log(`${name} ${file}:${line} ${title}`);
    return 0;
  }
  if (!values["no-build"]) build();
  if (long) process.env.STRADDLE_TEST_LONG = "1";
  const reports = await runAll(root, found);
  const verdicts = verdictsOf(names, { found, reports, isLong: long });
  for (const verdict of verdicts) console.log(lineOf(verdict));
  for (const remark of remarksOn(verdicts)) console.log(remark);
  console.log(summaryOf(verdicts));
  return isGood(verdicts) ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
