// C9: the real verifiers against inputs that are no field elements, proofs that are no proofs, and
// proofs that are the same proof in other bytes. Valid proofs are forged with the published secrets
// of the development keys, which is also why those keys never leave local chains.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { bn254 } from "@noble/curves/bn254.js";
import { forgeDevProof } from "../../scripts/keys/forgeDevProof.ts";
import { FIELD_MODULUS } from "../../sequencer/protocol/constants.ts";
import {
  deployRollup,
  publicSignals,
  refused,
  tradeBatch,
  viem,
  type World,
} from "./rollupChain.ts";

type Proof = readonly [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
const { Point: G1 } = bn254.G1;
/** Modulus of the points' coordinates. */
const P = bn254.fields.Fp.ORDER;
const VERIFIERS = path.join(import.meta.dirname, "../../contracts/generated/verifiers");
const MANGLED = 10_000;
const AT_ONCE = 50;

/** A proof of any statement at all, by whoever knows the secrets. */
function forge(name: string, signals: readonly bigint[], a?: bigint, b?: bigint): Proof {
  const source = readFileSync(path.join(VERIFIERS, `${name}.sol`), "utf8");
  return forgeDevProof(source, signals, a, b);
}

/** The same statement, other bytes: both points of the first pair negated. */
function malleated([ax, ay, bx1, bx0, by1, by0, cx, cy]: Proof): Proof {
  return [ax, P - ay, bx1, bx0, P - by1, P - by0, cx, cy];
}

const shaped = ([ax, ay, bx1, bx0, by1, by0, cx, cy]: Proof) =>
  [
    [ax, ay],
    [
      [bx1, bx0],
      [by1, by0],
    ],
    [cx, cy],
  ] as const;

async function deployTradeVerifier() {
  const verifier = await viem.deployContract("InsecureDevTradeTinyVerifier");
  const verify = (proof: Proof, signals: readonly [bigint, bigint, bigint]) =>
    verifier.read.verifyProof([...shaped(proof), signals]);
  return { verifier, verify };
}

const SIGNALS = [11n, 22n, 33n] as const;
const TRADE = "InsecureDevTradeTinyVerifier";

test("C9: a public signal at or above the field's order is refused", async () => {
  const { verify } = await deployTradeVerifier();
  const proof = forge(TRADE, SIGNALS);
  assert.equal(await verify(proof, SIGNALS), true);
  const signals: readonly bigint[] = SIGNALS;
  for (const index of [0, 1, 2]) {
    for (const value of [signals[index]! + FIELD_MODULUS, 2n ** 256n - 1n, FIELD_MODULUS]) {
      const aliased = signals.with(index, value) as [bigint, bigint, bigint];
      assert.equal(await verify(proof, aliased), false, `signal ${index} is ${value}`);
    }
    const changed = signals.with(index, signals[index]! + 1n) as [bigint, bigint, bigint];
    assert.equal(await verify(proof, changed), false);
  }
});

/** A small generator: the same ten thousand proofs on every machine. */
function createRandom(seed: bigint): () => bigint {
  let state = seed;
  return () => {
    state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
    return state >> 8n;
  };
}

/** One way or another of spoiling a proof; never the proof itself, nor its malleated twin. */
function mangle(proof: Proof, random: () => bigint): Proof {
  const at = Number(random() % 8n);
  const wide = () => (random() << 200n) | (random() << 144n) | (random() << 88n) | random();
  const put = (index: number, value: bigint) => proof.with(index, value) as unknown as Proof;
  switch (Number(random() % 8n)) {
    case 0:
      return put(at, proof[at]! ^ (1n << (random() % 256n)));
    case 1:
      return put(at, wide() % P);
    case 2:
      // The same point, written with a coordinate that is not reduced.
      return put(at, proof[at]! + P);
    case 3:
      return put(at, 0n);
    case 4:
      return put(at, P - proof[at]!);
    case 5: {
      // A point of the curve, in the wrong place.
      const { x, y } = G1.BASE.multiply(1n + (random() % 1000n) + 10n).toAffine();
      const place = random() % 2n === 0n ? 0 : 6;
      return proof.with(place, x).with(place + 1, y) as unknown as Proof;
    }
    case 6: {
      const other = (at + 1 + Number(random() % 7n)) % 8;
      return proof.with(at, proof[other]!).with(other, proof[at]!) as unknown as Proof;
    }
    default:
      return put(at, 2n ** 256n - 1n - (random() % 1000n));
  }
}

test(`C9: ${MANGLED} mangled proofs are refused`, async (context) => {
  const { verify } = await deployTradeVerifier();
  const random = createRandom(1n);
  const proofs = [2n, 3n, 4n].map((a) => forge(TRADE, SIGNALS, a, 3n));
  const seen = new Map<boolean, number>();
  for (let done = 0; done < MANGLED; done += AT_ONCE) {
    const verdicts = Array.from({ length: AT_ONCE }, () => {
      const proof = proofs[Number(random() % 3n)]!;
      return verify(mangle(proof, random), SIGNALS);
    });
    for (const verdict of await Promise.all(verdicts)) {
      seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
    }
  }
  assert.deepEqual([...seen], [[false, MANGLED]]);
  context.diagnostic(`C9: ${MANGLED} mangled proofs of the trade circuit's key, all refused`);
});

test("C9: a proof in other bytes settles its batch once, like itself", async () => {
  const { verifier } = await deployTradeVerifier();
  const it = await deployRollup({ tradeVerifier: verifier.address });
  const words = await tradeBatch(it);
  const { signals } = publicSignals(words, 9n);
  const proof = forge(TRADE, signals);
  await refused(
    it,
    send(
      it,
      words,
      mangle(proof, () => 0n),
    ),
    "BatchProofInvalid",
    signals,
  );
  await send(it, words, malleated(proof));
  for (const again of [proof, malleated(proof)]) {
    await refused(it, send(it, words, again), "BatchNumberUnequal", [1n, 2n]);
  }
  // Nor does it carry over to the batch after it.
  const next = await tradeBatch(it);
  const stated = publicSignals(next, 9n).signals;
  await refused(it, send(it, next, malleated(proof)), "BatchProofInvalid", stated);
});

function send({ rollup }: World, words: readonly bigint[], proof: Proof) {
  return rollup.write.submitBatch([words, 9n, proof, "0x"]);
}
