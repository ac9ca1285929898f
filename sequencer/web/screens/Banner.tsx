/** What stands above everything while the venue, or the wallet, is not as it should be. */
import { useEffect, useState } from "react";
import { tell } from "../state/account.ts";
import { errorText } from "../state/errors.ts";
import { useStore } from "../state/store.ts";
import { type Stop, stopOf } from "../state/trading.ts";
import { catalogue, link, nodeNow, platform } from "../state/venue.ts";
import { walletState } from "../state/wallets.ts";

const BEAT_MS = 500;

/** Why no order is taken; while an opening is announced, with the seconds to it. */
export function useStop(): Stop | undefined {
  const connection = useStore(link);
  const state = useStore(platform);
  const [now, setNow] = useState(nodeNow);
  const isCounting = state?.mode === "cancelOnly";
  useEffect(() => {
    if (!isCounting) return undefined;
    setNow(nodeNow());
    const timer = setInterval(() => setNow(nodeNow()), BEAT_MS);
    return () => clearInterval(timer);
  }, [isCounting]);
  return stopOf(connection, state, now);
}

export function Banner() {
  const stop = useStop();
  return (
    <div className="banners">
      {stop === undefined ? null : (
        <div
          className={`banner ${stop.isLasting ? "bad" : "warn"}`}
          role={stop.kind === "overloaded" ? "status" : "alert"}
        >
          <strong>{stop.title}.</strong> {stop.text}
        </div>
      )}
      <WalletBanner />
    </div>
  );
}

/** Trading goes on by the trading key; what needs the wallet does not. */
function WalletBanner() {
  const state = useStore(walletState);
  const { info } = useStore(catalogue);
  const [isAsking, setAsking] = useState(false);
  if (state === undefined || info === undefined) return null;
  const { name, chainId, isOnline } = state;
  if (!isOnline) {
    return (
      <div className="banner warn" role="status">
        <strong>{name} has lost its network.</strong> Trading goes on; deposits and claims wait
        until it is back.
      </div>
    );
  }
  if (chainId === info.chainId) return null;
  const change = async (): Promise<void> => {
    setAsking(true);
    try {
      await (await import("../account/session.ts")).currentWallet()?.ready();
    } catch (error) {
      tell(errorText(error), "bad");
    } finally {
      setAsking(false);
    }
  };
  return (
    <div className="banner warn" role="status">
      <strong>{name} is on another network.</strong> It is on {chainId}, this venue settles on{" "}
      {info.chainId}. Trading goes on; deposits and claims need the venue's.{" "}
      <button type="button" disabled={isAsking} onClick={() => void change()}>
        {isAsking ? "Waiting for the wallet…" : `Switch to ${info.chainId}`}
      </button>
    </div>
  );
}
