// Two histories and two votes before layer one: the same evidence convicts there as offline, with
// the same digests, and what proves nothing offline is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesToHex } from "@noble/hashes/utils.js";
import { getAddress, type Hex } from "viem";
import { checkEvidence, type TwoVotes } from "../../sequencer/consensus/evidence.ts";
import { createSigner } from "../../sequencer/consensus/signing.ts";
import { type Vote, voteDigest } from "../../sequencer/consensus/vote.ts";
import { slashReceiptsArgs, slashVotesArgs } from "../../sequencer/l1/slashing.ts";
import { SLASHING_LIMITS, type TwoReceipts } from "../../sequencer/protocol/evidence.ts";
import { receiptDigest } from "../../sequencer/protocol/receipt.ts";
import { entryOf, keyOf, logOf, sittingOf, twoReceipts } from "../support/histories.ts";
import {
  alice,
  deployRollup,
  eve,
  insurance,
  networkHelpers,
  nextBlockAt,
  publicClient,
  refused,
  STAKE,
  viem,
} from "./rollupChain.ts";

const { time } = networkHelpers;
const DAY = 86_400;
const EVIDENCE_WINDOW = 14 * DAY;
const SLASHED = 4;
const signers = [1, 2, 3, 4].map((key) => createSigner(keyOf(key)));
const [signer, another] = signers as [(typeof signers)[0], (typeof signers)[0]];
const stranger = createSigner(keyOf(9));
const addresses = signers.map(({ address }) => address as Hex);

async function deployFour() {
  const owner = alice.account.address;
  const it = await deployRollup({
    validators: {
      candidates: addresses.map((address) => ({ signer: address, owner })),
      ...{
        stake: STAKE,
        evidenceWindow: BigInt(EVIDENCE_WINDOW),
        unbondingDelay: BigInt(21 * DAY),
      },
    },
  });
  const registry = await viem.getContractAt("ValidatorRegistry", await it.rollup.read.validators());
  const as = { account: alice.account };
  await it.token.write.mint([owner, STAKE * 4n]);
  await it.token.write.approve([registry.address, STAKE * 4n], as);
  for (const address of addresses) await registry.write.bond([address], as);
  const domain = await it.rollup.read.domain();
  const entries = Array.from({ length: 12 }, (_, salt) => entryOf(salt));
  // The fork also takes another epoch, and a text that is not ASCII.
  const detail = "late: 3 × 20 µs";
  const pause = { type: "pause", time: 5, reason: "operator", detail } as never;
  const logs = [logOf(domain, entries), logOf(domain, entries.with(4, pause), [6])] as const;
  const rules = { domain, sequencers: [], validators: addresses };
  return { ...it, registry, domain, entries, logs, rules, sitting: sittingOf(domain) };
}

const world = () => networkHelpers.loadFixture(deployFour);
type World = Awaited<ReturnType<typeof deployFour>>;

const as = { account: eve.account };
const slash = (it: World, evidence: TwoReceipts) =>
  it.registry.write.slashReceipts(slashReceiptsArgs(evidence), as);
const slashFor = (it: World, evidence: TwoVotes) =>
  it.registry.write.slashVotes(slashVotesArgs(evidence), as);
const wrong = (it: World, call: Promise<unknown>, error: string, args: readonly unknown[]) =>
  refused({ rollup: it.registry } as never, call, error, args);

/** Tries without keeping the outcome: null, or why not. */
async function verdictOf(it: World, evidence: TwoReceipts | TwoVotes): Promise<string | null> {
  const { simulate } = it.registry;
  const caller = { account: eve.account.address };
  try {
    if (evidence.kind === "receipts") {
      await simulate.slashReceipts(slashReceiptsArgs(evidence), caller);
    } else {
      await simulate.slashVotes(slashVotesArgs(evidence), caller);
    }
    return null;
  } catch (error) {
    return String(error);
  }
}

async function gasOf(hash: Hex): Promise<bigint> {
  return (await publicClient.getTransactionReceipt({ hash })).gasUsed;
}

test("what receipts and votes sign is what the contract computes", async () => {
  const it = await world();
  const { registry, domain, sitting } = it;
  for (const [position, hash] of [
    [0, "ab".repeat(32)],
    [2 ** 48, "0f".repeat(32)],
  ] as const) {
    const ours = `0x${bytesToHex(receiptDigest(domain, position, hash))}`;
    assert.equal(await registry.read.receiptDigest([BigInt(position), `0x${hash}`]), ours);
  }
  for (const [index, kind] of (["notarize", "nullify", "finalize"] as const).entries()) {
    const vote: Vote = { kind, term: 3, view: { term: 2 ** 40, index: 7 }, block: "cd".repeat(32) };
    const { sitting: members, validators } = sittingOf(domain, 17 + index);
    const signed = { ...vote, validator: 0, signature: "0x" };
    const evidence: TwoVotes = {
      kind: "votes",
      domain,
      sitting: members,
      first: signed,
      second: signed,
    };
    const [named, first] = slashVotesArgs(evidence);
    const ours = `0x${bytesToHex(voteDigest(validators.session, vote))}`;
    assert.equal(await registry.read.voteDigest([named, first]), ours);
  }
  assert.deepEqual(sitting.sitting.members, addresses);
});

test("two receipts of two logs cost the stake: a tenth for the reporter", async (context) => {
  const it = await world();
  const gas: string[] = [];
  for (const [index, [p, q]] of [
    [4, 4],
    [4, 11],
    [10, 11],
  ].entries()) {
    const logs = index === 1 ? it.logs : ([it.logs[1], it.logs[0]] as const);
    const guilty = signers[index]!;
    const { domain } = it;
    const evidence = twoReceipts({ signer: guilty, domain, logs, p: p!, q: q! });
    assert.ok(checkEvidence(evidence, it.rules).isProven);
    const hash = await slash(it, evidence);
    const [event] = await it.registry.getEvents.ValidatorSlashed();
    assert.deepEqual(event!.args, {
      ...{ signer: getAddress(guilty.address), reporter: getAddress(eve.account.address) },
      ...{ offence: 1, number: BigInt(p!), reward: STAKE / 10n },
    });
    assert.equal((await it.registry.read.validator([guilty.address as Hex])).status, SLASHED);
    gas.push(`${q! - p!} records ${await gasOf(hash)}`);
  }
  assert.equal(await it.registry.read.credit([eve.account.address]), (STAKE * 3n) / 10n);
  assert.equal(await it.registry.read.credit([insurance.account.address]), (STAKE * 27n) / 10n);
  assert.deepEqual(await it.registry.read.members(), [getAddress(addresses[3]!)]);
  context.diagnostic(`slashReceipts: ${gas.join(", ")} gas`);
});

test("receipts that prove nothing offline are refused here", async () => {
  const it = await world();
  const { domain, logs } = it;
  const good = twoReceipts({ signer, domain, logs, p: 5, q: 9 });
  assert.equal(await verdictOf(it, good), null);
  const { records, first, second } = good;
  const ofOthers = (who: typeof signer, where = domain) =>
    twoReceipts({ signer: who, domain: where, logs, p: 5, q: 9 });
  const near: readonly (readonly [TwoReceipts, RegExp])[] = [
    [twoReceipts({ signer, domain, logs: [logs[0], logs[0]], p: 4, q: 4 }), /HistoriesEqual/],
    [twoReceipts({ signer, domain, logs: [logs[0], logs[0]], p: 4, q: 9 }), /HistoriesEqual/],
    [twoReceipts({ signer, domain, logs, p: 3, q: 9 }), /HistoriesEqual/],
    [{ ...good, records: records.toSpliced(1, 1) }, /Evidence|ECDSA/],
    [{ ...good, records: records.with(0, { ...records[0]!, epoch: 9 }) }, /Evidence|ECDSA/],
    [{ ...good, records: records.with(0, { ...records[0]!, entry: "{}" }) }, /Evidence|ECDSA/],
    [{ ...good, records: records.toReversed() }, /Evidence|ECDSA/],
    [{ ...good, link: "00".repeat(32) }, /Evidence|ECDSA/],
    [{ ...good, second: ofOthers(another).second }, /EvidenceSignersUnequal/],
    [{ ...good, first: ofOthers(another).first }, /EvidenceSignersUnequal/],
    [{ ...good, first: { ...first, position: 6 } }, /Evidence|ECDSA/],
    [{ ...good, first: { ...first, signature: second.signature } }, /Evidence|ECDSA/],
    [{ ...good, second: { ...second, signature: `0x${"00".repeat(65)}` } }, /ECDSAInvalid/],
    // Another deployment's receipts, and a key that is not bonded.
    [{ ...ofOthers(signer, domain + 1n), domain }, /Evidence|ECDSA|StatusUnequal/],
    [ofOthers(stranger), /StatusUnequal/],
  ];
  for (const [evidence, error] of near) {
    assert.ok(!checkEvidence(evidence, it.rules).isProven);
    assert.match((await verdictOf(it, evidence)) ?? "taken", error);
  }
});

test("whose signatures the evidence has is said in their order", async () => {
  const it = await world();
  const { domain, logs } = it;
  const good = twoReceipts({ signer, domain, logs, p: 5, q: 9 });
  const { second } = twoReceipts({ signer: another, domain, logs, p: 5, q: 9 });
  const signers = [signer, another].map((who) => getAddress(who.address));
  await wrong(it, slash(it, { ...good, second }), "EvidenceSignersUnequal", signers);
});

test("one byte more or less of a record, and nothing is proven", async () => {
  const it = await world();
  const { domain, logs } = it;
  const good = twoReceipts({ signer, domain, logs, p: 4, q: 6 });
  const [record, last] = good.records as [TwoReceipts["records"][0], TwoReceipts["records"][0]];
  for (const entry of [`${record.entry} `, ` ${record.entry}`, record.entry.slice(1), ""]) {
    const changed = { ...good, records: [{ ...record, entry }, last] };
    assert.match((await verdictOf(it, changed)) ?? "taken", /Evidence|ECDSA/);
  }
  assert.equal(await verdictOf(it, good), null);
});

/** Evidence over `count` records of `length` bytes each, after the fork at position 0. */
function long(domain: bigint, count: number, length: number): TwoReceipts {
  const entry = (salt: number, detail: string) =>
    ({ type: "pause", time: salt, reason: "operator", detail }) as never;
  const bytes = (salt: number) => JSON.stringify(entry(salt, "")).length;
  const fill = (salt: number) => entry(salt, "x".repeat(length - bytes(salt)));
  const salts = Array.from({ length: count + 1 }, (_, salt) => salt);
  const log = logOf(domain, [entry(9_999, "fork"), ...salts.slice(1).map(fill)]);
  const honest = logOf(domain, [entryOf(0)]);
  return twoReceipts({ signer, domain, logs: [honest, log], p: 0, q: count });
}

test("the largest evidence fits into a transaction, none beyond it is taken", async (context) => {
  const it = await world();
  const { domain, registry } = it;
  const { records, bytes } = SLASHING_LIMITS;
  await wrong(it, slash(it, long(domain, records + 1, 80)), "EvidenceRecordsExceeded", [
    257n,
    256n,
  ]);
  const tooLong = long(domain, 1, bytes + 1);
  await wrong(it, slash(it, tooLong), "EvidenceBytesExceeded", [BigInt(bytes + 1), BigInt(bytes)]);
  const typical = await registry.estimateGas.slashReceipts(
    slashReceiptsArgs(long(domain, 64, 400)),
    as,
  );
  const used = await gasOf(await slash(it, long(domain, records, bytes / records)));
  // The protocol takes no transaction above 2^24 gas.
  assert.ok(used < 5_000_000n, `${used} gas`);
  context.diagnostic(`slashReceipts: 64 of 400 bytes ${typical}, 256 of 256 bytes ${used} gas`);
});

const view = { term: 2, index: 3 };
const notarize: Vote = { kind: "notarize", term: 2, view, block: "ab".repeat(32) };
const other: Vote = { ...notarize, block: "cd".repeat(32) };
const finalize: Vote = { ...notarize, kind: "finalize" };
const nullify: Vote = { ...notarize, kind: "nullify", view: { term: 2, index: 2 } };

function votes(it: World, a: Vote, b: Vote, by: readonly [number, number] = [1, 1]): TwoVotes {
  const { domain, sitting } = it;
  const [first, second] = [sitting.vote(by[0], a), sitting.vote(by[1], b)];
  return { kind: "votes", domain, sitting: sitting.sitting, first, second };
}

test("two votes of one sitting that exclude each other cost the stake", async (context) => {
  const it = await world();
  const evidence = votes(it, finalize, { ...nullify, term: 4 });
  assert.ok(checkEvidence(evidence, it.rules).isProven);
  const used = await gasOf(await slashFor(it, evidence));
  const [event] = await it.registry.getEvents.ValidatorSlashed();
  assert.deepEqual(event!.args, {
    ...{ signer: getAddress(another.address), reporter: getAddress(eve.account.address) },
    ...{ offence: 2, number: 2n, reward: STAKE / 10n },
  });
  assert.equal((await it.registry.read.validator([addresses[1]!])).status, SLASHED);
  assert.equal(await it.registry.read.credit([insurance.account.address]), (STAKE * 9n) / 10n);
  // Once.
  const status = [getAddress(addresses[1]!), SLASHED, 2];
  await wrong(it, slashFor(it, evidence), "StatusUnequal", status);
  context.diagnostic(`slashVotes: ${used} gas with four members`);
});

test("both languages agree on hundreds of pairs of votes", async () => {
  const it = await world();
  const places = [
    { term: 1, view: { term: 1, index: 0 } },
    { term: 2, view: { term: 1, index: 0 } },
    { term: 2, view: { term: 2, index: 0 } },
    { term: 2, view: { term: 2, index: 1 } },
    { term: 3, view: { term: 2, index: 1 } },
  ];
  const casts = (["notarize", "nullify", "finalize"] as const).flatMap((kind) =>
    places.flatMap((place) =>
      ["ab", "cd"].map((byte) => ({ kind, ...place, block: byte.repeat(32) })),
    ),
  );
  const all = casts.map((cast) => it.sitting.vote(1, cast));
  let offences = 0;
  for (const [index, first] of all.entries()) {
    // Each with itself, and with every second one of the others, in this order or that.
    for (const second of all.filter((_, at) => at === index || (at + index) % 4 === 1)) {
      const evidence: TwoVotes = { ...votes(it, notarize, other), first, second };
      const { isProven } = checkEvidence(evidence, it.rules);
      const verdict = await verdictOf(it, evidence);
      assert.equal(verdict === null, isProven, `${JSON.stringify([first, second])}: ${verdict}`);
      if (!isProven) assert.match(verdict!, /VotesCompatible/);
      offences += isProven ? 1 : 0;
    }
  }
  assert.ok(offences > 20, `${offences}`);
});

test("votes that prove nothing offline are refused here", async () => {
  const it = await world();
  const { domain, sitting } = it;
  const good = votes(it, notarize, other);
  assert.equal(await verdictOf(it, good), null);
  const outside = sittingOf(domain, 1, [9, 2, 3, 4]);
  const alien = { ...good, first: outside.vote(0, notarize), second: outside.vote(0, other) };
  const near: readonly (readonly [TwoVotes, RegExp])[] = [
    [votes(it, notarize, notarize), /VotesCompatible/],
    [votes(it, notarize, finalize), /VotesCompatible/],
    [votes(it, notarize, other, [1, 2]), /EvidenceSignersUnequal/],
    [{ ...good, sitting: { ...sitting.sitting, epoch: 2 } }, /Evidence|ECDSA|Sitting/],
    [{ ...good, second: sittingOf(domain, 2).vote(1, other) }, /Evidence|ECDSA/],
    [{ ...good, second: sittingOf(domain + 1n).vote(1, other) }, /Evidence|ECDSA/],
    [
      { ...good, sitting: { epoch: 1, members: [...addresses].reverse() } },
      /Evidence|ECDSA|Sitting/,
    ],
    [{ ...good, second: { ...good.second, signature: good.first.signature } }, /Evidence|ECDSA/],
    // Whoever is no member of the sitting that it signs for, or not bonded.
    [{ ...alien, sitting: outside.sitting }, /StatusUnequal/],
  ];
  for (const [evidence, error] of near) {
    assert.ok(!checkEvidence(evidence, it.rules).isProven);
    assert.match((await verdictOf(it, evidence)) ?? "taken", error);
  }
  const mixed = slashFor(it, votes(it, notarize, other, [1, 2]));
  const both = [1, 2].map((member) => getAddress(addresses[member]!));
  await wrong(it, mixed, "EvidenceSignersUnequal", both);
  // A validator's two votes in a sitting that it does not belong to.
  const visitors = sittingOf(domain, 1, [5, 6, 7, 8]);
  const signed = [notarize, other].map((cast) => ({
    ...visitors.vote(0, cast),
    signature: signer.sign(voteDigest(visitors.validators.session, cast)),
  }));
  const visiting = { ...good, sitting: visitors.sitting, first: signed[0]!, second: signed[1]! };
  assert.ok(!checkEvidence(visiting, it.rules).isProven);
  await wrong(it, slashFor(it, visiting), "SignerNotInSitting", [getAddress(signer.address)]);
  const members = Array.from({ length: 17 }, (_, index) => addresses[index % 4]!);
  const crowd = { ...good, sitting: { epoch: 1, members } };
  await wrong(it, slashFor(it, crowd), "ValidatorsExceeded", [16n]);
  // A kind that no vote has.
  const [named, first, second] = slashVotesArgs(good);
  const none = it.registry.write.slashVotes([named, { ...first, kind: 0 }, { ...second, kind: 0 }]);
  await wrong(it, none, "VotesCompatible", []);
});

test("who left answers for receipts and votes within the window, and not after it", async () => {
  const it = await world();
  const { domain, logs, registry } = it;
  for (const address of addresses.slice(0, 3)) {
    await registry.write.requestLeave([address], { account: alice.account });
  }
  await time.increase(100 * DAY);
  for (const address of addresses.slice(0, 3)) await registry.write.finishLeave([address]);
  const endOf = async (index: number) => {
    const { leftAt } = await registry.read.validator([addresses[index]!]);
    return BigInt(leftAt) + BigInt(EVIDENCE_WINDOW);
  };
  const [inTime, late, alsoLate] = [await endOf(0), await endOf(1), await endOf(2)];
  const of = (index: number) => twoReceipts({ signer: signers[index]!, domain, logs, p: 4, q: 4 });
  await nextBlockAt(inTime - 1n);
  await slash(it, of(0));
  await nextBlockAt(late);
  await wrong(it, slashFor(it, votes(it, notarize, other)), "EvidenceTooLate", [late, late]);
  await nextBlockAt(alsoLate);
  await wrong(it, slash(it, of(2)), "EvidenceTooLate", [alsoLate, alsoLate]);
});
