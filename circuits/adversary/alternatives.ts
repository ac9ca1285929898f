/** What is tried in place of an honest value. */
import { inverse, reduce } from "./field.ts";

/** At least this many, whatever the value. */
export const ALTERNATIVES_MIN = 100;

const STEPS = [1n, 2n, 3n, 4n, 5n, 7n, 8n, 10n, 16n, 100n, 255n, 256n, 1000n];
const BITS = [1, 2, 3, 7, 8, 15, 16, 31, 32, 39, 48, 63, 64, 105, 106, 127, 128, 160, 250, 251];
const TOP_BITS = [252, 253, 254];

/**
 * Different numbers, none of them `honest`: small ones, neighbours, the negative, 0 and 1
 * exchanged, powers of two, other branches of quotients (a multiple of 1/step away), random ones.
 */
export function alternativesTo(
  honest: bigint,
  prime: bigint,
  random: () => number = Math.random,
): bigint[] {
  const found = new Set<bigint>();
  const add = (value: bigint): void => {
    const reduced = reduce(value, prime);
    if (reduced !== honest) found.add(reduced);
  };
  for (const value of [0n, 1n, 2n, -1n, -2n, 1n - honest, -honest, (prime - 1n) / 2n]) add(value);
  for (const step of STEPS) {
    add(honest + step);
    add(honest - step);
    add(honest + inverse(step, prime));
    add(honest - inverse(step, prime));
    add(honest * step);
    add(honest * inverse(step, prime));
  }
  for (const bits of [...BITS, ...TOP_BITS]) {
    add(1n << BigInt(bits));
    add(honest + (1n << BigInt(bits)));
    add(honest - (1n << BigInt(bits)));
    add((1n << BigInt(bits)) - 1n);
  }
  while (found.size < ALTERNATIVES_MIN) add(randomBelow(prime, random));
  for (let i = 0; i < 4; i++) add(randomBelow(prime, random));
  return [...found];
}

export function randomBelow(limit: bigint, random: () => number): bigint {
  let value = 0n;
  for (let word = 0; word < 9; word++)
    value = (value << 30n) + BigInt(Math.floor(random() * 2 ** 30));
  return value % limit;
}

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
