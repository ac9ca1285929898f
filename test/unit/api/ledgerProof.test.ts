// Ledger proofs through a real node: of the newest seal whatever has happened since, and files of
// them that the command line checks without asking anybody.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { wordsHash } from "../../../sequencer/batch/publicInputs.ts";
import { hexOf } from "../../../sequencer/client/exchange.ts";
import {
  type LedgerProofAnswer,
  ledgerProofFaults,
  ledgerProofFromAnswer,
} from "../../../sequencer/client/ledgerProof.ts";
import { createAttester } from "../../../sequencer/l1/attestation.ts";
import { startCommandLine } from "../cli/commandLine.ts";
import { DOMAIN, PLACE } from "../roles/market.ts";
import { INFO, ROLLUP } from "./fakeService.ts";
import { type RpcFixture, startRpc } from "./rpcFixture.ts";

const METHOD = "straddle/get_ledger_proof";

async function proofBy({ post }: RpcFixture, account: number): Promise<LedgerProofAnswer> {
  const { result, error } = await post(METHOD, { account });
  assert.equal(error, undefined);
  return result as LedgerProofAnswer;
}

/** Checked against the root that the node's own list of batches has. */
async function assertHolds(rpc: RpcFixture, answer: LedgerProofAnswer): Promise<void> {
  const { result } = await rpc.post("straddle/get_batch_proof", { number: answer.batch_number });
  const root = BigInt((result as { root_after: string }).root_after);
  const { shape } = await rpc.world.sequencer.service.info();
  assert.deepEqual(ledgerProofFaults(ledgerProofFromAnswer(answer), { root, shape }), []);
}

test("an account is proven as of the newest seal, also while a batch is open", async (context) => {
  const rpc = await startRpc(context);
  const { world, maker, taker } = rpc;
  const first = await proofBy(rpc, maker.account);
  await assertHolds(rpc, first);
  assert.deepEqual([first.cash, first.owner], [1_000_000_000, hexOf(maker.owner)]);
  assert.ok(first.positions.every((lots) => lots === 0));
  await world.place(maker, { isSell: true, price: 500, lots: 10 });
  await world.place(taker, { price: 500, lots: 10 });
  const open = await proofBy(rpc, maker.account);
  assert.deepEqual(open, first, "the batch with the trade is not sealed yet");
  for (let count = 0; count < 5; count++) await world.step(1000);
  const after = await proofBy(rpc, maker.account);
  assert.ok(after.batch_number > first.batch_number);
  assert.equal(after.positions[0], -10);
  assert.equal(after.cash, 1_000_000_000 + 500 * 10 * 1000);
  await assertHolds(rpc, after);
  await assertHolds(rpc, first);
  await world.finish();
  const anchored = await proofBy(rpc, maker.account);
  assert.equal(anchored.stage, "anchored");
  assert.match(anchored.transaction ?? "", /^0x/);
  assert.deepEqual(rpc.misfits, []);
});

test("what was never used is proven to be empty; what cannot be is refused", async (context) => {
  const rpc = await startRpc(context);
  const empty = await proofBy(rpc, 200);
  assert.deepEqual([empty.owner, empty.cash], ["0x0", 0]);
  await assertHolds(rpc, empty);
  const beyond = await rpc.post(METHOD, { account: 256 });
  assert.equal(beyond.error?.message, "not_found");
  for (const account of [-1, 0.5, "3", undefined]) {
    assert.equal((await rpc.post(METHOD, { account })).error?.message, "invalid_params");
  }
});

test("a restarted node has the same proof before it seals anything", async (context) => {
  const rpc = await startRpc(context, {}, { checkpointEvery: 1 });
  const { world, maker, taker } = rpc;
  await world.place(maker, { ...PLACE, isSell: true });
  await world.place(taker, PLACE);
  await world.finish();
  const before = await world.sequencer.service.ledgerProof(maker.account);
  const again = await world.restart();
  const after = await again.sequencer.service.ledgerProof(maker.account);
  // How far the batch has come is what layer one says to the new process.
  const way = { stage: "", transaction: null };
  assert.deepEqual({ ...after, ...way }, { ...before, ...way });
  assert.ok(before !== null && before.positions[0] === -1);
});

/** A file as `straddle proof --out` writes it: of a real node, with attestations of three keys. */
async function proofFile(context: TestContext) {
  const rpc = await startRpc(context);
  const { world, maker } = rpc;
  await world.place(maker, PLACE);
  await world.finish();
  const ledger_proof = await proofBy(rpc, maker.account);
  const number = ledger_proof.batch_number;
  const { result } = await rpc.post("straddle/get_batch_proof", { number });
  const batch = result as { root_after: string; words: string[] };
  const deployment = { chainId: INFO.chainId, rollup: ROLLUP } as const;
  const content = {
    ...{ number, root: BigInt(batch.root_after), logHash: "ab".repeat(32) },
    wordsHash: wordsHash(batch.words.map(BigInt)),
  };
  const certificate = await Promise.all(
    [1, 2, 3].map(async (digit) => {
      const attester = createAttester(`0x${`${digit}`.repeat(64)}`, deployment);
      const { validator, root, signature } = await attester.attest(content);
      const hashes = { words_hash: content.wordsHash, log_hash: content.logHash };
      return { validator, root, ...hashes, signature };
    }),
  );
  return { ledger_proof, batch: { ...batch, certificate } };
}

test("`straddle verify` takes the file, and finds each change", async (context) => {
  const { run, folder } = await startCommandLine(context);
  const file = await proofFile(context);
  const { ledger_proof, batch } = file;
  const verify = (content: object, options = "") => {
    writeFileSync(path.join(folder, "proof.json"), JSON.stringify(content));
    return run(`verify proof.json --domain ${DOMAIN} ${options}`.trim());
  };
  const held = await verify(file);
  assert.equal(held.code, 0, held.err);
  assert.match(held.out, /account 3 at the end of batch \d+: 1000 USDC, none +holds/);
  assert.match(held.out, /proof +not checked: there is no key of it here[\s\S]*signed by +0x/);
  const validators = batch.certificate.map(({ validator }) => validator);
  assert.equal((await verify(file, `--validators ${validators.join(",")}`)).code, 0);
  const strangers = await verify(file, `--validators ${ROLLUP}`);
  assert.equal(strangers.code, 3);
  assert.match(strangers.out, /`0` of `1` validators are no certificate/);
  assert.equal((await verify({ ledger_proof }, `--root ${ledger_proof.root}`)).code, 0);
  for (const [content, options, pattern] of [
    [
      { ledger_proof: { ...ledger_proof, cash: ledger_proof.cash + 1 }, batch },
      "",
      /do not lead to/,
    ],
    [{ ledger_proof: { ...ledger_proof, root: "0x5" }, batch }, "", /not that of the batch/],
    [{ ledger_proof, batch: { ...batch, root_after: "0x5" } }, "", /`rootAfter` is not/],
    [{ ledger_proof: { ...ledger_proof, batch_number: 999 }, batch }, "", /another one/],
    [{ ledger_proof, batch: { ...batch, certificate: [] } }, "", /nobody has signed/],
    [{ ledger_proof }, "--root 0x5", /not that of the batch/],
    [{ ledger_proof: { ...ledger_proof, positions: [0] }, batch }, "", /no deployment's sizes/],
  ] as const) {
    const { code, out } = await verify(content, options);
    assert.equal(code, 3, String(pattern));
    assert.match(out, pattern);
  }
  const bare = await verify({ ledger_proof });
  assert.equal(bare.code, 2);
  assert.match(bare.err, /no batch is in the file: give the root with --root/);
  const bad = await verify({ ledger_proof }, "--root five");
  assert.equal(bad.code, 2);
  assert.match(bad.err, /--root must be 0x/);
});

test("`straddle proof` tells and keeps it", async (context) => {
  const { run, service } = await startCommandLine(context);
  const none = await run("proof --account 3");
  assert.equal(none.code, 1);
  assert.match(none.err, /ledger proof: `3`/);
  const rpc = await startRpc(context);
  const real = rpc.world.sequencer.service;
  service.ledgerProof = real.ledgerProof;
  service.batchProof = real.batchProof;
  const { code, out, err } = await run("proof --account 3 --out kept.json");
  assert.equal(code, 0, err);
  assert.match(out, /cash +1000 USDC[\s\S]*positions +none[\s\S]*own root +holds[\s\S]*kept\.json/);
  const root = (await real.ledgerProof(3))!.root;
  assert.equal((await run(`verify kept.json --root ${hexOf(root)}`)).code, 0);
  const wrong = await run("proof --account three");
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /--account must be the number of an account. Got `three`/);
});
