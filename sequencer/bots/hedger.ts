/** Hedges by what `hedging.ts` decides, and says once where there is nothing to hedge with. */
import type { Desk } from "./desk.ts";
import { type HedgeSettings, hedgeOf } from "./hedging.ts";
import { isForward, type Picture } from "./picture.ts";

/** `delta` in lots of the underlying; `positions` signed, by slot. */
export type Hedger = (
  picture: Picture,
  own: { readonly delta: number; readonly positions: readonly number[] },
) => Promise<void>;

export const NO_FORWARD =
  "no forward (a call of strike 0) is listed: delta is not hedged, and nothing but the bot's " +
  "limits (--position-max, --loss-max) bounds it";

export function createHedger(
  { take, say }: Pick<Desk, "take" | "say">,
  settings: HedgeSettings,
): Hedger {
  let isMissing = false;
  return async (picture, own) => {
    const canHedge = picture.series.some(isForward);
    if (canHedge === isMissing) {
      say("hedges", canHedge ? "a forward is listed: delta is hedged by it" : NO_FORWARD);
    }
    isMissing = !canHedge;
    const hedge = hedgeOf(picture, own, settings);
    if (hedge !== undefined) await take("hedges", [hedge]);
  };
}
