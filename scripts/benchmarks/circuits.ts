/**
 * Constraints of every circuit and instance. What the WebAssembly compiler cannot hold is counted
 * by parts: everything but steps and fills, plus these at the differences of compiled instances.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fokSteps } from "../../sequencer/batch/sizes.ts";
import {
  CIRCUIT_NAMES,
  type CircuitName,
  type CircuitSize,
  countConstraints,
  countVariant,
  instancesOf,
  parametersOf,
} from "../circuits.ts";
import { instanceSizes } from "../deploy.ts";
import { COUNTING_FLAGS, ROOT, runCircom } from "../keys/circom.ts";
import { readR1cs } from "../keys/r1cs.ts";
import type { BenchLine } from "./benchLine.ts";

/** Largest number of constraints that is compiled whole. */
const WHOLE_MAX_STEPS = 32;
const TARGETS: Record<string, number> = {
  "circuits.trade.tiny.constraints": 131_072,
  "circuits.trade.medium.constraints": 524_288,
  "circuits.trade.medium.constraintsPerStep": 10_000,
  "circuits.trade.large.constraintsPerStep": 10_000,
  "circuits.trade.wide.constraintsPerStep": 8_000,
};

export async function circuitBenchmarks(options: {
  instances: readonly string[] | undefined;
}): Promise<BenchLine[]> {
  const lines: BenchLine[] = [];
  for (const circuit of CIRCUIT_NAMES) {
    for (const instance of instancesOf(circuit)) {
      if (options.instances !== undefined && !options.instances.includes(instance)) continue;
      lines.push(...(await linesOf(circuit, instance)));
      if (circuit === "trade") lines.push(...(await partLines(instance)));
    }
  }
  return lines;
}

async function linesOf(circuit: CircuitName, instance: string): Promise<BenchLine[]> {
  const { steps = 1, fills = 0 } = parametersOf(circuit, instance);
  const isWhole = steps <= WHOLE_MAX_STEPS;
  console.error(`counting ${circuit} ${instance}${isWhole ? "" : " by parts"} ...`);
  const size = isWhole
    ? await countConstraints(circuit, instance)
    : await countByParts(circuit, instance, { steps, fills });
  const note = isWhole
    ? "compiled whole"
    : "by parts: compiled with 4 steps and 2 fills, 6 and 2, 4 and 4, the rest at the differences";
  const prefix = `circuits.${circuit}.${instance}`;
  const figures = [
    ["constraints", size.constraints],
    ["constraintsPerStep", Math.round(size.constraints / steps)],
    ["publicInputs", size.publicInputs],
  ] as const;
  return figures.map(([figure, value]) => {
    const name = `${prefix}.${figure}`;
    const target = TARGETS[name];
    const unit = figure === "publicInputs" ? "signals" : "constraints";
    const line = { name, value, unit, better: "lower" as const, note };
    return target === undefined ? line : { ...line, target };
  });
}

/** What one step and one fill unit of an instance take, compiled by themselves. */
async function partLines(instance: string): Promise<BenchLine[]> {
  const { trade } = instanceSizes(instance);
  const { accounts, signers, books, depth, scenarios, unit } = trade;
  const ofStep = [accounts, signers, books, depth, fokSteps(trade)];
  const ofFill = [accounts, books, scenarios, unit];
  const parts = [
    ["step", `TradeStep(${ofStep.join(", ")})`, "Step"],
    ["fillUnit", `FillUnit(${ofFill.join(", ")})`, "FillUnit"],
  ] as const;
  const lines: BenchLine[] = [];
  for (const [part, main, file] of parts) {
    const value = await countTemplate(`${instance}-${part}`, main, `trade/${file}.circom`);
    const name = `circuits.trade.${instance}.${part}`;
    lines.push({ name, value, unit: "constraints", better: "lower", note: "compiled by itself" });
  }
  return lines;
}

async function countTemplate(name: string, main: string, file: string): Promise<number> {
  const folder = join(ROOT, "build", "parts", name);
  mkdirSync(folder, { recursive: true });
  const mainFile = join(folder, "main.circom");
  const include = `include "../../../circuits/${file}";`;
  writeFileSync(mainFile, `pragma circom 2.2.0;\n${include}\ncomponent main = ${main};\n`);
  const { r1csFile } = await runCircom(mainFile, folder, COUNTING_FLAGS);
  return readR1cs(r1csFile).constraints;
}

/**
 * With s steps and f <= s fills a batch has c + a s + b f + 2 s f - f^2: handing over takes two
 * products for each step and each unit that its word may come to (circuits/trade/Handover.circom).
 */
async function countByParts(
  circuit: CircuitName,
  instance: string,
  { steps, fills }: { steps: number; fills: number },
): Promise<CircuitSize> {
  const least = await countVariant(circuit, instance, { steps: 4, fills: 2 });
  const moreSteps = await countVariant(circuit, instance, { steps: 6, fills: 2 });
  const moreFills = await countVariant(circuit, instance, { steps: 4, fills: 4 });
  const shared = (s: number, f: number): number => 2 * s * f - f * f;
  const count = (size: CircuitSize, s: number, f: number): number =>
    size.constraints - shared(s, f);
  const base = count(least, 4, 2);
  const perStep = (count(moreSteps, 6, 2) - base) / 2;
  const perFill = (count(moreFills, 4, 4) - base) / 2;
  const constraints = base + (steps - 4) * perStep + (fills - 2) * perFill + shared(steps, fills);
  return {
    constraints: Math.round(constraints),
    publicInputs: least.publicInputs,
    wires: Number.NaN,
  };
}
