// Real proofs with the development keys of the tiny circuits: none holds for other public signals.
import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import { tamperedSignals } from "../../circuits/adversary/publicSignals.ts";
import { readR1cs } from "../../circuits/adversary/r1cs.ts";
import { type CircuitName, ensureKey } from "../../scripts/circuits.ts";
import { exitClaim } from "../../sequencer/batch/exitWitness.ts";
import { publicSignals } from "../../sequencer/batch/publicInputs.ts";
import { createRestoredLedger } from "../../sequencer/batch/restore.ts";
import type { CircuitInputs, ProofWords } from "../../sequencer/batch/sealedBatch.ts";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { createProver, type Groth16Prover } from "../../sequencer/prover/prover.ts";
import { fillingBatch, holdingMarket } from "../support/batches.ts";
import { withPublicInputs } from "../support/circuit.ts";
import { payingBatch } from "../support/ledgerBatches.ts";

const quiet = () => {};
const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const provers: Groth16Prover[] = [];
after(() => Promise.all(provers.map((prover) => prover.stop())));

async function assertBound(
  context: TestContext,
  circuit: CircuitName,
  inputs: CircuitInputs,
  signals: readonly bigint[],
): Promise<void> {
  const { r1csFile, wasmFile, zkeyFile, vkeyFile } = await ensureKey(circuit, "tiny");
  const keys = { [circuit]: { wasm: wasmFile, zkey: zkeyFile, vkey: vkeyFile } };
  const prover = createProver({ keys, singleThread: true, logger });
  provers.push(prover);
  const { proof } = await prover.prove(circuit, inputs);
  assert.ok(await prover.verify(circuit, signals, proof), "the honest proof must hold");
  const { publicSignals: count } = readR1cs(r1csFile);
  assert.equal(count.length, signals.length, "the circuit has the specified public signals");
  let refused = 0;
  for (const { what, signals: forged } of tamperedSignals(signals, R)) {
    assert.equal(await prover.verify(circuit, forged, proof), false, what);
    refused++;
  }
  for (const at of proof.keys()) {
    const bent = proof.with(at, proof[at]! + 1n) as unknown as ProofWords;
    assert.equal(await prover.verify(circuit, signals, bent), false, `proof word ${at}`);
  }
  context.diagnostic(`C5: ${circuit}: ${refused} tamperings of ${signals.length} signals refused`);
}

test("C5 a trade batch's proof holds for its own public signals only", async (context) => {
  const { batch } = fillingBatch();
  await assertBound(context, "trade", withPublicInputs(batch), publicSignals(batch.words));
});

test("C5 a ledger batch's proof holds for its own public signals only", async (context) => {
  const { batch } = payingBatch();
  await assertBound(context, "ledger", withPublicInputs(batch), publicSignals(batch.words));
});

test("C5 an exit's proof holds for its own public signals only", async (context) => {
  const market = holdingMarket();
  const ledger = createRestoredLedger(market.sizes.trade);
  for (const { words } of market.sealed) ledger.apply(words);
  const exit = exitClaim(ledger, 1, market.sizes.trade.unit);
  await assertBound(context, "exit", exit.inputs, exit.publicSignals);
});
