/**
 * Hints replaced together. One alone is refused where another has to move with it: a quotient and
 * its remainder, or all bits of a number that is decomposed into more bits than the prime has.
 */
import { inverse, reduce } from "./field.ts";
import { type R1cs, sumOf } from "./r1cs.ts";
import type { HintCall, Overrides } from "./target.ts";

/** Hints in a row of one site, all 0 or 1, taken for the bits of a number, the lowest first. */
export interface BitGroup {
  readonly first: number;
  readonly count: number;
}

/** Groups long enough that a number may have two decompositions. */
export function bitGroups(calls: readonly HintCall[], prime: bigint): BitGroup[] {
  const groups: BitGroup[] = [];
  const least = prime.toString(2).length;
  let first = 0;
  for (let at = 1; at <= calls.length; at++) {
    const isSame = at < calls.length && calls[at]!.site === calls[first]!.site;
    if (isSame) continue;
    const bits = calls.slice(first, at);
    if (bits.length >= least && bits.every(({ value }) => value <= 1n)) {
      groups.push({ first, count: bits.length });
    }
    first = at;
  }
  return groups;
}

/** The bits of the same number and the prime together; undefined where they do not fit. */
export function aliased(
  { first, count }: BitGroup,
  calls: readonly HintCall[],
  prime: bigint,
): Overrides | undefined {
  let number = prime;
  for (let bit = 0; bit < count; bit++) number += calls[first + bit]!.value << BigInt(bit);
  if (number >> BigInt(count) !== 0n) return undefined;
  return new Map(
    Array.from({ length: count }, (_, bit) => [first + bit, (number >> BigInt(bit)) & 1n]),
  );
}

/** Hints that are tried as the one that moves along; more would take too long. */
const PARTNERS_MAX = 32;

interface RepairContext {
  readonly r1cs: R1cs;
  readonly run: (overrides: Overrides) => readonly bigint[];
  readonly calls: readonly HintCall[];
}

/**
 * Changes of one more hint each that make a violated constraint hold, where that is linear in it
 * (everything between them computed again).
 */
export function* repairs(
  constraint: number,
  overrides: Overrides,
  { r1cs, run, calls }: RepairContext,
): Generator<Overrides> {
  const { prime } = r1cs;
  const residual = (changed: Overrides): bigint => residualOf(r1cs, constraint, run(changed));
  const rest = residual(overrides);
  for (const partner of partnersOf(calls, overrides)) {
    const { value } = calls[partner]!;
    const at = (step: bigint): bigint =>
      residual(new Map([...overrides, [partner, reduce(value + step, prime)]]));
    const base = at(0n);
    const slope = reduce(at(1n) - base, prime);
    if (slope === 0n || reduce(at(2n) - base, prime) !== reduce(2n * slope, prime)) continue;
    // Where it was recomputed from the changed hint, it need not be its honest value.
    const step = reduce(-base * inverse(slope, prime), prime);
    if (step === 0n && base === rest) continue;
    yield new Map([...overrides, [partner, reduce(value + step, prime)]]);
  }
}

/** Other hints, one of each site before the second of any. */
function partnersOf(calls: readonly HintCall[], overrides: Overrides): number[] {
  const rank = new Map<number, number>();
  const ranked = calls.map(({ site }, call) => {
    const place = rank.get(site) ?? 0;
    rank.set(site, place + 1);
    return { call, place };
  });
  return ranked
    .filter(({ call }) => !overrides.has(call))
    .sort((x, y) => x.place - y.place)
    .slice(0, PARTNERS_MAX)
    .map(({ call }) => call);
}

function residualOf(r1cs: R1cs, constraint: number, witness: readonly bigint[]): bigint {
  const { a, b, c } = r1cs.constraints[constraint]!;
  const product = sumOf(a, witness, r1cs.prime) * sumOf(b, witness, r1cs.prime);
  return reduce(product - sumOf(c, witness, r1cs.prime), r1cs.prime);
}
