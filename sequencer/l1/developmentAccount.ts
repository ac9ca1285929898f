/** Accounts that everybody knows the keys of, for chains that nobody else uses. */
import { type HDAccount, mnemonicToAccount } from "viem/accounts";

/** The phrase of Hardhat's and Anvil's ready-made accounts. */
const MNEMONIC = "test test test test test test test test test test test junk";
const DEVELOPMENT_CHAINS: readonly number[] = [31337, 1337];

/** Whether the chain is a local one: it has no reorgs, and may mine on demand only. */
export function isDevelopmentChain(chainId: number): boolean {
  return DEVELOPMENT_CHAINS.includes(chainId);
}

/** Throws RangeError on any chain that might carry value. */
export function developmentAccount(index: number, chainId: number): HDAccount {
  if (!isDevelopmentChain(chainId)) {
    const allowed = DEVELOPMENT_CHAINS.join(", ");
    throw new RangeError(`development accounts on chain \`${chainId}\`; allowed: ${allowed}`);
  }
  return mnemonicToAccount(MNEMONIC, { addressIndex: index });
}
