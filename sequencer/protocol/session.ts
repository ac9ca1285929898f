/** What a trading key signs to open a private session on one connection. */
import { poseidon } from "./hash.ts";

/** First element of what is signed: "auth" in ASCII. */
const AUTH_TAG = 0x61757468n;

/**
 * A Poseidon of five that begins with a tag of its own, which no chain head (of two or four), no
 * read and no seen head (of five, with other tags) can equal: the signature moves nothing.
 * `challenge` is the connection's own and random, so the signature opens nothing else.
 */
export function sessionHash(options: {
  domain: bigint;
  account: number;
  keyIndex: number;
  challenge: bigint;
}): bigint {
  const { domain, account, keyIndex, challenge } = options;
  return poseidon([AUTH_TAG, domain, BigInt(account), BigInt(keyIndex), challenge]);
}
