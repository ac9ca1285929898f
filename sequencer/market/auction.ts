/** What is offered of a locked account by the rules of takeovers (SPEC section 7: T1 to T4, T6). */
import {
  cashQuotient,
  maintenanceValues,
  type Risk,
  scenarioValues,
  wholeUnits,
  worstMaintenance,
} from "../engine/risk.ts";
import {
  AUCTION_DIVISOR,
  AUCTION_SECONDS,
  MARGIN_INITIAL_FACTOR,
  SCENARIOS,
} from "../protocol/constants.ts";
import type { AuctionOffer, LiquidationInfo } from "./liquidation.ts";
import { equityOf, type Holdings } from "./riskReport.ts";

/** `lockedSince` in unix seconds, `time` in unix ms; no risk: no snapshot yet. */
export interface LockedAccount {
  readonly account: number;
  readonly holdings: Holdings;
  readonly lockedSince: number;
  readonly risk: Risk | undefined;
  readonly time: number;
  readonly unit: number;
}

export function describeLiquidation(locked: LockedAccount): LiquidationInfo {
  const { account, holdings, lockedSince, risk, time, unit } = locked;
  const { cash, positions } = holdings;
  const lockedFor = Math.max(0, Math.floor(time / 1000) - lockedSince);
  const place = { account, lockedSince, cash, positions: [...positions], time, lockedFor };
  if (risk === undefined) return { ...place, equity: null, maintenance: null, offers: [] };
  const view = { owner: 0n, cash, positions: [...positions] };
  return {
    ...place,
    equity: equityOf(holdings, risk, unit),
    maintenance: worstMaintenance(view, risk, unit).value,
    offers: offersOf({ ...locked, risk }, lockedFor),
  };
}

function offersOf(locked: LockedAccount & { readonly risk: Risk }, lockedFor: number) {
  const { holdings, risk, unit } = locked;
  const view = { owner: 0n, cash: holdings.cash, positions: [...holdings.positions] };
  const [whole, quotient] = [wholeUnits(view.cash, unit), cashQuotient(view.cash, unit)];
  const rooms = scenarioValues(view, risk).map((value) => quotient + value);
  const levels = maintenanceValues(view, risk);
  // T1, and T3 for a single lot.
  const isOpen = levels.map((value, row) => whole + value < 0 && rooms[row]! < 0);
  const offers: AuctionOffer[] = [];
  for (const [slot, position] of holdings.positions.entries()) {
    if (position === 0) continue;
    const changes = risk.changes[slot]!.map((change) => -Math.sign(position) * change);
    const worst = worstScenario(isOpen, changes);
    if (worst === undefined) continue;
    const { scenario, loss } = worst;
    const lossPerLot = unit * loss;
    const amountPerLot = (Math.min(lockedFor, AUCTION_SECONDS) * lossPerLot) / AUCTION_DIVISOR;
    const needed = Math.ceil(-rooms[scenario]! / (MARGIN_INITIAL_FACTOR * loss));
    const relieving = mostRelieving(levels, changes, { scenario, paid: amountPerLot / unit });
    offers.push({
      slot,
      position,
      mark: risk.marks[slot]!,
      scenario,
      lossPerLot,
      lotsMax: Math.min(Math.abs(position), needed, relieving),
      amountPerLot,
      amountPerLotMax: (AUCTION_SECONDS * lossPerLot) / AUCTION_DIVISOR,
    });
  }
  return offers;
}

/** T6: the most lots, at `paid` ticks each, that take no scenario below the exhibited one. */
function mostRelieving(
  levels: readonly number[],
  changes: readonly number[],
  { scenario, paid }: { scenario: number; paid: number },
): number {
  return levels.reduce((lots, level, row) => {
    const change = (changes[row] ?? 0) - paid;
    if (change >= 0) return lots;
    return Math.min(lots, Math.max(0, Math.floor((level - levels[scenario]!) / -change)));
  }, Number.POSITIVE_INFINITY);
}

/** The open scenario in which the position loses the most for each lot (ticks). */
function worstScenario(isOpen: readonly boolean[], spared: readonly number[]) {
  let worst: { scenario: number; loss: number } | undefined;
  for (let scenario = 0; scenario < SCENARIOS; scenario++) {
    const loss = spared[scenario]!;
    if (!isOpen[scenario] || loss <= (worst?.loss ?? 0)) continue;
    worst = { scenario, loss };
  }
  return worst;
}
