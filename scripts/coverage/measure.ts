/** Runs the contract tests on instrumented contracts and counts what they reached. */
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { JUDGED } from "../mutation/mutants.ts";
import { createSandbox, HARDHAT, removeSandbox, type Sandbox } from "../mutation/sandbox.ts";
import { parse } from "../mutation/soliditySyntax.ts";
import { createProbes, type Instrumented, instrument, PROBES_FILE } from "./branches.ts";

/** As many as find what can be found; more only repeat the same ways. */
const FUZZ_RUNS = 32;
/** A failure of a test under instrumented code that says nothing: such code costs more gas. */
const ABOUT_GAS = /\d+ gas\b/;

export interface Counted {
  readonly reached: number;
  readonly all: number;
}

export interface ContractCoverage {
  /** `contracts/Rollup.sol`. */
  readonly file: string;
  readonly lines: Counted;
  readonly branches: Counted;
  /** What no test reached, for people. */
  readonly missed: readonly string[];
}

/** Hits by line of every source that LCOV tells of. */
type Hits = ReadonlyMap<string, ReadonlyMap<number, number>>;

export function measureCoverage(): ContractCoverage[] {
  const sandbox = createSandbox(FUZZ_RUNS);
  try {
    const instrumented = instrumentSources(sandbox);
    const hits = runTests(sandbox);
    return [...instrumented].map(([file, source]) => coverageOf(file, source, hits));
  } finally {
    removeSandbox(sandbox);
  }
}

function instrumentSources({ folder }: Sandbox): Map<string, Instrumented> {
  const files = globSync("contracts/{,libraries/}*.sol", { cwd: folder }).filter((name) =>
    JUDGED.test(name),
  );
  const contentOf = (file: string) => readFileSync(join(folder, file), "utf8");
  const sources = Object.fromEntries(files.map((file) => [file, { content: contentOf(file) }]));
  const settings = { evmVersion: "cancun" };
  const trees = parse({ language: "Solidity", sources, settings }, (name) => ({
    contents: contentOf(existsSync(join(folder, name)) ? name : join("node_modules", name)),
  }));
  const probes = createProbes();
  const instrumented = new Map<string, Instrumented>();
  for (const file of files.sort()) {
    const result = instrument(file, contentOf(file), trees[file]!.ast, probes);
    writeFileSync(join(folder, file), result.content);
    instrumented.set(file, result);
  }
  writeFileSync(join(folder, "contracts", PROBES_FILE), probes.source());
  return instrumented;
}

function runTests({ folder, solidityTests, nodeTests }: Sandbox): Hits {
  // The child is another test runner; told of ours, it would report to it in its own format.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [HARDHAT, "test", "--coverage", ...solidityTests, ...nodeTests],
    { cwd: folder, encoding: "utf8", env, maxBuffer: 2 ** 28 },
  );
  // Each failure is numbered, with its reason below.
  const failures = stdout.split(/^ {2}(?=\d+\) .*:$)/m).slice(1);
  const areAboutGas = failures.length > 0 && failures.every((text) => ABOUT_GAS.test(text));
  if (status !== 0 && !areAboutGas) throw new Error(`${stdout}\n${stderr}`);
  return readLcov(readFileSync(join(folder, "coverage", "lcov.info"), "utf8"));
}

function readLcov(text: string): Hits {
  const hits = new Map<string, Map<number, number>>();
  let lines = new Map<number, number>();
  for (const record of text.split("\n")) {
    const [kind = "", value = ""] = record.split(":");
    if (kind === "SF") {
      lines = new Map();
      hits.set(value, lines);
    }
    const [line, count] = value.split(",").map(Number);
    if (kind === "DA") lines.set(line!, count!);
  }
  return hits;
}

function coverageOf(file: string, source: Instrumented, hits: Hits): ContractCoverage {
  const probes = hits.get(`contracts/${PROBES_FILE}`);
  if (probes === undefined) throw new Error("the tests reached no branch at all");
  const lines = [...source.statementLines];
  const missedLines = lines.filter((line) => !hits.get(file)?.get(line));
  const missedOutcomes = source.outcomes.filter(({ countedAt }) => !probes.get(countedAt));
  const count = (all: number, missed: number) => ({ reached: all - missed, all });
  return {
    file,
    lines: count(lines.length, missedLines.length),
    branches: count(source.outcomes.length, missedOutcomes.length),
    missed: [
      ...missedLines.map((line) => `${file}:${line}: no test comes here`),
      ...missedOutcomes.map(({ line, text }) => `${file}:${line}: never: ${text}`),
    ],
  };
}

export function totalOf(all: readonly Counted[]): Counted {
  return {
    reached: all.reduce((sum, { reached }) => sum + reached, 0),
    all: all.reduce((sum, one) => sum + one.all, 0),
  };
}

export const percent = ({ reached, all }: Counted) => (all === 0 ? 100 : (100 * reached) / all);

/** A table of all contracts, and what was missed below it. */
export function coverageTable(contracts: readonly ContractCoverage[]): string[] {
  const cell = (counted: Counted) =>
    `${percent(counted).toFixed(1)} % (${counted.reached}/${counted.all})`.padStart(18);
  const row = (name: string, lines: Counted, branches: Counted) =>
    `${name.padEnd(40)}${cell(lines)}${cell(branches)}`;
  return [
    `${"".padEnd(40)}${"lines".padStart(18)}${"branches".padStart(18)}`,
    ...contracts.map(({ file, lines, branches }) => row(file, lines, branches)),
    row(
      "all",
      totalOf(contracts.map(({ lines }) => lines)),
      totalOf(contracts.map(({ branches }) => branches)),
    ),
    ...contracts.flatMap(({ missed }) => missed),
  ];
}
