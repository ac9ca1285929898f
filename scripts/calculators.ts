/**
 * Builds native witness calculators of an instance's circuits, cached by content: what a prover's
 * `"witness"` may name in the place of the WebAssembly one.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  CIRCUIT_NAMES,
  type CircuitName,
  circuitsWith,
  compilationKey,
  mainSource,
} from "./circuits.ts";
import { buildCalculator } from "./keys/calculator.ts";
import { ROOT } from "./keys/circom.ts";
import { createProgressBoard } from "./keys/progress.ts";

/** The program of a circuit, built unless it is there. Throws CalculatorError. */
export async function ensureCalculator(
  circuit: CircuitName,
  instance: string,
  onProgress?: (stage: string) => void,
): Promise<string> {
  const folder = join(ROOT, "build", "calculators", `${circuit}-${instance}`);
  const program = join(folder, "calculator");
  const keyFile = join(folder, "key");
  const source = mainSource(circuit, instance);
  const key = compilationKey(circuit, source);
  const isBuilt = existsSync(program) && existsSync(keyFile);
  if (isBuilt && readFileSync(keyFile, "utf8") === key) return program;
  rmSync(folder, { recursive: true, force: true });
  // As deep as the circuits' own folders, so that relative includes hold.
  const temporary = `${folder}.${process.pid}.tmp`;
  mkdirSync(temporary, { recursive: true });
  try {
    const mainFile = join(temporary, "main.circom");
    writeFileSync(mainFile, source);
    await buildCalculator(mainFile, program, onProgress);
    writeFileSync(keyFile, key);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return program;
}

const HELP = `Builds native witness calculators, three times as fast as the WebAssembly ones.

  npm run calculators -- --instance <name> [--circuit <name>]

  --instance <name>   which sizes, from circuits/instances.json (default: tiny)
  --circuit <name>    only this circuit: ${CIRCUIT_NAMES.join(", ")}
  --help              this text

Needs g++, nasm, libgmp-dev and nlohmann-json3-dev (Debian's names). The circuits of \`tiny\` take
some three minutes and 2 GiB each, larger ones more in proportion to their constraints. The paths
that it prints are what a prover's configuration takes as "witness".
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      instance: { type: "string", default: "tiny" },
      circuit: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const { instance, circuit } = values;
  const all = circuitsWith(instance);
  const circuits = circuit === undefined ? all : all.filter((name) => name === circuit);
  if (circuits.length === 0) {
    throw new Error(`there is no circuit \`${circuit}\`; there are ${all.join(", ")}`);
  }
  const board = createProgressBoard();
  for (const name of circuits) {
    const task = board.start(`${name} ${instance}`);
    try {
      const program = await ensureCalculator(name, instance, task.update);
      task.finish("native calculator");
      console.log(program);
    } catch (error) {
      task.finish("failed");
      throw error;
    }
  }
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(`calculators: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
