/**
 * Writes circuits/templates.json: constraints of every template after full simplification, with the
 * sizes that its tests use. A change of a circuit so shows where it costs, template by template;
 * test/circuits/adversary.test.ts compares.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import { readCircuitCases } from "../test/support/circuitCases.ts";
import { loadTemplate } from "../test/support/circuitTargets.ts";

const FILE = path.join(import.meta.dirname, "..", "circuits", "templates.json");

const counts: [string, number][] = [];
for (const { source } of readCircuitCases()) {
  const { r1cs } = await loadTemplate(source);
  counts.push([source.main, r1cs.constraints.length]);
  console.error(`${source.main}: ${r1cs.constraints.length.toLocaleString("en")}`);
}
counts.sort(([one], [other]) => (one < other ? -1 : 1));
writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(counts), null, 2)}\n`);
