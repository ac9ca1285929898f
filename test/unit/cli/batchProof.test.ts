// `straddle verify` of a batch: its Groth16 proof by snarkjs, and all of it against a rollup with
// the real verifiers. The proofs are forged with the published secrets of the development keys:
// they hold, as those of a prover do, and cost no proving.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { ensureKey } from "../../../scripts/circuits.ts";
import { forgeDevProof } from "../../../scripts/keys/forgeDevProof.ts";
import { publicSignals, wordsHash } from "../../../sequencer/batch/publicInputs.ts";
import type { BatchFile } from "../../../sequencer/client/batchWords.ts";
import { hexOf } from "../../../sequencer/client/exchange.ts";
import { createAttester } from "../../../sequencer/l1/attestation.ts";
import { HEADER, type HeaderField } from "../../../sequencer/protocol/layout.ts";
import { BASE_FIELD_MODULUS } from "../../../sequencer/prover/proofWords.ts";
import { tradeBatch, viem } from "../../contracts/rollupChain.ts";
import { startOwnerLine } from "./ownerLine.ts";

const VERIFIERS = path.join(import.meta.dirname, "../../../contracts/generated/verifiers");
const TRADE = "InsecureDevTradeTinyVerifier";
const source = readFileSync(path.join(VERIFIERS, `${TRADE}.sol`), "utf8");
const tradeKey = (await ensureKey("trade", "tiny")).vkeyFile;
const ledgerKey = (await ensureKey("ledger", "tiny")).vkeyFile;

const proofOf = (words: readonly bigint[]) => forgeDevProof(source, publicSignals(words));

function fileOf(words: readonly bigint[], change: Partial<BatchFile> = {}): BatchFile {
  const field = (name: HeaderField) => words[HEADER.indexOf(name)]!;
  return {
    ...{ number: Number(field("number")), kind: "trade" },
    ...{ root_before: hexOf(field("rootBefore")), root_after: hexOf(field("rootAfter")) },
    ...{ words: words.map(hexOf), commitment: hexOf(publicSignals(words)[0]!) },
    ...{ proof: proofOf(words).map(hexOf), certificate: [] },
    ...change,
  };
}

interface Verdict {
  readonly holds: boolean;
  readonly faults: readonly string[];
  readonly proof: string;
  readonly key: string | null;
  readonly against: readonly string[];
}

/** Two batches, the first anchored by the real contract; files to check and a way to check them. */
async function startVerifying(context: TestContext) {
  const tradeVerifier = (await viem.deployContract(TRADE)).address;
  const ledgerVerifier = (await viem.deployContract("InsecureDevLedgerTinyVerifier")).address;
  const line = await startOwnerLine(context, { tradeVerifier, ledgerVerifier });
  const first = await tradeBatch(line.it);
  const [commitment] = publicSignals(first);
  await line.it.rollup.write.submitBatch([first, commitment!, proofOf(first), "0x"]);
  const second = await tradeBatch(line.it);
  const folder = mkdtempSync(path.join(tmpdir(), "straddle-verify-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const config = path.join(folder, "config.json");
  const name = (extra: object) => {
    const current = { rollup: line.rollup, chainId: 31_337, block: 0, ...extra };
    writeFileSync(config, JSON.stringify({ current }));
  };
  name({});
  const run = (file: unknown, flags = `--trade-vkey ${tradeKey}`) => {
    const target = path.join(folder, "batch.json");
    writeFileSync(target, JSON.stringify(file));
    return line.runPlain(`--config ${config} --rpc ${line.rpc} verify ${target} ${flags}`.trim());
  };
  const verdict = async (file: unknown, flags = `--trade-vkey ${tradeKey}`) => {
    const { code, out, err } = await run(file, `--json ${flags}`);
    assert.equal(err, "");
    const [only] = (JSON.parse(out) as { verdicts: Verdict[] }).verdicts;
    assert.equal(code, only?.holds === true ? 0 : 3);
    return only!;
  };
  return { first, second, line, run, verdict, name };
}

async function certificateOf(words: readonly bigint[], rollup: `0x${string}`) {
  const root = words[HEADER.indexOf("rootAfter")]!;
  const logHash = "ab".repeat(32);
  const certificate = [];
  for (const digit of [1, 2, 3]) {
    const deployment = { chainId: 31_337, rollup };
    const attester = createAttester(`0x${`${digit}`.repeat(64)}`, deployment);
    const said = { number: 1, root, wordsHash: wordsHash(words), logHash };
    const { validator, signature } = await attester.attest(said);
    const hashes = { words_hash: said.wordsHash, log_hash: logHash };
    certificate.push({ validator, root: hexOf(root), ...hashes, signature });
  }
  return certificate;
}

test("a batch's proof holds, and the answer says against what", async (context) => {
  const { first, line, run, verdict } = await startVerifying(context);
  const alone = await run(fileOf(first));
  assert.deepEqual([alone.code, alone.err], [0, ""]);
  assert.match(alone.out, /^batch 1 +holds\nproof +holds, by snarkjs and the key .*vkey\.json\n/);
  assert.match(alone.out, /signed by +nobody\nroot against +nothing: nobody but the file says so/);
  const certificate = await certificateOf(first, line.rollup);
  const signed = fileOf(first, { certificate });
  assert.match((await run(signed)).out, /root against +signatures only: whose keys/);
  const members = certificate.map(({ validator }) => validator).join(",");
  const certified = `--trade-vkey ${tradeKey} --validators ${members}`;
  assert.match((await run(signed, certified)).out, /root against +a certificate: two thirds/);
  const anchored = await verdict(signed, `${certified} --layer-one`);
  assert.deepEqual(anchored.faults, []);
  assert.deepEqual([anchored.proof, anchored.key], ["holds", tradeKey]);
  assert.deepEqual(anchored.against, ["layer one", "certificate"]);
});

test("a tampered proof does not hold, whichever word of it", async (context) => {
  const { first, verdict } = await startVerifying(context);
  const proof = proofOf(first);
  const wrong = [
    ...proof.map((word, index) => proof.with(index, (word + 1n) % BASE_FIELD_MODULUS)),
    proof.with(1, BASE_FIELD_MODULUS - proof[1]),
    proof.with(0, proof[0] + BASE_FIELD_MODULUS),
    proof.slice(0, 7),
    [],
    proof.map(() => 0n),
  ];
  for (const words of wrong) {
    const { faults, proof: said } = await verdict(fileOf(first, { proof: words.map(hexOf) }));
    assert.deepEqual(faults, ["the Groth16 proof does not hold for these words"]);
    assert.equal(said, "fails");
  }
});

test("tampered public inputs do not hold, even with a commitment that fits", async (context) => {
  const { first, second, verdict } = await startVerifying(context);
  const honest = fileOf(first);
  const places = ["time", "snapshotTime", "privateRoot", "rootBefore", "rootAfter"] as const;
  for (const name of [...places, "oracleSet"] as const) {
    const index = HEADER.indexOf(name);
    const words = first.with(index, first[index]! + 1n);
    const { faults } = await verdict(fileOf(words, { proof: honest.proof }));
    assert.deepEqual(faults, ["the Groth16 proof does not hold for these words"], name);
  }
  const last = fileOf(first.with(-1, 7n), { proof: honest.proof });
  assert.equal((await verdict(last)).proof, "fails");
  // What is said beside the words has no part in it.
  const { faults, proof } = await verdict({ ...honest, commitment: hexOf(9n) });
  assert.deepEqual([faults, proof], [["the commitment is not of the words"], "holds"]);
  const moved = first.with(HEADER.indexOf("domain"), 77n);
  assert.deepEqual((await verdict(fileOf(moved))).faults, ["the words are of another deployment"]);
  const other = await verdict(fileOf(second, { proof: honest.proof }));
  assert.deepEqual(other.faults, ["the Groth16 proof does not hold for these words"]);
});

test("layer one has other batches, and other keys, than a file may say", async (context) => {
  const { first, second, verdict } = await startVerifying(context);
  const asked = `--layer-one --trade-vkey ${tradeKey}`;
  const later = await verdict(fileOf(second), asked);
  assert.match(later.faults.join(), /layer one has `1` batches, not yet batch `2`/);
  assert.deepEqual([later.proof, later.against], ["holds", []]);
  const root = first.with(HEADER.indexOf("rootAfter"), 99n);
  const wrong = await verdict(fileOf(root), asked);
  assert.deepEqual(wrong.faults, [
    "layer one has anchored another root",
    "layer one has anchored other words",
  ]);
  const words = first.with(HEADER.indexOf("privateRoot"), 99n);
  const changed = await verdict(fileOf(words), asked);
  assert.deepEqual(changed.faults, ["layer one has anchored other words"]);
  const misled = await verdict(fileOf(first), `--layer-one --trade-vkey ${ledgerKey}`);
  assert.match(
    misled.faults.join("\n"),
    /proof does not hold[\s\S]*the key is not that of the roll/,
  );
  assert.deepEqual(misled.against, ["layer one"], "root and words are the rollup's all the same");
});

test("a proof is not passed over in silence for want of a key", async (context) => {
  const { first, run, verdict, name } = await startVerifying(context);
  const lost = await run(fileOf(first), "");
  assert.equal(lost.code, 2);
  assert.match(lost.err, /no verification key of `trade`.*--trade-vkey.*--no-proof/);
  const left = await run(fileOf(first), "--no-proof");
  assert.equal(left.code, 0);
  assert.match(left.out, /proof +not checked: --no-proof/);
  assert.match(
    (await run(fileOf(first, { proof: null }), "")).out,
    /not checked: the file has none/,
  );
  assert.match((await run(fileOf(first), "--trade-vkey none.json")).err, /cannot be read/);
  assert.match(
    (await run(fileOf(first), `--trade-vkey ${import.meta.filename}`)).err,
    /no verific/,
  );
  name({ instance: "tiny" });
  const found = await verdict(fileOf(first), "");
  assert.equal(found.proof, "holds", "by the newest key of the deployment's sizes");
});
