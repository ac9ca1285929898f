/**
 * What provers may choose without changing what is proven: the reviewed table of the adversary's
 * findings in our circuits. A finding that is not here fails the tests.
 */

interface Reviewed {
  /** Signals, by their full names. */
  readonly signal: RegExp;
  readonly reason: string;
}

const REVIEWED: readonly Reviewed[] = [
  {
    signal: /\.inv$/,
    reason:
      "circomlib's IsZero: where its input is 0 the inverse is multiplied by 0, and out, which " +
      "is pinned by both constraints, does not depend on it",
  },
  {
    signal: /\.usesSum\[\d+\]$/,
    reason:
      "Admissible exhibits for each scenario one of two sufficient conditions; where both hold, " +
      "either may be shown. passes and fails depend on neither choice",
  },
  {
    signal: /\.isWorst\[\d+\]$/,
    reason:
      "Admissible exhibits one scenario in which a refused change is short; where several are, " +
      "any of them may be shown. passes and fails depend on neither choice",
  },
];

/** Whether a signal's freedom is known and harmless. */
export function isReviewedFreedom(signal: string): boolean {
  return REVIEWED.some((reviewed) => reviewed.signal.test(signal));
}

/** Whether a hint may be replaced, by template and signal: the same choices, at their source. */
export function isReviewedHint(template: string, signal: string): boolean {
  return ["IsZero.inv", "Admissible.usesSum[s]", "Admissible.isWorst[s]"].includes(
    `${template}.${signal}`,
  );
}

/** Constraints whose loss nothing notices, by `template: constraint` without indices. */
const SURVIVORS: readonly { readonly constraint: RegExp; readonly reason: string }[] = [
  {
    constraint: /^SelectBy(Id|Index)\(.* \(-1 \+ main\.out\[\]\) \* \(main\.out\[\]\) = 0$/,
    reason:
      "redundant where `enabled` is 0 or 1 and ids are distinct, as in the cases tried: only " +
      "the target's place can be other than 0; select.test.ts tries 2 and -1, which it refuses",
  },
  {
    constraint: /^CarryOpened\(.*: \(-1 \+ main\.isAccount\[\]\) \* \(main\.isAccount\[\]\) = 0/,
    reason: "SelectById inside, as above",
  },
  {
    constraint: /^ReplaceRow\(/,
    reason:
      "of an honest row each product follows from the others and from the sum over its column; " +
      "together they refuse every other row, which side.test.ts tries",
  },
  {
    constraint: /^Admissible\(/,
    reason:
      "takes several hints at once: health.test.ts frees all of them and tries every vector of " +
      "0, 1, 2 and -1 against the whole template; against each mutant nobody has tried that yet",
  },
  {
    constraint: /^SideLocate\(/,
    reason:
      "takes several hints at once, or more runs than a day's: side.test.ts frees all hints and " +
      "tries vectors against the whole template; against each mutant nobody has tried that yet",
  },
];

/** Why a constraint may survive its deletion; undefined if nobody has looked at it. */
export function reviewedSurvivor(constraint: string): string | undefined {
  return SURVIVORS.find((survivor) => survivor.constraint.test(constraint))?.reason;
}
