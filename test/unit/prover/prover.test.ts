import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type Groth16Proof, groth16 } from "snarkjs";
import { runCircom } from "../../../scripts/keys/circom.ts";
import { makeDevKey } from "../../../scripts/keys/devKey.ts";
import { readKeyFile } from "../../../scripts/keys/keyFile.ts";
import type { ProofWords } from "../../../sequencer/batch/sealedBatch.ts";
import { FIELD_MODULUS } from "../../../sequencer/protocol/constants.ts";
import {
  BASE_FIELD_MODULUS,
  proofToWords,
  wordsToProof,
} from "../../../sequencer/prover/proofWords.ts";
import {
  type CircuitKeys,
  createProver,
  ProverError,
  WitnessError,
} from "../../../sequencer/prover/prover.ts";

// The public signals have the names and the order of the real circuits'.
const SQUARE = `pragma circom 2.2.0;
template Square() {
  signal input commitment;
  signal input gamma;
  signal input evaluation;
  signal input roots[2];
  commitment === roots[0] * roots[0];
  gamma === roots[1] * roots[1];
  evaluation === commitment * gamma;
}
component main {public [commitment, gamma, evaluation]} = Square();
`;
const INPUTS = { commitment: "9", gamma: "25", evaluation: "225", roots: ["3", "5"] };
const SIGNALS = [9n, 25n, 225n];
const LOGGER = { debug() {}, info() {}, warn() {}, error() {} };

const folder = mkdtempSync(join(tmpdir(), "straddle-prover-"));
let keys: { square: CircuitKeys };
let prover: ReturnType<typeof createProver>;
let proof: ProofWords;

before(async () => {
  const main = join(folder, "square.circom");
  writeFileSync(main, SQUARE);
  const { wasmFile, r1csFile } = await runCircom(main, folder);
  const zkey = join(folder, "square.zkey");
  await makeDevKey({ r1csFile, zkeyFile: zkey });
  const vkey = join(folder, "square.vkey.json");
  writeFileSync(vkey, JSON.stringify(readKeyFile(zkey).vkey));
  keys = { square: { wasm: wasmFile, zkey, vkey } };
  prover = createProver({ keys, singleThread: true, logger: LOGGER });
  proof = (await prover.prove("square", INPUTS)).proof;
});

after(async () => {
  await prover.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("makes proofs that hold for their public signals and no others", async () => {
  const cases: readonly [signals: bigint[], words: readonly bigint[], holds: boolean][] = [
    [SIGNALS, proof, true],
    [[9n, 25n, 226n], proof, false],
    [[9n, 25n], proof, false],
    [[9n, 25n, 225n, 0n], proof, false],
    [[9n, 25n, 225n + FIELD_MODULUS], proof, false],
    [SIGNALS, proof.with(0, proof[0] + BASE_FIELD_MODULUS), false],
    [SIGNALS, proof.with(6, proof[6] + 1n), false],
    [SIGNALS, proof.slice(0, 7), false],
  ];
  for (const [signals, words, holds] of cases) {
    assert.equal(await prover.verify("square", signals, words as never), holds, `${signals}`);
  }
});

test("writes proofs in the order of Solidity's calldata", async () => {
  const json = wordsToProof(proof);
  const calldata = await groth16.exportSolidityCallData(json, SIGNALS.map(String));
  const words = [...calldata.matchAll(/0x[0-9a-f]{64}/g)].map(([word]) => BigInt(word));
  assert.deepEqual(words, [...proof, ...SIGNALS]);
  assert.deepEqual(proofToWords(json as Groth16Proof), proof);
});

test("says when inputs do not satisfy the circuit, and goes on", async () => {
  const wrong = { ...INPUTS, evaluation: "224" };
  await assert.rejects(prover.prove("square", wrong), WitnessError);
  const { roots: _, ...incomplete } = INPUTS;
  await assert.rejects(prover.prove("square", incomplete), WitnessError);
  await assert.rejects(prover.prove("circle", INPUTS), ProverError);
  assert.ok((await prover.prove("square", INPUTS)).seconds > 0);
});

test("does not begin a proof that nobody wants any more", async () => {
  const signal = AbortSignal.abort();
  await assert.rejects(prover.prove("square", INPUTS, signal), { name: "AbortError" });
});

test("lets the process end once it has stopped", async () => {
  const script = fileURLToPath(new URL("proveAndExit.ts", import.meta.url));
  const { wasm, zkey, vkey } = keys.square;
  const args = [script, wasm, zkey, vkey, JSON.stringify(INPUTS)];
  const child = spawn(process.execPath, args, { stdio: "inherit", timeout: 20_000 });
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
});
