/** The Lagrange basis of snarkjs' evaluation domains at a known point. */
import {
  FIELD_BYTES,
  invert,
  powerOf,
  rootOfUnity,
  SCALAR_FIELD,
  toMontgomery,
  type WasmCurve,
} from "./wasmCurve.ts";

/** The points shift * w^i, i < 2^power; shift is 1, or on the odd coset the 2n-th root. */
export type Coset = { readonly power: number; readonly isOdd: boolean };

/**
 * Writes the Lagrange basis at tau, times `factor`, in Montgomery form; returns its offset.
 *
 * The even coset is the domain itself: L_i(tau) = w^i (tau^n - 1) / (n (tau - w^i)).
 * The odd coset takes the odd-numbered points of the domain of 2n points, where snarkjs' prover
 * evaluates the quotient: with v the 2n-th root, x_i = v w^i and
 * L_i(tau) = x_i (tau^2n - 1) / (2n (tau - x_i)). No Fourier transform is needed.
 */
export function lagrangeAt(curve: WasmCurve, coset: Coset, tau: bigint, factor: bigint): number {
  const size = 2 ** coset.power;
  const order = coset.isOdd ? 2 * size : size;
  const vanishing = powerOf(tau, BigInt(order)) - 1n;
  if (vanishing % SCALAR_FIELD === 0n) throw new Error("tau lies in the domain");
  const scale = (vanishing * invert(BigInt(order))) % SCALAR_FIELD;

  const values = curve.allocate(size * FIELD_BYTES);
  const constants = curve.allocate(4 * FIELD_BYTES);
  const root = constants;
  const point = constants + FIELD_BYTES;
  const tauAt = constants + 2 * FIELD_BYTES;
  const scaledAt = constants + 3 * FIELD_BYTES;
  // batchInverse keeps running products of its own, one element longer than its input.
  curve.reserveScratch((size + 1) * FIELD_BYTES);
  const put = (at: number, value: Uint8Array): void => curve.bytes(at, FIELD_BYTES).set(value);
  const multiply = curve.call("frm_mul");
  const subtract = curve.call("frm_sub");

  const first = coset.isOdd ? rootOfUnity(coset.power + 1) : 1n;
  put(root, toMontgomery(rootOfUnity(coset.power)));
  put(tauAt, toMontgomery(tau));
  put(point, toMontgomery(first));
  for (let i = 0; i < size; i++) {
    subtract(tauAt, point, values + i * FIELD_BYTES);
    multiply(point, root, point);
  }
  curve.call("frm_batchInverse")(values, FIELD_BYTES, size, values, FIELD_BYTES);

  // The scaled point walks on by the same root, so the scale costs nothing per element.
  put(scaledAt, toMontgomery(first * ((scale * factor) % SCALAR_FIELD)));
  for (let i = 0; i < size; i++) {
    const at = values + i * FIELD_BYTES;
    multiply(at, scaledAt, at);
    multiply(scaledAt, root, scaledAt);
  }
  return values;
}
