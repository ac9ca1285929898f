/**
 * The wallets of this browser, as they announce themselves (EIP-6963), and the one of
 * `window.ethereum` where it does not; and how the connected one is.
 */
import { createStore } from "./store.ts";

/** EIP-1193. */
export interface Provider {
  request(call: { method: string; params?: readonly unknown[] }): Promise<unknown>;
  on?(event: string, listener: (data: never) => void): unknown;
  removeListener?(event: string, listener: (data: never) => void): unknown;
}

export interface FoundWallet {
  readonly id: string;
  /** As it calls itself; undefined: it says nothing. */
  readonly name: string | undefined;
  readonly provider: Provider;
}

/** Of the wallet that is connected. */
export interface WalletState {
  readonly name: string;
  /** Where its next transaction would go. */
  readonly chainId: number;
  /** False: the wallet itself reaches no chain. */
  readonly isOnline: boolean;
}

const WALLETS_MAX = 16;
const NAME_MAX = 40;

export const wallets = createStore<readonly FoundWallet[]>([]);
export const walletState = createStore<WalletState | undefined>(undefined);

interface Announcement {
  readonly info?: { readonly uuid?: unknown; readonly name?: unknown };
  readonly provider?: unknown;
}

function isProvider(value: unknown): value is Provider {
  return typeof (value as Partial<Provider> | null | undefined)?.request === "function";
}

/** A page's extensions may say anything: what is no wallet is passed over. */
function take({ detail }: CustomEvent<Announcement | null>): void {
  const { info, provider } = detail ?? {};
  if (typeof info?.uuid !== "string" || !isProvider(provider)) return;
  const { uuid: id, name } = info;
  // Announced again, it may have another face of the same wallet.
  const others = wallets.get().filter((each) => each.id !== id && each.provider !== provider);
  if (others.length >= WALLETS_MAX) return;
  const shown = typeof name === "string" ? name.trim().slice(0, NAME_MAX) : "";
  wallets.set([...others, { id, name: shown || undefined, provider }]);
}

/** Asks all to announce themselves, and listens on until the returned function is called. */
export function findWallets(): () => void {
  const listener = take as unknown as EventListener;
  addEventListener("eip6963:announceProvider", listener);
  dispatchEvent(new Event("eip6963:requestProvider"));
  const { ethereum } = globalThis as { ethereum?: unknown };
  const isKnown = wallets.get().some(({ provider }) => provider === ethereum);
  // Those that announce themselves stand behind it in turn, whichever came first.
  if (isProvider(ethereum) && !isKnown && wallets.get().length === 0) {
    wallets.set([{ id: "window.ethereum", name: undefined, provider: ethereum }]);
  }
  return () => removeEventListener("eip6963:announceProvider", listener);
}
