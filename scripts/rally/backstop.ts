/** A backstop account that takes over what is offered once the discount is worth it. */
import type { Participant } from "./traders.ts";
import type { Venue } from "./venue.ts";

/** It waits this long (seconds since the lock): whoever waits longer may come too late. */
const PATIENCE_SECONDS = 120;
/** And asks for this part of the discount that is open to it: 15 / 16. */
const ASKED = 15 / 16;
const BID_LIFE_MS = 600_000;
/** One position at a time. */
const LOTS_MAX = 2000;

/** Bids for the offer with the largest discount of each locked account, one after the other. */
export async function bidInAuctions(venue: Venue, backstop: Participant): Promise<void> {
  for (const { account, lockedFor, offers } of await venue.service.liquidations()) {
    if (lockedFor < PATIENCE_SECONDS || account === backstop.account) continue;
    const best = [...offers].sort((a, b) => b.amountPerLot - a.amountPerLot)[0];
    if (best === undefined || best.lotsMax < 1) continue;
    const lots = Math.min(best.lotsMax, LOTS_MAX);
    const message = {
      ...({ kind: "backstop", from: account, slot: best.slot, lots } as const),
      amount: Math.floor(best.amountPerLot * lots * ASKED),
      deadline: venue.now() + BID_LIFE_MS,
    };
    const answer = backstop.submit(venue.service, message);
    // Ledger operations are answered at a batch's boundary.
    await venue.step(2000);
    await answer;
  }
}
