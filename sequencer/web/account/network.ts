/** Brings a wallet to the venue's chain: EIP-3326, and EIP-3085 where it does not know it. */

import { codeOf, WALLET_CODES } from "../state/walletErrors.ts";
import type { Provider } from "../state/wallets.ts";

export interface Network {
  readonly chainId: number;
  /** Where anybody may reach layer one; null: the node does not say. */
  readonly layerOneUrl: string | null;
}

export async function chainIdOf(provider: Provider): Promise<number> {
  return Number(BigInt((await provider.request({ method: "eth_chainId" })) as string));
}

/** Rejects with what the wallet says, or where it is elsewhere all the same. */
export async function toNetwork(provider: Provider, network: Network): Promise<void> {
  const { chainId } = network;
  if ((await chainIdOf(provider)) === chainId) return;
  try {
    await switchTo(provider, chainId);
  } catch (error) {
    if (codeOf(error) !== WALLET_CODES.unknownChain) throw error;
    await addChain(provider, network);
    // Most change to what they have added; those that do not are asked again.
    if ((await chainIdOf(provider)) !== chainId) await switchTo(provider, chainId);
  }
  const present = await chainIdOf(provider);
  if (present !== chainId) {
    throw new Error(`the wallet is on network ${present}; this venue settles on ${chainId}`);
  }
}

const hex = (id: number): string => `0x${id.toString(16)}`;

async function switchTo(provider: Provider, chainId: number): Promise<void> {
  const params = [{ chainId: hex(chainId) }];
  await provider.request({ method: "wallet_switchEthereumChain", params });
}

async function addChain(provider: Provider, { chainId, layerOneUrl }: Network): Promise<void> {
  if (layerOneUrl === null) {
    throw new Error(
      `the wallet does not know network ${chainId}: add it there, then connect again`,
    );
  }
  const added = {
    ...{ chainId: hex(chainId), chainName: `Straddle, network ${chainId}` },
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: [layerOneUrl],
  };
  await provider.request({ method: "wallet_addEthereumChain", params: [added] });
}
