/** Takes positions over from accounts in liquidation, hedges their delta, and trades them away. */
import { snapshotFromWire } from "../client/risk.ts";
import { effectiveRisk } from "../engine/risk.ts";
import type { Bot } from "./botLoop.ts";
import { type Desk, messageOf } from "./desk.ts";
import { exposureOf, fairValues } from "./fairValues.ts";
import { createHedger } from "./hedger.ts";
import type { HedgeSettings } from "./hedging.ts";
import type { Own, Picture } from "./picture.ts";
import { exitOf, type TakeoverSettings, takeoverOf } from "./takeoverChoice.ts";

export interface LiquidatorSettings extends TakeoverSettings {
  readonly hedge: HedgeSettings;
}

export function createLiquidator(desk: Desk, settings: LiquidatorSettings): Bot {
  const { trader, say } = desk;
  const { exchange } = trader;
  const hedge = createHedger(desk, settings.hedge);
  const takeOver = async (picture: Picture, own: Own): Promise<boolean> => {
    const liquidations = await exchange.liquidations();
    if (liquidations.length === 0) return false;
    const [snapshot, chain] = await Promise.all([exchange.snapshot(), exchange.chain()]);
    const risk = effectiveRisk(chain.series, snapshotFromWire(snapshot));
    const chosen = takeoverOf(liquidations, { picture, own, risk }, settings);
    if (chosen === undefined) return false;
    const { profit: _, ...terms } = chosen;
    const what = `${terms.lots} lots of slot ${terms.slot} from account ${terms.from}`;
    // Somebody else may have been first.
    const answer = await trader.takeOver(terms).catch(messageOf);
    const outcome = typeof answer === "string" ? answer : answer.outcome;
    say("takeover", `${what} for ${terms.amount / 1e6} USDC: ${outcome}`);
    return outcome === "executed";
  };
  return {
    async turn(picture, own) {
      if (await takeOver(picture, own)) return;
      const exit = exitOf(picture, own.positions, settings);
      if (exit !== undefined) {
        await desk.take("exits", [exit], { reduceOnly: true });
        return;
      }
      const { delta } = exposureOf(own.positions, fairValues(picture));
      await hedge(picture, { delta, positions: own.positions });
    },
  };
}
