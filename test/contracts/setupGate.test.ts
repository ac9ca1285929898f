// A6 and C9 on chain, with real keys of a small circuit: a key without contribution is forged and
// kept out; the verifier of a sound key takes nothing but its own proofs, each for one batch.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { groth16, zKey } from "snarkjs";
import { type Abi, type Address, decodeFunctionResult, encodeFunctionData, type Hex } from "viem";
import { contribute, setup } from "../../scripts/keys/ceremony.ts";
import { forgeProof, type ProofJson } from "../../scripts/keys/checkKey.ts";
import type { CircuitFiles } from "../../scripts/keys/circom.ts";
import { exportSolidityVerifier, renderVerifier } from "../../scripts/keys/exportVerifier.ts";
import { readKeyFile } from "../../scripts/keys/keyFile.ts";
import { stopSnarkjs } from "../../scripts/keys/snarkjsThreads.ts";
import { compileContract } from "../../scripts/keys/solidity.ts";
import { FIELD_MODULUS } from "../../sequencer/protocol/constants.ts";
import { compileToy, prepareToyPowers, THREE_INPUTS } from "../support/toySetup.ts";
import {
  chain,
  deployRollup,
  networkHelpers,
  publicClient,
  publicSignals,
  refused,
  tradeBatch,
  viem,
} from "./rollupChain.ts";

const BASE_FIELD = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
const MANGLED = 10_000;
const HASHES = { r1csHash: "11".repeat(32), setupHash: "22".repeat(32) };

const folder = mkdtempSync(join(tmpdir(), "straddle-gate-"));
const at = (name: string): string => join(folder, name);

interface Verifier {
  readonly address: Address;
  readonly abi: Abi;
}

type Words = readonly bigint[];
let files: CircuitFiles;
let forgeable: Verifier;
let sound: Verifier;

async function deployVerifier(name: string, source: string): Promise<Verifier> {
  const { abi, bytecode } = compileContract(`project/${name}.sol`, name, source);
  const [client] = await viem.getWalletClients();
  const hash = await client!.deployContract({ abi, bytecode, args: [] });
  const { contractAddress } = await publicClient.waitForTransactionReceipt({ hash });
  return { address: contractAddress!, abi };
}

before(async () => {
  files = await compileToy(folder, "three", THREE_INPUTS);
  await prepareToyPowers(folder, at("toy.ptau"));
  await setup(files.r1csFile, at("toy.ptau"), at("none.zkey"));
  await contribute({ from: at("none.zkey"), out: at("one.zkey"), name: "alice" }, "entropy");
  const request = { header: ["A test."], ...HASHES };
  const none = { ...request, zkeyFile: at("none.zkey"), contractName: "NoneVerifier" };
  const one = { ...request, zkeyFile: at("one.zkey"), contractName: "OneVerifier" };
  await assert.rejects(exportSolidityVerifier(none), /gamma equals its delta/);
  forgeable = await deployVerifier("NoneVerifier", await renderVerifier(none));
  sound = await deployVerifier("OneVerifier", await exportSolidityVerifier(one));
});

/** Eight words in the contracts' order: the imaginary part of a coordinate comes first. */
function proofWords(proof: ProofJson): bigint[] {
  const [a, b, c] = [proof.pi_a, proof.pi_b, proof.pi_c];
  const words = [a[0], a[1], b[0]![1], b[0]![0], b[1]![1], b[1]![0], c[0], c[1]];
  return words.map((word) => BigInt(word!));
}

async function accepts({ address, abi }: Verifier, proof: Words, signals: Words) {
  const [ax, ay, bx1, bx0, by1, by0, cx, cy] = proof;
  const points = [[ax, ay], [[bx1, bx0], [by1, by0]], [cx, cy]]; // biome-ignore format: points
  const args = [...points, signals];
  const call = { abi, functionName: "verifyProof" } as const;
  const data = encodeFunctionData({ ...call, args });
  const params = [{ to: address, data }, "latest"];
  const result = (await chain.provider.request({ method: "eth_call", params })) as Hex;
  return decodeFunctionResult({ ...call, data: result }) as boolean;
}

async function prove(signals: Words): Promise<bigint[]> {
  const [commitment, gamma, evaluation] = signals.map(String);
  const inputs = { commitment: commitment!, gamma: gamma!, evaluation: evaluation!, secret: "7" };
  const { proof } = await groth16.fullProve(inputs, files.wasmFile, at("one.zkey"));
  return proofWords(proof as unknown as ProofJson);
}

test("A6 without contribution anybody proves anything, and the gate refuses the key", async () => {
  const { vkey } = readKeyFile(at("none.zkey"));
  const signals = [123n, 456n, FIELD_MODULUS - 1n];
  const forged = proofWords(forgeProof(vkey, signals));
  assert.equal(await accepts(forgeable, forged, signals), true, "the loss that the gate prevents");
  // snarkjs finds nothing wrong with the key.
  assert.equal(await zKey.verifyFromR1cs(files.r1csFile, at("toy.ptau"), at("none.zkey")), true);
  for (const place of ["tradeVerifier", "ledgerVerifier", "exitVerifier"]) {
    const born = deployRollup({ [place]: forgeable.address });
    await assert.rejects(born, new RegExp(`VerifierKeyForgeable.*${forgeable.address}`, "is"));
  }
  await deployRollup({ tradeVerifier: sound.address });
});

test("A6 the same forgery fails against a key with one contribution", async () => {
  const { vkey } = readKeyFile(at("one.zkey"));
  for (const signals of [
    [0n, 0n, 0n],
    [1n, 2n, 3n],
    [FIELD_MODULUS - 1n, 5n, 9n],
  ]) {
    const forged = proofWords(forgeProof(vkey, signals));
    assert.equal(await accepts(sound, forged, signals), false);
  }
});

test("C9 a verifier takes no input at or above the modulus", async () => {
  const signals = [5n, 6n, 7n];
  const proof = await prove(signals);
  assert.equal(await accepts(sound, proof, signals), true);
  for (let at = 0; at < 3; at++) {
    const value = signals[at]!;
    const most = ((1n << 256n) - 1n - value) / FIELD_MODULUS;
    for (let times = 1n; times <= most; times++) {
      const raised = signals.with(at, value + times * FIELD_MODULUS);
      assert.equal(await accepts(sound, proof, raised), false, `signal ${at} + ${times} r`);
    }
    assert.equal(await accepts(sound, proof, signals.with(at, value + 1n)), false);
  }
  for (let at = 0; at < 8; at++) {
    const raised = proof.with(at, proof[at]! + BASE_FIELD);
    assert.equal(await accepts(sound, raised, signals), false, `coordinate ${at} + q`);
  }
});

test("C9 no mangled proof is taken", async (context) => {
  const signals = [11n, 12n, 13n];
  const proof = await prove(signals);
  let state = 1;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let round = 0; round < MANGLED; round++) {
    const place = random(8);
    const bit = 1n << BigInt(random(256));
    const mangled = proof.with(place, proof[place]! ^ bit);
    assert.equal(await accepts(sound, mangled, signals), false, `${place} ^ ${bit}`);
  }
  const swapped = [...proof.slice(6), ...proof.slice(2, 6), ...proof.slice(0, 2)];
  const realFirst = [proof[0]!, proof[1]!, proof[3]!, proof[2]!, proof[5]!, proof[4]!];
  const others = [swapped, [...realFirst, ...proof.slice(6)], new Array<bigint>(8).fill(0n)];
  for (const other of others) assert.equal(await accepts(sound, other, signals), false);
  context.diagnostic(`C9: ${MANGLED} of a ceremony's key, all refused`);
});

test("C9 a proof turned round verifies again, and settles no batch again", async () => {
  const world = await deployRollup({ tradeVerifier: sound.address });
  const words = await tradeBatch(world);
  const { signals } = publicSignals(words, 9n);
  const proof = await prove(signals);
  const negative = (value: bigint) => BASE_FIELD - value;
  const turned = [
    ...[proof[0]!, negative(proof[1]!)],
    ...[proof[2]!, proof[3]!, negative(proof[4]!), negative(proof[5]!)],
    ...proof.slice(6),
  ];
  assert.equal(await accepts(sound, turned, signals), true, "Groth16 proofs are malleable");
  type Proof = Parameters<typeof world.rollup.write.submitBatch>[0][2];
  const submit = (given: Words) =>
    world.rollup.write.submitBatch([words, 9n, given as unknown as Proof, "0x"]);
  await refused(world, submit(proof.with(0, 1n)), "BatchProofInvalid", [...signals]);
  await submit(proof);
  await networkHelpers.mine();
  await refused(world, submit(turned), "BatchNumberUnequal", [1n, 2n]);
  await refused(world, submit(proof), "BatchNumberUnequal", [1n, 2n]);
  assert.equal(await world.rollup.read.batchCount(), 1n);
});

after(async () => {
  await stopSnarkjs();
  rmSync(folder, { recursive: true, force: true });
});
