/** Names of wires (.sym). */
import { readFileSync } from "node:fs";

export interface Symbols {
  /** The wire of a signal by its full name; undefined where the compiler has removed it. */
  wireOf(name: string): number | undefined;
  /** All signals that a wire holds. */
  namesOf(wire: number): readonly string[];
  /** `a = b`: the names of a wire, or its number where it has none. */
  nameOf(wire: number): string;
  /** Every signal that has a wire: its number in the sources' order, its wire, its name. */
  readonly signals: readonly Signal[];
}

export interface Signal {
  readonly label: number;
  readonly wire: number;
  readonly name: string;
}

export function readSymbols(file: string): Symbols {
  const byName = new Map<string, number>();
  const byWire = new Map<number, string[]>();
  const signals: Signal[] = [];
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const [label, wireText, , name] = line.split(",");
    const wire = Number(wireText);
    // -1: the compiler has replaced the signal by a sum of others.
    if (name === undefined || wire < 0) continue;
    byName.set(name, wire);
    signals.push({ label: Number(label), wire, name });
    const known = byWire.get(wire);
    if (known === undefined) byWire.set(wire, [name]);
    else known.push(name);
  }
  const namesOf = (wire: number): readonly string[] => byWire.get(wire) ?? [];
  return {
    wireOf: (name) => byName.get(name),
    namesOf,
    nameOf: (wire) => namesOf(wire).join(" = ") || `wire ${wire}`,
    signals,
  };
}

/** A signal's name with its indices replaced: what stands once in the source. */
export function withoutIndices(name: string): string {
  return name.replaceAll(/\[\d+\]/g, "[]");
}
