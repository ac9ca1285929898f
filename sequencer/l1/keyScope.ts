/** Whether the owner of an account has signed what one of its trading keys may do. */
import { recoverTypedDataAddress } from "viem";
import { type KeyScopeSetting, keyScopeTypedData } from "../protocol/keyScope.ts";

export async function isSignedScope(
  setting: KeyScopeSetting,
  signature: `0x${string}`,
  {
    owner,
    ...domain
  }: { readonly owner: bigint; readonly chainId: number; readonly rollup: `0x${string}` },
): Promise<boolean> {
  try {
    const typedData = keyScopeTypedData(domain, setting);
    return BigInt(await recoverTypedDataAddress({ ...typedData, signature })) === owner;
  } catch {
    // No signature at all, or not of a point on the curve.
    return false;
  }
}
