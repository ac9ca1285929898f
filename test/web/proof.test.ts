// The terminal's own check of a batch: a real proof holds, and whatever is changed in it does not.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { runCircom } from "../../scripts/keys/circom.ts";
import { makeDevKey } from "../../scripts/keys/devKey.ts";
import { readKeyFile } from "../../scripts/keys/keyFile.ts";
import { publicInputs } from "../../sequencer/batch/publicInputs.ts";
import type { BatchFile } from "../../sequencer/client/batchWords.ts";
import { FIELD_MODULUS } from "../../sequencer/protocol/constants.ts";
import { BASE_FIELD_MODULUS } from "../../sequencer/prover/proofWords.ts";
import { createProver } from "../../sequencer/prover/prover.ts";
import { checkBatch } from "../../sequencer/web/proof/batch.ts";
import { isProofValid, type VerificationKey } from "../../sequencer/web/proof/groth16.ts";
import { QUIET } from "../support/provenBatches.ts";

// Public signals as the batches' circuits have them, which are too large for a test of every run.
const CIRCUIT = `pragma circom 2.2.0;
template Three() {
  signal input commitment;
  signal input gamma;
  signal input evaluation;
  signal product <== commitment * gamma;
}
component main {public [commitment, gamma, evaluation]} = Three();
`;
const DOMAIN = 77n;
const WORDS = [1n, 5n, 1_800_000_000_000n, 11n, 12n, 3n, DOMAIN, 4n, 9n, 1n, 2n];

const folder = mkdtempSync(path.join(tmpdir(), "straddle-proof-"));
let key: VerificationKey;
let proof: readonly bigint[];

const signals = (words: readonly bigint[]): bigint[] => {
  const { commitment, gamma, evaluation } = publicInputs(words);
  return [commitment, gamma, evaluation];
};

before(async () => {
  const main = path.join(folder, "three.circom");
  writeFileSync(main, CIRCUIT);
  const { wasmFile, r1csFile } = await runCircom(main, folder);
  const zkey = path.join(folder, "three.zkey");
  await makeDevKey({ r1csFile, zkeyFile: zkey });
  const vkey = path.join(folder, "three.vkey.json");
  writeFileSync(vkey, JSON.stringify(readKeyFile(zkey).vkey));
  key = readKeyFile(zkey).vkey as unknown as VerificationKey;
  const keys = { three: { wasm: wasmFile, zkey, vkey } };
  const prover = createProver({ keys, singleThread: true, logger: QUIET });
  const [commitment, gamma, evaluation] = signals(WORDS).map(String);
  proof = (await prover.prove("three", { commitment, gamma, evaluation } as never)).proof;
  await prover.stop();
});

after(() => rmSync(folder, { recursive: true, force: true }));

const hex = (value: bigint): `0x${string}` => `0x${value.toString(16)}`;

function batch(change: Partial<BatchFile> = {}): BatchFile {
  const [commitment] = signals(WORDS) as [bigint];
  return {
    ...{ number: 5, kind: "trade", root_before: hex(11n), root_after: hex(12n) },
    ...{ words: WORDS.map(hex), commitment: hex(commitment), proof: proof.map(hex) },
    certificate: [],
    ...change,
  };
}

/** Names of the checks that fail. */
function faults(given: BatchFile, before?: BatchFile): string[] {
  return checkBatch(given, key, { domain: DOMAIN, before })
    .filter(({ isGood }) => !isGood)
    .map(({ name }) => name);
}

test("a batch with its proof holds, alone and behind the one before it", () => {
  assert.deepEqual(faults(batch()), []);
  assert.deepEqual(faults(batch(), batch({ number: 4, root_after: hex(11n) })), []);
});

test("what does not belong together is named", () => {
  assert.deepEqual(faults(batch({ number: 6 })), ["Header"]);
  assert.deepEqual(faults(batch({ root_after: hex(13n) })), ["Header"]);
  assert.deepEqual(faults(batch({ kind: "ledger" })), ["Header"]);
  assert.deepEqual(faults(batch({ commitment: hex(1n) })), ["Commitment"]);
  assert.deepEqual(faults(batch({ proof: null })), ["Proof"]);
  assert.deepEqual(faults(batch(), batch({ number: 4, root_after: hex(10n) })), ["Continues"]);
  const words = WORDS.with(6, 78n).map(hex);
  assert.deepEqual(faults(batch({ words })), ["Deployment", "Commitment", "Proof"]);
  assert.throws(() => faults(batch({ words: [] })), /at least `9` words/);
  // The public inputs are of the words, whatever the node says that they are.
  const moved = batch({ words: WORDS.with(10, 3n).map(hex) });
  assert.deepEqual(faults(moved), ["Commitment", "Proof"]);
  const [commitment] = signals(WORDS.with(10, 3n)) as [bigint];
  assert.deepEqual(faults({ ...moved, commitment: hex(commitment) }), ["Proof"]);
});

test("each word of a proof counts, in one spelling only", () => {
  const given = signals(WORDS);
  assert.equal(isProofValid(key, given, proof), true);
  for (const [place, word] of proof.entries()) {
    assert.equal(isProofValid(key, given, proof.with(place, word + 1n)), false, `${place}`);
    assert.equal(isProofValid(key, given, proof.with(place, word + BASE_FIELD_MODULUS)), false);
  }
  const negated = proof.with(1, BASE_FIELD_MODULUS - proof[1]!);
  assert.equal(isProofValid(key, given, negated), false);
  assert.equal(isProofValid(key, given, proof.slice(0, 7)), false);
  for (const [place, signal] of given.entries()) {
    assert.equal(isProofValid(key, given.with(place, signal ^ 1n), proof), false);
    assert.equal(isProofValid(key, given.with(place, signal + FIELD_MODULUS), proof), false);
  }
  assert.equal(isProofValid(key, given.slice(0, 2), proof), false);
  assert.equal(isProofValid({ ...key, curve: "bls12381" }, given, proof), false);
});
