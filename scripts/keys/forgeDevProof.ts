/**
 * Proves any statement at all for a development key, by its published secrets: tests need proofs
 * that hold, and figures for gas need a verifier that does all its work. That anybody can do this
 * is why those keys never leave local chains.
 */
import { bn254 } from "@noble/curves/bn254.js";
import type { ProofWords } from "../../sequencer/batch/sealedBatch.ts";
import { DEV_SECRETS } from "./devSecrets.ts";

const { Point: G1 } = bn254.G1;
const { Point: G2 } = bn254.G2;
const { Fr } = bn254.fields;

/**
 * A proof of these public signals, in the contracts' order of words. `verifierSource`: the
 * generated contract of the key. `a`, `b`: the first two points, as multiples of the generators.
 */
export function forgeDevProof(
  verifierSource: string,
  signals: readonly bigint[],
  a = 5n,
  b = 7n,
): ProofWords {
  const { alpha, beta, gamma, delta } = DEV_SECRETS;
  const [first, ...rest] = inputPoints(verifierSource);
  const stated = rest.reduce((sum, point, i) => sum.add(times(point, signals[i]!)), first!);
  const inverse = Fr.inv(delta);
  const free = Fr.mul(Fr.sub(Fr.mul(a, b), Fr.mul(alpha, beta)), inverse);
  const bound = times(stated, Fr.mul(gamma, inverse));
  const c = times(G1.BASE, free).subtract(bound).toAffine();
  const [pa, pb] = [G1.BASE.multiply(a).toAffine(), G2.BASE.multiply(b).toAffine()];
  return [pa.x, pa.y, pb.x.c1, pb.x.c0, pb.y.c1, pb.y.c0, c.x, c.y];
}

/** The verifying key's points for the public signals. */
function inputPoints(source: string) {
  const constant = (key: string) => {
    const found = source.match(new RegExp(`uint256 constant ${key} = (\\d+);`))?.[1];
    return found === undefined ? undefined : BigInt(found);
  };
  const points = [];
  for (let i = 0; constant(`IC${i}x`) !== undefined; i++) {
    points.push(G1.fromAffine({ x: constant(`IC${i}x`)!, y: constant(`IC${i}y`)! }));
  }
  return points;
}

function times(point: typeof G1.BASE, scalar: bigint) {
  const reduced = Fr.create(scalar);
  return reduced === 0n ? G1.ZERO : point.multiply(reduced);
}
