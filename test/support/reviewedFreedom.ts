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

const SELECTED =
  "SelectByIndex inside: out[i] * (i - index) = 0 leaves only the chosen place, and the sum " +
  "makes that `enabled`, which is 0 or 1 (assumed)";

/**
 * Constraints whose loss nothing notices, by `template: constraint` without indices, each with the
 * proof that the others leave nothing else to choose.
 */
const SURVIVORS: readonly { readonly constraint: RegExp; readonly reason: string }[] = [
  {
    constraint: /^Admissible\(.*: \(-1 \+ main\.fails\) \* \(main\.fails\) = 0$/,
    reason:
      "fails = enabled - passes is -1, 0 or 1, enabled (assumed) and passes being 0 or 1, and it " +
      "is the sum of isWorst, which are 0 or 1: it cannot be -1",
  },
  {
    constraint: /^(Takeover|Liquidation)\(.*: \(-1 \+ main\.(isScenario|enabled \+ -1 main\.isSc)/,
    reason: SELECTED,
  },
  {
    constraint: /^MerkleUpdates\(.*: \((-1 \+|-1) main\.isNode\[\]\.out\[\]/,
    reason: SELECTED,
  },
  {
    constraint: /^FillVerdict\(.*: \(-1 \+ (main\.makerFails|main\.takerFails)\) \* \(\1\) = 0$/,
    reason: "fails of Admissible inside, as above",
  },
  {
    constraint: /^FillVerdict\(.*: \(-1 \+ -1 main\.makerFails \+ main\.isTested\) \*/,
    reason:
      "the maker's passes = isTested - fails is -1, 0 or 1, and it is what the taker's passes " +
      "and fails, which are 0 or 1, add up to: it cannot be -1",
  },
  {
    constraint: /^Bearable\(.*: \(-1 \+ -1 main\.passes \+ main\.isTested \+ /,
    reason: "fails of Admissible inside, as above",
  },
  {
    constraint: /^OpenBook\(.*IsZero_\w+\.in\) \* \(main\.BookFees_\w+\.hasNoRate\) = 0$/,
    reason:
      "hasNoRate matters to rebates only, and for them isRebate * hasNoRate = 0 says what it " +
      "would",
  },
  {
    constraint: /^Reduction\(.*: \(main\.lots\) \* \(main\.isNothing\) = 0$/,
    reason:
      "where enabled, enabled * isNothing = 0 says what it would; elsewhere lots is 0 (assumed)",
  },
  {
    constraint: /^TradeMessage\(\): \(main\.fields\.lots\) \* \(main\.hasNoLots\) = 0$/,
    reason:
      "hasNoLots matters to orders and liquidations only, and for them " +
      "(isPlace + isLiquidate) * hasNoLots = 0 says what it would",
  },
  {
    constraint: /^TradeMessage\(\): \(-1 \+ main\.step\.isPlace\) \* \(main\.step\.isPlace\) = 0$/,
    reason:
      "of isPlace = v, not 0, the other flags being 0 or 1: a liquidation is isIoc, else lots " +
      "are not 0 by v * hasNoLots = 0; so there is a word, and the flags with one add up to 1; " +
      "orderOnly is not 0, so isCancel, isPurge and isCancelAll are 0, and left is v = 1, or 0 " +
      "beside a liquidation",
  },
  {
    constraint:
      /^TradeMessage\(\): \(-1 \+ main\.step\.isCancelAll\) \* \(main\.step\.isCancelAll\) = 0$/,
    reason:
      "of isCancelAll = v, not 0, the other flags being 0 or 1: an order or a liquidation has " +
      "orderOnly not 0, and v * (orderOnly + ...) = 0 refuses it. Else, with a word, v is 1 or " +
      "0 or, beside isCancel and isPurge, -1, whose price must not be 0 by (1 - v) * isPriceLow " +
      "= 0 and must be 0 by v * (... + price + ...) = 0. Without a word the kind 0 = 2 isCancel " +
      "+ 3 v leaves v = -2/3, and 1 - 2/3 + isPurge + isProceed is neither 0 nor 1",
  },
  {
    constraint:
      /^TradeMessage\(\): \(-1 \+ main\.step\.isLiquidate\) \* \(main\.step\.isLiquidate\) = 0$/,
    reason:
      "of isLiquidate = v, not 0, the other flags being 0 or 1: v * (1 - isIoc + ...) = 0 makes " +
      "it isIoc, so that there is a word, and the flags with one add up to 1; orderOnly is not " +
      "0, so isCancel, isPurge and isCancelAll are 0, and left is v = 1, or 0 beside an order",
  },
  {
    constraint:
      /^Handover\(.*: \(-1 (\+ )?main\.isHandedOver\[\]\) \* \(main\.isHandedOver\[\]\) = -1 /,
    reason:
      "the second step has two places, which add up to its flag: of their two products each " +
      "follows from the other",
  },
];

/** Why a constraint may survive its deletion; undefined if nobody has looked at it. */
export function reviewedSurvivor(constraint: string): string | undefined {
  return SURVIVORS.find((survivor) => survivor.constraint.test(constraint))?.reason;
}
