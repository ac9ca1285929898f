/** The collateral, as its token counts it on layer one. */

export const USDC_DECIMALS = 6;
/** Amounts are in 1e-6 USDC: so many of them make one. */
export const USDC = 10 ** USDC_DECIMALS;
