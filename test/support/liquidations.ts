// What an operator could liquidate now: for tests, straight from L1 to L4 of SPEC section 6.
import { isPlain } from "../../sequencer/engine/bookState.ts";
import type { Liquidation } from "../../sequencer/engine/records.ts";
import { maintenanceValues, type Risk, scenarioValues } from "../../sequencer/engine/risk.ts";
import { checkLiquidation } from "../../sequencer/engine/transactions/liquidate.ts";
import { SCENARIOS } from "../../sequencer/protocol/constants.ts";
import type { Book } from "../../sequencer/protocol/state.ts";
import type { MemoryState } from "../../sequencer/state/memoryState.ts";

interface Context {
  readonly risk: Risk;
  readonly time: number;
}

/**
 * Both sides of every book for every account below maintenance, at the limit that is allowed and
 * for as many lots as L4 allows: in the worst scenario, and in the mildest that shows it. Closing
 * orders are there as reduce-only ones too.
 */
export function possibleLiquidations(state: MemoryState, context: Context): Liquidation[] {
  return state
    .accountIds()
    .flatMap((account) => liquidationsOf(state, account, context.risk))
    .filter((liquidation) => checkLiquidation(state, liquidation, context) === undefined);
}

function liquidationsOf(state: MemoryState, id: number, risk: Risk): Liquidation[] {
  const account = state.account(id);
  const failing = maintenanceValues(account, risk)
    .map((value, scenario) => ({ scenario, value: account.cash + state.unit * value }))
    .filter(({ value }) => value < 0)
    .sort((left, right) => left.value - right.value);
  const shown = new Set([failing[0], failing.at(-1)].flatMap((each) => each?.scenario ?? []));
  return [...shown].flatMap((scenario) => {
    const headroom = 4 * account.cash + state.unit * scenarioValues(account, risk)[scenario]!;
    return state.bookIds().flatMap((book) =>
      [false, true].flatMap((isSell): Liquidation[] => {
        const { weights } = state.book(book)!;
        const { price, healed } = limitOf(state.book(book)!, { isSell, scenario, risk });
        const lots = Math.max(1, Math.ceil(-headroom / (state.unit * healed)));
        const order = { account: id, book, isSell, price, scenario };
        const held = isPlain(weights) ? account.positions[weights.indexOf(1)]! : 0;
        const closes = isSell ? held > 0 : held < 0;
        const free = { ...order, lots, reduceOnly: false };
        return closes ? [{ ...free, reduceOnly: true }, free] : [free];
      }),
    );
  });
}

/** The worst price that L2 and L3 allow, and what a lot at it adds to the headroom (ticks). */
function limitOf(
  { weights, fees }: Readonly<Book>,
  { isSell, scenario, risk }: { isSell: boolean; scenario: number; risk: Risk },
): { price: number; healed: number } {
  const sum = (ticksOf: (slot: number) => number) =>
    weights.reduce((total, weight, slot) => total + weight * ticksOf(slot), 0);
  const mark = sum((slot) => risk.marks[slot]!);
  const change = sum((slot) => (scenario < SCENARIOS ? risk.changes[slot]![scenario]! : 0));
  // In the direction of the order: a sale at p is a purchase at -p.
  const sign = isSell ? -1 : 1;
  const belowQuarter = Math.ceil((sign * (4 * mark + change)) / 4) - 1;
  const belowGain = sign * (mark + change) - fees.taker - 1;
  const price = sign * Math.min(belowQuarter, belowGain);
  return { price, healed: sign * (4 * mark + 5 * change - 4 * price) };
}
