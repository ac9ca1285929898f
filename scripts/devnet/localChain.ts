/** The chain of a devnet, as wallets know it. */
import { defineChain } from "viem";
import { CHAIN_ID } from "./network.ts";

export function localChain(rpcUrl: string) {
  return defineChain({
    id: CHAIN_ID,
    name: "Straddle devnet",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
}
