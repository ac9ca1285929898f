/**
 * Poseidon over BN254 with circomlib's parameters, in WebAssembly.
 * Twin: circuits/gadgets/HashVector.circom.
 */
import { assembly, readWord, WORD_BUFFER_LENGTH, wordOf, writeWord } from "./wasm.ts";

/** Inputs of the widest Poseidon that circomlib defines. */
export const HASH_WIDTH_MAX = 16;

/** Poseidon of 1 to 16 field elements; other integers stand for their residues. */
export function poseidon(inputs: readonly bigint[]): bigint {
  const { length } = inputs;
  if (length === 0 || length > HASH_WIDTH_MAX) {
    throw new RangeError(`\`inputs\` must hold 1 to 16 elements. Got \`${length}\`.`);
  }
  for (let index = 0; index < length; index++) writeWord(index, wordOf(inputs[index]!));
  assembly.chains(length, 1);
  return readWord(0);
}

/**
 * How many of the first elements of a vector are hashed before its last Poseidon, which takes that
 * hash and the rest; 0 where there is only one.
 */
export function beforeLastBlock(length: number): number {
  if (length <= HASH_WIDTH_MAX) return 0;
  return length - 1 - ((length - HASH_WIDTH_MAX - 1) % (HASH_WIDTH_MAX - 1));
}

/**
 * Hash of a vector whose length is fixed by its place in the protocol: one Poseidon up to 16
 * elements, else `acc = Poseidon16(acc, next 15)`, the first block taking 16 and the last one
 * being only as wide as what is left.
 */
export function hashVector(values: readonly bigint[]): bigint {
  const { length } = values;
  if (length === 0) throw new RangeError("`values` must hold 1 element or more. Got `0`.");
  // The buffer ends where a block does, so that what follows goes on from the hash so far.
  let filled = 0;
  for (let index = 0; index < length; index++) {
    if (filled === WORD_BUFFER_LENGTH) {
      assembly.chains(filled, 1);
      filled = 1;
    }
    writeWord(filled, wordOf(values[index]!));
    filled += 1;
  }
  assembly.chains(filled, 1);
  return readWord(0);
}
