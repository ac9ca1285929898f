/**
 * Each constraint deleted, one at a time: does anything notice? A mutant is killed by a witness
 * that violates this one constraint and no other, so that the mutant takes what the circuit
 * refuses, or by a dimension that the witnesses have more without it. Where none of that is found
 * at once, what few constraints refuse is moved until only one is left that does. What survives is
 * redundant, or untested.
 */
import { seededRandom } from "./alternatives.ts";
import type { SignalValues } from "./calculator.ts";
import { cheats } from "./cheats.ts";
import { reduce } from "./field.ts";
import { otherRoot, polynomialsOf } from "./flips.ts";
import { createJudge } from "./hints.ts";
import { independentAt } from "./jacobian.ts";
import { type R1cs, violated } from "./r1cs.ts";
import { createRepairer, NEAR_MAX } from "./repair.ts";
import type { Target } from "./target.ts";
import { hintsTogether } from "./together.ts";

/** What kills a mutant, the plainest first. */
export const KILLERS = [
  ...["refused", "flip", "freedom", "hint", "input"],
  ...["otherInputs", "together", "near"],
] as const;
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
  // A root that is given pins a hash: what only another root would show, other inputs show.
  const wires = [...r1cs.computed, ...r1cs.inputs];
  for (const inputs of taken) {
    if (isDone()) break;
    for (const only of independentAt(r1cs, target.run(inputs).witness, wires)) {
      kill("otherInputs", [only]);
    }
  }
  const survivors = (): number[] =>
    r1cs.constraints.map((_, at) => at).filter((at) => !killed.has(at));
  for (const { killer, at } of nearKills(target, { taken, refused }, survivors)) kill(killer, [at]);
  return { killed, survivors: survivors(), notRefused };
}

/** Near misses that are moved on from, of each that is met. */
const STEPS_MAX = 30;
const HINT_STEPS_MAX = 4;
/** Witnesses of all inputs together that are changed by wires, and by hints. */
const NEAR_RUNS_MAX = 20_000;

/** What refused inputs, neighbours of honest witnesses and hints together lead to. */
function* nearKills(
  target: Target,
  { taken, refused }: Cases,
  survivors: () => readonly number[],
): Generator<{ killer: Killer; at: number }> {
  const { r1cs } = target;
  if (survivors().length === 0) return;
  const { reach, around, wiresOf } = createRepairer(r1cs);
  for (const inputs of refused) {
    if (survivors().length === 0) return;
    const witness = target.attempt(inputs)?.witness;
    if (witness === undefined) continue;
    const refusing = violated(r1cs, witness, NEAR_MAX + 1);
    if (refusing.length > NEAR_MAX) continue;
    for (const at of reach({ witness, refusing }, STEPS_MAX)) yield { killer: "near", at };
  }
  let runs = 0;
  for (const inputs of taken) {
    const { witness } = target.run(inputs);
    for (const near of around(witness, wiresOf(survivors()))) {
      if (runs++ >= NEAR_RUNS_MAX) break;
      for (const at of reach(near, STEPS_MAX)) yield { killer: "near", at };
    }
    if (survivors().length === 0) return;
  }
  runs = 0;
  const { reach: reachByHints } = createRepairer(r1cs);
  for (const inputs of taken) {
    const { witness, calls } = target.run(inputs);
    const judge = createJudge(r1cs, witness);
    for (const overrides of hintsTogether(calls, r1cs.prime)) {
      if (survivors().length === 0 || runs++ >= NEAR_RUNS_MAX) return;
      const cheat = target.attempt(inputs, overrides)?.witness;
      const refusing = cheat === undefined ? [] : judge.refusing(cheat, NEAR_MAX + 1);
      if (cheat === undefined || refusing.length > NEAR_MAX) continue;
      for (const at of reachByHints({ witness: cheat, refusing }, HINT_STEPS_MAX)) {
        yield { killer: "together", at };
      }
    }
  }
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
