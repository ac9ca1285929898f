import assert from "node:assert/strict";
import { test } from "node:test";
import { CodecRangeError } from "../../../sequencer/protocol/codec.ts";
import { SCENARIOS } from "../../../sequencer/protocol/constants.ts";
import { publicKeyOf, sign } from "../../../sequencer/protocol/eddsa.ts";
import {
  isQuorumSigned,
  markWords,
  type OracleSignature,
  oracleSetHash,
  type SlotRisk,
  slotRiskWords,
  snapshotHash,
} from "../../../sequencer/protocol/snapshot.ts";

const changes = Array.from({ length: SCENARIOS }, (_, scenario) => 100 - scenario);
const terms = { isCall: true, strike: 2, expiry: 3 };
const slot: SlotRisk = { terms, mark: 5, isFinal: false, changes };
const slots = [slot, { ...slot, mark: 6 }];
const secrets = [11n, 12n, 13n];
const oracles = secrets.map(publicKeyOf);
const hash = snapshotHash(1n, { time: 9, slots });
const by = (signer: number, message = hash): OracleSignature => {
  return { signer, ...sign(secrets[signer]!, message) };
};

test("a slot's words hold mark, finality, terms, and changes in lanes", () => {
  const [head, ...words] = slotRiskWords({ ...slot, isFinal: true });
  assert.equal(head, 5n + (1n << 20n) + (1n << 21n) + (2n << 22n) + (3n << 46n));
  // 17 lanes of 50 bits, 5 to a word, each with the offset 2^20.
  const expected = [0, 1, 2, 3].map((word) => {
    const lanes = changes.slice(5 * word, 5 * word + 5);
    return lanes.reduceRight((sum, change) => sum * 2n ** 50n + BigInt(change + 2 ** 20), 0n);
  });
  assert.deepEqual(words, expected);
});

test("what does not fit a slot's words is not encoded", () => {
  assert.throws(() => slotRiskWords({ ...slot, mark: 2 ** 20 }), CodecRangeError);
  assert.throws(() => slotRiskWords({ ...slot, mark: -1 }), CodecRangeError);
  for (const wrong of [[], changes.slice(1), [...changes, 0]]) {
    assert.throws(() => slotRiskWords({ ...slot, changes: wrong }), CodecRangeError);
  }
  for (const wrong of [{ strike: -1 }, { strike: 2 ** 24 }, { expiry: 2 ** 32 }]) {
    assert.throws(() => slotRiskWords({ ...slot, terms: { ...terms, ...wrong } }), CodecRangeError);
  }
  // A lane has room for more: the sums over slots need it.
  for (const at of [0, 4, 16]) {
    for (const change of [2 ** 20, -(2 ** 20), 2 ** 30, 0.5, Number.NaN]) {
      const bent = { ...slot, changes: changes.with(at, change) };
      assert.throws(() => slotRiskWords(bent), CodecRangeError, `${change}`);
    }
    for (const change of [2 ** 20 - 1, 1 - 2 ** 20]) {
      slotRiskWords({ ...slot, changes: changes.with(at, change) });
    }
  }
});

test("domain, time and every slot are signed", () => {
  const hashes = [
    hash,
    snapshotHash(2n, { time: 9, slots }),
    snapshotHash(1n, { time: 10, slots }),
    snapshotHash(1n, { time: 9, slots: [slots[1]!, slots[0]!] }),
    snapshotHash(1n, { time: 9, slots: [slot, { ...slot, mark: 6, isFinal: true }] }),
    snapshotHash(1n, { time: 9, slots: [slot, { ...slots[1]!, changes: changes.with(16, 0) }] }),
    ...[{ isCall: false }, { strike: 0 }, { expiry: 4 }].map((change) => {
      const other = { ...slots[1]!, terms: { ...terms, ...change } };
      return snapshotHash(1n, { time: 9, slots: [slot, other] });
    }),
  ];
  assert.equal(new Set(hashes).size, hashes.length);
});

const QUORUMS: readonly (readonly [string, readonly OracleSignature[], boolean])[] = [
  ["two of three", [by(0), by(2)], true],
  ["all three", [by(0), by(1), by(2)], true],
  ["one", [by(0)], false],
  ["one twice", [by(0), by(0)], false],
  ["descending", [by(2), by(0)], false],
  ["over another message", [by(0), by(1, 5n)], false],
  ["in another's name", [by(0), { ...by(1), signer: 2 }], false],
  ["of an unknown oracle", [by(0), { ...by(1), signer: 3 }], false],
];
for (const [name, signatures, expected] of QUORUMS) {
  test(`a quorum of two signed by ${name}: ${expected}`, () => {
    const snapshot = { time: 9, slots, signatures };
    assert.equal(isQuorumSigned({ domain: 1n, snapshot, oracles, quorum: 2 }), expected);
    assert.equal(isQuorumSigned({ domain: 2n, snapshot, oracles, quorum: 2 }), false);
  });
}

test("the oracle set's hash depends on its order, marks stand 12 to a word", () => {
  assert.notEqual(oracleSetHash(oracles), oracleSetHash(oracles.toReversed()));
  assert.deepEqual(markWords(new Array<number>(13).fill(1)).at(-1), 1n);
});
