/** What the rows of a risk matrix stand for, as traders speak of them. */
import { SCENARIOS } from "../protocol/constants.ts";

/** `thirds` of the price range; an extreme move is a multiple of the range that counts in part. */
export interface ScenarioTerms {
  readonly thirds: number;
  readonly volatility: "up" | "down" | "none";
  readonly isExtreme: boolean;
}

/**
 * The 16 rows of CME's SPAN risk array, in its order: what the oracles compute changes for. The
 * test holds them against the oracle's own table.
 */
export const SPAN_ROWS: readonly ScenarioTerms[] = [
  ...[0, 1, -1, 2, -2, 3, -3].flatMap((thirds) =>
    (["up", "down"] as const).map((volatility) => ({ thirds, volatility, isExtreme: false })),
  ),
  { thirds: 3, volatility: "none", isExtreme: true },
  { thirds: -3, volatility: "none", isExtreme: true },
];

/** The row of the short-option minimum, and the unchanged one (SPEC section 4). */
export const SHORT_MINIMUM_ROW = SCENARIOS - 1;
export const UNCHANGED_ROW = SCENARIOS;

/**
 * `price +2/3 range, vol up`, `price extreme +, covered in part`, `short-option minimum`,
 * `unchanged`.
 */
export function scenarioName(row: number): string {
  if (row === UNCHANGED_ROW) return "unchanged";
  if (row === SHORT_MINIMUM_ROW) return "short-option minimum";
  const terms = SPAN_ROWS[row];
  if (terms === undefined) {
    throw new RangeError(`\`row\` must be an integer from 0 to ${UNCHANGED_ROW}. Got \`${row}\`.`);
  }
  const sign = terms.thirds > 0 ? "+" : "-";
  if (terms.isExtreme) return `price extreme ${sign}, covered in part`;
  const size = Math.abs(terms.thirds);
  const move = size === 0 ? "price 0" : `price ${sign}${size === 3 ? "1" : `${size}/3`} range`;
  return `${move}, vol ${terms.volatility}`;
}
