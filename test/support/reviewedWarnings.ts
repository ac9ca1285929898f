/** What tools say of our circuits that has been looked at, with the reason why it is harmless. */

interface Reviewed {
  readonly text: RegExp;
  readonly reason: string;
}

/** Of `circom --inspect`, without indices. */
const WARNINGS: readonly Reviewed[] = [
  {
    text: /^In template "(CompConstant|EscalarMul|Segment|Window|Num2Bits|BabyDbl)/,
    reason: "circomlib's own templates: bits of range checks and doubled points nobody reads",
  },
  {
    text: /^In template "Exit\(.*series\[\]\.fields\[\] /,
    reason: "of a series' word an exit reads the mark; the other field is there to bound it",
  },
  {
    text: /^In template "Signer\(.*fields\.fields\[\] /,
    reason: "of a key's meta the expiry is read; the version is there to bound it",
  },
  {
    text: /^In template "(RiskMatrix|ReadSlot|OpenBook)\(.*Local signal table\[\]\./,
    reason: "the whole row of the series table is passed on; not every template reads all of it",
  },
  {
    text: /^In template "(Ledger|Trade)\(.* (step|operation)\[\]\.(after|savedAfter)\b/,
    reason: "what the last step or operation leaves behind and no later one reads",
  },
  {
    text: /^In template "TradeStep\(.*verdict\.isBlocked /,
    reason: "an output of OrderCase for its tests; the step follows from the other outputs",
  },
];

/** Operands of comparisons in whole circuits for which no bound was derived. */
const OPERANDS: readonly Reviewed[] = [];

export function isReviewedWarning(text: string): boolean {
  return WARNINGS.some((reviewed) => reviewed.text.test(text));
}

export function isReviewedOperand(text: string): boolean {
  return OPERANDS.some((reviewed) => reviewed.text.test(text));
}
