/** A batch's Groth16 proof, checked as layer one checks it, by the verification key in a file. */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { publicSignals } from "../batch/publicInputs.ts";
import type { ProofWords } from "../batch/sealedBatch.ts";
import { type BatchKind, FIELD_MODULUS } from "../protocol/constants.ts";
import { FormatError } from "../protocol/shape.ts";
import { createProver } from "../prover/prover.ts";
import { SILENT } from "./exitProof.ts";

const g1 = z.array(z.string().regex(/^\d{1,78}$/)).length(3);
const g2 = z.array(z.array(z.string().regex(/^\d{1,78}$/)).length(2)).length(3);

/** As snarkjs writes it. Batches have three public signals. */
const keySchema = z.looseObject({
  protocol: z.literal("groth16"),
  curve: z.literal("bn128"),
  nPublic: z.literal(3),
  vk_alpha_1: g1,
  vk_beta_2: g2,
  vk_gamma_2: g2,
  vk_delta_2: g2,
  IC: z.array(g1).length(4),
});

/** The key as a verifier contract states it. */
export interface KeyPoints {
  /** alpha, beta, gamma, delta and the points of the signals: 22 words. */
  readonly all: readonly bigint[];
  readonly gamma: readonly bigint[];
  readonly delta: readonly bigint[];
}

/** Throws {@link FormatError} where the file is no verification key of a batch's circuit. */
export async function readKeyPoints(file: string): Promise<KeyPoints> {
  const read = keySchema.safeParse(parsed(await readFile(file, "utf8")));
  if (!read.success) {
    throw new FormatError(`\`${file}\` is no verification key: ${z.prettifyError(read.error)}`);
  }
  const { vk_alpha_1, vk_beta_2, vk_gamma_2, vk_delta_2, IC } = read.data;
  const [alpha, beta] = [pointOf(vk_alpha_1), twistedOf(vk_beta_2)];
  const [gamma, delta] = [twistedOf(vk_gamma_2), twistedOf(vk_delta_2)];
  const signals = IC.flatMap(pointOf);
  return { all: [...alpha, ...beta, ...gamma, ...delta, ...signals], gamma, delta };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function pointOf([x = "", y = ""]: readonly string[]): bigint[] {
  return [BigInt(x), BigInt(y)];
}

/** snarkjs has the real part first, the contracts the imaginary one. */
function twistedOf(point: readonly (readonly string[])[]): bigint[] {
  return point.slice(0, 2).flatMap(([real = "", imaginary = ""]) => {
    return [BigInt(imaginary), BigInt(real)];
  });
}

export interface BatchStatement {
  readonly kind: BatchKind;
  readonly words: readonly bigint[];
  readonly proof: readonly bigint[];
}

/**
 * By snarkjs. The public signals are made of the words here, as the contract makes them: nothing
 * that is said beside the words has a part in it. Throws {@link FormatError} as above.
 */
export async function isBatchProofValid(
  { kind, words, proof }: BatchStatement,
  vkey: string,
): Promise<boolean> {
  await readKeyPoints(vkey);
  // A word and the same word plus the field's order would be one to the proof.
  if (words.some((word) => word >= FIELD_MODULUS)) return false;
  const keys = { [kind]: { wasm: "", zkey: "", vkey } };
  const prover = createProver({ keys, logger: SILENT });
  try {
    return await prover.verify(kind, publicSignals(words), proof as ProofWords);
  } finally {
    await prover.stop();
  }
}
