// What is compared in whole circuits, and where it is bounded; what the compiler finds strange.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { comparisonsOf } from "../../circuits/adversary/ranges.ts";
import { withoutIndices } from "../../circuits/adversary/symbols.ts";
import { ROOT } from "../../scripts/keys/circom.ts";
import { rangeTable } from "../../scripts/rangeTable.ts";
import { INSPECTED, inspectCircuit, rangesOf } from "../support/inspectedCircuit.ts";
import { isReviewedWarning } from "../support/reviewedWarnings.ts";

test("C6 what is compared is bounded elsewhere, or reviewed", async (context) => {
  for (const name of INSPECTED) {
    const circuit = await inspectCircuit(name);
    const { comparisons, checks } = comparisonsOf(circuit.r1cs);
    assert.ok(checks.length > 0, "range checks must be seen");
    assert.deepEqual(rangesOf(name, circuit).unbounded, []);
    const operands = comparisons.flatMap((comparison) => comparison.operands);
    const reviewed = operands.filter(({ bound }) => bound === undefined);
    context.diagnostic(
      `C6: ${name}: ${comparisons.length} comparisons, ${operands.length} operands, ` +
        `${reviewed.length} reviewed, ${checks.length} range checks`,
    );
  }
});

test("C6 the committed table of ranges is that of the circuits", async () => {
  const committed = readFileSync(join(ROOT, "circuits", "RANGES.md"), "utf8");
  assert.equal(committed, await rangeTable(), "run node scripts/rangeTable.ts");
});

test("C6 the compiler's own inspection has nothing that was not reviewed", async (context) => {
  for (const name of INSPECTED) {
    const { output } = await inspectCircuit(name);
    const plain = output.replaceAll(/\s+/g, " ");
    const warnings = plain.matchAll(
      /warning\[CA\d+\]: (In template .*?)(?= warning\[| template inst|$)/g,
    );
    const different = new Set([...warnings].map(([, text]) => withoutIndices(text!.trim())));
    assert.deepEqual(
      [...different].filter((text) => !isReviewedWarning(text)),
      [],
    );
    context.diagnostic(`C6: ${name}: ${different.size} different warnings, all reviewed`);
  }
});
