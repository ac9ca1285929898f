/** What a taker without a view takes: some book, some side, some lots, near the mark. */
import { bestAgainst, beyondMark, type Listed, type Picture, type Wanted } from "./picture.ts";

/** Numbers from 0 (inclusive) to 1. */
export type Chance = () => number;

export interface FlowSettings {
  /** Of one order at most, and the most of one series that may be held, long or short. */
  readonly lots: number;
  readonly positionMax: number;
  /** Beyond the mark: in parts per million of it, and at least so many ticks. */
  readonly slippagePpm: number;
  readonly slippageTicks: number;
}

/**
 * An immediate order at the best price of a random book, or undefined: nothing is offered there, or
 * too far from the mark. The nearer a position is to its limit, the likelier the order reduces it:
 * the chance to buy falls from 1 at `-positionMax` to 0 at `positionMax`, so positions are pulled
 * back to 0 and never pass the limit.
 */
export function takeOf(
  { series }: Pick<Picture, "series">,
  positions: readonly number[],
  chance: Chance,
  settings: FlowSettings,
): Wanted | undefined {
  const chosen = series[Math.floor(chance() * series.length)];
  if (chosen === undefined) return undefined;
  const { positionMax } = settings;
  const position = positions[chosen.slot] ?? 0;
  const isSell = chance() >= (1 - position / positionMax) / 2;
  const level = bestAgainst(isSell, chosen);
  if (level === undefined || beyondMark(chosen, isSell, level.price) > slippage(chosen, settings)) {
    return undefined;
  }
  const room = positionMax + (isSell ? position : -position);
  const wish = 1 + Math.floor(chance() * settings.lots);
  const lots = Math.min(wish, level.lots, room);
  if (lots < 1) return undefined;
  return { book: chosen.book, name: chosen.name, isSell, price: level.price, lots };
}

function slippage({ mark }: Listed, { slippagePpm, slippageTicks }: FlowSettings): number {
  return Math.max(slippageTicks, (mark * slippagePpm) / 1e6);
}

/** Milliseconds until the next order of a Poisson process: `ln(1 / (1 - u)) / rate`. */
export function waitOf(chance: Chance, perMinute: number): number {
  return (Math.log(1 / (1 - chance())) * 60_000) / perMinute;
}
