// Validators: stakes, certificates on every batch, silence, and the price of signing two roots.
import assert from "node:assert/strict";
import { test } from "node:test";
import { concatHex, getAddress, type Hex, zeroAddress } from "viem";
import { generatePrivateKey } from "viem/accounts";
import { wordsHash } from "../../sequencer/batch/publicInputs.ts";
import { attestationDigest, createAttester } from "../../sequencer/l1/attestation.ts";
import { encodeCertificate } from "../../sequencer/l1/certificate.ts";
import { HEADER } from "../../sequencer/protocol/layout.ts";
import {
  alice,
  approve,
  bob,
  DEADLINE,
  deployRollup,
  eve,
  insurance,
  ledgerBatch,
  NO_KEY,
  networkHelpers,
  nextBlockAt,
  publicClient,
  refused,
  STAKE,
  submit,
  tradeBatch,
  viem,
  WINDOW,
} from "./rollupChain.ts";

const { time } = networkHelpers;
const DAY = 86_400;
const LEAVE_DELAY = DEADLINE + WINDOW + 1;
const EVIDENCE_WINDOW = 14 * DAY;
const UNBONDING = 21 * DAY;
const LOG = "ab".repeat(32);
const WORDS = "cd".repeat(32);
const STATUS = { unknown: 0, admitted: 1, active: 2, left: 3, slashed: 4 } as const;
const keys = Array.from({ length: 16 }, generatePrivateKey);
const addressOf = (client: typeof alice) => getAddress(client.account.address);
const world = () => networkHelpers.loadFixture(deployFour);

const deployFour = () => deployCertified(4);

/** A rollup with `count` validators that Alice owns, all bonded. */
async function deployCertified(count: number, bonded = count) {
  const owner = alice.account.address;
  const nowhere = { chainId: 31337, rollup: zeroAddress };
  const signers = keys.slice(0, count).map((key) => createAttester(key, nowhere).address);
  const candidates = signers.map((signer) => ({ signer, owner }));
  const it = await deployRollup({
    validators: {
      ...{ candidates, stake: STAKE },
      evidenceWindow: BigInt(EVIDENCE_WINDOW),
      unbondingDelay: BigInt(UNBONDING),
    },
  });
  const registry = await viem.getContractAt("ValidatorRegistry", await it.rollup.read.validators());
  const as = { account: alice.account };
  const total = STAKE * BigInt(bonded);
  await it.token.write.mint([owner, total]);
  await it.token.write.approve([registry.address, total], as);
  for (const signer of signers.slice(0, bonded)) await registry.write.bond([signer], as);
  const domain = { chainId: 31337, rollup: it.rollup.address };
  const attesters = keys.slice(0, count).map((key) => createAttester(key, domain));
  return { ...it, registry, signers, attesters };
}

type Certified = Awaited<ReturnType<typeof deployCertified>>;

/** What these validators sign for the words, as a certificate. */
async function certify(it: Certified, words: readonly bigint[], who: readonly number[]) {
  const number = Number(words[HEADER.indexOf("number")]);
  const rootAfter = words[HEADER.indexOf("rootAfter")]!;
  const content = { number, root: rootAfter, wordsHash: wordsHash(words), logHash: LOG };
  const chosen = who.map((index) => it.attesters[index]!);
  const attestations = await Promise.all(chosen.map((attester) => attester.attest(content)));
  const batch = { number, rootAfter, words };
  return encodeCertificate(await it.registry.read.members(), batch, attestations);
}

async function evidence(it: Certified, index: number, number: number, root: bigint, words = WORDS) {
  const content = { number, root, wordsHash: words, logHash: LOG };
  const { signature } = await it.attesters[index]!.attest(content);
  const hashes = { wordsHash: `0x${words}`, logHash: `0x${LOG}` } as const;
  return { root, ...hashes, signature: signature as Hex } as const;
}

async function slash(it: Certified, index: number, number = 1) {
  const both = [await evidence(it, index, number, 6n), await evidence(it, index, number, 7n)];
  return it.registry.write.slash([BigInt(number), both[0]!, both[1]!], { account: eve.account });
}

const wrong = (it: Certified, call: Promise<unknown>, error: string, args: readonly unknown[]) =>
  refused({ rollup: it.registry } as never, call, error, args);

test("what validators sign is what the contract checks", async () => {
  const it = await world();
  const content = { number: 7, root: 2n ** 200n + 1n, wordsHash: WORDS, logHash: LOG };
  const ours = attestationDigest({ chainId: 31337, rollup: it.rollup.address }, content);
  const args = [7n, content.root, `0x${WORDS}`, `0x${LOG}`] as const;
  assert.equal(await it.registry.read.attestationDigest(args), ours);
});

test("a batch needs the signatures of two thirds of the validators", async () => {
  const it = await world();
  const words = await tradeBatch(it);
  const openAt = (await it.rollup.read.lastCertifiedAt()) + BigInt(DAY);
  await refused(it, submit(it, words), "CertificateMissing", [1n, openAt]);
  const few = await certify(it, words, [0, 2]);
  await wrong(it, submit(it, words, 9n, few), "QuorumMissing", [2n, 3n]);
  await submit(it, words, 9n, await certify(it, words, [0, 1, 3]));
  assert.equal(await it.rollup.read.lastCertifiedAt(), BigInt(await time.latest()));
});

test("a certificate that is not of this batch and these members is refused", async () => {
  const it = await world();
  const words = await tradeBatch(it);
  const good = await certify(it, words, [0, 1, 2]);
  const rootAfter = HEADER.indexOf("rootAfter");
  const send = (certificate: Hex) => submit(it, words, 9n, certificate);
  const invalid = /CertificateSignatureInvalid/;
  const other = await certify(it, words.with(rootAfter, words[rootAfter]! + 1n), [0, 1, 2]);
  await assert.rejects(send(other), invalid);
  const elsewhere = await deployCertified(4);
  await assert.rejects(send(await certify(elsewhere, words, [0, 1, 2])), invalid);
  // The order of signatures is the order of bits; a signature stands for one member.
  const [bits, log] = [good.slice(0, 6) as Hex, `0x${good.slice(6, 70)}` as Hex];
  const [a, b, c] = [0, 1, 2].map((i) => `0x${good.slice(70 + i * 130, 200 + i * 130)}` as Hex) as [
    Hex,
    Hex,
    Hex,
  ];
  await assert.rejects(send(concatHex([bits, log, b, a, c])), invalid);
  await assert.rejects(send(concatHex([bits, log, a, a, a])), invalid);
  const unknown = concatHex(["0x0013", log, a, b, c]);
  await wrong(it, send(unknown), "CertificateMemberUnknown", [4n, 4n]);
  await wrong(it, send(concatHex([good, "0x00"])), "CertificateLengthUnequal", [230n, 229n]);
  await wrong(it, send(good.slice(0, -2) as Hex), "CertificateLengthUnequal", [228n, 229n]);
  await wrong(it, send("0xff"), "CertificateLengthUnequal", [1n, 34n]);
  await wrong(it, send(concatHex(["0x0000", log])), "QuorumMissing", [0n, 3n]);
  await send(good);
});

test("D5: a certificate is of the words, by which money leaves, not of their root", async () => {
  const it = await world();
  await approve(it, alice, 500n);
  await it.rollup.write.deposit([500n, NO_KEY], { account: alice.account });
  const owner = addressOf(alice);
  const served = { kind: "deposit", account: 3, owner, amount: 500n } as const;
  const honest = await ledgerBatch(it, [served]);
  const certificate = await certify(it, honest, [0, 1, 2, 3]);
  // The same number, roots and log; the verifier here accepts every proof, as a broken one would.
  const theft = { kind: "withdraw", account: 3, owner: addressOf(eve), amount: 500n } as const;
  const robbed = await ledgerBatch(it, [served, theft]);
  const rootAfter = HEADER.indexOf("rootAfter");
  const same = honest.slice(0, rootAfter + 1);
  const forged = [...same, ...robbed.slice(rootAfter + 1)];
  await assert.rejects(submit(it, forged, 9n, certificate), /CertificateSignatureInvalid/);
  const anchored = await submit(it, honest, 9n, certificate);
  assert.equal(await it.rollup.read.pendingWithdrawals([addressOf(eve)]), 0n);
  const { blockNumber } = await publicClient.getTransactionReceipt({ hash: anchored });
  const [event] = await it.rollup.getEvents.BatchAnchored({}, { fromBlock: blockNumber });
  assert.equal(event?.args.wordsHash, `0x${wordsHash(honest)}`);
});

test("D5: a signature with the high s of the same point is refused", async () => {
  const it = await world();
  const words = await tradeBatch(it);
  const good = await certify(it, words, [0, 1, 2]);
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
  const s = BigInt(`0x${good.slice(134, 198)}`);
  const v = good.slice(198, 200) === "1b" ? "1c" : "1b";
  const high = (order - s).toString(16).padStart(64, "0");
  const mirrored = `${good.slice(0, 134)}${high}${v}${good.slice(200)}` as Hex;
  await wrong(it, submit(it, words, 9n, mirrored), "CertificateSignatureInvalid", [
    0n,
    getAddress(it.signers[0]!),
    zeroAddress,
  ]);
});

test("after a day without a certificate the proof is enough, until the next one", async () => {
  const it = await world();
  const openAt = (await it.rollup.read.lastCertifiedAt()) + BigInt(DAY);
  const words = await tradeBatch(it);
  await nextBlockAt(openAt - 1n);
  await refused(it, submit(it, words), "CertificateMissing", [1n, openAt]);
  await nextBlockAt(openAt);
  await submit(it, words);
  await submit(it, await tradeBatch(it));
  const certified = await tradeBatch(it);
  await submit(it, certified, 9n, await certify(it, certified, [1, 2, 3]));
  const openNext = BigInt((await time.latest()) + DAY);
  await refused(it, submit(it, await tradeBatch(it)), "CertificateMissing", [4n, openNext]);
});

test("a proof that does not hold needs no better validators", async () => {
  const it = await world();
  await it.verifier.write.setRefuses([true]);
  const words = await tradeBatch(it);
  const certificate = await certify(it, words, [0, 1, 2, 3]);
  await assert.rejects(submit(it, words, 9n, certificate), /BatchProofInvalid/);
});

test("validators count once bonded, by their owner, with exactly the stake", async () => {
  const it = await networkHelpers.loadFixture(deployTwoOfThree);
  const third = it.signers[2]!;
  assert.equal((await it.registry.read.validator([third])).status, STATUS.admitted);
  assert.deepEqual([await it.registry.read.quorum(), await it.registry.read.admitted()], [2n, 3n]);
  const bond = (account: typeof alice.account) => it.registry.write.bond([third], { account });
  await wrong(it, bond(eve.account), "CallerNotOwner", [addressOf(eve), addressOf(alice)]);
  await approve({ ...it, vault: it.registry } as never, alice, STAKE);
  await it.token.write.setFee([1n]);
  await wrong(it, bond(alice.account), "StakeAmountUnequal", [STAKE, STAKE - 1n]);
  await it.token.write.setFee([0n]);
  await bond(alice.account);
  const active = [getAddress(third), STATUS.active, STATUS.admitted] as const;
  await wrong(it, bond(alice.account), "StatusUnequal", [...active]);
  assert.deepEqual(
    (await it.registry.read.members()).map((member) => getAddress(member)),
    it.signers.map((signer) => getAddress(signer)),
  );
  assert.equal(await it.token.read.balanceOf([it.registry.address]), 3n * STAKE);
});

const deployTwoOfThree = () => deployCertified(3, 2);

test("leaving takes its notice, then the stake waits longer than evidence may", async () => {
  const it = await world();
  const { registry } = it;
  const signer = it.signers[1]!;
  const as = { account: alice.account };
  const stranger = registry.write.requestLeave([signer], { account: eve.account });
  await wrong(it, stranger, "CallerNotOwner", [addressOf(eve), addressOf(alice)]);
  await registry.write.requestLeave([signer], as);
  const leavesAt = BigInt((await time.latest()) + LEAVE_DELAY);
  const twice = registry.write.requestLeave([signer], as);
  await wrong(it, twice, "AlreadyLeaving", [getAddress(signer), leavesAt]);
  const finish = () => registry.write.finishLeave([signer], { account: eve.account });
  await nextBlockAt(leavesAt - 1n);
  await wrong(it, finish(), "LeaveTooEarly", [leavesAt, leavesAt - 1n]);
  await nextBlockAt(leavesAt);
  await finish();
  const [left] = await registry.getEvents.ValidatorLeft();
  assert.deepEqual(left!.args, { signer: getAddress(signer), count: 3n });
  assert.deepEqual([await registry.read.quorum(), await registry.read.admitted()], [2n, 3n]);
  await assert.rejects(finish(), /StatusUnequal/);
  const release = () => registry.write.release([signer], { account: eve.account });
  const until = leavesAt + BigInt(UNBONDING);
  await nextBlockAt(until - 1n);
  await wrong(it, release(), "StakeLocked", [until, until - 1n]);
  await nextBlockAt(until);
  await release();
  await registry.write.payCredit([alice.account.address], { account: eve.account });
  const [paid] = await registry.getEvents.CreditPaid();
  assert.deepEqual(paid!.args, { to: addressOf(alice), amount: STAKE });
  assert.equal(await it.token.read.balanceOf([alice.account.address]), STAKE);
  const again = registry.write.payCredit([alice.account.address]);
  await wrong(it, again, "NothingCredited", [addressOf(alice)]);
  await assert.rejects(release(), /StatusUnequal/);
});

test("two roots for one batch cost the stake, wherever they were signed", async () => {
  const it = await world();
  const { registry } = it;
  await slash(it, 2);
  assert.equal((await registry.read.validator([it.signers[2]!])).status, STATUS.slashed);
  assert.equal(await registry.read.credit([eve.account.address]), STAKE / 10n);
  assert.equal(await registry.read.credit([insurance.account.address]), (STAKE * 9n) / 10n);
  assert.equal((await registry.read.members()).length, 3);
  await assert.rejects(slash(it, 2), /StatusUnequal/);
  await registry.write.payCredit([eve.account.address]);
  assert.equal(await it.token.read.balanceOf([eve.account.address]), STAKE / 10n);
  // The slot moved up: the certificate is of the members that are left.
  const words = await tradeBatch(it);
  await submit(it, words, 9n, await certify(it, words, [0, 3]));
});

test("D5: two publications of one batch cost the stake, with one root as well", async () => {
  const it = await world();
  const first = await evidence(it, 1, 4, 6n);
  const second = await evidence(it, 1, 4, 6n, "ef".repeat(32));
  await it.registry.write.slash([4n, first, second], { account: eve.account });
  assert.equal((await it.registry.read.validator([it.signers[1]!])).status, STATUS.slashed);
});

test("evidence is two signatures of one validator for one batch, with two roots", async () => {
  const it = await world();
  const first = await evidence(it, 0, 1, 6n);
  const send = (number: bigint, a: typeof first, b: typeof first) =>
    it.registry.write.slash([number, a, b]);
  await wrong(it, send(1n, first, first), "EvidenceEqual", [6n, `0x${WORDS}`]);
  const [one, two] = [it.signers[0]!, it.signers[1]!].map((signer) => getAddress(signer));
  const stranger = await evidence(it, 1, 1, 7n);
  await wrong(it, send(1n, first, stranger), "EvidenceSignersUnequal", [one, two]);
  // Of another height, the signature is somebody else's.
  const later = await evidence(it, 0, 2, 7n);
  await assert.rejects(send(1n, first, later), /EvidenceSignersUnequal/);
  const broken = { ...first, root: 8n, signature: `0x${"00".repeat(65)}` as Hex };
  await assert.rejects(send(1n, first, broken), /ECDSAInvalidSignature/);
});

test("who left is punished within the evidence window, and not after it", async () => {
  const it = await world();
  const { registry } = it;
  for (const signer of it.signers) {
    await registry.write.requestLeave([signer], { account: alice.account });
  }
  await time.increase(LEAVE_DELAY);
  for (const signer of it.signers) await registry.write.finishLeave([signer]);
  const leftAt = async (index: number) => {
    const { leftAt: at } = await registry.read.validator([it.signers[index]!]);
    return BigInt(at) + BigInt(EVIDENCE_WINDOW);
  };
  const [first, second] = [await leftAt(0), await leftAt(1)];
  await nextBlockAt(first - 1n);
  await slash(it, 0);
  await nextBlockAt(second);
  await wrong(it, slash(it, 1), "EvidenceTooLate", [second, second]);
  await nextBlockAt(second + 5n);
  await wrong(it, slash(it, 1), "EvidenceTooLate", [second, second + 5n]);
  // Without validators the proof stands alone.
  await submit(it, await tradeBatch(it));
  assert.equal(await registry.read.credit([eve.account.address]), STAKE / 10n);
});

test("sixteen validators at most, each with a signer and an owner of its own", async () => {
  const it = await deployCertified(16);
  const words = await tradeBatch(it);
  const eleven = [0, 1, 2, 3, 5, 7, 9, 11, 13, 14, 15];
  const hash = await submit(it, words, 9n, await certify(it, words, eleven));
  const { gasUsed } = await publicClient.getTransactionReceipt({ hash });
  assert.ok(gasUsed < 250_000n, `${gasUsed} gas without a proof's`);
  const four = await world();
  const of = (candidates: readonly unknown[], rest: object = {}) =>
    deployRollup({
      validators: { candidates, stake: 1n, evidenceWindow: 1n, unbondingDelay: 2n, ...rest },
    });
  const owner = alice.account.address;
  const seventeen = Array.from({ length: 17 }, (_, index) => ({
    signer: `0x${(index + 1).toString(16).padStart(40, "0")}`,
    owner,
  }));
  await wrong(four, of(seventeen), "ValidatorsExceeded", [16n]);
  await wrong(four, of([{ signer: zeroAddress, owner }]), "CandidateInvalid", [
    zeroAddress,
    addressOf(alice),
  ]);
  const ownerless = { signer: seventeen[0]!.signer, owner: zeroAddress };
  await wrong(four, of([ownerless]), "CandidateInvalid", [
    getAddress(ownerless.signer),
    zeroAddress,
  ]);
  // What is slashed goes to the insurance fund's owner, who must not be who loses it.
  const fund = { signer: seventeen[0]!.signer, owner: insurance.account.address };
  await wrong(four, of([fund]), "CandidateInvalid", [
    getAddress(fund.signer),
    addressOf(insurance),
  ]);
  const twice = [seventeen[0], seventeen[0]];
  const signer = getAddress(seventeen[0]!.signer);
  await wrong(four, of(twice), "StatusUnequal", [signer, STATUS.admitted, STATUS.unknown]);
  await wrong(four, of([], { stake: 0n }), "StakeZero", []);
  await wrong(four, of([], { evidenceWindow: 2n }), "UnbondingTooShort", [2n, 2n]);
});

test("only governance admits and expels", async () => {
  const it = await world();
  const as = { account: bob.account };
  const { address } = bob.account;
  for (const call of [
    it.registry.write.admit([address, address], as),
    it.registry.write.expel([it.signers[0]!], as),
  ]) {
    await wrong(it, call, "CallerNotGovernance", [addressOf(bob), zeroAddress]);
  }
});
