/** Leaves of many rows of the state, hashed together: what `state.ts` says of each one. */
import { BOOK_OWN_WORDS } from "./constants.ts";
import { beforeLastBlock } from "./hash.ts";
import { hashVectors } from "./hashVectors.ts";
import {
  type Account,
  accountWords,
  type Book,
  bookWords,
  hasNoKey,
  keyHash,
  keyWords,
  type Session,
  sessionWords,
} from "./state.ts";

export function accountLeaves(accounts: readonly Account[]): bigint[] {
  return hashVectors(accounts.map(accountWords));
}

export function sessionLeaves(sessions: readonly Session[]): bigint[] {
  const hashes = keyHashesOf(sessions);
  return hashVectors(sessions.map((session, index) => sessionWords(session, hashes[index]!)));
}

/** The hash of each key of each session. */
export function keyHashesOf(sessions: readonly Session[]): bigint[][] {
  const keys = sessions.flatMap((session) => session.keys).filter((key) => !hasNoKey(key));
  const hashes = hashVectors(keys.map(keyWords));
  let next = 0;
  return sessions.map((session) =>
    session.keys.map((key) => (hasNoKey(key) ? keyHash(key) : hashes[next++]!)),
  );
}

/** `depth`: entries of a side. The last Poseidon of each is taken by itself, as rows are short. */
export function bookLeaves(books: readonly Book[], depth: number): bigint[] {
  const vectors = books.map((book) => bookWords(book, depth));
  const before = beforeLastBlock(2 * depth + BOOK_OWN_WORDS);
  if (before === 0) return hashVectors(vectors);
  const hashes = hashVectors(vectors.map((words) => words.slice(0, before)));
  return hashVectors(vectors.map((words, at) => [hashes[at]!, ...words.slice(before)]));
}
