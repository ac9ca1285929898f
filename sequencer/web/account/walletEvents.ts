/** What a wallet says by itself (EIP-1193): another account, another chain, no connection. */
import type { Provider } from "../state/wallets.ts";
import { walletState } from "../state/wallets.ts";
import { chainIdOf } from "./network.ts";
import type { Wallet } from "./wallet.ts";

/** `onOther`: the wallet shows another account now, or none. Returns the end of it. */
export async function followWallet(
  { found, address }: Wallet,
  onOther: (address: string | undefined) => void,
): Promise<() => void> {
  if (found === undefined) return () => undefined;
  const { provider, name = "The wallet" } = found;
  walletState.set({ name, chainId: await chainIdOf(provider), isOnline: true });
  const patch = (part: { chainId?: number; isOnline: boolean }): void => {
    const known = walletState.get();
    if (known !== undefined) walletState.set({ ...known, ...part });
  };
  const readChain = async (): Promise<void> => {
    patch({ chainId: await chainIdOf(provider), isOnline: true });
  };
  const ends = [
    listen(provider, "accountsChanged", (accounts: readonly string[]) => {
      const [now] = accounts;
      if (now?.toLowerCase() !== address.toLowerCase()) onOther(now);
    }),
    listen(provider, "chainChanged", (id: string) => {
      patch({ chainId: Number(BigInt(id)), isOnline: true });
    }),
    // It cannot reach any chain; what it signs for is not ended by that.
    listen(provider, "disconnect", () => patch({ isOnline: false })),
    listen(provider, "connect", () => void readChain().catch(() => undefined)),
  ];
  return () => {
    for (const end of ends) end();
    walletState.set(undefined);
  };
}

function listen<T>(provider: Provider, event: string, listener: (data: T) => void): () => void {
  const own = listener as (data: never) => void;
  provider.on?.(event, own);
  return () => void provider.removeListener?.(event, own);
}
