// circomlibjs with bigints at its surface: the reference that hash and signatures must equal.
import type { PublicKey, Signature } from "../../../sequencer/protocol/eddsa.ts";

export interface Circomlib {
  poseidon(inputs: readonly bigint[]): bigint;
  keyOf(secret: Uint8Array): PublicKey;
  sign(secret: Uint8Array, message: bigint): Signature;
  verify(key: PublicKey, message: bigint, signature: Signature): boolean;
}

/** An element of circomlibjs' field, in Montgomery form. */
type Element = Uint8Array;
type Point = [Element, Element];

interface Eddsa {
  F: { e(value: bigint): Element; toObject(element: Element): bigint };
  poseidon(inputs: readonly bigint[]): Element;
  prv2pub(secret: Uint8Array): Point;
  signPoseidon(secret: Uint8Array, message: Element): { R8: Point; S: bigint };
  verifyPoseidon(message: Element, signature: { R8: Point; S: bigint }, key: Point): boolean;
}

let loading: Promise<Circomlib> | undefined;

export function loadCircomlib(): Promise<Circomlib> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Circomlib> {
  // circomlibjs ships no types.
  const name = "circomlibjs";
  const { buildEddsa } = (await import(name)) as { buildEddsa(): Promise<Eddsa> };
  const eddsa = await buildEddsa();
  const { F } = eddsa;
  return {
    poseidon: (inputs) => F.toObject(eddsa.poseidon(inputs)),
    keyOf(secret) {
      const [x, y] = eddsa.prv2pub(secret);
      return { x: F.toObject(x), y: F.toObject(y) };
    },
    sign(secret, message) {
      const { R8, S } = eddsa.signPoseidon(secret, F.e(message));
      return { r8x: F.toObject(R8[0]), r8y: F.toObject(R8[1]), s: S };
    },
    verify(key, message, { r8x, r8y, s }) {
      const signature = { R8: [F.e(r8x), F.e(r8y)] as Point, S: s };
      return eddsa.verifyPoseidon(F.e(message), signature, [F.e(key.x), F.e(key.y)]);
    },
  };
}
