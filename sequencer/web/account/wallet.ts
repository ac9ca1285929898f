/** Who signs: a wallet in the browser (EIP-1193), or on chains of developers a key of this page. */
import {
  type Account,
  type Chain,
  custom,
  defineChain,
  type Hex,
  http,
  type Transport,
} from "viem";
import { mnemonicToAccount } from "viem/accounts";
import type { WalletSigner } from "../../client/tradingKey.ts";
import { assertDevelopmentChain, DEVELOPMENT_PHRASE } from "../../protocol/developmentChain.ts";
import type { Identity } from "../state/account.ts";

export interface Wallet extends Identity {
  readonly signer: WalletSigner;
  /** For layer one; undefined: this page knows no way to it. */
  readonly transport: Transport | undefined;
  readonly chain: Chain;
  readonly account: Account | Hex;
}

interface Provider {
  request(call: { method: string; params?: readonly unknown[] }): Promise<unknown>;
}

export function injectedProvider(): Provider | undefined {
  return (globalThis as { ethereum?: Provider }).ethereum;
}

function chainOf(id: number): Chain {
  const nativeCurrency = { name: "Ether", symbol: "ETH", decimals: 18 };
  return defineChain({
    id,
    name: `chain ${id}`,
    nativeCurrency,
    rpcUrls: { default: { http: [] } },
  });
}

/** Throws on any chain that might carry value. */
export function developmentWallet(
  index: number,
  chainId: number,
  layerOneUrl: string | null,
): Wallet {
  assertDevelopmentChain(chainId);
  const account = mnemonicToAccount(DEVELOPMENT_PHRASE, { addressIndex: index });
  return {
    ...{ address: account.address, isDevelopment: true, account, chain: chainOf(chainId) },
    signer: {
      address: account.address,
      signTypedData: (data) => account.signTypedData(data),
    },
    transport: layerOneUrl === null ? undefined : http(layerOneUrl),
  };
}

/** Asks the wallet for its account and, where it is on another chain, to change. */
export async function browserWallet(chainId: number): Promise<Wallet> {
  const provider = injectedProvider();
  if (provider === undefined) throw new Error("this browser has no wallet");
  const accounts = (await provider.request({ method: "eth_requestAccounts" })) as Hex[];
  const [address] = accounts;
  if (address === undefined) throw new Error("the wallet has shown no account");
  const wanted = `0x${chainId.toString(16)}`;
  const present = (await provider.request({ method: "eth_chainId" })) as string;
  if (BigInt(present) !== BigInt(chainId)) {
    await provider.request({ method: "wallet_switchEthereumChain", params: [{ chainId: wanted }] });
  }
  return {
    ...{ address, isDevelopment: false, account: address, chain: chainOf(chainId) },
    signer: { address, signTypedData: (data) => signTypedData(provider, address, data) },
    transport: custom(provider as Parameters<typeof custom>[0]),
  };
}

const DOMAIN_TYPE = [
  { name: "name", type: "string" },
  { name: "chainId", type: "uint256" },
  { name: "verifyingContract", type: "address" },
];

async function signTypedData(
  provider: Provider,
  address: Hex,
  data: Parameters<WalletSigner["signTypedData"]>[0],
): Promise<Hex> {
  const types = { EIP712Domain: DOMAIN_TYPE, ...data.types };
  const text = JSON.stringify({ ...data, types });
  return (await provider.request({
    method: "eth_signTypedData_v4",
    params: [address, text],
  })) as Hex;
}
