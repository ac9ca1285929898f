/** Takes something now and then, so that others have somebody to trade with. */
import type { Bot } from "./botLoop.ts";
import type { Desk } from "./desk.ts";
import { type Chance, type FlowSettings, takeOf, waitOf } from "./randomFlow.ts";

export interface TakerSettings extends FlowSettings {
  readonly perMinute: number;
}

export function createRandomTaker(desk: Desk, settings: TakerSettings, chance: Chance): Bot {
  return {
    async turn(picture, { positions }) {
      const order = takeOf(picture, positions, chance, settings);
      if (order !== undefined) await desk.take("takes", [order]);
    },
    wait: () => waitOf(chance, settings.perMinute),
  };
}
