/** Accounts that everybody knows the keys of, for chains that nobody else uses. */
import { type HDAccount, mnemonicToAccount } from "viem/accounts";
import { assertDevelopmentChain, DEVELOPMENT_PHRASE } from "../protocol/developmentChain.ts";

/** Throws RangeError on any chain that might carry value. */
export function developmentAccount(index: number, chainId: number): HDAccount {
  assertDevelopmentChain(chainId);
  return mnemonicToAccount(DEVELOPMENT_PHRASE, { addressIndex: index });
}
