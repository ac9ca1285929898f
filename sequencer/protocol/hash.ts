/** Poseidon over BN254 with circomlib's parameters. Twin: circuits/gadgets/HashVector.circom. */
import { poseidon1 } from "poseidon-lite/poseidon1";
import { poseidon2 } from "poseidon-lite/poseidon2";
import { poseidon3 } from "poseidon-lite/poseidon3";
import { poseidon4 } from "poseidon-lite/poseidon4";
import { poseidon5 } from "poseidon-lite/poseidon5";
import { poseidon6 } from "poseidon-lite/poseidon6";
import { poseidon7 } from "poseidon-lite/poseidon7";
import { poseidon8 } from "poseidon-lite/poseidon8";
import { poseidon9 } from "poseidon-lite/poseidon9";
import { poseidon10 } from "poseidon-lite/poseidon10";
import { poseidon11 } from "poseidon-lite/poseidon11";
import { poseidon12 } from "poseidon-lite/poseidon12";
import { poseidon13 } from "poseidon-lite/poseidon13";
import { poseidon14 } from "poseidon-lite/poseidon14";
import { poseidon15 } from "poseidon-lite/poseidon15";
import { poseidon16 } from "poseidon-lite/poseidon16";

const BY_WIDTH = [
  poseidon1,
  poseidon2,
  poseidon3,
  poseidon4,
  poseidon5,
  poseidon6,
  poseidon7,
  poseidon8,
  poseidon9,
  poseidon10,
  poseidon11,
  poseidon12,
  poseidon13,
  poseidon14,
  poseidon15,
  poseidon16,
];

/** Inputs of the widest Poseidon that circomlib defines. */
export const HASH_WIDTH_MAX = 16;

/** Poseidon of 1 to 16 field elements. */
export function poseidon(inputs: readonly bigint[]): bigint {
  const hash = BY_WIDTH[inputs.length - 1];
  if (hash === undefined) {
    throw new RangeError(`\`inputs\` must hold 1 to 16 elements. Got \`${inputs.length}\`.`);
  }
  return hash(inputs as bigint[]);
}

/**
 * Hash of a vector whose length is fixed by its place in the protocol: one Poseidon up to 16
 * elements, else `acc = Poseidon16(acc, next 15)`, the first block taking 16 and the last one
 * being only as wide as what is left.
 */
export function hashVector(values: readonly bigint[]): bigint {
  let accumulator = poseidon(values.slice(0, HASH_WIDTH_MAX));
  for (let at = HASH_WIDTH_MAX; at < values.length; at += HASH_WIDTH_MAX - 1) {
    accumulator = poseidon([accumulator, ...values.slice(at, at + HASH_WIDTH_MAX - 1)]);
  }
  return accumulator;
}
