/** Signed words as entries of the log. */
import type { MessageEntry } from "../batch/log.ts";
import type { Submission } from "../exchangeService.ts";
import type { SeenHead } from "../protocol/seenHead.ts";

/** `arrived`: when it was taken in (unix ms). */
export function messageEntry(submission: Submission, arrived: number): MessageEntry {
  const { account, keyIndex, word, signature } = submission;
  const author = { account, keyIndex };
  return { type: "message", author, word, signature, arrived, ...seenOf(submission) };
}

/** The entry has the field where the message has it, and in one order of its own fields. */
export function seenOf({ seen }: Submission): { readonly seen?: SeenHead } {
  if (seen === undefined) return {};
  const { position, hash, signature } = seen;
  return { seen: { position, hash, signature } };
}
