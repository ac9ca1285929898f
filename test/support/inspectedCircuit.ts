/**
 * Whole tiny circuits as the compiler's inspection, circomspect and the search for ranges see them:
 * sources in one folder, equal signals one wire, sums not substituted.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../../circuits/adversary/compile.ts";
import { copySources } from "../../circuits/adversary/instrument.ts";
import { type R1cs, readR1cs } from "../../circuits/adversary/r1cs.ts";
import { type Bound, comparisonsOf } from "../../circuits/adversary/ranges.ts";
import { readSymbols, withoutIndices } from "../../circuits/adversary/symbols.ts";
import { type CircuitName, compileCircuit } from "../../scripts/circuits.ts";
import { ROOT } from "../../scripts/keys/circom.ts";
import { sha256OfFile } from "../../scripts/keys/fileHash.ts";
import { reviewOfOperand } from "./reviewedWarnings.ts";

export const INSPECTED: readonly CircuitName[] = ["exit", "trade", "ledger"];

export interface InspectedCircuit {
  /** Holds `main.circom` and everything that it includes, with plain names. */
  readonly folder: string;
  readonly r1cs: R1cs;
  /** A signal's name without indices. */
  nameOf(wire: number): string;
  /** What the compiler said. */
  readonly output: string;
}

/** Compiles (cached by the circuit's content). */
export async function inspectCircuit(name: CircuitName): Promise<InspectedCircuit> {
  const { r1csFile } = await compileCircuit(name, "tiny");
  const hash = (await sha256OfFile(r1csFile)).slice(0, 16);
  const folder = join(ROOT, "build", "adversary", `${name}-${hash}`);
  const outputFile = join(folder, "output.txt");
  if (!existsSync(outputFile)) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const main = join(ROOT, "build", "circuits", `${name}-tiny`, "main.circom");
    const libraries = [join(ROOT, "node_modules")];
    const { mainFile } = copySources(main, folder, { libraries, isBare: false });
    const { output } = await compile(mainFile, ["--r1cs", "--sym", "--O1", "--inspect"]);
    writeFileSync(outputFile, output);
  }
  const { namesOf } = readSymbols(join(folder, "main.sym"));
  return {
    folder,
    r1cs: readR1cs(join(folder, "main.r1cs")),
    nameOf: (wire) => withoutIndices(namesOf(wire)[0] ?? `wire ${wire}`),
    output: readFileSync(outputFile, "utf8"),
  };
}

export interface RangeRow {
  readonly signal: string;
  /** Widths of the decompositions, one after another. */
  readonly bits: string;
  readonly bounds: string;
}

export interface RangeTable {
  /** Signals that are decomposed themselves. */
  readonly checks: readonly RangeRow[];
  /** Sums that are decomposed, and why each operand is bounded. */
  readonly comparisons: readonly RangeRow[];
  /** Operands for which neither the constraints nor a review say so. */
  readonly unbounded: readonly string[];
}

/** Where numbers are bounded in a circuit, by signal without indices. */
export function rangesOf(circuit: string, { r1cs, nameOf }: InspectedCircuit): RangeTable {
  const { comparisons, checks } = comparisonsOf(r1cs);
  const unbounded = new Set<string>();
  const operandOf = (wire: number, compared: number, bound: Bound | undefined): Operand => {
    const name = nameOf(wire);
    if (bound !== undefined) return { name: plain(name), bound };
    const place = `${circuit}: ${name} in ${nameOf(compared)}`;
    const reason = reviewOfOperand(place);
    if (reason === undefined) unbounded.add(place);
    return { name: plain(name), bound: reason ?? "nowhere" };
  };
  return {
    checks: rowsOf(checks.map(({ wire, bits }) => [plain(nameOf(wire)), bits, []])),
    comparisons: rowsOf(
      comparisons.map(({ wire, bits, operands }) => [
        plain(nameOf(wire)),
        bits,
        operands.map((operand) => operandOf(operand.wire, wire, operand.bound)),
      ]),
    ),
    unbounded: [...unbounded],
  };
}

interface Operand {
  readonly name: string;
  readonly bound: Bound | string;
}

/** The compiler numbers components that have no name of their own. */
function plain(name: string): string {
  return name.replaceAll(/_\d+_\d+/g, "").replaceAll(/\[\]\[\]+/g, "[]");
}

function rowsOf(found: readonly [string, number, readonly Operand[]][]): RangeRow[] {
  const bySignal = new Map<string, { bits: Set<number>; bounds: Map<string, Bound | string> }>();
  for (const [signal, width, operands] of found) {
    const row = bySignal.get(signal) ?? { bits: new Set(), bounds: new Map() };
    bySignal.set(signal, row);
    row.bits.add(width);
    for (const { name, bound } of operands) {
      row.bounds.set(name, widest(row.bounds.get(name), bound));
    }
  }
  return [...bySignal].sort(byName).map(([signal, { bits, bounds }]) => ({
    ...{ signal, bits: [...bits].sort((a, b) => a - b).join(", ") },
    bounds: [...bounds]
      .sort(byName)
      .map(([name, bound]) => `${name} ${boundText(bound)}`)
      .join("; "),
  }));
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}

/** Of one name's bounds: what holds for all. A review stands for the rest, too. */
function widest(one: Bound | string | undefined, other: Bound | string): Bound | string {
  if (one === undefined || typeof other === "string") return other;
  if (typeof one === "string") return one;
  const least = one.least < other.least ? one.least : other.least;
  return { ...one, least, most: one.most > other.most ? one.most : other.most };
}

function boundText(bound: Bound | string): string {
  if (typeof bound === "string") return `(${bound})`;
  return `${powerText(bound.least)} to ${powerText(bound.most)}`;
}

/** Exact where short; else the power of two that is not below it in size. */
function powerText(value: bigint): string {
  const size = value < 0n ? -value : value;
  if (size < 1000n) return `${value}`;
  const bits = (size - 1n).toString(2).length;
  return `${value < 0n ? "-" : ""}2^${bits}`;
}
