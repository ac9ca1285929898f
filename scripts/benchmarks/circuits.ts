/**
 * Constraints of every circuit and instance. What the WebAssembly compiler cannot hold is counted
 * by parts: everything but the steps, plus the steps at the difference of two compiled instances.
 */
import {
  CIRCUIT_NAMES,
  type CircuitName,
  type CircuitSize,
  countConstraints,
  countVariant,
  instancesOf,
  parametersOf,
} from "../circuits.ts";
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
    }
  }
  return lines;
}

async function linesOf(circuit: CircuitName, instance: string): Promise<BenchLine[]> {
  const { steps = 1 } = parametersOf(circuit, instance);
  const isWhole = steps <= WHOLE_MAX_STEPS;
  console.error(`counting ${circuit} ${instance}${isWhole ? "" : " by parts"} ...`);
  const size = isWhole
    ? await countConstraints(circuit, instance)
    : await countByParts(circuit, instance, steps);
  const note = isWhole
    ? "compiled whole"
    : "by parts: compiled with 2 and 4 steps, the rest at their difference";
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

async function countByParts(
  circuit: CircuitName,
  instance: string,
  steps: number,
): Promise<CircuitSize> {
  // Fill-or-kill steps are bounded by min(N, A - 1), a constant that costs nothing either way.
  const two = await countVariant(circuit, instance, { steps: 2 });
  const four = await countVariant(circuit, instance, { steps: 4 });
  const perStep = (four.constraints - two.constraints) / 2;
  return {
    constraints: Math.round(two.constraints + (steps - 2) * perStep),
    publicInputs: two.publicInputs,
    wires: Number.NaN,
  };
}
