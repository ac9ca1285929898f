// The size of each tiny circuit is pinned: a change of it is either meant or a lost constraint.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { CIRCUIT_NAMES, type CircuitName, countConstraints } from "../../scripts/circuits.ts";

interface Size {
  readonly constraints: number;
  readonly publicInputs: number;
}

const file = "circuits/constraints.json";
const path = fileURLToPath(new URL(`../../${file}`, import.meta.url));
const pinned = JSON.parse(readFileSync(path, "utf8")) as Record<CircuitName, { tiny: Size }>;

for (const circuit of CIRCUIT_NAMES) {
  test(`the tiny ${circuit} circuit has the size that ${file} says`, async () => {
    const { constraints, publicInputs } = await countConstraints(circuit, "tiny");
    const known = pinned[circuit].tiny;
    const change = constraints - known.constraints;
    const told =
      `${circuit} has ${constraints} constraints and ${publicInputs} public inputs; ${file} says ` +
      `${known.constraints} and ${known.publicInputs} (${change > 0 ? "+" : ""}${change}). ` +
      "If you meant it, change that file; if not, look for a constraint that is gone.";
    assert.deepEqual({ constraints, publicInputs }, known, told);
  });
}

test("trade and ledger fit a domain of 2^17, public inputs included", async () => {
  for (const circuit of ["trade", "ledger"] as const) {
    const { constraints, publicInputs } = await countConstraints(circuit, "tiny");
    assert.ok(constraints + publicInputs <= 131_072, `${circuit}: ${constraints}`);
  }
});
