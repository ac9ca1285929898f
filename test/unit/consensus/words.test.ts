// What validators sign, send and can prove to others, with real signatures.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { type Hex, recoverAddress } from "viem";
import { privateKeyToAddress } from "viem/accounts";
import { blockHash, brokenLink, genesisBlock } from "../../../sequencer/consensus/block.ts";
import { tipOf } from "../../../sequencer/consensus/certificate.ts";
import {
  decodeMessage,
  encodeMessage,
  type Message,
} from "../../../sequencer/consensus/message.ts";
import { createSigner, verifySignature, withMemory } from "../../../sequencer/consensus/signing.ts";
import {
  createValidatorSet,
  leaderOf,
  VALIDATORS_MAX,
} from "../../../sequencer/consensus/validatorSet.ts";
import { checkEvidence, faultOf } from "../../../sequencer/consensus/verification.ts";
import { type Vote, voteDigest } from "../../../sequencer/consensus/vote.ts";
import { quorumOf } from "../../../sequencer/protocol/certification.ts";
import { FormatError } from "../../../sequencer/protocol/shape.ts";
import {
  certify,
  child,
  genesis,
  genesisTip,
  members,
  nullify,
  proposalOf,
  rules,
  voteBy,
  voteFor,
  voteMessage,
} from "./sitting.ts";

const first = child(genesis, { term: 1, index: 0 });
const second = child(first, { term: 1, index: 1 });
const later = child(first, { term: 2, index: 0 });
const place = { term: 1, view: genesis.view, block: blockHash(genesis) };

test("any two quorums share an honest validator, and the honest alone are one", () => {
  for (let count = 4; count <= 16; count++) {
    const addresses = Array.from({ length: count }, (_, i) => `0x${`${i}`.padStart(40, "0")}`);
    const set = createValidatorSet({ domain: 1n, epoch: 1, members: addresses });
    // As `ValidatorRegistry.quorum` computes it.
    assert.equal(set.quorum, Number((2n * BigInt(count) + 2n) / 3n));
    assert.ok(2 * set.quorum - count > set.faultsMax);
    assert.ok(count - set.faultsMax >= set.quorum);
    assert.ok(3 * set.faultsMax < count && 3 * (set.faultsMax + 1) >= count);
    const leaders = Array.from({ length: count }, (_, index) => leaderOf(set, index + 1));
    assert.equal(new Set(leaders).size, count);
  }
  // Attestations are counted of smaller sets too.
  assert.deepEqual([0, 1, 2, 3].map(quorumOf), [0, 1, 2, 2]);
});

test("a session is one deployment, one sitting and these members in this order", () => {
  const of = (domain: bigint, epoch: number, list: readonly string[]) =>
    createValidatorSet({ domain, epoch, members: list }).session;
  const sessions = [
    of(1n, 1, members),
    of(2n, 1, members),
    of(1n, 2, members),
    of(1n, 1, [...members].reverse()),
  ];
  assert.equal(new Set(sessions).size, sessions.length);
  const tooFew = () => of(1n, 1, members.slice(1));
  assert.throws(tooFew, /`3` validators; from 4 to 16 can certify/);
  assert.throws(() => of(1n, 1, [...members, members[0]!]), /stands twice/);
  assert.throws(() => of(1n, 1, [...members, "0xAB"]), /lower-case hex digits/);
});

test("every field of a block is in its hash, and the genesis block names the session", () => {
  const changes = [
    { height: 2 },
    { view: { term: 2, index: 0 } },
    { view: { term: 1, index: 1 } },
    { parent: "00".repeat(32) },
    { from: 9 },
    { to: 12 },
    { logHash: "00".repeat(32) },
    { root: 0n },
  ];
  const hashes = changes.map((change) => blockHash({ ...first, ...change }));
  assert.equal(new Set([...hashes, blockHash(first)]).size, changes.length + 1);
  const other = genesisBlock("11".repeat(32), genesis);
  assert.notEqual(blockHash(other), blockHash(genesis));
});

test("a block follows its parent's records", () => {
  assert.equal(brokenLink(genesis, first), undefined);
  const same = { to: genesis.to, logHash: genesis.logHash, root: genesis.root };
  assert.equal(brokenLink(genesis, { ...first, ...same }), undefined);
  for (const [change, reason] of [
    [{ height: 2 }, /height/],
    [{ from: 9 }, /begin where/],
    [{ to: 9 }, /end before/],
    [{ to: 10 + 2 ** 16 + 1 }, /more than/],
    [{ ...same, root: 1n }, /another head or root/],
    [{ ...same, logHash: first.logHash }, /another head or root/],
  ] as const) {
    assert.match(brokenLink(genesis, { ...first, ...change }) ?? "", reason);
  }
});

const keys = [1, 2, 3, 4].map((fill) => new Uint8Array(32).fill(fill));
const signers = keys.map(createSigner);
const real = {
  verify: verifySignature,
  validators: createValidatorSet({
    ...{ domain: 5n, epoch: 1, members: signers.map(({ address }) => address) },
  }),
};

function signed(validator: number, vote: Vote) {
  const signature = signers[validator]!.sign(voteDigest(real.validators.session, vote));
  return { ...vote, validator, signature };
}

const vote: Vote = { kind: "notarize", term: 1, view: first.view, block: blockHash(first) };

test("a signature is the validator's alone, on this vote alone", () => {
  const { signature } = signed(0, vote);
  const digest = voteDigest(real.validators.session, vote);
  const [address, other] = [signers[0]!.address, signers[1]!.address];
  assert.ok(verifySignature(address, digest, signature));
  assert.equal(signed(0, vote).signature, signature);
  assert.ok(!verifySignature(other, digest, signature));
  for (const changed of [
    { ...vote, kind: "finalize" as const },
    { ...vote, term: 2 },
    { ...vote, view: { term: 1, index: 1 } },
    { ...vote, view: { term: 2, index: 0 } },
    { ...vote, block: blockHash(second) },
  ]) {
    const changedDigest = voteDigest(real.validators.session, changed);
    assert.ok(!verifySignature(address, changedDigest, signature));
  }
  assert.ok(!verifySignature(address, voteDigest("22".repeat(32), vote), signature));
  for (const broken of [
    "",
    "0x",
    `0x${"00".repeat(65)}`,
    signature.slice(0, -2),
    `${signature}00`,
  ]) {
    assert.ok(!verifySignature(address, digest, broken));
  }
});

test("layer one recovers the same signer; a signature has one form only", async () => {
  const digest = voteDigest(real.validators.session, vote);
  const { signature } = signed(2, vote);
  const hash: Hex = `0x${bytesToHex(digest)}`;
  const address = await recoverAddress({ hash, signature: signature as Hex });
  assert.equal(address.toLowerCase(), signers[2]!.address);
  const expected = privateKeyToAddress(`0x${bytesToHex(keys[2]!)}`);
  assert.equal(address, expected);
  const bytes = hexToBytes(signature.slice(2));
  const s = BigInt(`0x${bytesToHex(bytes.subarray(32, 64))}`);
  const mirrored = (secp256k1.Point.Fn.ORDER - s).toString(16).padStart(64, "0");
  const v = (55 - bytes[64]!).toString(16);
  const second = `0x${bytesToHex(bytes.subarray(0, 32))}${mirrored}${v}`;
  // The same signer by arithmetic, which is why it must not count.
  const again = await recoverAddress({ hash, signature: second as Hex });
  assert.equal(again.toLowerCase(), signers[2]!.address);
  assert.ok(!verifySignature(signers[2]!.address, digest, second));
});

test("what was verified is not verified again, and nothing false is remembered", () => {
  let calls = 0;
  const verify = withMemory((...args) => {
    calls += 1;
    return verifySignature(...args);
  }, 2);
  const digest = voteDigest(real.validators.session, vote);
  const { signature } = signed(0, vote);
  for (let count = 0; count < 3; count++) {
    assert.ok(verify(signers[0]!.address, digest, signature));
    assert.ok(!verify(signers[1]!.address, digest, signature));
  }
  assert.equal(calls, 1 + 3);
});

test("anybody can check evidence offline; honest pairs and forged ones prove nothing", () => {
  const other = { ...vote, block: blockHash(child(genesis, first.view, 2)) };
  const finalize = { ...vote, kind: "finalize" as const };
  const gaveUp: Vote = { kind: "nullify", ...place };
  const proof = (a: Vote, b: Vote, by: readonly [number, number] = [0, 0]) =>
    checkEvidence(real, { first: signed(by[0], a), second: signed(by[1], b) });
  assert.equal(proof(vote, other), "two notarized");
  assert.equal(proof(finalize, { ...other, kind: "finalize" }), "two finalized");
  assert.equal(
    proof(gaveUp, { ...gaveUp, view: first.view, block: blockHash(first) }),
    "two nullified",
  );
  assert.equal(proof(gaveUp, finalize), "promise broken");
  assert.equal(proof(finalize, { ...gaveUp, term: 3 }), "promise broken");
  for (const [a, b] of [
    [vote, vote],
    [vote, finalize],
    [vote, gaveUp],
    [vote, { ...other, view: second.view }],
    [finalize, { ...gaveUp, view: first.view, block: blockHash(first) }],
    [gaveUp, { ...gaveUp, term: 2 }],
    [gaveUp, { ...finalize, term: 2, view: later.view }],
  ] as const) {
    assert.equal(proof(a, b), undefined);
  }
  assert.equal(proof(vote, other, [0, 1]), undefined);
  const forged = { ...signed(0, other), signature: signed(1, other).signature };
  assert.equal(checkEvidence(real, { first: signed(0, vote), second: forged }), undefined);
});

const nullifyMessage = voteMessage(voteBy(2, "nullify", place));
const notarized = tipOf(certify("notarize", first));
const firstPlace = { view: first.view, block: blockHash(first) };
const messages: readonly Message[] = [
  proposalOf(first),
  proposalOf(second, certify("notarize", first)),
  proposalOf(second, certify("finalize", first)),
  proposalOf(later, nullify(1, notarized)),
  voteMessage(voteFor(3, "notarize", first)),
  voteMessage(voteFor(3, "finalize", first)),
  nullifyMessage,
  voteMessage(voteBy(2, "nullify", { term: 4, ...firstPlace }), notarized.certificate),
  { type: "certificate", certificate: certify("finalize", second) },
  { type: "certificate", certificate: nullify(3, genesisTip) },
  { type: "request", block: blockHash(first) },
  { type: "blocks", blocks: [second, first] },
];

test("every message is without fault and the same after writing and reading", () => {
  for (const message of messages) {
    assert.equal(faultOf(rules, message), undefined);
    assert.deepEqual(decodeMessage(encodeMessage(message)), message);
  }
});

test("what is not a message is refused", () => {
  const text = new TextDecoder().decode(encodeMessage(messages[3]!));
  const broken = [
    "",
    "[]",
    "{}",
    '{"type":"greeting"}',
    text.replace('"term":1', '"term":-1'),
    text.replace('"term":1', '"term":1.5'),
    text.replace('"index":0', '"index":281474976710657'),
    text.replace('"kind":"nullify"', '"kind":"forget"'),
    text.replace(/"root":"0x[0-9a-f]+n"/, '"root":78'),
    text.replace(/"root":"0x[0-9a-f]+n"/, `"root":"0x1${"0".repeat(64)}n"`),
    text.replace(/"parent":"../, '"parent":"XY'),
    text.replace(/"signature":"0x/, '"signature":"0X'),
    text.replace('"votes":[', `"votes":[${"{},".repeat(16)}`),
    " ".repeat(2 ** 16 + 1),
  ];
  assert.ok(broken.every((wrong) => wrong !== text));
  for (const wrong of broken) {
    assert.throws(() => decodeMessage(new TextEncoder().encode(wrong)), FormatError);
  }
});

test("a message that its sender had no right to is refused", () => {
  const certificate = certify("notarize", first);
  const nullification = nullify(1, genesisTip);
  const [signature] = certificate.signatures;
  const faults: readonly (readonly [Message, RegExp])[] = [
    [{ ...proposalOf(first), vote: voteFor(1, "notarize", first) }, /not from the leader/],
    [{ ...proposalOf(first), vote: voteFor(0, "finalize", first) }, /something else/],
    [{ ...proposalOf(first), vote: voteFor(0, "notarize", second) }, /something else/],
    [proposalOf(second), /nothing permits it/],
    [proposalOf(second, certify("notarize", child(genesis, first.view, 2))), /nothing permits/],
    [proposalOf({ ...second, view: { term: 1, index: 2 } }, certificate), /nothing permits/],
    [proposalOf(later, certificate), /nothing permits it/],
    [proposalOf(later, nullification), /nothing permits it/],
    [proposalOf({ ...later, view: { term: 3, index: 0 } }, nullify(1, notarized)), /permits/],
    [proposalOf(genesis), /no term/],
    [{ type: "certificate", certificate: { ...certificate, signatures: [] } }, /quorum/],
    [{ ...nullifyMessage, certificate } as Message, /another block's certificate/],
    [voteMessage(voteBy(2, "nullify", { term: 1, ...firstPlace })), /no certificate/],
    [voteMessage(voteBy(2, "nullify", { ...place, term: 0 })), /another term/],
    [voteMessage(voteBy(9, "notarize", vote)), /not signed/],
    [voteMessage({ ...voteFor(2, "notarize", first), validator: 1 }), /not signed/],
    [voteMessage(voteFor(2, "notarize", first), certificate), /nothing else/],
    [{ type: "certificate", certificate: { ...certificate, kind: "finalize" } }, /forged/],
    [
      {
        type: "certificate",
        certificate: { ...certificate, signatures: [signature!, signature!, signature!] },
      },
      /twice/,
    ],
    [
      { type: "certificate", certificate: { ...nullify(1, notarized), tip: genesisTip } },
      /knows a newer tip/,
    ],
    [{ type: "certificate", certificate: { ...nullify(1, notarized), term: 2 } }, /forged/],
    [
      {
        type: "certificate",
        certificate: { ...nullification, tip: tipOf(certify("notarize", later)) },
      },
      /later term/,
    ],
  ];
  for (const [message, reason] of faults) {
    assert.match(faultOf(rules, message) ?? "no fault", reason);
  }
});

test("layer one counts as many validators as may sit here", () => {
  for (const [file, name] of [
    ["ValidatorRegistry.sol", "VALIDATORS_MAX"],
    ["libraries/Evidence.sol", "MEMBERS_MAX"],
  ] as const) {
    const source = readFileSync(path.join(import.meta.dirname, "../../../contracts", file), "utf8");
    const [, count] = new RegExp(`constant ${name} = (\\d+);`).exec(source) ?? [];
    assert.equal(Number(count), VALIDATORS_MAX, file);
  }
});
