// What is remembered of signatures and chains is what the functions themselves say, always.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { publicKeyOf, type Signature, sign, verify } from "../../sequencer/protocol/eddsa.ts";
import { nextHead } from "../../sequencer/protocol/messages.ts";
import { nextHeadOnce, verifyOnce } from "../../sequencer/protocol/remembered.ts";

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
