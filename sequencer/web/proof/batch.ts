/** Checks a batch as layer one would: its words, what they commit to, and the proof of them. */
import { publicInputs } from "../../batch/publicInputs.ts";
import { type BatchFile, headerFaults, wordsOf } from "../../client/batchWords.ts";
import { HEADER, type HeaderField } from "../../protocol/layout.ts";
import { isProofValid, type VerificationKey } from "./groth16.ts";

export interface Check {
  readonly name: string;
  readonly isGood: boolean;
  readonly detail: string;
}

/** `before`: the batch before it, whose root this one must continue. */
export function checkBatch(
  batch: BatchFile,
  key: VerificationKey,
  { domain, before }: { readonly domain: bigint; readonly before: BatchFile | undefined },
): Check[] {
  const words = wordsOf(batch);
  const is = (name: HeaderField, value: bigint): boolean => words[HEADER.indexOf(name)] === value;
  const header = [...headerFaults(batch, words)];
  const { commitment, gamma, evaluation } = publicInputs(words);
  const proof = batch.proof?.map(BigInt);
  return [
    {
      name: "Header",
      isGood: header.length === 0,
      detail: header.join(", ") || "kind, number and roots are those in the public words",
    },
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
