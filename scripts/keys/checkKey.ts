/**
 * Refuses a Groth16 key that lets anybody prove anything.
 *
 * A key without a phase-two contribution has gamma = delta, and then A = alpha, B = beta,
 * C = -vk_x verifies for any public signals. `snarkjs zkey verify` accepts such a key, and real
 * systems have lost money to it, so this check builds that very forgery and demands that it fail.
 * It cannot see a key whose secrets are known: development keys pass it (see `devSecrets.ts`).
 */
import { bn254 } from "@noble/curves/bn254.js";
import {
  type G1Json,
  type G2Json,
  type KeyFile,
  readKeyFile,
  type VerificationKey,
} from "./keyFile.ts";

const { Point: G1 } = bn254.G1;
const { Point: G2 } = bn254.G2;
type G1Point = typeof G1.BASE;
type G2Point = typeof G2.BASE;

/** A proof as snarkjs spells it. */
export type ProofJson = {
  readonly protocol: "groth16";
  readonly curve: "bn128";
  readonly pi_a: string[];
  readonly pi_b: string[][];
  readonly pi_c: string[];
};

/** Says why a key must not be used. */
export class UnsoundKeyError extends Error {
  override readonly name = "UnsoundKeyError";
}

/** Throws UnsoundKeyError unless the key, given as a .zkey path or a verification key, is sound. */
export function assertKeyIsSound(key: string | VerificationKey): void {
  if (typeof key === "string") {
    const file = readKeyFile(key);
    assertHalvesAgree(file);
    assertVerificationKeyIsSound(file.vkey);
  } else {
    assertVerificationKeyIsSound(key);
  }
}

/** The forgery that verifies if and only if gamma = delta, for any public signals. */
export function forgeProof(vkey: VerificationKey, publicSignals: readonly bigint[]): ProofJson {
  const sum = publicPoint(vkey, publicSignals).negate();
  return {
    protocol: "groth16",
    curve: "bn128",
    pi_a: [...vkey.vk_alpha_1],
    pi_b: vkey.vk_beta_2.map((pair) => [...pair]),
    pi_c: g1ToJson(sum),
  };
}

/** Groth16 verification, independent of snarkjs. */
export function verifyProof(
  vkey: VerificationKey,
  publicSignals: readonly bigint[],
  proof: ProofJson,
): boolean {
  return pairsCancel([
    { g1: g1FromJson(proof.pi_a).negate(), g2: g2FromJson(proof.pi_b) },
    { g1: g1FromJson(vkey.vk_alpha_1), g2: g2FromJson(vkey.vk_beta_2) },
    { g1: publicPoint(vkey, publicSignals), g2: g2FromJson(vkey.vk_gamma_2) },
    { g1: g1FromJson(proof.pi_c), g2: g2FromJson(vkey.vk_delta_2) },
  ]);
}

function assertVerificationKeyIsSound(vkey: VerificationKey): void {
  if (vkey.protocol !== "groth16" || vkey.curve !== "bn128") {
    throw new UnsoundKeyError(`the key is for \`${vkey.protocol}\` on \`${vkey.curve}\``);
  }
  if (vkey.IC.length !== vkey.nPublic + 1) {
    throw new UnsoundKeyError(
      `the key has \`${vkey.IC.length}\` IC points for \`${vkey.nPublic}\` public signals`,
    );
  }
  const gamma = g2FromJson(vkey.vk_gamma_2);
  const delta = g2FromJson(vkey.vk_delta_2);
  const named = {
    alpha: g1FromJson(vkey.vk_alpha_1),
    beta: g2FromJson(vkey.vk_beta_2),
    gamma,
    delta,
  };
  for (const [name, point] of Object.entries(named)) {
    if (point.is0()) throw new UnsoundKeyError(`the key's ${name} is zero`);
  }
  for (const point of vkey.IC) g1FromJson(point);
  // The negative is as bad: the same forgery works with the sign of C turned round.
  if (gamma.equals(delta) || gamma.equals(delta.negate())) {
    throw new UnsoundKeyError(
      "the key's gamma equals its delta, so anybody can forge proofs: it has no contribution",
    );
  }
  // Any numbers do: a key that is forgeable at all is forgeable for every statement.
  const signals = Array.from({ length: vkey.nPublic }, (_, i) => BigInt(i + 1));
  if (verifyProof(vkey, signals, forgeProof(vkey, signals))) {
    throw new UnsoundKeyError("a forged proof verifies under this key");
  }
}

/** The G1 and G2 halves of beta and delta must hide the same secret. */
function assertHalvesAgree(file: KeyFile): void {
  const pairs = [
    { name: "beta", g1: file.beta1, g2: file.vkey.vk_beta_2 },
    { name: "delta", g1: file.delta1, g2: file.vkey.vk_delta_2 },
  ];
  for (const { name, g1, g2 } of pairs) {
    const isSame = pairsCancel([
      { g1: g1FromJson(g1).negate(), g2: G2.BASE },
      { g1: G1.BASE, g2: g2FromJson(g2) },
    ]);
    if (!isSame) throw new UnsoundKeyError(`the key's ${name} differs between G1 and G2`);
  }
}

function publicPoint(vkey: VerificationKey, publicSignals: readonly bigint[]): G1Point {
  if (publicSignals.length !== vkey.nPublic) {
    throw new Error(`\`${publicSignals.length}\` public signals, the key has \`${vkey.nPublic}\``);
  }
  return vkey.IC.map(g1FromJson).reduce((sum, point, i) =>
    sum.add(point.multiplyUnsafe(publicSignals[i - 1] ?? 0n)),
  );
}

type Pair = { readonly g1: G1Point; readonly g2: G2Point };

function pairsCancel(pairs: readonly Pair[]): boolean {
  const { Fp12 } = bn254.fields;
  // A pair with a zero adds nothing, and the pairing function refuses it.
  const proper = pairs.filter(({ g1, g2 }) => !g1.is0() && !g2.is0());
  return Fp12.eql(bn254.pairingBatch(proper), Fp12.ONE);
}

function g1FromJson([x, y, z]: G1Json): G1Point {
  if (x === undefined || y === undefined) throw new UnsoundKeyError("a G1 point is cut short");
  if (z === "0") return G1.ZERO;
  return checked(() => G1.fromAffine({ x: BigInt(x), y: BigInt(y) }));
}

function g2FromJson([x, y, z]: G2Json): G2Point {
  const [x0, x1] = x ?? [];
  const [y0, y1] = y ?? [];
  if (x0 === undefined || x1 === undefined || y0 === undefined || y1 === undefined) {
    throw new UnsoundKeyError("a G2 point is cut short");
  }
  if (z?.[0] === "0") return G2.ZERO;
  return checked(() =>
    G2.fromAffine({
      x: { c0: BigInt(x0), c1: BigInt(x1) },
      y: { c0: BigInt(y0), c1: BigInt(y1) },
    }),
  );
}

function checked<Point extends { readonly assertValidity: () => void }>(read: () => Point): Point {
  try {
    const point = read();
    point.assertValidity();
    return point;
  } catch (cause) {
    throw new UnsoundKeyError("the key has a point that is not in its group", { cause });
  }
}

function g1ToJson(point: G1Point): string[] {
  if (point.is0()) return ["0", "1", "0"];
  const { x, y } = point.toAffine();
  return [`${x}`, `${y}`, "1"];
}
