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

test("a slot's words hold mark, finality, terms and changes", () => {
  const [first, second] = slotRiskWords({ ...slot, isFinal: true });
  assert.equal(first & 0xfffffn, 5n);
  assert.equal((first >> 20n) & 1n, 1n);
  assert.equal((first >> 21n) & 0x1fffffn, BigInt(100 + 2 ** 20));
  const at = (word: bigint, place: number) => Number((word >> BigInt(21 * place)) & 0x1fffffn);
  const stated = Array.from({ length: SCENARIOS }, (_, scenario) => {
    return scenario < 9 ? at(first, scenario + 1) : at(second >> 57n, scenario - 9);
  });
  assert.deepEqual(
    stated.map((change) => change - 2 ** 20),
    changes,
  );
  assert.equal(first >> 210n, 0n);
  assert.equal(second >> (57n + 168n), 0n);
  assert.equal(second & (2n ** 57n - 1n), 1n + (2n << 1n) + (3n << 25n));
  assert.throws(() => slotRiskWords({ ...slot, mark: 2 ** 20 }), CodecRangeError);
  assert.throws(() => slotRiskWords({ ...slot, mark: -1 }), CodecRangeError);
  for (const wrong of [[], changes.slice(1), [...changes, 0]]) {
    assert.throws(() => slotRiskWords({ ...slot, changes: wrong }), CodecRangeError);
  }
  for (const wrong of [{ strike: -1 }, { strike: 2 ** 24 }, { expiry: 2 ** 32 }]) {
    assert.throws(() => slotRiskWords({ ...slot, terms: { ...terms, ...wrong } }), CodecRangeError);
  }
  const tooHigh = { ...slot, changes: changes.with(3, 2 ** 20) };
  assert.throws(() => slotRiskWords(tooHigh), CodecRangeError);
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
