// What is compared in whole circuits, and where it is bounded; what the compiler finds strange.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { compile } from "../../circuits/adversary/compile.ts";
import { copySources } from "../../circuits/adversary/instrument.ts";
import { readR1cs } from "../../circuits/adversary/r1cs.ts";
import { comparisonsOf } from "../../circuits/adversary/ranges.ts";
import { readSymbols, withoutIndices } from "../../circuits/adversary/symbols.ts";
import { type CircuitName, compileCircuit } from "../../scripts/circuits.ts";
import { ROOT } from "../../scripts/keys/circom.ts";
import { sha256OfFile } from "../../scripts/keys/fileHash.ts";
import { isReviewedOperand, isReviewedWarning } from "../support/reviewedWarnings.ts";

/** Of trade and ledger neither the ranges nor all warnings have been reviewed yet. */
const names: readonly CircuitName[] = ["exit"];

/** Compiles a circuit without substituting sums, and keeps what the compiler said. */
async function compiled(name: CircuitName) {
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
    r1cs: readR1cs(join(folder, "main.r1cs")),
    nameOf: (wire: number) => withoutIndices(namesOf(wire)[0] ?? `wire ${wire}`),
    output: readFileSync(outputFile, "utf8"),
  };
}

test("C6 what is compared is bounded elsewhere, or reviewed", async (context) => {
  for (const name of names) {
    const { r1cs, nameOf } = await compiled(name);
    const { comparisons, checks } = comparisonsOf(r1cs);
    assert.ok(checks.length > 0, "range checks must be seen");
    const operands = comparisons.flatMap((comparison) => comparison.operands);
    const unbounded = comparisons.flatMap(({ wire, operands: compared }) =>
      compared
        .filter(({ bound }) => bound === undefined)
        .map((operand) => `${name}: ${nameOf(operand.wire)} in ${nameOf(wire)}`),
    );
    const unreviewed = [...new Set(unbounded)].filter((each) => !isReviewedOperand(each));
    assert.deepEqual(unreviewed, []);
    context.diagnostic(
      `C6: ${name}: ${comparisons.length} comparisons, ${operands.length} operands, ` +
        `${unbounded.length} reviewed, ${checks.length} range checks`,
    );
  }
});

test("C6 the compiler's own inspection has nothing that was not reviewed", async (context) => {
  for (const name of names) {
    const { output } = await compiled(name);
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
