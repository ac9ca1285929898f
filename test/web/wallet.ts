/**
 * A wallet in the page (EIP-1193, announced by EIP-6963) that signs with a real key: what the page
 * asks is answered here, by a viem account, and what is not the wallet's own goes to a real chain.
 */
import type { BrowserContext, Page } from "playwright-core";
import { createWalletClient, type Hex, http, type TransactionRequest } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { DEVELOPMENT_PHRASE } from "../../sequencer/protocol/developmentChain.ts";

export const WALLET_NAME = "Signing Wallet";

interface Call {
  readonly method: string;
  readonly params?: readonly unknown[];
}

type Answer =
  | { readonly result: unknown }
  | { readonly error: { readonly code: number; readonly message: string } };

export interface TestWallet {
  /** The methods that the page has called, in order, chain reads left out. */
  readonly asked: string[];
  /** The next call of each of these methods is declined by its owner. */
  readonly declined: Set<string>;
  address(): Hex;
  /** The owner chooses another of the ready-made accounts; undefined: takes the site's access. */
  use(index: number | undefined): Promise<void>;
  /** The owner changes the network. */
  moveTo(chainId: number): Promise<void>;
  /** Its connection to the network goes, and comes. */
  lose(): Promise<void>;
  comeBack(): Promise<void>;
}

export interface TestWalletOptions {
  readonly index: number;
  readonly chainId: number;
  /** RPC urls of the chains that it knows. */
  readonly chains: Readonly<Record<number, string>>;
}

/** Runs in the page. */
const PROVIDER = `
  const listeners = {};
  const provider = Object.freeze({
    isSigningWallet: true,
    async request(call) {
      const answer = await globalThis.askTestWallet(call);
      if ("result" in answer) return answer.result;
      // As wallets do: an error with a number, or a plain object.
      const { code, message } = answer.error;
      if (code === 4001) throw { code, message };
      throw Object.assign(new Error(message), { code });
    },
    on(event, listener) { (listeners[event] ??= new Set()).add(listener); return provider; },
    removeListener(event, listener) { listeners[event]?.delete(listener); return provider; },
  });
  globalThis.tellOfTestWallet = (event, data) => {
    for (const listener of listeners[event] ?? []) listener(data);
  };
  globalThis.ethereum = provider;
  const info = Object.freeze({
    uuid: "350670db-19fa-4704-a166-e52e178b59d2", name: "${WALLET_NAME}",
    icon: "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>", rdns: "wallet.example",
  });
  const announce = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", {
    detail: Object.freeze({ info, provider }),
  }));
  addEventListener("eip6963:requestProvider", announce);
  announce();
`;

class WalletRefusal extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

const WALLETS_OWN = /^(?:wallet_|personal_|eth_(?:requestAccounts|send|sign))/;

interface State {
  index: number | undefined;
  chainId: number;
  readonly chains: Map<number, string>;
  page: Page | undefined;
}

/** Before the context's pages are opened; it speaks to the one that called last. */
export async function installWallet(
  context: BrowserContext,
  { index, chainId, chains }: TestWalletOptions,
): Promise<TestWallet> {
  const known = Object.entries(chains).map(([id, url]) => [Number(id), url] as const);
  const state: State = { index, chainId, chains: new Map(known), page: undefined };
  const asked: string[] = [];
  const declined = new Set<string>();
  const answer = async (call: Call): Promise<Answer> => {
    if (WALLETS_OWN.test(call.method)) asked.push(call.method);
    try {
      if (declined.delete(call.method)) {
        throw new WalletRefusal(4001, "User rejected the request.");
      }
      return { result: (await resultOf(state, call)) ?? null };
    } catch (error) {
      const { code = -32603 } = error as { code?: number };
      return { error: { code, message: (error as Error).message } };
    }
  };
  await context.exposeBinding("askTestWallet", ({ page }, call: Call) => {
    state.page = page;
    return answer(call);
  });
  await context.addInitScript(PROVIDER);
  const moveTo = async (id: number): Promise<void> => {
    state.chainId = id;
    await tell(state, "chainChanged", hex(id));
  };
  return {
    ...{ asked, declined, moveTo },
    address: () => accountOf(state).address,
    use: async (next) => {
      state.index = next;
      await tell(state, "accountsChanged", next === undefined ? [] : [accountOf(state).address]);
    },
    lose: () => tell(state, "disconnect", { code: 4900, message: "Disconnected" }),
    comeBack: () => tell(state, "connect", { chainId: hex(state.chainId) }),
  };
}

const hex = (id: number): Hex => `0x${id.toString(16)}`;

async function tell({ page }: State, event: string, data: unknown): Promise<void> {
  const given = `${JSON.stringify(event)}, ${JSON.stringify(data)}`;
  await page?.evaluate(`globalThis.tellOfTestWallet(${given})`);
}

function accountOf({ index }: State) {
  if (index === undefined) throw new WalletRefusal(4100, "The site has no account.");
  return mnemonicToAccount(DEVELOPMENT_PHRASE, { addressIndex: index });
}

async function resultOf(state: State, { method, params = [] }: Call): Promise<unknown> {
  const [first, second] = params;
  switch (method) {
    case "eth_requestAccounts":
    case "eth_accounts":
      return [accountOf(state).address];
    case "eth_chainId":
      return hex(state.chainId);
    case "wallet_switchEthereumChain":
      return switchTo(state, Number(BigInt((first as { chainId: string }).chainId)));
    case "wallet_addEthereumChain":
      return addChain(state, first as { chainId: string; rpcUrls: string[] });
    case "eth_signTypedData_v4":
      return signTyped(state, first as string, second as string);
    case "eth_sendTransaction":
      return send(state, first as Record<string, Hex>);
    default:
      return forward(urlOf(state), method, params);
  }
}

async function switchTo(state: State, chainId: number): Promise<null> {
  if (!state.chains.has(chainId)) throw new WalletRefusal(4902, "Unrecognized chain ID.");
  state.chainId = chainId;
  await tell(state, "chainChanged", hex(chainId));
  return null;
}

/** Not before the chain itself has said that it is the one. */
async function addChain(
  { chains }: State,
  { chainId, rpcUrls: [url] }: { chainId: string; rpcUrls: string[] },
): Promise<null> {
  if (url === undefined || (await forward(url, "eth_chainId", [])) !== chainId) {
    throw new WalletRefusal(-32602, `The chain ${chainId} is not what answers there.`);
  }
  chains.set(Number(BigInt(chainId)), url);
  return null;
}

async function signTyped(state: State, address: string, text: string): Promise<Hex> {
  const account = accountOf(state);
  const data = JSON.parse(text) as Parameters<typeof account.signTypedData>[0];
  if (address.toLowerCase() !== account.address.toLowerCase()) {
    throw new WalletRefusal(4100, "That account is not the one of this site.");
  }
  const { chainId } = data.domain as { chainId?: number };
  if (chainId !== state.chainId) {
    throw new WalletRefusal(-32603, "The typed data is of another chain than the wallet's.");
  }
  return account.signTypedData(data);
}

async function send(state: State, wanted: Record<string, Hex>): Promise<Hex> {
  const account = accountOf(state);
  const { from, to, data, value, gas } = wanted;
  if (from?.toLowerCase() !== account.address.toLowerCase()) {
    throw new WalletRefusal(4100, "That account is not the one of this site.");
  }
  const client = createWalletClient({ account, transport: http(urlOf(state)) });
  const request = {
    ...{ to, data, value: BigInt(value ?? 0) },
    ...(gas !== undefined && { gas: BigInt(gas) }),
  } as TransactionRequest;
  return client.sendTransaction({ ...request, chain: null } as never);
}

function urlOf({ chains, chainId }: State): string {
  const url = chains.get(chainId);
  if (url === undefined) throw new WalletRefusal(4901, "The chain is not connected.");
  return url;
}

async function forward(url: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body });
  const { result, error } = (await answer.json()) as {
    result?: unknown;
    error?: { code: number; message: string };
  };
  if (error !== undefined) throw new WalletRefusal(error.code, error.message);
  return result;
}
