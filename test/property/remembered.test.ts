// What is remembered of signatures and chains is what the functions themselves say, always.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SCENARIOS } from "../../sequencer/protocol/constants.ts";
import { publicKeyOf, type Signature, sign, verify } from "../../sequencer/protocol/eddsa.ts";
import { nextHead } from "../../sequencer/protocol/messages.ts";
import {
  isQuorumSignedOnce,
  nextHeadOnce,
  verifyOnce,
} from "../../sequencer/protocol/remembered.ts";
import {
  isQuorumSigned,
  type OracleSignature,
  type SlotRisk,
  snapshotHash,
} from "../../sequencer/protocol/snapshot.ts";

const SECRETS = [11n, 12n, 13n];
/** Two have the same low bits: they share their place. */
const MESSAGES = [5n, 5n + 2n ** 12n, 6n];
const place = fc.nat({ max: 2 });
const change = fc.constantFrom("none", "r8x", "r8y", "s", "message", "key");

test("a signature is refused however often another one has been taken", () => {
  const taken: string[] = [];
  const attempt = fc.tuple(place, place, change);
  fc.assert(
    fc.property(fc.array(attempt, { minLength: 4, maxLength: 12 }), (attempts) => {
      for (const [signer, at, what] of attempts) {
        const key = publicKeyOf(SECRETS[signer]!);
        const message = MESSAGES[at]!;
        const signed: Signature = sign(SECRETS[signer]!, message);
        const signature =
          what === "r8x" || what === "r8y" || what === "s"
            ? { ...signed, [what]: signed[what] + 1n }
            : signed;
        const said = what === "message" ? message + 2n ** 13n : message;
        const asked = what === "key" ? publicKeyOf(SECRETS[(signer + 1) % 3]!) : key;
        const verdict = verifyOnce(asked, said, signature);
        assert.equal(verdict, verify(asked, said, signature));
        assert.equal(verdict, what === "none");
        taken.push(what);
      }
    }),
    { numRuns: 60 },
  );
  assert.equal(new Set(taken).size, 6);
});

test("a signature that is changed in place is another one", () => {
  const key = publicKeyOf(11n);
  const signature = { ...sign(11n, 77n) };
  assert.equal(verifyOnce(key, 77n, signature), true);
  assert.equal(verifyOnce(key, 77n, signature), true);
  signature.s += 1n;
  assert.equal(verifyOnce(key, 77n, signature), false);
});

test("a snapshot is signed or not, whatever has been asked before", () => {
  const oracles = SECRETS.map(publicKeyOf);
  const slot = (mark: number) => ({
    ...{ terms: { isCall: true, strike: 2000, expiry: 9 }, mark, isFinal: false },
    changes: new Array<number>(SCENARIOS).fill(3),
  });
  const [first, second] = [slot(5), slot(6)] as const;
  const body = { time: 77, slots: [first, second] };
  const hash = snapshotHash(1n, body);
  const signatures = [0, 2].map((signer) => ({ signer, ...sign(SECRETS[signer]!, hash) }));
  const good = { domain: 1n, quorum: 2, oracles, snapshot: { ...body, signatures } };
  const { snapshot } = good;
  const withSlots = (...slots: SlotRisk[]) => ({ ...good, snapshot: { ...snapshot, slots } });
  const withSignatures = (...given: OracleSignature[]) => ({
    ...good,
    snapshot: { ...snapshot, signatures: given },
  });
  const [one, two] = signatures as [OracleSignature, OracleSignature];
  const others = [
    { ...good, domain: 2n },
    { ...good, quorum: 3 },
    { ...good, oracles: [oracles[0]!, oracles[1]!, oracles[1]!] },
    { ...good, oracles: oracles.slice(0, 2) },
    { ...good, snapshot: { ...snapshot, time: 78 } },
    withSlots(first),
    withSlots(second, first),
    withSlots(first, { ...second, mark: 7 }),
    withSlots(first, { ...second, isFinal: true }),
    withSlots(first, { ...second, terms: { ...second.terms, isCall: false } }),
    withSlots(first, { ...second, terms: { ...second.terms, strike: 2001 } }),
    withSlots(first, { ...second, terms: { ...second.terms, expiry: 10 } }),
    withSlots(first, { ...second, changes: second.changes.with(16, 4) }),
    withSignatures(one),
    withSignatures(one, one),
    withSignatures(two, one),
    withSignatures(one, { ...two, signer: 1 }),
    withSignatures(one, { ...two, s: two.s + 1n }),
    withSignatures(one, { ...two, r8x: two.r8x + 1n }),
    withSignatures(one, { ...two, r8y: two.r8y + 1n }),
  ];
  for (const other of others) {
    assert.equal(isQuorumSignedOnce(good), true);
    assert.equal(isQuorumSignedOnce(structuredClone(good)), true);
    assert.equal(isQuorumSignedOnce(other), false);
    assert.equal(isQuorumSigned(other), false);
  }
  const changing = structuredClone(good) as {
    snapshot: { slots: { mark: number }[] };
  } & typeof good;
  assert.equal(isQuorumSignedOnce(changing), true);
  changing.snapshot.slots[0]!.mark += 1;
  assert.equal(isQuorumSignedOnce(changing), false, "changed in place");
});

test("heads are those of the chain, also where they share a place", () => {
  const low = fc.bigInt({ min: 0n, max: 3n });
  const pair = fc.tuple(low, low, low);
  fc.assert(
    fc.property(fc.array(pair, { minLength: 2, maxLength: 20 }), (pairs) => {
      for (const [high, rest, word] of pairs) {
        const head = (high << 12n) + rest;
        assert.equal(nextHeadOnce(head, word), nextHead(head, word));
      }
    }),
  );
});
