// Random sequences for markets in distress: each kind at least once, in any order.
import fc from "fast-check";
import { DISTRESS_KINDS, type DistressCommand } from "../support/distress.ts";

const seed = fc.nat({ max: 0xffff });

/** All kinds in random order, and `extra` more commands of any kind after them. */
export function distressCommands(extra: number): fc.Arbitrary<DistressCommand[]> {
  const kinds = fc.shuffledSubarray(DISTRESS_KINDS, { minLength: DISTRESS_KINDS.length });
  const more = fc.array(fc.constantFrom(...DISTRESS_KINDS), { minLength: extra, maxLength: extra });
  const seeds = fc.array(fc.tuple(seed, seed), {
    minLength: DISTRESS_KINDS.length + extra,
    maxLength: DISTRESS_KINDS.length + extra,
  });
  return fc.tuple(kinds, more, seeds).map(([first, rest, numbers]) =>
    [...first, ...rest].map((kind, index) => {
      const [a = 0, b = 0] = numbers[index]!;
      return { kind, a, b };
    }),
  );
}

/** Reaches every variant of every operation. */
export const EVERY_VARIANT: readonly DistressCommand[] = [
  { kind: "trade", a: 0, b: 4 },
  { kind: "forcedClose", a: 1, b: 1 },
  { kind: "forcedClose", a: 13, b: 1 },
  { kind: "forcedCancelAll", a: 2, b: 0 },
  { kind: "openBook", a: 3, b: 9 },
  { kind: "backstop", a: 255, b: 1 },
  { kind: "rank", a: 1, b: 1 },
  { kind: "insure", a: 1, b: 2 },
  { kind: "insure", a: 2, b: 1 },
  { kind: "absorb", a: 4, b: 5 },
  { kind: "deleverage", a: 3, b: 6 },
  { kind: "deleverage", a: 2, b: 7 },
  { kind: "move", a: 1, b: 300 },
  { kind: "release", a: 1, b: 8 },
  { kind: "collectFees", a: 0, b: 0 },
];
