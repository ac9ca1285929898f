// Real proofs with the development keys of the tiny circuits: none holds for other public signals.
import assert from "node:assert/strict";
import { after, test } from "node:test";
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
  circuit: CircuitName,
  inputs: CircuitInputs,
  signals: readonly bigint[],
): Promise<void> {
  const { wasmFile, zkeyFile, vkeyFile } = await ensureKey(circuit, "tiny");
  const keys = { [circuit]: { wasm: wasmFile, zkey: zkeyFile, vkey: vkeyFile } };
  const prover = createProver({ keys, singleThread: true, logger });
  provers.push(prover);
  const { proof } = await prover.prove(circuit, inputs);
  assert.ok(await prover.verify(circuit, signals, proof), "the honest proof must hold");
  for (const [at, signal] of signals.entries()) {
    for (const cheat of [(signal + 1n) % R, signal + R, signal - R, 0n]) {
      if (cheat === signal) continue;
      const isTaken = await prover.verify(circuit, signals.with(at, cheat), proof);
      assert.equal(isTaken, false, `signal ${at} as ${cheat}`);
    }
  }
  assert.equal(await prover.verify(circuit, signals.slice(1), proof), false, "a signal less");
  assert.equal(await prover.verify(circuit, [...signals, 0n], proof), false, "a signal more");
  for (const at of proof.keys()) {
    const bent = proof.with(at, proof[at]! + 1n) as unknown as ProofWords;
    assert.equal(await prover.verify(circuit, signals, bent), false, `proof word ${at}`);
  }
}

test("a trade batch's proof holds for its own public signals only", async () => {
  const { batch } = fillingBatch();
  await assertBound("trade", withPublicInputs(batch), publicSignals(batch.words));
});

test("a ledger batch's proof holds for its own public signals only", async () => {
  const { batch } = payingBatch();
  await assertBound("ledger", withPublicInputs(batch), publicSignals(batch.words));
});

test("an exit's proof holds for its own public signals only", async () => {
  const market = holdingMarket();
  const ledger = createRestoredLedger(market.sizes.trade);
  for (const { words } of market.sealed) ledger.apply(words);
  const exit = exitClaim(ledger, 1, market.sizes.trade.unit);
  await assertBound("exit", exit.inputs, exit.publicSignals);
});
