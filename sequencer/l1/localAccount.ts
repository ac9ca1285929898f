import type { Hex, LocalAccount } from "viem";
import { privateKeyToAccount } from "viem/accounts";

/** An account that signs in this process. */
export function accountOf(privateKey: Hex): LocalAccount {
  return privateKeyToAccount(privateKey);
}
