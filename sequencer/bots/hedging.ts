/**
 * When and how a bot hedges its delta, by the forward that the venue lists: the call of strike 0,
 * whose delta is 1 and which has no vega. With costs that are proportional to what is traded it is
 * best to do nothing within a band around 0, and to trade to the band's edge outside it (A. Whalley
 * and P. Wilmott, "An asymptotic analysis of an optimal hedging model for option pricing with
 * transaction costs", Mathematical Finance 7, 1997).
 */
import { takerFee } from "../engine/fees.ts";
import {
  beyondMark,
  isForward,
  type Level,
  type Listed,
  type Picture,
  type Wanted,
} from "./picture.ts";

export interface HedgeSettings {
  /** In lots: net deltas up to this are left alone. */
  readonly band: number;
  /** Of one hedge, and the most of one forward that may be held, long or short. */
  readonly lots: number;
  readonly positionMax: number;
  /** What a hedge may cost beyond the mark, fee included, in parts per million of the mark. */
  readonly costPpmMax: number;
}

/** An immediate order in the cheapest forward, or undefined: nothing to do, or nothing good. */
export function hedgeOf(
  { series }: Pick<Picture, "series">,
  { delta, positions }: { readonly delta: number; readonly positions: readonly number[] },
  settings: HedgeSettings,
): Wanted | undefined {
  const excess = Math.abs(delta) - settings.band;
  if (!(excess > 0)) return undefined;
  const isSell = delta > 0;
  const wanted = Math.min(Math.ceil(excess), settings.lots);
  let best: { readonly order: Wanted; readonly cost: number } | undefined;
  for (const forward of series.filter(isForward)) {
    const position = positions[forward.slot] ?? 0;
    const room = settings.positionMax + (isSell ? position : -position);
    const reach = reachable(forward, isSell, settings.costPpmMax);
    const lots = Math.min(wanted, room, reach?.lots ?? 0);
    if (reach === undefined || lots < 1) continue;
    const cost = costOf(forward, isSell, reach.price);
    if (best !== undefined && cost >= best.cost) continue;
    const { book, name } = forward;
    best = { cost, order: { book, name, isSell, price: reach.price, lots } };
  }
  return best?.order;
}

/** The worst price that is still good enough, and what there is up to it. */
function reachable(forward: Listed, isSell: boolean, costPpmMax: number): Level | undefined {
  const levels = isSell ? forward.bids : forward.asks;
  const good = levels.filter(({ price }) => costOf(forward, isSell, price) <= costPpmMax / 1e6);
  const worst = good.at(-1);
  if (worst === undefined) return undefined;
  return { price: worst.price, lots: good.reduce((sum, { lots }) => sum + lots, 0) };
}

/** Beyond the mark, as a part of it; negative: better than the mark. */
function costOf(forward: Listed, isSell: boolean, price: number): number {
  const { mark, fees } = forward;
  return (beyondMark(forward, isSell, price) + takerFee(fees, price)) / mark;
}
