/** Verifies a Groth16 proof over BN254 as the contracts do: nothing is the node's word alone. */
import { bn254 } from "@noble/curves/bn254.js";
import { FIELD_MODULUS } from "../../protocol/constants.ts";

/** As snarkjs writes it: points with a third coordinate, numbers as decimal texts. */
export interface VerificationKey {
  readonly protocol: string;
  readonly curve: string;
  readonly nPublic: number;
  readonly vk_alpha_1: readonly string[];
  readonly vk_beta_2: readonly (readonly string[])[];
  readonly vk_gamma_2: readonly (readonly string[])[];
  readonly vk_delta_2: readonly (readonly string[])[];
  readonly IC: readonly (readonly string[])[];
}

const WORDS = 8;
const { G1, G2 } = bn254;
type PointG1 = InstanceType<typeof G1.Point>;
type PointG2 = InstanceType<typeof G2.Point>;

/** Throws for a point that is none of the curve, or not of the group. */
function g1([x = "", y = ""]: readonly (string | bigint)[]): PointG1 {
  const point = G1.Point.fromAffine({ x: BigInt(x), y: BigInt(y) });
  point.assertValidity();
  return point;
}

/** Real parts first. */
function g2([x = [], y = []]: readonly (readonly (string | bigint)[])[]): PointG2 {
  const pair = ([c0 = "", c1 = ""]: readonly (string | bigint)[]) => ({
    c0: BigInt(c0),
    c1: BigInt(c1),
  });
  const { Fp2 } = bn254.fields;
  const point = G2.Point.fromAffine({ x: Fp2.create(pair(x)), y: Fp2.create(pair(y)) });
  point.assertValidity();
  return point;
}

/**
 * `proof` as the contracts take it: a, b with its imaginary parts first, c. False also for words
 * that are out of range: a second spelling of a proof is none.
 */
export function isProofValid(
  key: VerificationKey,
  signals: readonly bigint[],
  proof: readonly bigint[],
): boolean {
  if (key.protocol !== "groth16" || key.curve !== "bn128") return false;
  if (signals.length !== key.nPublic || key.IC.length !== key.nPublic + 1) return false;
  const { ORDER } = bn254.fields.Fp;
  if (proof.length !== WORDS || proof.some((word) => word < 0n || word >= ORDER)) return false;
  if (signals.some((word) => word < 0n || word >= FIELD_MODULUS)) return false;
  const [ax, ay, bx1, bx0, by1, by0, cx, cy] = proof as [
    ...[bigint, bigint, bigint, bigint],
    ...[bigint, bigint, bigint, bigint],
  ];
  try {
    let inputs = g1(key.IC[0]!);
    for (const [at, signal] of signals.entries()) {
      // A scalar of 0 adds nothing, and is no scalar to the library.
      if (signal !== 0n) inputs = inputs.add(g1(key.IC[at + 1]!).multiply(signal));
    }
    const pairs = [
      {
        g1: g1([ax, ay]).negate(),
        g2: g2([
          [bx0, bx1],
          [by0, by1],
        ]),
      },
      { g1: g1(key.vk_alpha_1), g2: g2(key.vk_beta_2) },
      { g1: inputs, g2: g2(key.vk_gamma_2) },
      { g1: g1([cx, cy]), g2: g2(key.vk_delta_2) },
    ];
    const { Fp12 } = bn254.fields;
    return Fp12.eql(bn254.pairingBatch(pairs), Fp12.ONE);
  } catch {
    return false;
  }
}
