/** Takes what breaks put-call parity or a box by more than its fees, all legs at once. */
import type { Bot } from "./botLoop.ts";
import type { Desk } from "./desk.ts";
import { bestOpportunity, type EdgeSettings, type Opportunity, unwindOf } from "./parity.ts";

export interface ArbitrageSettings extends EdgeSettings {
  /** Ticks beyond its price that getting out of a leg may cost when another one was missed. */
  readonly unwindTicks: number;
}

/** Turns in which what a missed leg has left is tried to be traded back. */
const UNWIND_TRIES_MAX = 20;

export function createArbitrageur(desk: Desk, settings: ArbitrageSettings): Bot {
  /** What was taken last, and the positions before: they tell what came of it, answers may not. */
  let taken: { readonly found: Opportunity; readonly before: readonly number[] } | undefined;
  let tries = 0;
  const settle = async (positions: readonly number[]): Promise<void> => {
    const { found, before } = taken!;
    const left = unwindOf(found.orders, before, positions, settings.unwindTicks);
    if (left.length > 0 && tries < UNWIND_TRIES_MAX) {
      tries += 1;
      await desk.take("unwinds", left);
      return;
    }
    for (const { name, lots } of left) desk.say("keeps", `${lots} lots of ${name}`);
    taken = undefined;
  };
  return {
    async turn(picture, { positions }) {
      // Nothing new before it is known that all legs of the last one are there, or none.
      if (taken !== undefined) await settle(positions);
      if (taken !== undefined) return;
      const found = bestOpportunity(picture, positions, settings);
      if (found === undefined) return;
      const gain = (found.profit / found.lots).toFixed(1);
      desk.say("finds", `${found.name}: ${found.lots} lots at ${gain} ticks each after fees`);
      taken = { found, before: positions };
      tries = 0;
      await desk.take("takes", found.orders);
      await settle((await desk.own()).positions);
    },
  };
}
