/** A batch as the API tells it: its public words, and what is said beside them. */
import { BATCH_KINDS } from "../protocol/constants.ts";
import { HEADER, type HeaderField } from "../protocol/layout.ts";
import { FormatError } from "../protocol/shape.ts";
import type { Methods } from "./generated/api.ts";

/** As `straddle/get_batch_proof` answers it. */
export type BatchFile = Methods["straddle/get_batch_proof"]["result"];

/** Throws {@link FormatError} where nothing in the file can be checked. */
export function wordsOf({ words }: BatchFile): bigint[] {
  if (!Array.isArray(words) || words.length < HEADER.length) {
    throw new FormatError(`a batch has at least \`${HEADER.length}\` words.`);
  }
  return words.map((word) => {
    if (/^0x[0-9a-f]{1,64}$/i.test(word)) return BigInt(word);
    throw new FormatError(`a word must be a 0x string of 1 to 64 hex digits. Got \`${word}\`.`);
  });
}

/** What is said beside the words must be what they say. */
export function* headerFaults(batch: BatchFile, words: readonly bigint[]): Generator<string> {
  const said: readonly (readonly [HeaderField, bigint])[] = [
    ["kind", BigInt(BATCH_KINDS[batch.kind])],
    ["number", BigInt(batch.number)],
    ["rootBefore", BigInt(batch.root_before)],
    ["rootAfter", BigInt(batch.root_after)],
  ];
  for (const [field, value] of said) {
    if (words[HEADER.indexOf(field)] !== value) yield `\`${field}\` is not what the words say`;
  }
}
