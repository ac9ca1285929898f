// What an operator could liquidate now: for tests, straight from L1 to L4 of SPEC section 6.
import type { Liquidation } from "../../sequencer/engine/records.ts";
import { type Risk, worstMaintenance } from "../../sequencer/engine/risk.ts";
import { checkLiquidation } from "../../sequencer/engine/transactions/liquidate.ts";
import { SCENARIOS } from "../../sequencer/protocol/constants.ts";
import type { Book } from "../../sequencer/protocol/state.ts";
import type { MemoryState } from "../../sequencer/state/memoryState.ts";

/** The most lots that tests try at once. */
const LOTS_MAX = 6;

interface Context {
  readonly risk: Risk;
  readonly time: number;
}

/** Both sides of every book for every account below maintenance, at the limit that is allowed. */
export function possibleLiquidations(state: MemoryState, context: Context): Liquidation[] {
  return state
    .accountIds()
    .flatMap((account) => liquidationsOf(state, account, context.risk))
    .filter((liquidation) => checkLiquidation(state, liquidation, context) === undefined);
}

function liquidationsOf(state: MemoryState, account: number, risk: Risk): Liquidation[] {
  const { scenario, value } = worstMaintenance(state.account(account), risk, state.unit);
  if (value >= 0) return [];
  return state.bookIds().flatMap((book) =>
    [false, true].map((isSell): Liquidation => {
      const { price, gain } = limitOf(state.book(book)!, { isSell, scenario, risk });
      // Within L4, which lets orders go on to initial margin.
      const needed = Math.ceil(-value / (state.unit * gain));
      return { account, book, isSell, price, lots: Math.min(needed, LOTS_MAX), scenario };
    }),
  );
}

/** The worst price that L2 and L3 allow, and what a lot at it improves the scenario by (ticks). */
function limitOf(
  { weights, fees }: Readonly<Book>,
  { isSell, scenario, risk }: { isSell: boolean; scenario: number; risk: Risk },
): { price: number; gain: number } {
  const sum = (ticksOf: (slot: number) => number) =>
    weights.reduce((total, weight, slot) => total + weight * ticksOf(slot), 0);
  const mark = sum((slot) => risk.marks[slot]!);
  const change = sum((slot) => (scenario < SCENARIOS ? risk.changes[slot]![scenario]! : 0));
  // In the direction of the order: a sale at p is a purchase at -p.
  const sign = isSell ? -1 : 1;
  const belowQuarter = Math.ceil((sign * (4 * mark + change)) / 4) - 1;
  const belowGain = sign * (mark + change) - fees.taker - 1;
  const price = sign * Math.min(belowQuarter, belowGain);
  return { price, gain: sign * (mark + change - price) };
}
