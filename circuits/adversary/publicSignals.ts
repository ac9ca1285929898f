/** Every public signal of a real proof tampered with: no verifier may take the result. */

import { randomBelow, seededRandom } from "./alternatives.ts";
import { reduce } from "./field.ts";

export interface Tampering {
  readonly what: string;
  readonly signals: readonly bigint[];
}

const RANDOM_TRIES = 8;

/**
 * Lists of public signals that are not the proof's own: neighbours, 0 and 1, the same modulo the
 * prime (which a verifier must refuse rather than reduce), exchanged ones, one more and one less.
 */
export function* tamperedSignals(
  signals: readonly bigint[],
  prime: bigint,
  seed = 1,
): Generator<Tampering> {
  const random = seededRandom(seed);
  for (const [at, signal] of signals.entries()) {
    const others = [
      ...[0n, 1n, prime - 1n, reduce(signal + 1n, prime), reduce(signal - 1n, prime)],
      ...[reduce(-signal, prime), signal + prime, signal + 2n * prime, signal - prime],
      ...[1n, 8n, 64n, 128n, 250n].map((bits) => signal ^ (1n << bits)),
      ...Array.from({ length: RANDOM_TRIES }, () => randomBelow(prime, random)),
    ];
    for (const value of new Set(others)) {
      if (value === signal) continue;
      yield { what: `signal ${at} as ${value}`, signals: signals.with(at, value) };
    }
    for (let other = at + 1; other < signals.length; other++) {
      if (signals[other] === signal) continue;
      const exchanged = signals.with(at, signals[other]!).with(other, signal);
      yield { what: `signals ${at} and ${other} exchanged`, signals: exchanged };
    }
  }
  yield { what: "a signal less", signals: signals.slice(1) };
  yield { what: "a signal more", signals: [...signals, 0n] };
}
