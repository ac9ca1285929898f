// Attestations as a certificate: which signatures go to layer one, in which order, and when none.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Hex } from "viem";
import { generatePrivateKey } from "viem/accounts";
import { wordsHash } from "../../../sequencer/batch/publicInputs.ts";
import { type Attester, createAttester } from "../../../sequencer/l1/attestation.ts";
import { encodeCertificate } from "../../../sequencer/l1/certificate.ts";
import { createSettlementLayer } from "../../../sequencer/l1/settlementLayer.ts";
import { silent } from "../roles/ports.ts";
import { CHAIN_ID, operator, PROOF, startRollupNode, tradeBatch } from "./rollupNode.ts";

const LOG = "ab".repeat(32);
const OTHER_LOG = "cd".repeat(32);
const keys = Array.from({ length: 4 }, generatePrivateKey);
const nowhere = { chainId: CHAIN_ID, rollup: `0x${"11".repeat(20)}` } as const;
const attesters = keys.map((key) => createAttester(key, nowhere));
const members = attesters.map(({ address }) => address);
const batch = { number: 3, rootAfter: 77n, words: [1n, 2n, 3n] };
const WORDS = wordsHash(batch.words);

const word = (attester: Attester, change: object = {}) =>
  attester.attest({ number: 3, root: 77n, wordsHash: WORDS, logHash: LOG, ...change });

test("bitmap, log hash, then signatures in the members' order", async () => {
  const [first, , third] = await Promise.all(attesters.map((attester) => word(attester)));
  const certificate = encodeCertificate(members, batch, [third!, first!]);
  const signatures = [first!, third!].map(({ signature }) => signature.slice(2));
  assert.equal(certificate, `0x0005${LOG}${signatures.join("")}`);
});

test("what does not fit the batch, the members or the majority's log stays out", async () => {
  const [a, b, c, d] = attesters as [Attester, Attester, Attester, Attester];
  const stranger = createAttester(generatePrivateKey(), nowhere);
  const good = [await word(b), await word(d)];
  const bad = await Promise.all([
    word(a, { number: 2 }),
    word(a, { root: 78n }),
    word(c, { wordsHash: wordsHash([1n, 2n, 4n]) }),
    word(c, { logHash: OTHER_LOG }),
    word(stranger),
  ]);
  const expected = encodeCertificate(members, batch, good);
  assert.equal(encodeCertificate(members, batch, [...bad, ...good]), expected);
  assert.equal(encodeCertificate(members, batch, [...good, good[0]!]), expected);
  assert.equal(encodeCertificate(members, batch, bad.slice(0, 2)), "0x");
  assert.equal(encodeCertificate([], batch, good), "0x");
});

test("a batch is anchored with its signatures, and refused without", async (context) => {
  const node = await startRollupNode({ signers: members });
  context.after(() => node.stop());
  const layer = createSettlementLayer({
    ...{ rpcUrl: node.rpcUrl, rollup: node.rollup, account: operator, logger: silent },
    ...{ confirmations: 0, pollMs: 10 },
  });
  const domain = { chainId: CHAIN_ID, rollup: node.rollup };
  const sealed = await tradeBatch(node, 1);
  const hashes = { wordsHash: wordsHash(sealed.words), logHash: LOG };
  const content = { number: 1, root: sealed.rootAfter, ...hashes };
  const words = await Promise.all(keys.map((key) => createAttester(key, domain).attest(content)));
  await assert.rejects(layer.submitBatch(sealed, PROOF), /CertificateMissing/);
  await assert.rejects(layer.submitBatch(sealed, PROOF, words.slice(2)), /CertificateMissing/);
  const anchored = await layer.submitBatch(sealed, PROOF, [words[3]!, words[0]!, words[2]!]);
  assert.deepEqual([anchored.number, anchored.root], [1, sealed.rootAfter]);
});

test("signatures that do not fit make no quorum: none go", async (context) => {
  const node = await startRollupNode({ signers: members });
  context.after(() => node.stop());
  const layer = createSettlementLayer({
    ...{ rpcUrl: node.rpcUrl, rollup: node.rollup, account: operator, logger: silent },
    ...{ confirmations: 0, pollMs: 10 },
  });
  const domain = { chainId: CHAIN_ID, rollup: node.rollup };
  const sealed = await tradeBatch(node, 1);
  const hashes = { wordsHash: wordsHash(sealed.words), logHash: LOG };
  const content = { number: 1, root: sealed.rootAfter, ...hashes };
  const [a, b, c] = keys.map((key) => createAttester(key, domain)) as [
    Attester,
    Attester,
    Attester,
  ];
  const words = await Promise.all([
    a.attest(content),
    b.attest(content),
    c.attest({ ...content, logHash: OTHER_LOG }),
  ]);
  await assert.rejects(layer.submitBatch(sealed, PROOF, words), /CertificateMissing/);
  await node.test.increaseTime({ seconds: 86_401 });
  await node.test.mine({ blocks: 1 });
  assert.equal((await layer.submitBatch(sealed, PROOF, words)).number, 1);
});

test("the validators are those of the registry at the newest confirmed block", async (context) => {
  const node = await startRollupNode({ signers: members });
  context.after(() => node.stop());
  const connect = (confirmations: number) =>
    createSettlementLayer({
      ...{ rpcUrl: node.rpcUrl, rollup: node.rollup, logger: silent, confirmations },
    });
  assert.deepEqual(await connect(0).validators(), { members, quorum: 3 });
  // The last one bonded in the newest block; four blocks ago nobody had.
  assert.deepEqual(await connect(1).validators(), { members: members.slice(0, 3), quorum: 2 });
  assert.equal(await connect(4).validators(), undefined);
  const layer = connect(1);
  await layer.validators();
  await node.test.mine({ blocks: 1 });
  await layer.anchored();
  assert.deepEqual(await layer.validators(), { members, quorum: 3 });
});

test("a stuck batch is replaced with the signatures that it had", async (context) => {
  const node = await startRollupNode({ signers: members });
  context.after(() => node.stop());
  const layer = createSettlementLayer({
    ...{ rpcUrl: node.rpcUrl, rollup: node.rollup, account: operator, logger: silent },
    ...{ confirmations: 0, pollMs: 10, replaceMs: 100 },
  });
  const domain = { chainId: CHAIN_ID, rollup: node.rollup };
  const sealed = await tradeBatch(node, 1);
  const hashes = { wordsHash: wordsHash(sealed.words), logHash: LOG };
  const content = { number: 1, root: sealed.rootAfter, ...hashes };
  const words = await Promise.all(keys.map((key) => createAttester(key, domain).attest(content)));
  await node.test.setAutomine(false);
  const anchoring = layer.submitBatch(sealed, PROOF, words);
  while (layer.report().replacements === 0) await sleep(20);
  await node.test.setAutomine(true);
  await node.test.mine({ blocks: 1 });
  const { transaction } = await anchoring;
  const { input } = await node.test.getTransaction({ hash: transaction as Hex });
  assert.ok(input.includes(encodeCertificate(members, sealed, words).slice(2)));
});
