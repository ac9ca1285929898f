/** All attacks on one circuit, their findings in one form. */
import type { SignalValues } from "./calculator.ts";
import { deleteEach } from "./deletion.ts";
import { singleWireFlips } from "./flips.ts";
import { attackHints } from "./hints.ts";
import { changedInputs } from "./inputs.ts";
import { freedomAt } from "./jacobian.ts";
import { holdersOf, type R1cs, violated } from "./r1cs.ts";
import { comparisonsOf } from "./ranges.ts";
import type { Target } from "./target.ts";

export type Attack = "flip" | "freedom" | "hint" | "assertion" | "unused" | "range" | "inspect";

export interface Finding {
  readonly attack: Attack;
  /**
   * `forged`: the circuit says something else than it should; `free`: a prover has a choice on
   * which no output depends, which is harmless unless the signal is meant to be pinned.
   */
  readonly kind: "forged" | "free";
  readonly signal: string;
  readonly detail: string;
}

export interface AttackReport {
  readonly constraints: number;
  readonly wires: number;
  readonly findings: readonly Finding[];
  /** Values that were tried in place of hints, by site. */
  readonly hints: ReadonlyMap<string, number>;
  /** Constraints that nothing notices the loss of; undefined where it was not asked for. */
  readonly survivors?: readonly string[];
}

export interface AttackOptions {
  readonly seed?: number;
  /** Hints of one site that are replaced, over all components. */
  readonly callsMax?: number;
  /** Changed inputs that are held against the assertions. */
  readonly inputsMax?: number;
  readonly deletion?: boolean;
}

const INPUTS_MAX = 400;
const SHOWN_MAX = 4;

export function attackCircuit(
  target: Target,
  cases: readonly SignalValues[],
  { seed = 1, callsMax = 16, inputsMax = INPUTS_MAX, deletion = false }: AttackOptions = {},
): AttackReport {
  const { r1cs } = target;
  const hints = new Map<string, number>();
  const findings = [...unusedInputs(target), ...unboundedOperands(target), ...warned(target)];
  for (const inputs of cases) {
    findings.push(...freeWires(target, inputs), ...assertedOnly(target, inputs, inputsMax));
    const report = attackHints(target, inputs, { callsMax, seed });
    for (const [{ file, line, signal }, count] of report.tried) {
      const name = `${file}:${line} ${signal}`;
      hints.set(name, (hints.get(name) ?? 0) + count);
    }
    for (const { site, from, to, outputs } of report.findings) {
      const shown = outputs.slice(0, SHOWN_MAX).map((each) => `${each.name} ${each.to}`);
      findings.push({
        attack: "hint",
        kind: outputs.length > 0 ? "forged" : "free",
        signal: `${site.template}.${site.signal}`,
        detail: `${to} in place of ${from}${outputs.length > 0 ? `: ${shown.join(", ")}` : ""}`,
      });
    }
  }
  const report = { constraints: r1cs.constraints.length, wires: r1cs.wires, findings, hints };
  if (!deletion) return report;
  const { survivors } = deleteEach(target, { taken: cases, refused: [] }, { seed });
  return { ...report, survivors: survivors.map((at) => describe(target, at)) };
}

/** Wires that can be changed, alone or together. */
function freeWires(target: Target, inputs: SignalValues): Finding[] {
  const { r1cs, symbols } = target;
  const { witness } = target.run(inputs);
  const outputs = new Set(r1cs.outputs);
  const flips = singleWireFlips(r1cs, witness).map(({ wire, from, to, isFree }): Finding => {
    const kind = outputs.has(wire) ? "forged" : "free";
    const detail = isFree ? `any value in place of ${from}` : `${to} in place of ${from}`;
    return { attack: "flip", kind, signal: symbols.nameOf(wire), detail };
  });
  const freedom = freedomAt(r1cs, witness).directions.map((moves): Finding => {
    const wires = [...moves.keys()];
    const forged = wires.find((wire) => outputs.has(wire));
    const detail = `${wires.length} wires move together`;
    const kind = forged === undefined ? "free" : "forged";
    return { attack: "freedom", kind, signal: symbols.nameOf(forged ?? wires[0]!), detail };
  });
  return [...flips, ...freedom];
}

/** Inputs that the program refuses (an assertion, a division) and every constraint takes. */
function assertedOnly(target: Target, inputs: SignalValues, max: number): Finding[] {
  let tried = 0;
  for (const changed of changedInputs(inputs, target.r1cs.prime)) {
    if (tried++ >= max) break;
    if (!target.refuses(changed)) continue;
    const run = target.attempt(changed);
    if (run === undefined || violated(target.r1cs, run.witness, 1).length > 0) continue;
    const detail = `only the program refuses ${JSON.stringify(changed, asText).slice(0, 200)}`;
    return [{ attack: "assertion", kind: "forged", signal: "main", detail }];
  }
  return [];
}

function asText(_: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

/** Inputs of the circuit in no constraint: they bind nothing. */
function unusedInputs({ r1cs, symbols }: Target): Finding[] {
  const holders = holdersOf(r1cs);
  return r1cs.inputs
    .filter((wire) => holders[wire]!.length === 0)
    .map((wire) => ({
      attack: "unused",
      kind: "forged",
      signal: symbols.nameOf(wire),
      detail: "an input in no constraint",
    }));
}

/** Bits of a range check that nobody reads: what every range check in circomlib's way leaves. */
const UNREAD_BITS = /Array of subcomponent input\/output signals/;

/** What the compiler itself thinks strange. */
function warned({ warnings }: Target): Finding[] {
  const told = warnings.filter((warning) => !UNREAD_BITS.test(warning));
  return told.map((detail) => {
    const signal = /^In template "?([^":]+)/.exec(detail)?.[1] ?? "main";
    return { attack: "inspect", kind: "free", signal, detail };
  });
}

/** What is compared though it may be any field element. */
function unboundedOperands({ simplified: { r1cs, symbols } }: Target): Finding[] {
  return comparisonsOf(r1cs).comparisons.flatMap(({ wire, bits, operands }) => {
    const unbounded = operands.filter(({ bound }) => bound === undefined);
    return unbounded.map((operand) => ({
      attack: "range" as const,
      kind: "forged" as const,
      signal: symbols.nameOf(operand.wire),
      detail: `compared in ${symbols.nameOf(wire)} (${bits} bits), and bounded nowhere`,
    }));
  });
}

/** A constraint in its signals' names. */
export function describe({ r1cs, symbols }: Pick<Target, "r1cs" | "symbols">, at: number): string {
  return describeConstraint(r1cs, at, (wire) => symbols.namesOf(wire)[0] ?? `wire ${wire}`);
}

function describeConstraint(r1cs: R1cs, at: number, nameOf: (wire: number) => string): string {
  const { a, b, c } = r1cs.constraints[at]!;
  const side = ({ wires, coefficients }: typeof a): string => {
    const terms = wires.slice(0, SHOWN_MAX).map((wire, index) => {
      const coefficient = coefficients[index]!;
      const sign = 2n * coefficient > r1cs.prime ? coefficient - r1cs.prime : coefficient;
      return wire === 0 ? `${sign}` : `${sign === 1n ? "" : `${sign} `}${nameOf(wire)}`;
    });
    const more = wires.length > SHOWN_MAX ? ` + ${wires.length - SHOWN_MAX} more` : "";
    return `${terms.join(" + ") || "0"}${more}`;
  };
  return `(${side(a)}) * (${side(b)}) = ${side(c)}`;
}
