/** What a trade step hands to a fill unit, by its circuit's own layout (trade/Handover.circom). */

const PLACES = ["taker", "maker", "book"] as const;
const FLAGS = [
  "isMet",
  "isLiquidate",
  "isReduceOnly",
  "isSell",
  "restores",
  "isKept",
  "makerFails",
  "fills",
  "stands",
] as const;
const PRICES = ["price", "topPrice"] as const;
const LOTS = ["orderLots", "topLots", "filledLots"] as const;
export const FIELDS = [...PLACES, ...FLAGS, ...PRICES, ...LOTS];
export const WIDTHS = [
  ...PLACES.map(() => 6),
  ...FLAGS.map(() => 1),
  ...PRICES.map(() => 24),
  ...LOTS.map(() => 22),
];

export const NO_MEETING = Object.fromEntries(FIELDS.map((name) => [name, 0])) as Record<
  (typeof FIELDS)[number],
  number
>;
export function meetingWord(meeting: typeof NO_MEETING): bigint {
  let offset = 0;
  return FIELDS.reduce((word, name, at) => {
    const field = BigInt(meeting[name]) << BigInt(offset);
    offset += WIDTHS[at]!;
    return word + field;
  }, 0n);
}
