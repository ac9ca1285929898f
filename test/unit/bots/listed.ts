/** Series with books, for tests of what bots decide. */
import type { Level, Listed, Picture } from "../../../sequencer/bots/picture.ts";
import { blackPrice, MS_PER_YEAR } from "../../../sequencer/pricing/black76.ts";

export const NOW = 1_800_000_000_000;
export const EXPIRY = NOW / 1000 + 7 * 86_400;
export const FORWARD = 25_000;
export const FEES = { taker: 8, maker: 0 };

export function listed(given: Partial<Listed> & Pick<Listed, "slot">): Listed {
  const { slot } = given;
  return {
    ...{ name: `S${slot}`, status: "listed", isCall: true, strike: FORWARD, expiry: EXPIRY },
    ...{ mark: 500, book: slot, fees: FEES, bids: [], asks: [] },
    ...given,
  };
}

export function pictureOf(series: readonly Listed[]): Picture {
  return { marksAt: NOW, now: NOW, series, unit: 1000, lotsPerContract: 100, depth: 8 };
}

/** Marks of one volatility that falls and rises with the strike, rounded to ticks. */
export function smiling(slot: number, isCall: boolean, strike: number): Listed {
  const k = Math.log(strike / FORWARD);
  const years = (EXPIRY * 1000 - NOW) / MS_PER_YEAR;
  const inputs = { isCall, strike, forward: FORWARD, yearsToExpiry: years };
  const mark = Math.round(blackPrice({ ...inputs, volatility: 0.6 - 0.3 * k + 2 * k * k }));
  return listed({ slot, isCall, strike, mark });
}

/** The forward in slot 0, then a call and a put at each strike. */
export function chain(strikes: readonly number[] = [23_000, 24_000, 25_000, 26_000, 27_000]) {
  const forward = listed({ slot: 0, strike: 0, mark: FORWARD, name: "F" });
  const options = strikes.flatMap((strike, at) => [
    smiling(1 + 2 * at, true, strike),
    smiling(2 + 2 * at, false, strike),
  ]);
  return [forward, ...options];
}

export function level(price: number, lots: number): Level {
  return { price, lots };
}
