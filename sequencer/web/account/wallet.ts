/** Who signs: a wallet in the browser (EIP-1193), or on chains of developers a key of this page. */
import {
  type Account,
  type Chain,
  custom,
  defineChain,
  type EIP1193RequestFn,
  type Hex,
  http,
  type Transport,
} from "viem";
import { mnemonicToAccount } from "viem/accounts";
import type { WalletSigner } from "../../client/tradingKey.ts";
import { assertDevelopmentChain, DEVELOPMENT_PHRASE } from "../../protocol/developmentChain.ts";
import type { Identity } from "../state/account.ts";
import type { FoundWallet, Provider } from "../state/wallets.ts";
import { type Network, toNetwork } from "./network.ts";

export interface Wallet extends Identity {
  readonly signer: WalletSigner;
  /** For layer one; undefined: this page knows no way to it. */
  readonly transport: Transport | undefined;
  readonly chain: Chain;
  readonly account: Account | Hex;
  /** The browser's; undefined: a key of this page. */
  readonly found: FoundWallet | undefined;
  /** Has the wallet be on this venue's chain, or rejects with what it says. */
  ready(): Promise<void>;
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
export function developmentWallet(index: number, { chainId, layerOneUrl }: Network): Wallet {
  assertDevelopmentChain(chainId);
  const account = mnemonicToAccount(DEVELOPMENT_PHRASE, { addressIndex: index });
  return {
    ...{ address: account.address, isDevelopment: true, account, chain: chainOf(chainId) },
    signer: {
      address: account.address,
      signTypedData: (data) => account.signTypedData(data),
    },
    transport: layerOneUrl === null ? undefined : http(layerOneUrl),
    found: undefined,
    ready: async () => undefined,
  };
}

/** Asks the wallet for its account and, where it is on another chain, to change. */
export async function browserWallet(found: FoundWallet, network: Network): Promise<Wallet> {
  const { provider } = found;
  const accounts = (await provider.request({ method: "eth_requestAccounts" })) as Hex[];
  const [address] = accounts;
  if (address === undefined) throw new Error("the wallet has shown no account");
  const ready = (): Promise<void> => toNetwork(provider, network);
  await ready();
  return {
    ...{ address, isDevelopment: false, account: address, chain: chainOf(network.chainId) },
    signer: {
      address,
      signTypedData: async (data) => {
        await ready();
        return signTypedData(provider, address, data);
      },
    },
    transport: transportOf(provider, network),
    ...{ found, ready },
  };
}

/** What only the wallet can answer. */
const WALLETS_OWN = /^(?:wallet_|personal_|eth_(?:accounts|chainId|requestAccounts|send|sign))/;

/** The chain is read where the node says, if it does: the wallet may be on another one. */
function transportOf(provider: Provider, { layerOneUrl }: Network): Transport {
  const own: EIP1193RequestFn = (call) => provider.request(call as never) as Promise<never>;
  if (layerOneUrl === null) return custom({ request: own });
  const { request: read } = http(layerOneUrl)({ retryCount: 3 });
  const request: EIP1193RequestFn = (call) =>
    WALLETS_OWN.test(call.method) ? own(call as never) : read(call as never);
  return custom({ request });
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
