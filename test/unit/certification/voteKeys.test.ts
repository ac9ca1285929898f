// libsecp256k1 and the JavaScript that it stands in for: the same bytes, the same verdicts.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { createSigner, verifySignature } from "../../../sequencer/consensus/signing.ts";
import { loadVoteKeys } from "../../../sequencer/node/voteKeys.ts";

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
const hashOf = (text: string): Uint8Array => createHash("sha256").update(text).digest();

/** The other signature of the same message that curves allow. */
function withHighS(signature: string): string {
  const s = ORDER - BigInt(`0x${signature.slice(66, 130)}`);
  const v = signature.endsWith("1b") ? "1c" : "1b";
  return `${signature.slice(0, 66)}${s.toString(16).padStart(64, "0")}${v}`;
}

test("both sign the same and judge the same", (context) => {
  const keys = loadVoteKeys();
  context.diagnostic(keys.isNative ? "the binding runs here" : "NO BINDING: nothing is compared");
  for (let round = 0; round < 20; round++) {
    const secret = hashOf(`secret ${round}`);
    const [native, plain] = [keys.signer(secret), createSigner(secret)];
    assert.equal(native.address, plain.address);
    const digest = hashOf(`digest ${round}`);
    const signature = native.sign(digest);
    assert.equal(signature, plain.sign(digest));
    const v = signature.endsWith("1b") ? "1c" : "1b";
    const cases = [
      signature,
      withHighS(signature),
      `${signature.slice(0, -2)}${v}`,
      `${signature.slice(0, -2)}1d`,
      `0x${"00".repeat(64)}1b`,
      `0x${"ff".repeat(64)}1b`,
      signature.slice(2),
      signature.toUpperCase(),
      "",
    ];
    for (const [place, text] of cases.entries()) {
      const verdict = keys.verify(native.address, digest, text);
      assert.equal(verdict, verifySignature(native.address, digest, text), text);
      assert.equal(verdict, place === 0, text);
    }
    assert.equal(keys.verify(native.address, hashOf("other"), signature), false);
    // Also of a member whose key is known by now.
    assert.ok(keys.verify(native.address, digest, signature));
    const other = keys.signer(hashOf(`other secret ${round}`));
    assert.equal(keys.verify(native.address, digest, other.sign(digest)), false);
  }
});

test("without the binding the same is done in JavaScript", () => {
  const keys = loadVoteKeys(() => {
    throw new Error("no such module");
  });
  assert.equal(keys.isNative, false);
  const signer = keys.signer(hashOf("secret"));
  const digest = hashOf("digest");
  assert.ok(keys.verify(signer.address, digest, signer.sign(digest)));
});
