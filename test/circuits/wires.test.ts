// Whole witnesses forged: every wire of a batch is a hint to a dishonest prover. Each is changed
// in place, and some constraint that holds it must fail.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CircuitName } from "../../scripts/circuits.ts";
import type { SealedBatch } from "../../sequencer/batch/sealedBatch.ts";
import { abortingBatch, fillingBatch, liquidatingBatch } from "../support/batches.ts";
import { loadCircuit, withPublicInputs } from "../support/circuit.ts";
import { deficitBatch, releaseBatch, takeoverBatch } from "../support/distressBatches.ts";
import { payingBatch, settlingBatch } from "../support/ledgerBatches.ts";
import { forgeries, loadConstraints } from "../support/r1cs.ts";

/** Free, and may be: the inverse in IsZero at 0; which reason a passed margin test exhibits. */
const FREE = [/\.inv$/, /\.(maker|taker|health|toBears)\.usesSum\[\d+\]$/];

async function assertNoForgery(
  circuit: CircuitName,
  batches: readonly SealedBatch[],
): Promise<void> {
  const loaded = await loadCircuit(circuit);
  const constraints = loadConstraints(loaded.r1csFile, loaded.symFile);
  for (const batch of batches) {
    const witness = loaded.witness(withPublicInputs(batch));
    assert.ok(constraints.satisfied(witness), "the honest witness must hold");
    const found = forgeries(constraints, witness).filter(
      ({ wire }) => !wire.split(" = ").some((name) => FREE.some((free) => free.test(name))),
    );
    assert.deepEqual(found, []);
  }
}

test("no wire of a trade batch can be forged", async () => {
  const batches = [fillingBatch(), abortingBatch(), liquidatingBatch()].map(({ batch }) => batch);
  await assertNoForgery("trade", batches);
});

test("no wire of a ledger batch can be forged", async () => {
  const calm = [payingBatch(), settlingBatch()];
  const distress = [takeoverBatch(), deficitBatch(), releaseBatch()];
  const batches = [...calm, ...distress].map(({ batch }) => batch);
  await assertNoForgery("ledger", batches);
});
