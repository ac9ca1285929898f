// Evidence of every kind, as a file that anybody can check: certified logs, votes, and near misses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { blockHash } from "../../../sequencer/consensus/block.ts";
import {
  checkEvidence,
  decodeEvidence,
  type Evidence,
  encodeEvidence,
  type ReceiptAndBlock,
  type TwoVotes,
} from "../../../sequencer/consensus/evidence.ts";
import { createSigner } from "../../../sequencer/consensus/signing.ts";
import type { Vote } from "../../../sequencer/consensus/vote.ts";
import type { EvidenceRules } from "../../../sequencer/protocol/evidence.ts";
import { FormatError } from "../../../sequencer/protocol/shape.ts";
import {
  entryOf,
  keyOf,
  logOf,
  partOf,
  receiptOf,
  sittingOf,
  twoReceipts,
} from "../../support/histories.ts";

const domain = 5n;
const signer = createSigner(keyOf(9));
const four = sittingOf(domain);
const rules: EvidenceRules = {
  ...{ domain, sequencers: [signer.address], validators: four.sitting.members },
};
const entries = Array.from({ length: 10 }, (_, salt) => entryOf(salt));
const acknowledged = logOf(domain, entries);
/** Message 6 was acknowledged and is not in the certified log. */
const certified = logOf(domain, entries.toSpliced(6, 1));

/** The receipt of the acknowledged log's `position` against a block of the certified one. */
function againstBlock(position: number, log = certified): ReceiptAndBlock {
  const receipt = receiptOf(signer, domain, acknowledged[position]!);
  const head = log.length - 1;
  const isLater = position > head;
  const part = isLater ? partOf(acknowledged, head, position) : partOf(log, position, head);
  const { sitting } = four;
  return { kind: "block", domain, receipt, sitting, ...four.certify(log), ...part };
}

function reasonOf(evidence: Evidence, checked = rules): string {
  const verdict = checkEvidence(evidence, checked);
  return verdict.isProven ? `${verdict.guilty}: ${verdict.offence}` : verdict.reason;
}

const guilty = `${signer.address}: a receipt against the certified log`;

test("a receipt of what the certified log leaves out convicts its signer", () => {
  for (const position of [6, 7, 8]) assert.equal(reasonOf(againstBlock(position)), guilty);
  // Certified up to before the receipt: its own log's records lead back to the difference.
  assert.equal(reasonOf(againstBlock(9, certified.slice(0, 8))), guilty);
  // What both logs have, and what is certified as it was acknowledged.
  assert.match(reasonOf(againstBlock(5)), /of one log/);
  assert.match(reasonOf(againstBlock(9, acknowledged)), /of one log/);
  assert.match(reasonOf(againstBlock(9, acknowledged.slice(0, 4))), /of one log/);
});

test("only a final block of the known validators stands against a receipt", () => {
  const good = againstBlock(7);
  const { block, certificate } = good;
  const others = sittingOf(domain, 1, [5, 6, 7, 8]);
  const later = sittingOf(domain, 2);
  const elsewhere = sittingOf(domain + 1n);
  const changed = { ...block, logHash: "12".repeat(32) };
  const cases: readonly (readonly [Partial<ReceiptAndBlock>, RegExp])[] = [
    [four.certify(certified, "notarize"), /may yet be replaced/],
    [four.certify(certified, "finalize", [0, 1]), /lacks a quorum/],
    [four.certify(certified, "finalize", [0, 1, 1]), /stands twice/],
    [{ block: changed }, /of another block/],
    [{ certificate: { ...certificate, view: { term: 1, index: 1 } } }, /of another block/],
    [{ certificate: { ...certificate, block: blockHash(changed) }, block: changed }, /forged/],
    [later.certify(certified), /forged/],
    [elsewhere.certify(certified), /forged/],
    [{ ...others.certify(certified), sitting: others.sitting }, /not of the known validators/],
    [{ sitting: { epoch: 1, members: four.sitting.members.slice(1) } }, /not of the known/],
    [{ domain: domain + 1n }, /another deployment/],
    [{ receipt: { ...good.receipt, signature: `0x${"00".repeat(65)}` } }, /is not signed/],
    [{ receipt: receiptOf(createSigner(keyOf(8)), domain, acknowledged[7]!) }, /neither/],
    [{ receipt: receiptOf(signer, domain + 1n, acknowledged[7]!) }, /neither/],
    [{ records: good.records.slice(1) }, /between the positions/],
    [{ records: [{ epoch: 0, entry: "{}" }] }, /do not lead/],
  ];
  for (const [change, reason] of cases) assert.match(reasonOf({ ...good, ...change }), reason);
  // The same members in a later sitting are known, and may certify.
  const again = { ...good, ...later.certify(certified), sitting: later.sitting };
  assert.equal(reasonOf(again), guilty);
});

const view = { term: 2, index: 3 };
const notarize: Vote = { kind: "notarize", term: 2, view, block: "ab".repeat(32) };
const other = { ...notarize, block: "cd".repeat(32) };
const finalize: Vote = { ...notarize, kind: "finalize" };
const nullify: Vote = { ...notarize, kind: "nullify", view: { term: 2, index: 2 } };

function votes(a: Vote, b: Vote, by: readonly [number, number] = [1, 1]): TwoVotes {
  const [first, second] = [four.vote(by[0], a), four.vote(by[1], b)];
  return { kind: "votes", domain, sitting: four.sitting, first, second };
}

test("two votes that no honest validator casts convict it, in one sitting", () => {
  const [, member] = four.sitting.members;
  for (const [a, b, offence] of [
    [notarize, other, "two notarized"],
    [finalize, { ...other, kind: "finalize" }, "two finalized"],
    [nullify, { ...nullify, view }, "two nullified"],
    [nullify, finalize, "promise broken"],
    [finalize, { ...nullify, term: 4 }, "promise broken"],
  ] as const) {
    assert.equal(reasonOf(votes(a, b)), `${member}: ${offence}`);
    assert.equal(reasonOf(votes(b, a)), `${member}: ${offence}`);
  }
  const honest = /an honest validator may cast both/;
  for (const [a, b] of [
    [notarize, notarize],
    [notarize, finalize],
    [notarize, nullify],
    [notarize, { ...other, view: { term: 2, index: 4 } }],
    [nullify, { ...nullify, term: 3 }],
    [finalize, { ...nullify, view }],
    [nullify, { ...finalize, term: 3, view: { term: 3, index: 0 } }],
  ] as const) {
    assert.match(reasonOf(votes(a, b)), honest);
  }
  const good = votes(notarize, other);
  assert.match(reasonOf(votes(notarize, other, [1, 2])), honest);
  assert.match(reasonOf({ ...good, second: { ...good.second, validator: 2 } }), honest);
  const forged = { ...good.second, signature: good.first.signature };
  assert.match(reasonOf({ ...good, second: forged }), honest);
  // Of another sitting, of two, of other members in number, or of another deployment.
  assert.match(reasonOf({ ...good, sitting: { ...four.sitting, epoch: 2 } }), honest);
  const moved = { ...good, second: sittingOf(domain, 2).vote(1, other) };
  assert.match(reasonOf(moved), honest);
  const few = { epoch: 1, members: four.sitting.members.slice(1) };
  assert.match(reasonOf({ ...good, sitting: few }), /nobody votes/);
  const away = { ...good, second: sittingOf(6n).vote(1, other) };
  assert.match(reasonOf(away), honest);
  assert.match(reasonOf({ ...good, domain: 6n }), /another deployment/);
  assert.match(reasonOf({ ...good, domain: 6n }, { ...rules, domain: 6n }), honest);
  assert.match(reasonOf(good, { ...rules, validators: [signer.address] }), /neither/);
});

const pieces: readonly Evidence[] = [
  twoReceipts({ signer, domain, logs: [acknowledged, certified], p: 6, q: 8 }),
  againstBlock(7),
  votes(nullify, finalize),
];

test("evidence is the same after writing and reading; the same text for the same evidence", () => {
  for (const evidence of pieces) {
    const text = encodeEvidence(evidence);
    const read = decodeEvidence(text);
    assert.deepEqual(read, evidence);
    assert.equal(encodeEvidence(read), text);
    const shuffled = Object.fromEntries(Object.entries(evidence).reverse()) as unknown as Evidence;
    assert.equal(encodeEvidence(shuffled), text);
    // What the format does not know is not carried along, and changes nothing.
    assert.equal(encodeEvidence({ ...evidence, ...{ note: "!" } }), text);
    assert.ok(
      checkEvidence(decodeEvidence(JSON.stringify(JSON.parse(text), null, 2)), rules).isProven,
    );
  }
});

test("a file that was cut off or changed in any byte proves nothing", () => {
  for (const evidence of pieces) {
    const text = encodeEvidence(evidence);
    for (let length = 0; length < text.length - 2; length += 37) {
      assert.throws(() => decodeEvidence(text.slice(0, length)), FormatError);
    }
    for (let at = 0; at < text.length; at += 61) {
      const code = text.charCodeAt(at) ^ 1;
      const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
      assert.ok(
        !isProven(changed),
        `byte ${at} of ${evidence.kind}: ${text.slice(at - 20, at + 20)}`,
      );
    }
  }
});

function isProven(text: string): boolean {
  try {
    return checkEvidence(decodeEvidence(text), rules).isProven;
  } catch (error) {
    assert.ok(error instanceof FormatError);
    return false;
  }
}

test("what is not evidence is refused by its shape", () => {
  const [receipts, block] = pieces.map((evidence) => encodeEvidence(evidence)) as [string, string];
  const broken = [
    "[]",
    "null",
    '{"kind":"hearsay"}',
    receipts.replace('"domain":"0x5n"', '"domain":5'),
    receipts.replace(/"domain":"0x5n"/, `"domain":"0x1${"0".repeat(63)}n"`),
    receipts.replace('"position":6', '"position":-6'),
    receipts.replace('"position":6', '"position":6.5'),
    receipts.replace(/"hash":"../, '"hash":"XY'),
    receipts.replace(/"signature":"0x/, '"signature":"'),
    receipts.replace('"epoch":0', '"epoch":"0"'),
    receipts.replace(/"entry":"/, '"entry":5,"was":"'),
    receipts.replace('"records":[', `"records":[${"0,".repeat(2 ** 16)}`),
    block.replace(/"members":\["0x/, '"members":["0X'),
    block.replace('"kind":"finalize"', '"kind":"nullify"'),
    block.replace(/"root":"0x8n"/, '"root":8'),
  ];
  assert.ok(broken.every((text) => text !== receipts && text !== block));
  for (const text of broken) assert.throws(() => decodeEvidence(text), FormatError, text);
});
