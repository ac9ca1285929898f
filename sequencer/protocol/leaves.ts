/** Leaves of many rows of the state, hashed together: what `state.ts` says of each one. */
import { hashVectors } from "./hashVectors.ts";
import {
  type Account,
  accountWords,
  type Book,
  bookWords,
  type Entry,
  hasNoKey,
  keyHash,
  keyWords,
  type Session,
  sessionWords,
  sideHash,
  sideWords,
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

/** `depth`: entries of a side. */
export function bookLeaves(books: readonly Book[], depth: number): bigint[] {
  const sides = books.flatMap(({ bids, asks }) => [
    { isSell: false, entries: bids },
    { isSell: true, entries: asks },
  ]);
  const hashes = sideHashes(sides, depth);
  return hashVectors(
    books.map((book, index) => bookWords(book, hashes[2 * index]!, hashes[2 * index + 1]!)),
  );
}

interface Side {
  readonly isSell: boolean;
  readonly entries: readonly Entry[];
}

function sideHashes(sides: readonly Side[], depth: number): bigint[] {
  const filled = sides.filter(({ entries }) => entries.length > 0);
  const hashes = hashVectors(filled.map((side) => sideWords(side.isSell, side.entries, depth)));
  let next = 0;
  return sides.map(({ isSell, entries }) =>
    entries.length > 0 ? hashes[next++]! : sideHash(isSell, entries, depth),
  );
}
