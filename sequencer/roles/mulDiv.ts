/** `value * numerator / denominator` of safe integers, rounded towards 0; the product is exact. */
export function mulDiv(value: number, numerator: number, denominator: number): number {
  return Number((BigInt(value) * BigInt(numerator)) / BigInt(denominator));
}
