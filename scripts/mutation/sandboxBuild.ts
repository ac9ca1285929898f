/**
 * Compiles what stands in a sandbox, with one source changed, and puts the result where Hardhat
 * looks for it. The compiler stays loaded and makes only what the next tests need.
 */
import { spawnSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HARDHAT, ORIGINAL } from "./sandbox.ts";
import { compile, type SolcInput, type SolcOutput } from "./soliditySyntax.ts";

const CONTRACTS = /^project\/contracts\/(libraries\/)?\w+\.sol$/;
const CONTRACTS_AND_TESTS = /^project\/(contracts\/(libraries\/)?\w+|test\/.*\.t)\.sol$/;
const CODE = ["bytecode", "deployedBytecode"].flatMap((code) => [
  `evm.${code}.object`,
  `evm.${code}.linkReferences`,
]);

export interface Change {
  readonly sourceName: string;
  readonly content: string;
}

export type Contracts = NonNullable<SolcOutput["contracts"]>;

export interface Compiled {
  readonly contracts?: Contracts;
  readonly error?: string;
}

interface BuildInfo {
  readonly input: SolcInput;
  readonly [field: string]: unknown;
}

/** Builds a sandbox as it is, and keeps what the compiler was given. */
export function buildSandbox(folder: string): SolcInput {
  const options = { cwd: folder, encoding: "utf8" } as const;
  const { status, stderr } = spawnSync(process.execPath, [HARDHAT, "build"], options);
  if (status !== 0) throw new Error(stderr);
  const { input } = readBuild(folder).info;
  writeFileSync(join(folder, ORIGINAL), JSON.stringify(input));
  return input;
}

export function originalInput(folder: string): SolcInput {
  return JSON.parse(readFileSync(join(folder, ORIGINAL), "utf8")) as SolcInput;
}

/** What Hardhat built in this folder: one compilation of everything. */
function readBuild(folder: string) {
  const files = globSync(join(folder, "artifacts", "build-info", "*.json"));
  const file = files.filter((name) => !name.endsWith(".output.json"));
  if (file.length !== 1) throw new Error(`\`${file.length}\` builds in the sandbox, not 1`);
  const info = JSON.parse(readFileSync(file[0]!, "utf8")) as BuildInfo;
  return { info, file: file[0]!, outputFile: file[0]!.replace(/\.json$/, ".output.json") };
}

function checked(output: SolcOutput): Compiled & { readonly output: SolcOutput } {
  const fatal = output.errors?.find(({ severity }) => severity === "error");
  return fatal === undefined
    ? { contracts: output.contracts ?? {}, output }
    : { error: fatal.formattedMessage.split("\n")[0]!, output };
}

/** The code of contracts and Solidity tests, without the hash of their sources in it. */
export function compileTests({ language, sources, settings }: SolcInput): Compiled {
  const names = Object.keys(sources).filter((name) => CONTRACTS_AND_TESTS.test(name));
  const outputSelection = Object.fromEntries(names.map((name) => [name, { "*": CODE }]));
  const metadata = { appendCBOR: false };
  const all = { ...settings, metadata, outputSelection };
  return checked(compile({ language, sources, settings: all }));
}

export function withChange(input: SolcInput, { sourceName, content }: Change): SolcInput {
  return { ...input, sources: { ...input.sources, [sourceName]: { content } } };
}

/**
 * The contracts as Hardhat compiles them, with the build info by which it knows the code that runs
 * and names its errors: some tests ask for the name of an error that comes through another
 * contract. Without it they would fail for every mutant.
 */
export function installForNode(folder: string, input: SolcInput): void {
  const { language, settings } = input;
  const sources = Object.fromEntries(
    Object.entries(input.sources).filter(([name]) => !name.startsWith("project/test/")),
  );
  const { contracts, error, output } = checked(compile({ language, sources, settings }));
  if (contracts === undefined) throw new Error(error);
  const names = Object.entries(contracts)
    .filter(([source]) => CONTRACTS.test(source))
    .flatMap(([source, found]) => Object.keys(found).map((name) => [source, name] as const));
  install(folder, contracts, names);
  const { info, file, outputFile } = readBuild(folder);
  const { id } = info;
  const former = JSON.parse(readFileSync(outputFile, "utf8")) as object;
  writeFileSync(file, JSON.stringify({ ...info, input: { language, sources, settings } }));
  writeFileSync(outputFile, JSON.stringify({ ...former, id, output }));
}

/**
 * Leaves the build info empty while Solidity tests run: it is there to explain stacks of calls, and
 * reading 20 MB of it takes as long as the tests.
 */
export function emptyBuildInfo(folder: string): void {
  const { info, file, outputFile } = readBuild(folder);
  const former = JSON.parse(readFileSync(outputFile, "utf8")) as object;
  writeFileSync(file, JSON.stringify({ ...info, input: { ...info.input, sources: {} } }));
  writeFileSync(outputFile, JSON.stringify({ ...former, output: { sources: {}, contracts: {} } }));
}

/** Which contracts run other code now. */
export function differing(before: Contracts, after: Contracts) {
  return Object.entries(after).flatMap(([source, contracts]) =>
    Object.entries(contracts)
      .filter(([name, { evm }]) => evm.bytecode.object !== codeIn(before, source, name))
      .map(([name]) => [source, name] as const),
  );
}

const codeIn = (contracts: Contracts, source: string, name: string) =>
  contracts[source]?.[name]?.evm.bytecode.object;

/** Puts code into the artifacts that Hardhat reads. */
export function install(
  folder: string,
  contracts: Contracts,
  names: readonly (readonly [source: string, name: string])[],
): void {
  for (const [source, name] of names) {
    const { bytecode, deployedBytecode } = contracts[source]![name]!.evm;
    const file = join(folder, "artifacts", source.replace(/^project\//, ""), `${name}.json`);
    const artifact = JSON.parse(readFileSync(file, "utf8")) as object;
    const code = {
      bytecode: `0x${bytecode.object}`,
      linkReferences: bytecode.linkReferences,
      deployedBytecode: `0x${deployedBytecode.object}`,
      deployedLinkReferences: deployedBytecode.linkReferences,
    };
    writeFileSync(file, JSON.stringify({ ...artifact, ...code }));
  }
}
