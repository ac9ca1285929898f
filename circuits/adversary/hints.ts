/**
 * Each hint replaced by other values, everything after it computed again. What the constraints then
 * take is a witness that a dishonest prover may use: for the same inputs, with the same outputs or
 * with others.
 */
import { alternativesTo, seededRandom } from "./alternatives.ts";
import type { SignalValues } from "./calculator.ts";
import { reduce } from "./field.ts";
import type { HintSite } from "./instrument.ts";
import { aliased, bitGroups, repairs } from "./joint.ts";
import { holdersOf, holds, type R1cs, violated } from "./r1cs.ts";
import type { HintCall, Overrides, Target } from "./target.ts";

export interface HintFinding {
  readonly site: HintSite;
  readonly from: bigint;
  readonly to: bigint;
  /** Outputs of the main component that came out otherwise; none: the hint is free, and no more. */
  readonly outputs: readonly {
    readonly name: string;
    readonly from: bigint;
    readonly to: bigint;
  }[];
  readonly inputs: SignalValues;
}

export interface HintReport {
  /** Sites that the circuit has computed, and how many values were tried at each. */
  readonly tried: ReadonlyMap<HintSite, number>;
  /** What was taken: one finding for each hint of each component, of the worst kind there. */
  readonly findings: readonly HintFinding[];
}

export interface HintOptions {
  /** Of one site, how many hints of different components or indices are tried. */
  readonly callsMax?: number;
  readonly seed?: number;
  /** In circuits with more constraints no second hint is looked for that moves along. */
  readonly jointMax?: number;
}

const JOINT_MAX = 600;

/** The circuit must take the inputs. */
export function attackHints(
  target: Target,
  inputs: SignalValues,
  { callsMax = Number.POSITIVE_INFINITY, seed = 1, jointMax = JOINT_MAX }: HintOptions = {},
): HintReport {
  const attack = createAttack(target, inputs);
  const random = seededRandom(seed);
  const tried = new Map<HintSite, number>();
  const findings: HintFinding[] = [];
  const { prime } = target.r1cs;
  for (const call of chosenCalls(attack.calls, callsMax, random)) {
    const { site: number, value } = attack.calls[call]!;
    const site = target.sites.get(number)!;
    const alternatives = alternativesTo(value, prime, random);
    tried.set(site, (tried.get(site) ?? 0) + alternatives.length);
    const alone = worstOf(alternatives, (to) => attack.judge(call, to));
    // Bits move together in other ways (below).
    const isJoint = target.r1cs.constraints.length <= jointMax && !isBit(attack.calls, call);
    const steps = isJoint ? JOINT_STEPS : [];
    const joint = (step: bigint) => attack.judgeJoint(call, reduce(value + step, prime));
    const found = alone ?? worstOf(steps, joint);
    if (found !== undefined) findings.push(found);
  }
  for (const group of bitGroups(attack.calls, prime)) {
    const overrides = aliased(group, attack.calls, prime);
    const found = overrides && attack.judgeAll(group.first, overrides);
    if (found !== undefined) findings.push(found);
  }
  return { tried, findings };
}

/** Whether a hint is one of a row of 0 and 1 of one site. */
function isBit(calls: readonly HintCall[], call: number): boolean {
  const beside = [calls[call - 1], calls[call + 1]].filter((other) => {
    return other?.site === calls[call]!.site;
  });
  return beside.length > 0 && [calls[call]!, ...beside].every((each) => each!.value <= 1n);
}

/** Those after which another hint is looked for that moves along. */
const JOINT_STEPS = [1n, -1n, 2n];
/** How many constraints are repaired one after the other. */
const REPAIRS_MAX = 2;

function createAttack(target: Target, inputs: SignalValues) {
  const { r1cs } = target;
  const honest = target.run(inputs);
  const refusal = violated(r1cs, honest.witness, 1)[0];
  if (refusal !== undefined) throw new Error(`constraint \`${refusal}\` refuses the inputs`);
  const { isAnother, refusing } = createJudge(r1cs, honest.witness);
  // What cannot be computed is left as it was: nothing has changed, and nothing is found.
  const run = (overrides: Overrides): readonly bigint[] =>
    target.attempt(inputs, overrides)?.witness ?? honest.witness;
  const judgeAll = (call: number, overrides: Overrides): HintFinding | undefined => {
    const witness = run(overrides);
    if (!isAnother(witness)) return undefined;
    const { site, value: from } = honest.calls[call]!;
    const outputs = changedOutputs(target, honest.witness, witness);
    return { site: target.sites.get(site)!, from, to: overrides.get(call)!, outputs, inputs };
  };
  const judgeRepaired = (call: number, overrides: Overrides, left: number): typeof found => {
    let found: HintFinding | undefined;
    const [constraint, ...others] = refusing(run(overrides), 1 + left);
    // What takes more repairs than are left is given up.
    if (constraint === undefined || others.length >= left) return undefined;
    for (const repaired of repairs(constraint, overrides, { r1cs, run, calls: honest.calls })) {
      found = judgeAll(call, repaired) ?? judgeRepaired(call, repaired, left - 1);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return {
    calls: honest.calls,
    judgeAll,
    judge: (call: number, to: bigint) => judgeAll(call, new Map([[call, to]])),
    judgeJoint: (call: number, to: bigint) =>
      judgeRepaired(call, new Map([[call, to]]), REPAIRS_MAX),
  };
}

/** The finding with most outputs changed; stops at the first that changes any. */
function worstOf<T>(
  tries: readonly T[],
  judge: (each: T) => HintFinding | undefined,
): HintFinding | undefined {
  let worst: HintFinding | undefined;
  for (const each of tries) {
    const found = judge(each);
    worst ??= found;
    if (found !== undefined && found.outputs.length > 0) return found;
  }
  return worst;
}

/** Compares witnesses with one that holds: only constraints of wires that differ are evaluated. */
export function createJudge(r1cs: R1cs, honest: readonly bigint[]) {
  const holders = holdersOf(r1cs);
  const touched = (witness: readonly bigint[]): Set<number> => {
    const constraints = new Set<number>();
    for (const [wire, value] of witness.entries()) {
      if (value !== honest[wire]) for (const at of holders[wire]!) constraints.add(at);
    }
    return constraints;
  };
  const refusing = (witness: readonly bigint[], max: number): number[] => {
    const found: number[] = [];
    for (const at of touched(witness)) {
      if (holds(r1cs.constraints[at]!, witness, r1cs.prime)) continue;
      found.push(at);
      if (found.length >= max) break;
    }
    return found;
  };
  return {
    /** The constraints that refuse a witness, at most `max`. */
    refusing,
    /** Whether it is a different witness, and holds. */
    isAnother: (witness: readonly bigint[]): boolean =>
      refusing(witness, 1).length === 0 && witness.some((value, wire) => value !== honest[wire]),
  };
}

function changedOutputs(
  { r1cs, symbols }: Target,
  honest: readonly bigint[],
  witness: readonly bigint[],
): HintFinding["outputs"] {
  return r1cs.outputs
    .filter((wire) => honest[wire] !== witness[wire])
    .map((wire) => ({ name: symbols.nameOf(wire), from: honest[wire]!, to: witness[wire]! }));
}

/** Of each site at most `max` calls: the first, the last, and some between them. */
function chosenCalls(
  calls: readonly { readonly site: number }[],
  max: number,
  random: () => number,
): number[] {
  const bySite = new Map<number, number[]>();
  for (const [at, { site }] of calls.entries()) {
    const known = bySite.get(site);
    if (known === undefined) bySite.set(site, [at]);
    else known.push(at);
  }
  return [...bySite.values()].flatMap((all) => {
    if (all.length <= max) return all;
    const chosen = new Set([all[0]!, all.at(-1)!]);
    while (chosen.size < max) chosen.add(all[Math.floor(random() * all.length)]!);
    return [...chosen].slice(0, max);
  });
}
