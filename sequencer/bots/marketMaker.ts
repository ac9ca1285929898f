/** Quotes both sides of every series around a smile, leans against inventory, hedges its delta. */
import type { Bot } from "./botLoop.ts";
import type { Desk } from "./desk.ts";
import { exposureOf, fairValues } from "./fairValues.ts";
import { createHedger } from "./hedger.ts";
import type { HedgeSettings } from "./hedging.ts";
import type { Picture } from "./picture.ts";
import {
  type ChangeRules,
  changesOf,
  halfSpread,
  type QuoteSettings,
  quotesOf,
} from "./quoting.ts";

export interface MakerSettings extends QuoteSettings, ChangeRules {
  readonly hedge: HedgeSettings;
}

export function createMarketMaker(desk: Desk, settings: MakerSettings): Bot {
  const hedge = createHedger(desk, settings.hedge);
  return {
    async turn(picture, own) {
      const values = fairValues(picture);
      const { positions } = own;
      const exposure = exposureOf(positions, values);
      await hedge(picture, { delta: exposure.delta, positions });
      const wanted = quotesOf(picture, values, { positions, exposure }, settings);
      const halfOf = (book: number): number => {
        const value = values.get(slotOf(picture, book));
        return value === undefined ? settings.ticksMin : halfSpread(value, settings);
      };
      const messagesMax = Math.min(settings.messagesMax, desk.allowance());
      await desk.quote(changesOf(wanted, own, halfOf, { ...settings, messagesMax }));
    },
  };
}

function slotOf({ series }: Picture, book: number): number {
  return series.find((each) => each.book === book)?.slot ?? -1;
}
