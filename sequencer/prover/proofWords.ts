/** Groth16 proofs of snarkjs as the eight words that contracts take, and back. */
import type { Groth16Proof } from "snarkjs";
import type { ProofWords } from "../batch/sealedBatch.ts";

/** Order of the BN254 base field: coordinates of points lie below it. */
export const BASE_FIELD_MODULUS =
  21888242871839275222246405745257275088696311157297823662689037894645226208583n;

const WORDS = 8;

/** The precompile wants the imaginary part of each coordinate of b first, snarkjs has it second. */
export function proofToWords(proof: Groth16Proof): ProofWords {
  const [ax, ay] = proof.pi_a;
  const [[bx0, bx1] = [], [by0, by1] = []] = proof.pi_b;
  const [cx, cy] = proof.pi_c;
  const words = [ax, ay, bx1, bx0, by1, by0, cx, cy].map((word) => BigInt(word!));
  return words as unknown as ProofWords;
}

/** Inverse of {@link proofToWords}. */
export function wordsToProof(words: ProofWords): Groth16Proof {
  if (!areProofWords(words)) {
    throw new RangeError("`words` must be eight numbers below the base field's order");
  }
  const [ax, ay, bx1, bx0, by1, by0, cx, cy] = words.map(String) as [
    ...[string, string, string, string],
    ...[string, string, string, string],
  ];
  return {
    pi_a: [ax, ay, "1"],
    pi_b: [
      [bx0, bx1],
      [by0, by1],
      ["1", "0"],
    ],
    pi_c: [cx, cy, "1"],
    protocol: "groth16",
    curve: "bn128",
  };
}

/** Whether the words are in range, so that no second spelling of a proof is taken. */
export function areProofWords(words: readonly unknown[]): words is ProofWords {
  return (
    words.length === WORDS &&
    words.every((word) => typeof word === "bigint" && word >= 0n && word < BASE_FIELD_MODULUS)
  );
}
