/**
 * Single templates in tests: each is compiled as a circuit of its own below build/gadgets, once
 * for each version of its sources.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import {
  AssertionFailed,
  loadCalculator,
  type SignalValues,
} from "../../circuits/adversary/calculator.ts";
import { type R1cs, readR1cs } from "../../circuits/adversary/r1cs.ts";
import { readSymbols, type Symbols } from "../../circuits/adversary/symbols.ts";
import {
  CIRCOM_FLAGS,
  type CircuitFiles,
  outputsOf,
  ROOT,
  runCircom,
} from "../../scripts/keys/circom.ts";
import { recordCase } from "./circuitCases.ts";

export interface GadgetSource {
  /** Below circuits/, such as `gadgets/Range.circom`. */
  readonly file: string;
  /** The template with its parameters, such as `InRange(8)`. */
  readonly main: string;
  /**
   * Every hint (`x <-- ...`) of the file becomes an input `hint_x`: the prover is then free in it,
   * as a dishonest one is, and everything that depends on it is computed from it.
   */
  readonly freeHints?: boolean;
  /** Templates around the one that is tested, in circom. */
  readonly around?: string;
}

export interface Gadget {
  readonly r1cs: R1cs;
  readonly symbols: Symbols;
  /** Every wire. Throws AssertionFailed where the template refuses the inputs. */
  witness(inputs: SignalValues): bigint[];
  /** The value of the main component's signal `name`, such as `out` or `out[2]`. */
  read(witness: readonly bigint[], name: string): bigint;
}

export async function loadGadget(source: GadgetSource): Promise<Gadget> {
  const files = await compileGadget(source);
  const calculator = await loadCalculator(files.wasmFile);
  const r1cs = readR1cs(files.r1csFile);
  const symbols = readSymbols(files.symFile);
  return {
    r1cs,
    symbols,
    witness(inputs) {
      try {
        const witness = calculator.run(inputs);
        recordCase(source, inputs, "taken");
        return witness;
      } catch (error) {
        if (error instanceof AssertionFailed) recordCase(source, inputs, "refused");
        throw error;
      }
    },
    read(witness, name) {
      const wire = symbols.wireOf(`main.${name}`);
      if (wire === undefined) throw new Error(`no wire holds \`${name}\``);
      return witness[wire]!;
    },
  };
}

async function compileGadget(source: GadgetSource): Promise<CircuitFiles> {
  const { file, main, freeHints = false } = source;
  const included = freeHints ? basename(file) : `../../../circuits/${file}`;
  const text = mainSourceOf(source, included);
  const hash = createHash("sha256").update(`${text}${freeHints}${CIRCOM_FLAGS.join()}`);
  for (const dependency of closure(file)) hash.update(readFileSync(circuitPath(dependency)));
  const name = `${main.slice(0, main.indexOf("("))}-${hash.digest("hex").slice(0, 16)}`;
  const directory = join(ROOT, "build", "gadgets", name);
  const files = outputsOf("main.circom", directory);
  if (existsSync(files.r1csFile)) return files;
  // As deep as its final place, so that relative includes hold.
  const temporary = `${directory}.${process.pid}.tmp`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  try {
    writeFileSync(join(temporary, "main.circom"), text);
    if (freeHints) writeFileSync(join(temporary, basename(file)), withFreeHints(file));
    await runCircom(join(temporary, "main.circom"), temporary);
    if (!existsSync(directory)) renameSync(temporary, directory);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return files;
}

/** A main file with the template as its component. */
export function mainSourceOf(source: GadgetSource, included: string): string {
  return [
    "pragma circom 2.2.0;",
    `include "${included}";`,
    source.around ?? "",
    `component main${publicInputsOf(source)} = ${source.main};`,
    "",
  ].join("\n");
}

/**
 * The template's own inputs are public: the compiler would otherwise drop those that it can
 * compute from others, and with them what is to be tested.
 */
function publicInputsOf({ file, main, around = "" }: GadgetSource): string {
  const name = main.slice(0, main.indexOf("("));
  const texts = [around, readFileSync(circuitPath(file), "utf8")];
  const template = texts
    .flatMap((text) => text.split(/^(?=template )/m))
    .find((text) => text.startsWith(`template ${name}(`));
  if (template === undefined) throw new Error(`\`${file}\` has no template \`${name}\``);
  const inputs = template.matchAll(/^ *(?:signal input|input \w+\([^)]*\)) (\w+)/gm);
  return ` {public [${[...inputs].map(([, input]) => input).join(", ")}]}`;
}

function circuitPath(file: string): string {
  return join(ROOT, "circuits", file);
}

const INCLUDE = /include "([^"]+)";/g;

/** The file and what it includes of this project. */
function closure(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, path] of readFileSync(circuitPath(file), "utf8").matchAll(INCLUDE)) {
    if (!path!.startsWith("circomlib/")) closure(normalize(join(dirname(file), path!)), seen);
  }
  return seen;
}

/** The file with its hints as inputs, and with includes that hold from build/gadgets/x/. */
function withFreeHints(file: string): string {
  const text = readFileSync(circuitPath(file), "utf8").replaceAll(INCLUDE, (whole, path: string) =>
    path.startsWith("circomlib/")
      ? whole
      : `include "../../../circuits/${normalize(join(dirname(file), path))}";`,
  );
  const templates = text.split(/^(?=template )/m);
  return templates.map((template) => freed(template)).join("");
}

function freed(template: string): string {
  const names = new Set<string>();
  const body = template.replaceAll(
    /^(\s*)(\w+)((?:\[\w+\])*) <-- [^;]+;/gm,
    (_whole, indent: string, name: string, index: string) => {
      names.add(name);
      return `${indent}${name}${index} <-- hint_${name}${index};`;
    },
  );
  return [...names].reduce((result, name) => {
    const declaration = new RegExp(`^(\\s*)signal (?:output )?${name}((?:\\[[^\\]]+\\])*);`, "m");
    return result.replace(declaration, (whole, indent: string, size: string) => {
      return `${whole}${indent}signal input hint_${name}${size};`;
    });
  }, body);
}
