/**
 * Each constraint deleted, one at a time: does anything notice? A mutant is killed by a witness
 * that violates this one constraint and no other, so that the mutant takes what the circuit
 * refuses, or by a dimension that the witnesses have more without it. What survives is redundant,
 * or untested.
 */
import { alternativesTo, seededRandom } from "./alternatives.ts";
import type { SignalValues } from "./calculator.ts";
import { reduce } from "./field.ts";
import { otherRoot, polynomialsOf } from "./flips.ts";
import { createJudge } from "./hints.ts";
import { changedInputs } from "./inputs.ts";
import { independentAt } from "./jacobian.ts";
import { type R1cs, violated } from "./r1cs.ts";
import type { Overrides, Target } from "./target.ts";

/** What kills a mutant, the plainest first. */
export const KILLERS = ["refused", "flip", "freedom", "hint", "input"] as const;
export type Killer = (typeof KILLERS)[number];

export interface DeletionReport {
  readonly killed: ReadonlyMap<number, Killer>;
  readonly survivors: readonly number[];
  /** Inputs that should have been refused and that every constraint takes. */
  readonly notRefused: readonly SignalValues[];
}

export interface Cases {
  /** Inputs that the circuit takes. */
  readonly taken: readonly SignalValues[];
  /** Inputs of negative tests. */
  readonly refused: readonly SignalValues[];
}

export interface DeletionOptions {
  readonly seed?: number;
  /** How often the circuit is computed with changed hints and inputs, over all of `taken`. */
  readonly runsMax?: number;
}

const RUNS_MAX = 20_000;

export function deleteEach(
  target: Target,
  { taken, refused }: Cases,
  { seed = 1, runsMax = RUNS_MAX }: DeletionOptions = {},
): DeletionReport {
  const { r1cs } = target;
  const killed = new Map<number, Killer>();
  const kill = (killer: Killer, constraints: readonly number[]): void => {
    const [only, ...others] = constraints;
    if (only !== undefined && others.length === 0 && !killed.has(only)) killed.set(only, killer);
  };
  const notRefused: SignalValues[] = [];
  for (const inputs of refused) {
    const run = target.attempt(inputs);
    if (run === undefined) continue;
    const refusing = violated(r1cs, run.witness, 2);
    if (refusing.length === 0) notRefused.push(inputs);
    kill("refused", refusing);
  }
  const isDone = (): boolean => killed.size === r1cs.constraints.length;
  for (const inputs of taken) {
    if (isDone()) break;
    const { witness } = target.run(inputs);
    for (const only of pinnedByOne(r1cs, witness)) kill("flip", [only]);
    for (const only of independentAt(r1cs, witness)) kill("freedom", [only]);
  }
  const random = seededRandom(seed);
  const runsEach = Math.ceil(runsMax / Math.max(1, taken.length));
  for (const inputs of taken) {
    const { refusing } = createJudge(r1cs, target.run(inputs).witness);
    let runs = 0;
    for (const { killer, witness } of cheats(target, inputs, random)) {
      if (isDone() || runs++ >= runsEach) break;
      if (witness !== undefined) kill(killer, refusing(witness, 2));
    }
  }
  const survivors = r1cs.constraints.map((_, at) => at).filter((at) => !killed.has(at));
  return { killed, survivors, notRefused };
}

/** Constraints without which some single wire could be changed. */
function pinnedByOne(r1cs: R1cs, witness: readonly bigint[]): Set<number> {
  const { prime } = r1cs;
  const computed = new Set(r1cs.computed);
  const pins = new Map<number, { at: number; square: bigint; linear: bigint }[]>();
  for (const [at, constraint] of r1cs.constraints.entries()) {
    for (const [wire, polynomial] of polynomialsOf(constraint, { witness, prime, in: computed })) {
      const pin = { at, ...polynomial };
      const known = pins.get(wire);
      if (known === undefined) pins.set(wire, [pin]);
      else known.push(pin);
    }
  }
  const found = new Set<number>();
  for (const [wire, all] of pins) {
    const value = witness[wire]!;
    const roots = all.map((pin) => otherRoot(pin, value, prime));
    const numbers = roots.filter((root) => typeof root === "bigint");
    for (const to of new Set([...numbers, reduce(value + 1n, prime)])) {
      const pinning = all.filter((_, index) => roots[index] !== "every" && roots[index] !== to);
      if (pinning.length === 1) found.add(pinning[0]!.at);
    }
  }
  return found;
}

/** Witnesses of changed hints and inputs. */
function* cheats(
  target: Target,
  inputs: SignalValues,
  random: () => number,
): Generator<{ killer: Killer; witness: readonly bigint[] | undefined }> {
  const { calls } = target.run(inputs);
  const { prime } = target.r1cs;
  const run = (overrides: Overrides) => ({
    killer: "hint" as const,
    witness: target.attempt(inputs, overrides)?.witness,
  });
  for (const [call, { site, value }] of calls.entries()) {
    yield run(new Map([[call, reduce(1n - value, prime)]]));
    // Two bits of a sum that stays as it is, one of them no bit any more.
    for (const [neighbour, weight] of [
      [call + 1, 2n],
      [call - 1, (prime + 1n) / 2n],
    ] as const) {
      const other = calls[neighbour];
      if (other?.site !== site || other.value > 1n) continue;
      const step = 1n - 2n * other.value;
      yield run(
        new Map([
          [neighbour, other.value + step],
          [call, reduce(value - weight * step, prime)],
        ]),
      );
    }
  }
  // One of several places chosen: another one.
  for (const [call, { site, value }] of calls.entries()) {
    if (value !== 0n) continue;
    const chosen = calls.findIndex((each) => each.site === site && each.value === 1n);
    if (chosen < 0) continue;
    yield run(
      new Map([
        [call, 1n],
        [chosen, 0n],
      ]),
    );
  }
  for (const changed of changedInputs(inputs, prime)) {
    yield { killer: "input", witness: target.attempt(changed)?.witness };
  }
  for (const [call, { value }] of calls.entries()) {
    for (const to of alternativesTo(value, prime, random)) yield run(new Map([[call, to]]));
  }
}
