/** Chains of one machine, whose ready-made accounts have keys that everybody knows. */

export const DEVELOPMENT_CHAINS: readonly number[] = [31337, 1337];

/** The phrase of Hardhat's and Anvil's ready-made accounts. */
export const DEVELOPMENT_PHRASE = "test test test test test test test test test test test junk";

/** Such a chain has no reorgs either, and may mine on demand only. */
export function isDevelopmentChain(chainId: number): boolean {
  return DEVELOPMENT_CHAINS.includes(chainId);
}

/** Throws RangeError on any chain that might carry value. */
export function assertDevelopmentChain(chainId: number): void {
  if (isDevelopmentChain(chainId)) return;
  const allowed = DEVELOPMENT_CHAINS.join(", ");
  throw new RangeError(`development accounts on chain \`${chainId}\`; allowed: ${allowed}`);
}
