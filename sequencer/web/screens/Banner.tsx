/** What stands above everything while the venue is not as it should be. */
import { useEffect, useState } from "react";
import { PAUSE_REASONS, type PauseReason } from "../../protocol/trading.ts";
import { clock } from "../math/format.ts";
import { sentence } from "../state/errors.ts";
import { useStore } from "../state/store.ts";
import { link, nodeNow, type Platform, platform } from "../state/venue.ts";

export function Banner() {
  const state = useStore(link);
  const trading = useStore(platform);
  if (state.phase === "lost") {
    return (
      <div className="banner bad" role="alert">
        <strong>Disconnected.</strong> Prices are those of {clock(state.since)}. Connecting again by
        itself; nothing that was sent is sent twice.
      </div>
    );
  }
  if (trading === undefined) return null;
  if (trading.halted !== null) {
    return (
      <div className="banner bad" role="alert">
        <strong>The venue has halted.</strong> {sentence(trading.halted)} Deposits are safe on layer
        one; the command line's <code>exit</code> leaves without the node.
      </div>
    );
  }
  if (trading.mode === "open") {
    if (!trading.overloaded) return null;
    return (
      <div className="banner warn" role="status">
        <strong>The venue is busy.</strong> New orders may be refused for a moment; cancels go
        through.
      </div>
    );
  }
  return trading.mode === "paused" ? <Paused {...trading} /> : <CancelOnly {...trading} />;
}

function Paused({ reason, detail, since }: Platform) {
  const why = reason === null ? "" : (PAUSE_REASONS[reason as PauseReason] ?? reason);
  return (
    <div className="banner warn" role="alert">
      <strong>Trading is paused{since === null ? "" : ` since ${clock(since)}`}.</strong>{" "}
      {sentence(detail ?? why)} Orders stay where they are, and cancels go through.
    </div>
  );
}

function CancelOnly({ opens_at }: Platform) {
  const [now, setNow] = useState(nodeNow());
  useEffect(() => {
    const timer = setInterval(() => setNow(nodeNow()), 500);
    return () => clearInterval(timer);
  }, []);
  const seconds = opens_at === null ? undefined : Math.max(0, Math.ceil((opens_at - now) / 1000));
  return (
    <div className="banner warn" role="alert">
      <strong>Cancel only.</strong> Trading opens
      {seconds === undefined ? " soon" : ` in ${seconds} s`}, once two new snapshots are there.
    </div>
  );
}
