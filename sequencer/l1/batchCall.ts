/** The call that anchors one batch, or several that follow one another, and what it says. */
import {
  type ContractFunctionArgs,
  decodeFunctionData,
  encodeFunctionData,
  type Hex,
  parseTransaction,
} from "viem";
import type { SealedBatch } from "../batch/sealedBatch.ts";
import { rollupAbi } from "./generated/abi.ts";

/** A batch as the contract takes it. */
export type BatchArgs = ContractFunctionArgs<
  typeof rollupAbi,
  "nonpayable",
  "submitBatches"
>[0][number];

/** Batches of one transaction, unless told otherwise. */
export const BATCHES_TOGETHER = 8;
/** Pools of nodes take transactions of 128 KiB; this leaves room for certificates and the rest. */
const WORD_BYTES_MAX = 96 * 1024;
const WORD_BYTES = 32;
/** What a transaction may use on layer one (EIP-7825). */
export const TRANSACTION_GAS_MAX = 1n << 24n;

/** How many of these consecutive batches go into one transaction: the first does in any case. */
export function togetherCount(batches: readonly Pick<SealedBatch, "words">[], most: number) {
  let bytes = 0;
  for (const [index, { words }] of batches.entries()) {
    bytes += words.length * WORD_BYTES;
    if (index >= most || bytes > WORD_BYTES_MAX) return Math.max(index, 1);
  }
  return batches.length;
}

/** One batch has a call of its own, which is cheaper for one. */
export function batchCall(batches: readonly BatchArgs[]) {
  const [first] = batches;
  if (first === undefined || batches.length > 1) {
    return { functionName: "submitBatches", args: [batches] } as const;
  }
  const { words, commitment, proof, certificate } = first;
  return { functionName: "submitBatch", args: [words, commitment, proof, certificate] } as const;
}

export function encodeBatches(batches: readonly BatchArgs[]): Hex {
  return encodeFunctionData({ abi: rollupAbi, ...batchCall(batches) });
}

/** The batches of a call's data, in order. Throws where it is no call that anchors batches. */
export function decodeBatches(data: Hex): readonly BatchArgs[] {
  const { functionName, args } = decodeFunctionData({ abi: rollupAbi, data });
  if (functionName === "submitBatches") return args[0];
  if (functionName !== "submitBatch") throw new Error(`the call is of \`${functionName}\``);
  const [words, commitment, proof, certificate] = args;
  return [{ words, commitment, proof, certificate }];
}

/** The same of a signed transaction. */
export function batchesOf(raw: Hex): readonly BatchArgs[] {
  return decodeBatches(parseTransaction(raw).data ?? "0x");
}
