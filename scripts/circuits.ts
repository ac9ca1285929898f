/**
 * Compiles the circuits of an instance and makes their development keys, cached by content.
 *
 * A compilation is reused while nothing that it includes, no parameter and no compiler version has
 * changed; a key is reused while the compiled constraints are the same. Everything is written
 * beside its place and moved there whole, so an interrupted build leaves nothing half done.
 */
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { assertKeyIsSound } from "./keys/checkKey.ts";
import {
  CIRCOM_FLAGS,
  type CircuitFiles,
  COUNTING_FLAGS,
  outputsOf,
  packageVersion,
  ROOT,
  runCircom,
} from "./keys/circom.ts";
import { makeDevKey } from "./keys/devKey.ts";
import { exportSolidityVerifier } from "./keys/exportVerifier.ts";
import { sha256OfFile } from "./keys/fileHash.ts";
import { readKeyFile } from "./keys/keyFile.ts";
import { createProgressBoard, type ProgressBoard } from "./keys/progress.ts";
import { readR1cs } from "./keys/r1cs.ts";
import { stopSnarkjs } from "./keys/snarkjsThreads.ts";

/**
 * The template and the public inputs of each circuit. Parameters are the values in
 * `circuits/instances.json`, in their order there. The public signals of a proof come in the order
 * in which the template declares them, which should be this one.
 */
const CIRCUITS = {
  trade: { template: "Trade", publicInputs: ["commitment", "gamma", "evaluation"] },
  ledger: { template: "Ledger", publicInputs: ["commitment", "gamma", "evaluation"] },
  exit: { template: "Exit", publicInputs: ["stateRoot", "account", "owner", "claim"] },
} as const;

/** A circuit of this project. */
export type CircuitName = keyof typeof CIRCUITS;

/** All circuits, in the order in which they are built. */
export const CIRCUIT_NAMES = Object.keys(CIRCUITS) as readonly CircuitName[];

const COMPILERS_AT_ONCE = 2;
const CIRCOM_VERSION = "2.2.0";
const HASH_DIGITS = 16;

/** Told what a build is doing; `fraction` is absent when nobody knows how far it is. */
export type BuildOptions = {
  readonly onProgress?: ((stage: string, fraction?: number) => void) | undefined;
};

/** A compiled circuit with its insecure development key. */
export type KeyedCircuit = CircuitFiles & { readonly zkeyFile: string; readonly vkeyFile: string };

/** The sizes of a compiled circuit. */
export type CircuitSize = {
  readonly constraints: number;
  readonly publicInputs: number;
  readonly wires: number;
};

/** The instances that `circuits/instances.json` lists for a circuit. */
export function instancesOf(circuit: CircuitName): readonly string[] {
  return Object.keys(readInstances()[circuit] ?? {});
}

/** Compiles one circuit, unless it is compiled already. */
export async function compileCircuit(
  circuit: CircuitName,
  instance: string,
  options: BuildOptions = {},
): Promise<CircuitFiles> {
  const directory = join(ROOT, "build", "circuits", `${circuit}-${instance}`);
  const source = mainSource(circuit, instance);
  const key = compilationKey(circuit, source);
  const files = outputsOf("main.circom", directory);
  if (isCompiled(directory, key)) return files;

  options.onProgress?.("compiling");
  const temporary = `${directory}.${process.pid}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  try {
    // The temporary folder is as deep as the final one, so relative includes hold in both.
    const mainFile = join(temporary, "main.circom");
    writeFileSync(mainFile, source);
    await runCircom(mainFile, temporary);
    writeFileSync(join(temporary, "key"), key);
    replaceFolder(temporary, directory, key);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return files;
}

/** Compiles one circuit and makes its development key, unless both are there already. */
export async function ensureKey(
  circuit: CircuitName,
  instance: string,
  options: BuildOptions = {},
): Promise<KeyedCircuit> {
  const files = await compileCircuit(circuit, instance, options);
  const hash = (await sha256OfFile(files.r1csFile)).slice(0, HASH_DIGITS);
  const folder = join(ROOT, "build", "keys");
  const stem = `insecure-dev-${circuit}-${instance}-`;
  const zkeyFile = join(folder, `${stem}${hash}.zkey`);
  const vkeyFile = join(folder, `${stem}${hash}.vkey.json`);
  const keyed = { ...files, zkeyFile, vkeyFile };
  if (existsSync(zkeyFile) && existsSync(vkeyFile)) return keyed;

  mkdirSync(folder, { recursive: true });
  await makeDevKey({
    r1csFile: files.r1csFile,
    zkeyFile,
    onProgress: ({ stage, done, total }) => options.onProgress?.(`key: ${stage}`, done / total),
  });
  assertKeyIsSound(zkeyFile);
  writeWhole(vkeyFile, `${JSON.stringify(readKeyFile(zkeyFile).vkey, null, 2)}\n`);
  // Keys of earlier versions of the circuit are large and of no use to anybody.
  for (const name of readdirSync(folder)) {
    const isStale = name.startsWith(stem) && !name.startsWith(`${stem}${hash}`);
    if (isStale && !name.endsWith(".tmp")) rmSync(join(folder, name), { force: true });
  }
  return keyed;
}

/** Compiles every circuit that has the instance, two at a time, then makes their keys. */
export async function ensureAll(
  instance: string,
  board: ProgressBoard = createProgressBoard(),
): Promise<ReadonlyMap<CircuitName, KeyedCircuit>> {
  const circuits = circuitsWith(instance);
  await compileAll(circuits, instance, board);
  return keyAll(circuits, instance, board);
}

/** Reads the sizes of a circuit, compiling it if need be. No key is made. */
export async function countConstraints(
  circuit: CircuitName,
  instance: string,
  options: BuildOptions = {},
): Promise<CircuitSize> {
  const { r1csFile } = await compileCircuit(circuit, instance, options);
  const { constraints, publicInputs, wires } = readR1cs(r1csFile);
  return { constraints, publicInputs, wires };
}

/** The contract's name; a development key's says what it is. */
export function verifierName(circuit: string, instance: string, isDevelopment: boolean): string {
  const name = `${capitalised(circuit)}${capitalised(instance)}Verifier`;
  return isDevelopment ? `InsecureDev${name}` : name;
}

export function verifierHeader(circuit: CircuitName, instance: string): readonly string[] {
  const command = `npm run circuits -- --instance ${instance} --verifiers`;
  return [`Circuit ${circuit}, instance ${instance}; made by \`${command}\`.`];
}

/** Writes the Solidity verifier of a development key; returns its path. */
export async function writeVerifier(circuit: CircuitName, instance: string): Promise<string> {
  const { zkeyFile } = await ensureKey(circuit, instance);
  const contractName = verifierName(circuit, instance, true);
  const file = join(ROOT, "contracts", "generated", "verifiers", `${contractName}.sol`);
  const header = verifierHeader(circuit, instance);
  writeWhole(file, await exportSolidityVerifier({ zkeyFile, contractName, header }));
  return file;
}

export function circuitsWith(instance: string): readonly CircuitName[] {
  const found = CIRCUIT_NAMES.filter((circuit) => instancesOf(circuit).includes(instance));
  if (found.length > 0) return found;
  const known = [...new Set(CIRCUIT_NAMES.flatMap(instancesOf))].join("`, `");
  throw new Error(`no circuit has an instance \`${instance}\`; there are \`${known}\``);
}

async function compileAll(
  circuits: readonly CircuitName[],
  instance: string,
  board: ProgressBoard,
): Promise<void> {
  const waiting = [...circuits];
  const work = async (): Promise<void> => {
    for (let circuit = waiting.shift(); circuit !== undefined; circuit = waiting.shift()) {
      const task = board.start(`${circuit} ${instance}`);
      try {
        const size = await countConstraints(circuit, instance, { onProgress: task.update });
        task.finish(`${size.constraints.toLocaleString("en")} constraints`);
      } catch (error) {
        task.finish("failed");
        // Nothing new is begun after a failure; what is under way ends by itself.
        waiting.length = 0;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: COMPILERS_AT_ONCE }, work));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

async function keyAll(
  circuits: readonly CircuitName[],
  instance: string,
  board: ProgressBoard,
): Promise<ReadonlyMap<CircuitName, KeyedCircuit>> {
  const keyed = new Map<CircuitName, KeyedCircuit>();
  // One after the other: making a key already uses every core.
  for (const circuit of circuits) {
    const task = board.start(`${circuit} ${instance}`);
    try {
      keyed.set(circuit, await ensureKey(circuit, instance, { onProgress: task.update }));
      task.finish("insecure development key");
    } catch (error) {
      task.finish("failed");
      throw error;
    }
  }
  return keyed;
}

type Parameters = Readonly<Record<string, number>>;
type Instances = Readonly<Record<string, Readonly<Record<string, Parameters>>>>;

function readInstances(): Instances {
  return JSON.parse(readFileSync(join(ROOT, "circuits", "instances.json"), "utf8")) as Instances;
}

/**
 * Reads the sizes of an instance with some parameters changed; kept apart from the real instances,
 * and compiled without witness program.
 */
export async function countVariant(
  circuit: CircuitName,
  instance: string,
  changes: Readonly<Record<string, number>>,
): Promise<CircuitSize> {
  const source = mainSource(circuit, instance, changes);
  const key = compilationKey(circuit, source);
  const name = `${circuit}-${instance}-${key.slice(0, HASH_DIGITS)}`;
  const directory = join(ROOT, "build", "variants", name);
  const sizeFile = join(directory, "size.json");
  if (existsSync(sizeFile)) return JSON.parse(readFileSync(sizeFile, "utf8")) as CircuitSize;
  mkdirSync(directory, { recursive: true });
  const mainFile = join(directory, "main.circom");
  writeFileSync(mainFile, source);
  const { r1csFile } = await runCircom(mainFile, directory, COUNTING_FLAGS);
  const { constraints, publicInputs, wires } = readR1cs(r1csFile);
  rmSync(r1csFile);
  writeWhole(sizeFile, JSON.stringify({ constraints, publicInputs, wires }));
  return { constraints, publicInputs, wires };
}

/** The parameters of an instance, by name. */
export function parametersOf(circuit: CircuitName, instance: string): Parameters {
  return readInstances()[circuit]?.[instance] ?? {};
}

/** The main file of an instance, for a folder two levels below `build`. */
export function mainSource(
  circuit: CircuitName,
  instance: string,
  changes: Parameters = {},
): string {
  const listed = readInstances()[circuit]?.[instance];
  const parameters = listed === undefined ? undefined : { ...listed, ...changes };
  if (parameters === undefined) {
    const known = instancesOf(circuit).join("`, `");
    throw new Error(`\`${circuit}\` has no instance \`${instance}\`; there are \`${known}\``);
  }
  const { template, publicInputs } = CIRCUITS[circuit];
  const values = Object.values(parameters).join(", ");
  return [
    "// GENERATED from circuits/instances.json: do not edit.",
    `pragma circom ${CIRCOM_VERSION};`,
    `include "../../../circuits/${circuit}.circom";`,
    `component main {public [${publicInputs.join(", ")}]} = ${template}(${values});`,
    "",
  ].join("\n");
}

const CIRCUIT_FOLDER = join(ROOT, "circuits");

/** A file below circuits/ and all of the project's own that it includes. */
function includedFiles(file: string, found: Set<string> = new Set()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  const source = readFileSync(join(CIRCUIT_FOLDER, file), "utf8");
  for (const [, path] of source.matchAll(/^include "([^"]+)";/gm)) {
    if (!path!.startsWith("circomlib/")) includedFiles(join(dirname(file), path!), found);
  }
  return found;
}

/** Changes with everything that the compiled circuit follows from. */
export function compilationKey(circuit: CircuitName, source: string): string {
  const hash = createHash("sha256");
  const add = (text: string): void => {
    // The length keeps one text from running into the next.
    hash.update(`${Buffer.byteLength(text)}:`).update(text);
  };
  for (const name of ["circom2", "circomlib"]) add(`${name} ${packageVersion(name)}`);
  add(CIRCOM_FLAGS.join(" "));
  add(source);
  for (const file of [...includedFiles(`${circuit}.circom`)].sort()) {
    add(file);
    add(readFileSync(join(CIRCUIT_FOLDER, file), "utf8"));
  }
  return hash.digest("hex");
}

function isCompiled(directory: string, key: string): boolean {
  const keyFile = join(directory, "key");
  return existsSync(keyFile) && readFileSync(keyFile, "utf8") === key;
}

function replaceFolder(temporary: string, directory: string, key: string): void {
  rmSync(directory, { recursive: true, force: true });
  try {
    renameSync(temporary, directory);
  } catch (error) {
    // Another build of the same sources may have come first; its result is as good.
    if (!isCompiled(directory, key)) throw error;
  }
}

function writeWhole(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

const HELP = `Compiles circuits and makes their insecure development keys.

  npm run circuits -- --instance <name> [options]

  --instance <name>   which sizes to build, from circuits/instances.json (default: tiny)
  --circuit <name>    only this circuit: ${CIRCUIT_NAMES.join(", ")}
  --no-keys           compile only, and print the sizes
  --verifiers         also write contracts/generated/verifiers/InsecureDev*Verifier.sol
  --help              this text

Anybody can forge proofs for these keys. Production keys: npm run ceremony -- --help
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      instance: { type: "string", default: "tiny" },
      circuit: { type: "string" },
      "no-keys": { type: "boolean", default: false },
      verifiers: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  if (values["no-keys"] && values.verifiers) {
    throw new Error("`--verifiers` needs keys, which `--no-keys` leaves out");
  }
  const { instance, circuit } = values;
  const all = circuitsWith(instance);
  const circuits = circuit === undefined ? all : CIRCUIT_NAMES.filter((name) => name === circuit);
  if (circuits.length === 0) {
    throw new Error(`there is no circuit \`${circuit}\`; there are ${CIRCUIT_NAMES.join(", ")}`);
  }
  const board = createProgressBoard();
  await compileAll(circuits, instance, board);
  if (values["no-keys"]) return;
  await keyAll(circuits, instance, board);
  if (!values.verifiers) return;
  for (const name of circuits) console.log(await writeVerifier(name, instance));
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(`circuits: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
  await stopSnarkjs();
}
