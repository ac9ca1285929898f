/**
 * Builds the native witness calculator of a circuit: circom's C++, compiled by the machine's own
 * g++. What it needs besides is told when it is missing.
 */
import { spawn } from "node:child_process";
import {
  copyFileSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { runCircom } from "./circom.ts";

const FLAGS = ["--c", "--O2"];
const PACKAGES = "`g++`, `nasm`, `libgmp-dev` and `nlohmann-json3-dev` (Debian's names)";
const STANDARD = "-std=c++11";
/** Millions of lines without a loop: more optimising takes hours and brings nothing. */
const CIRCUIT_OPTIMISING = "-O1";
const OUTPUT_LENGTH_MAX = 2000;

/** A program or a header that the build needs is not there, or one of its steps failed. */
export class CalculatorError extends Error {
  override name = "CalculatorError";
}

/**
 * Writes `program` and `program.dat`, its data, which it looks for beside itself. `mainFile`: a
 * circom file in a folder of its own; what the build leaves there may be deleted.
 */
export async function buildCalculator(
  mainFile: string,
  program: string,
  onProgress: (stage: string) => void = () => undefined,
): Promise<void> {
  const folder = dirname(mainFile);
  onProgress("writing C++");
  await runCircom(mainFile, folder, FLAGS);
  const [data] = globSync("*_cpp/*.dat", { cwd: folder }).map((file) => join(folder, file));
  if (data === undefined) throw new CalculatorError("circom has written no C++");
  const sources = dirname(data);
  const circuit = basename(data, ".dat");
  const loader = join(sources, "main.cpp");
  writeFileSync(loader, mendBuses(readFileSync(loader, "utf8")));
  onProgress("compiling C++");
  const compile = (name: string, level: string) =>
    run("g++", ["-c", `${name}.cpp`, STANDARD, level, "-I."], sources);
  for (const name of ["main", "calcwit", "fr"]) await compile(name, "-O3");
  await run("nasm", ["-felf64", "fr.asm", "-o", "fr_asm.o"], sources);
  await compile(circuit, CIRCUIT_OPTIMISING);
  const objects = ["main", "calcwit", "fr", "fr_asm", circuit].map((name) => `${name}.o`);
  await run("g++", ["-z", "noexecstack", "-o", "calculator", ...objects, "-lgmp"], sources);
  mkdirSync(dirname(program), { recursive: true });
  copyFileSync(data, `${program}.dat`);
  copyFileSync(join(sources, "calculator"), `${program}.tmp`);
  // The program last: where it is, it is whole.
  renameSync(`${program}.tmp`, program);
}

/**
 * circom 2.2 gives each bus room for ten fields, and writes behind it where a bus has more: the
 * trade circuit's program dies of that while it loads its data.
 */
export function mendBuses(text: string): string {
  return text.replaceAll("calloc(10, sizeof", "calloc(p.len, sizeof");
}

async function run(program: string, args: readonly string[], cwd: string): Promise<void> {
  const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const collect = (chunk: Buffer): void => {
    if (output.length < OUTPUT_LENGTH_MAX) output += chunk.toString("utf8");
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", (cause) =>
      reject(new CalculatorError(`\`${program}\` is not here; needed are ${PACKAGES}`, { cause })),
    );
    child.once("close", resolve);
  });
  if (code === 0) return;
  const told = output.trim().slice(0, OUTPUT_LENGTH_MAX);
  const hint = /No such file|cannot find/.test(told) ? `\nNeeded are ${PACKAGES}.` : "";
  throw new CalculatorError(`\`${program}\` ended with \`${code}\`: ${told}${hint}`);
}
