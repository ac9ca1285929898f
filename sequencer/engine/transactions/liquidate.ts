/**
 * Liquidate: one immediate-or-cancel step of the operator's for an account below maintenance
 * margin, which locks it. Twin: circuits/trade/Liquidation.circom.
 */
import { LOTS_BITS, PRICE_KEY_MAX, PRICE_OFFSET } from "../../protocol/constants.ts";
import type { Book, Carry } from "../../protocol/state.ts";
import { assertEngine } from "../assertion.ts";
import { positionsFit } from "../balance.ts";
import { stepOrder } from "../book/book.ts";
import { isBookOpen, isPlain, secondsOf } from "../bookState.ts";
import { legsOf, SCENARIO_ROWS } from "../kept.ts";
import type { Liquidation, OrderStep, StepRecord } from "../records.ts";
import {
  bookRisk,
  bookValues,
  cashQuotient,
  headroomChange,
  maintenanceValues,
  type Risk,
  scenarioValues,
  wholeUnits,
} from "../risk.ts";
import type { StateView } from "../stateView.ts";

/** `time` of the batch in unix ms. */
export interface LiquidationContext {
  readonly risk: Risk;
  readonly time: number;
}

/** Why no proof could sequence the liquidation now, by the numbers of SPEC section 6. */
export function checkLiquidation(
  view: StateView,
  liquidation: Liquidation,
  { risk, time }: LiquidationContext,
): string | undefined {
  const malformed = checkForm(liquidation);
  if (malformed !== undefined) return malformed;
  if (view.carry() !== undefined) return "an interrupted order goes on before any liquidation";
  const book = view.book(liquidation.book);
  if (book === undefined) return `book \`${liquidation.book}\` was never opened`;
  if (!isBookOpen(view, book, time)) return `book \`${liquidation.book}\` is not open`;
  if (liquidation.reduceOnly && !isPlain(book.weights)) {
    return `book \`${liquidation.book}\` has several legs: \`reduceOnly\` must be false`;
  }
  const reason = checkNeed(view, liquidation, { book, risk });
  if (reason !== undefined) return reason;
  const { account, isSell, lots } = liquidation;
  return positionsFit(view.account(account), legsOf(book.weights), isSell ? -lots : lots)
    ? undefined
    : `\`lots\` must keep positions inside +-2^22. Got \`${lots}\``;
}

function checkForm({ price, lots, scenario }: Liquidation): string | undefined {
  const offset = price + PRICE_OFFSET;
  if (!(Number.isSafeInteger(offset) && offset >= 1 && offset < PRICE_KEY_MAX)) {
    return `\`price\` must leave both ends of its range free. Got \`${price}\``;
  }
  if (!(Number.isSafeInteger(lots) && lots >= 1 && lots < 2 ** LOTS_BITS)) {
    return `\`lots\` must be from 1 to 2^${LOTS_BITS} - 1. Got \`${lots}\``;
  }
  if (!(Number.isSafeInteger(scenario) && scenario >= 0 && scenario < SCENARIO_ROWS)) {
    return `\`scenario\` must be from 0 to ${SCENARIO_ROWS - 1}. Got \`${scenario}\``;
  }
  return undefined;
}

/**
 * L1 to L4. Everything is in units. In L4 lots are below 2^22, and what a lot adds to a headroom is
 * below 2^32.5 ticks: what may round in their product and sum is above 2^53, far from 0.
 */
function checkNeed(
  view: StateView,
  { account: id, isSell, price, lots, scenario }: Liquidation,
  { book, risk }: { book: Readonly<Book>; risk: Risk },
): string | undefined {
  const account = view.account(id);
  const whole = wholeUnits(account.cash, view.unit);
  const value = maintenanceValues(account, risk)[scenario]!;
  if (whole + value >= 0) {
    return `L1: account \`${id}\` is not below maintenance in scenario \`${scenario}\``;
  }
  const values = bookValues(book.weights, risk);
  const mark = values.at(-1)!;
  const change = values[scenario]! - mark;
  const sign = isSell ? -1 : 1;
  if (sign * (4 * mark + change - 4 * price) <= 0) {
    return `L2: \`price\` must be better than mark and a quarter of the change. Got \`${price}\``;
  }
  const gain = sign * (mark + change - price);
  if (gain <= book.fees.taker) {
    return `L3: \`price\` must improve the scenario, fee included. Got \`${price}\``;
  }
  const order = { rates: bookRisk(book.weights, risk), price, signedLots: sign, fee: 0 };
  const healed = headroomChange(order, scenario);
  if (healed <= 0) return `L4: \`price\` must add to the headroom. Got \`${price}\``;
  const room = cashQuotient(account.cash, view.unit) + scenarioValues(account, risk)[scenario]!;
  if (room + (lots - 1) * healed >= 0) {
    return `L4: \`lots\` must be no more than restore initial margin. Got \`${lots}\``;
  }
  return undefined;
}

/**
 * Voids the account's orders, locks it, and takes the one step; what is left of the order ends in
 * it. Throws EngineAssertion with the reason of {@link checkLiquidation}.
 */
export function liquidate(
  view: StateView,
  liquidation: Liquidation,
  context: LiquidationContext,
): StepRecord {
  const reason = checkLiquidation(view, liquidation, context);
  assertEngine(reason === undefined, `The liquidation must not be sequenced: ${reason}.`);
  const { account, book, isSell, price, lots, reduceOnly, scenario } = liquidation;
  const session = view.editSession(account);
  session.watermark = view.nextSeq();
  if (session.lockedSince === 0) session.lockedSince = secondsOf(context.time);
  const order: Carry = {
    ...{ account, book, isSell, price, lots },
    ...{ timeInForce: "ioc", postOnly: false, reduceOnly, seq: 0 },
  };
  const exhibited = reduceOnly ? scenario : undefined;
  const step = endStep(stepOrder(view, order, context.risk, exhibited));
  const terms = { account, book, isSell, price, lots, reduceOnly };
  return { kind: "liquidate", ...terms, scenario, order: step };
}

/** A liquidation is never carried: what would go on is killed. */
function endStep(step: OrderStep): OrderStep {
  return step.after === undefined ? step : { ...step, after: undefined, outcome: "killed" };
}
