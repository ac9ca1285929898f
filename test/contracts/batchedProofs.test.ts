// Proofs that are verified together, with real proofs of the tiny circuits and real verifiers: one
// that does not hold is noticed wherever it stands, also where its error cancels another's, and
// then nothing is anchored. What a plain product of all equations would make of them is computed
// here beside it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { before, test } from "node:test";
import { bn254 } from "@noble/curves/bn254.js";
import { numberToHex } from "viem";
import { forgeDevProof } from "../../scripts/keys/forgeDevProof.ts";
import type { ProofWords, SealedBatch } from "../../sequencer/batch/sealedBatch.ts";
import { BATCH_KINDS, FIELD_MODULUS } from "../../sequencer/protocol/constants.ts";
import { HEADER } from "../../sequencer/protocol/layout.ts";
import { createMarket, FAR, type Market, slotRisk } from "../support/market.ts";
import { proveBatches } from "../support/provenBatches.ts";
import { fill, openMarket } from "./provenMarket.ts";
import {
  alice,
  bob,
  deployProving,
  depositWithKey,
  networkHelpers,
  publicClient,
  publicSignals,
  verifierName,
} from "./rollupChain.ts";
import { planned, type Submission } from "./together.ts";

const { time } = networkHelpers;
const { Point: G1 } = bn254.G1;
const { Point: G2 } = bn254.G2;
const P = bn254.fields.Fp.ORDER;
const GAS = 6_000_000n;
const OWNERS = { 3: alice, 4: bob } as const;
const AMOUNT = 800_000_000;
const KEY_EXPIRY = FAR / 1000 - 1;
const FUNDINGS = ([3, 4] as const).map((account) => {
  return { account, amount: AMOUNT, keyExpiry: KEY_EXPIRY };
});
const VERIFIERS = path.join(import.meta.dirname, "../../contracts/generated/verifiers");

type Real = Awaited<ReturnType<typeof deployProving>>;

let world: Real;
let proven: Submission[];

before(async () => {
  world = await deployProving(createMarket().executor.root());
  const start = (await time.latest()) + 60;
  const domain = await world.rollup.read.domain();
  const market = createMarket("tiny", { domain, time: start * 1000 });
  for (const funding of FUNDINGS) await depositWithKey(world, OWNERS[funding.account], funding);
  tradeOften(market);
  const batches = await proveBatches(market.sealed);
  proven = batches.map(({ batch, proof }) => submissionOf(batch, proof));
  assert.deepEqual(
    market.sealed.map(({ kind }) => kind),
    ["ledger", "trade", "trade"],
  );
  await time.increaseTo(start + 600);
});

function submissionOf({ words, commitment }: SealedBatch, proof: ProofWords): Submission {
  return { words, commitment, proof, certificate: "0x" };
}

/** Deposits and a listing, then two batches of trades. */
function tradeOften(market: Market): void {
  const deposits = FUNDINGS.map((funding) => {
    return { ...funding, owner: OWNERS[funding.account].account.address };
  });
  openMarket(market, { deposits, risks: [slotRisk(200, 80)], expiry: KEY_EXPIRY });
  for (const price of [190, 195]) {
    fill(market, 3, 4, { book: 0, price, lots: 40 });
    market.seal();
  }
}

function together({ rollup }: Real, batches: readonly Submission[]) {
  return rollup.write.submitBatches([batches], { gas: GAS });
}

async function stateOf({ rollup }: Real) {
  const slots = Array.from({ length: 24 }, (_, slot) => numberToHex(slot, { size: 32 }));
  return Promise.all(
    slots.map((slot) => publicClient.getStorageAt({ address: rollup.address, slot })),
  );
}

/** Refused as a transaction that is mined, and nothing has changed. */
async function refusedWhole(it: Real, batches: readonly Submission[], what: string) {
  const before = await stateOf(it);
  const call = together(it, batches);
  await assert.rejects(call, /BatchProofsInvalid|OperationUnequal|BatchNumberUnequal/, what);
  assert.deepEqual(await stateOf(it), before, what);
}

type Words = readonly bigint[];
const first = (proof: Words, at: number) => G1.fromAffine({ x: proof[at]!, y: proof[at + 1]! });

/** The proof with a multiple of the generator added to A (0) or C (6). */
function shifted(proof: ProofWords, at: 0 | 6, scalar: bigint): ProofWords {
  const { x, y } = first(proof, at).add(G1.BASE.multiply(scalar)).toAffine();
  return proof.with(at, x).with(at + 1, y) as unknown as ProofWords;
}

/** The same with B. */
function shiftedB(proof: ProofWords, scalar: bigint): ProofWords {
  const { x, y } = secondOf(proof.slice(2, 6)).add(G2.BASE.multiply(scalar)).toAffine();
  const [ax, ay, , , , , cx, cy] = proof;
  return [ax, ay, x.c1, x.c0, y.c1, y.c0, cx, cy];
}

function secondOf([x1, x0, y1, y0]: Words) {
  return G2.fromAffine({ x: { c0: x0!, c1: x1! }, y: { c0: y0!, c1: y1! } });
}

const MINUS = FIELD_MODULUS;

/** What all the equations come to if they are multiplied without weights: whether that is 1. */
async function plainProductHolds(it: Real, batches: readonly Submission[]): Promise<boolean> {
  const pairs = [];
  for (const { words, commitment, proof } of batches) {
    const isTrade = words[0] === BigInt(BATCH_KINDS.trade);
    const key = await (isTrade ? it.trade : it.ledger).read.verifyingKey();
    const second = (at: number) => secondOf(key.slice(at, at + 4));
    const [beta, gamma, delta] = [second(2), second(6), second(10)];
    const scalars = [1n, ...publicSignals(words, commitment).signals];
    const x = scalars.reduce(
      (sum, scalar, i) => sum.add(first(key, 14 + 2 * i).multiply(scalar)),
      G1.ZERO,
    );
    pairs.push({ g1: first(proof, 0).negate(), g2: secondOf(proof.slice(2, 6)) });
    pairs.push({ g1: first(key, 0), g2: beta }, { g1: x, g2: gamma });
    pairs.push({ g1: first(proof, 6), g2: delta });
  }
  const product = bn254.pairingBatch(pairs as never);
  return bn254.fields.Fp12.eql(product, bn254.fields.Fp12.ONE);
}

function withProof(batches: readonly Submission[], at: number, proof: ProofWords): Submission[] {
  return batches.with(at, { ...batches[at]!, proof });
}

test("any one spoiled proof, wherever it stands, refuses all", async () => {
  assert.ok(await plainProductHolds(world, proven), "proofs that hold");
  for (const at of proven.keys()) {
    const { proof, words, commitment } = proven[at]!;
    const spoiled: readonly [string, Submission[]][] = [
      ["A", withProof(proven, at, shifted(proof, 0, 5n))],
      ["B", withProof(proven, at, shiftedB(proof, 5n))],
      ["C", withProof(proven, at, shifted(proof, 6, 5n))],
      ["no point", withProof(proven, at, proof.with(0, proof[0] ^ 1n) as never)],
      ["A negated", withProof(proven, at, proof.with(1, P - proof[1]) as never)],
      ["commitment", proven.with(at, { ...proven[at]!, commitment: commitment + 1n })],
      ["private root", changedWord(at, HEADER.indexOf("privateRoot"))],
      ["last word", changedWord(at, words.length - 1)],
    ];
    for (const [what, batches] of spoiled) await refusedWhole(world, batches, `${what} of ${at}`);
  }
});

function changedWord(at: number, index: number): Submission[] {
  const { words, ...rest } = proven[at]!;
  return proven.with(at, { ...rest, words: words.with(index, words[index]! ^ 1n) });
}

test("proofs of each other's batches refuse all", async () => {
  for (const i of proven.keys()) {
    for (let j = i + 1; j < proven.length; j++) {
      const [a, b] = [proven[i]!.proof, proven[j]!.proof];
      await refusedWhole(world, withProof(withProof(proven, i, b), j, a), `${i} and ${j}`);
    }
  }
});

test("errors that cancel in a plain product refuse all", async () => {
  // Of one key: both trade batches.
  for (const scalar of [1n, 123_456_789n, 2n ** 128n, MINUS - 1n]) {
    const plus = shifted(proven[1]!.proof, 6, scalar);
    const minus = shifted(proven[2]!.proof, 6, MINUS - scalar);
    const batches = withProof(withProof(proven, 1, plus), 2, minus);
    assert.ok(await plainProductHolds(world, batches), "a plain product is deceived");
    await refusedWhole(world, batches, `C, ${scalar}`);
  }
});

test("the proofs as they are anchor all, in other bytes too", async () => {
  const [ax, ay, x1, x0, y1, y0, cx, cy] = proven[2]!.proof;
  const other: ProofWords = [ax, P - ay, x1, x0, P - y1, P - y0, cx, cy];
  await together(world, withProof(proven, 2, other));
  assert.equal(await world.rollup.read.batchCount(), 3n);
  const last = proven[2]!.words[HEADER.indexOf("rootAfter")];
  assert.equal(await world.rollup.read.stateRoot(), last);
  assert.equal(await world.rollup.read.queueStart(), await world.rollup.read.queueEnd());
});

/** By the published secrets: proofs of made-up words, whose B is the same. */
async function forgedBatches(it: Real): Promise<Submission[]> {
  const batches = await planned(
    it,
    ["trade", "trade", "ledger", "ledger"].map((kind) => ({ kind: kind as "trade" | "ledger" })),
  );
  const sources = ["Trade", "Ledger"].map((circuit) =>
    readFileSync(path.join(VERIFIERS, `${verifierName(circuit)}.sol`), "utf8"),
  );
  return batches.map((batch, index) => {
    const { signals } = publicSignals(batch.words, batch.commitment);
    const proof = forgeDevProof(sources[index < 2 ? 0 : 1]!, signals, BigInt(11 + index), 7n);
    return { ...batch, proof };
  });
}

test("so do errors in A, between two keys too, and in the first proof of weight 1", async () => {
  const it = await deployProving();
  const forged = await forgedBatches(it);
  for (const i of forged.keys()) {
    for (let j = i + 1; j < forged.length; j++) {
      // Those of A between two keys as well; those of C where the key is one.
      for (const at of Math.floor(i / 2) === Math.floor(j / 2) ? ([0, 6] as const) : [0 as const]) {
        const plus = shifted(forged[i]!.proof, at, 99n);
        const minus = shifted(forged[j]!.proof, at, MINUS - 99n);
        const batches = withProof(withProof(forged, i, plus), j, minus);
        assert.ok(await plainProductHolds(it, batches), "a plain product is deceived");
        await refusedWhole(it, batches, `word ${at} of ${i} and ${j}`);
      }
    }
  }
  await together(it, forged);
  assert.equal(await it.rollup.read.batchCount(), 4n);
});

test("the key that is stated is the one that proofs are verified by", async () => {
  for (const circuit of ["Trade", "Ledger"] as const) {
    const source = readFileSync(path.join(VERIFIERS, `${verifierName(circuit)}.sol`), "utf8");
    const constants = [...source.matchAll(/uint256 constant (\w+)\s*= (\d+);/g)].map(
      ([, name, value]) => [name!, BigInt(value!)] as const,
    );
    const points = constants.filter(([name]) => /^(alpha|beta|gamma|delta|IC\d)/.test(name));
    const verifier = circuit === "Trade" ? world.trade : world.ledger;
    assert.deepEqual(
      [...(await verifier.read.verifyingKey())],
      points.map(([, value]) => value),
    );
    const [gamma, delta] = await verifier.read.keyPoints();
    const key = await verifier.read.verifyingKey();
    assert.deepEqual([gamma, delta], [key.slice(6, 10), key.slice(10, 14)]);
  }
});
