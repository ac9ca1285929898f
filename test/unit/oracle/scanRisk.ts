/**
 * The scan risk of SPAN (McMillan, "Options as a Strategic Investment", SPAN chapter), by which the
 * test holds the sign of the oracles' changes against the book's example. The exchange itself
 * measures portfolios: `engine/risk.ts`.
 */

/**
 * The worst loss of `position` contracts (negative: short) over a risk array, at least 0. `array`
 * says what one long contract gains in each scenario; SPAN files state the opposite sign.
 */
export function scanRisk(array: readonly number[], position: number): number {
  let worst = 0;
  for (const change of array) worst = Math.max(worst, -position * change);
  return worst;
}
