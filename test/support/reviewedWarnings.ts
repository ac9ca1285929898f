/** What tools say of our circuits that has been looked at, with the reason why it is harmless. */

interface Reviewed {
  readonly text: RegExp;
  readonly reason: string;
}

/** Of `circom --inspect`, without indices. */
const WARNINGS: readonly Reviewed[] = [
  {
    text: /^In template "Num2Bits/,
    reason: "circomlib's own: bits of range checks that nobody reads",
  },
  {
    text: /^In template "TimesCofactor\(\)": .* double\[\]\.squares /,
    reason: "the squares of the point itself are read, for the curve's equation; not its doubles'",
  },
  {
    text: /^In template "Exit\(.*series\[\]\.fields /,
    reason: "of a series in a word an exit reads the mark; the other fields are there to bound it",
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
    text: /^In template "(Ledger|Trade)\(.* (step|fill|operation)\[\]\.after\b/,
    reason: "what the last step, fill or operation leaves behind and no later one reads",
  },
  {
    text: /^In template "TradeStep\(.*verdict\.isBlocked /,
    reason: "an output of OrderCase for its tests; the step follows from the other outputs",
  },
  {
    text: /^In template "TradeMessage\(\)": Local signal step\.(signer|isDoomed) /,
    reason: "no part of a message: the place of its key, how it ends",
  },
  {
    text: /^In template "OppositeTop\(/,
    reason: "of each side the best order only",
  },
  {
    text: /^In template "CarryClosed\(.*carried\.(isActive|isFok|fokSteps|isDoomed) /,
    reason:
      "0 where no order is carried or the carried one is no fill-or-kill, which trade.circom says",
  },
  {
    text: /^In template "SignedOperation\(\d+\)": Local signal op\./,
    reason:
      "what a kind of operation asks stands in Operation; here only what its holder has signed",
  },
  {
    text: /^In template "TopOfRanking\(\)": Local signal ranking\.next /,
    reason: "all holders have been counted: it does not matter where the last one stood",
  },
  {
    text: /^In template "RegisterKey\(.*fields\.fields\[\] /,
    reason: "of the old key's meta the version is read; the expiry is there to bound it",
  },
  {
    text: /^In template "LedgerOperation\(.* slot\.fields\.(strike|isCall) /,
    reason:
      "the terms of a listing never change: operations read its mark, holders, state and expiry",
  },
  {
    text: /^In template "Ledger\(.* carry\.fields /,
    reason:
      "a ledger asks of the carried order which book it is in; the other fields bound that one",
  },
  {
    text: /^In template "ReadRow\(/,
    reason: "a hint and what it is computed from: ReplaceRow pins it where the row is written back",
  },
];

/** Operands of comparisons in whole circuits for which no bound was derived. */
const OPERANDS: readonly Reviewed[] = [
  {
    text: /: main\.oracleSigner\[\] in main\.quorumSigned\./,
    reason: "SelectByIndex takes the place of an oracle only: 0 to n - 1",
  },
  {
    text: /^trade: .* in main\.risk\.table\[\]\.holders$/,
    reason: "no comparison: the word after the batch, beside the bits that bound the one before",
  },
  {
    text: /^trade: main\.step\[\]\.Dot.*\.products\[\] in main\.step\[\]\.IsNonNegative/,
    reason:
      "a watermark that a one-hot vector picks: bounded where the session leaf is opened, " +
      "and set to a sequence number since",
  },
  {
    text: /\.(fill\.maker|fill\.taker|toBears|bearable\.health)\.(sumAt|changeAt|checked)\[\] in /,
    reason:
      "0 or headrooms of accounts whose cash and positions are bounded where their leaves are " +
      "opened and closed; a batch of N steps moves them by less than 2^100 in between",
  },
  {
    text: /^trade: main\.handover\.part\[\]\[\] in main\.fill\[\]\.word$/,
    reason:
      "words of which one at most is not 0, each a sum of fields within their widths " +
      "(TradeStep proves 6)",
  },
  {
    text: /^trade: main\.fill\[\]\.liquidation\.maintenance in /,
    reason: "4 H_s + H_S of such headrooms, picked by one-hot vectors",
  },
  {
    text: /^ledger: main\.operation\[\]\.takeover\.(discount|deficit|roomAt\.out) in /,
    reason: "headrooms and amounts (2^50) times at most 512, in flags that are 0 or 1",
  },
  {
    text: /^ledger: main\.operation\[\]\.Rank\S*\.(bestLots|lots) in /,
    reason:
      "lots of a position, bounded where the account's leaf is opened; the best so far is " +
      "one of them, and bounded where the word of the ranking is closed",
  },
  {
    text: /^ledger: main\.operation\[\]\.(cash|worth|worthOfTo|held|lots|Dot\S*) in \S+\.limits\./,
    reason:
      "cash and positions, bounded where their leaves are opened and held to these limits " +
      "by each operation since; amounts of operations, bounded in their words",
  },
];

export function isReviewedWarning(text: string): boolean {
  return WARNINGS.some((reviewed) => reviewed.text.test(text));
}

/** Why an operand needs no bound of its own, or undefined. */
export function reviewOfOperand(text: string): string | undefined {
  return OPERANDS.find((reviewed) => reviewed.text.test(text))?.reason;
}

/** Of circomspect: rule, file and line. */
const FINDINGS: readonly Reviewed[] = [
  {
    text: /^\S+ (montgomery|babyjub|comparators|bitify|binsum|escalarmul\w+|\w+constant)\.circom: /,
    reason: "circomlib's own, attacked with everything that uses them (C3, C8)",
  },
  {
    text: /^CS0005 (SideLocate|Time|Select|Health|Reduction|Row|Account)\.circom: /,
    reason: "hints: each is replaced by other values in C3, and pinned by the constraints below it",
  },
  {
    text: /^CS0005 (Curve|TimesCofactor|FixedWindow|FixedBase|SignedMultiple|Multiple)\.circom: /,
    reason: "hints: as above; their tests try each choice of a prover in small instances",
  },
  {
    text: /^CS0015 Curve\.circom: (slope|out\[[01]\]) <-- /,
    reason: "divisions by what is not 0: points that have one u never meet, d is no square",
  },
  {
    text: /^(CS0015 TimesCofactor\.circom: inverse <-- |CS0017 TimesCofactor\.circom: signal inv)/,
    reason: "the inverse is there to refuse 0, by one constraint: 0 has none",
  },
  {
    text: /^CS0010 (SideLocate|Range|MerkleUpdates?|KeyOrPath|Unpack|Fees|Takeover)\.circom: /,
    reason: "at most 253 bits, asserted where the width is a parameter: one decomposition each",
  },
  {
    text: /^CS0018 exit\.circom: component path = MerkleUpdate/,
    reason: "an exit changes nothing: of the roots before and after it needs the first",
  },
  {
    text: /^CA01 Row\.circom: signal (output row|input chosen|input rows)\[/,
    reason: "ReadRow: a hint and what it is computed from, pinned in ReplaceRow (C3 on both)",
  },
  {
    text: /^CA01 Range\.circom: signal input in;$/,
    reason: "IsBoolean: in a product with itself, which this rule does not see",
  },
];

export function isReviewedFinding(text: string): boolean {
  return FINDINGS.some((reviewed) => reviewed.text.test(text));
}
