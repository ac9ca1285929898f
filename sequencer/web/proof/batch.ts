/** Checks a batch as layer one would: its words, what they commit to, and the proof of them. */
import { publicInputs } from "../../batch/publicInputs.ts";
import type { Methods } from "../../client/generated/api.ts";
import { HEADER, type HeaderField } from "../../protocol/layout.ts";
import { isProofValid, type VerificationKey } from "./groth16.ts";

export type BatchProof = Methods["straddle/get_batch_proof"]["result"];

export interface Check {
  readonly name: string;
  readonly isGood: boolean;
  readonly detail: string;
}

/** `before`: the batch before it, whose root this one must continue. */
export function checkBatch(
  batch: BatchProof,
  key: VerificationKey,
  { domain, before }: { readonly domain: bigint; readonly before: BatchProof | undefined },
): Check[] {
  const words = batch.words.map(BigInt);
  const is = (name: HeaderField, value: bigint): boolean => words[HEADER.indexOf(name)] === value;
  const header =
    is("number", BigInt(batch.number)) &&
    is("rootBefore", BigInt(batch.root_before)) &&
    is("rootAfter", BigInt(batch.root_after));
  const { commitment, gamma, evaluation } = publicInputs(words);
  const proof = batch.proof?.map(BigInt);
  return [
    { name: "Header", isGood: header, detail: "number and roots are those in the public words" },
    { name: "Deployment", isGood: is("domain", domain), detail: "the words are of this rollup" },
    ...(before === undefined
      ? []
      : [
          {
            name: "Continues",
            isGood: is("rootBefore", BigInt(before.root_after)),
            detail: `its first root is the last of batch ${before.number}`,
          },
        ]),
    {
      name: "Commitment",
      isGood: commitment === BigInt(batch.commitment),
      detail: `the hash of ${words.length} words, computed here`,
    },
    {
      name: "Proof",
      isGood: proof !== undefined && isProofValid(key, [commitment, gamma, evaluation], proof),
      detail:
        proof === undefined
          ? "there is none yet"
          : "Groth16 over BN254, with public inputs computed here",
    },
  ];
}
