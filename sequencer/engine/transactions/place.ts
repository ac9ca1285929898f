/** Place, and the steps by which its order goes on. Twin: circuits, transactions/place. */
import type { PlaceMessage } from "../../protocol/messages.ts";
import type { Carry } from "../../protocol/state.ts";
import { assertEngine } from "../assertion.ts";
import { killOrder, stepOrder } from "../book/book.ts";
import { isBookOpen } from "../bookState.ts";
import type { OrderStep } from "../records.ts";
import type { Risk } from "../risk.ts";
import type { StateView } from "../stateView.ts";

/** The order that a message places. */
export function orderOf(account: number, message: PlaceMessage, seq: number): Carry {
  const { book, isSell, price, lots, timeInForce, postOnly, reduceOnly } = message;
  return { account, book, isSell, price, lots, timeInForce, postOnly, reduceOnly, seq };
}

/** One step of a GTC or IOC order; what goes on is left in the state's carry. */
export function advanceOrder(view: StateView, order: Carry, risk: Risk): OrderStep {
  const step = stepOrder(view, order, risk);
  view.setCarry(step.after);
  return step;
}

/** One more step of the order that the state carries; it ends where its book has closed. */
export function advanceCarry(
  view: StateView,
  order: Carry,
  { risk, time }: { risk: Risk; time: number },
): OrderStep {
  const book = view.book(order.book);
  if (book !== undefined && isBookOpen(view, book, time)) return advanceOrder(view, order, risk);
  view.setCarry(undefined);
  return killOrder(order);
}

/**
 * All steps of a FOK. It either fills in at most `stepsMax` steps or leaves the state as it found
 * it; `aborted` is then true on the last step, and the steps before it tell what was undone.
 */
export function fillOrKill(
  view: StateView,
  order: Carry,
  { risk, stepsMax }: { risk: Risk; stepsMax: number },
): OrderStep[] {
  assertEngine(stepsMax >= 1, `A FOK needs at least one step. Got \`${stepsMax}\`.`);
  const point = view.checkpoint();
  const steps: OrderStep[] = [];
  let rest: Carry | undefined = order;
  while (rest !== undefined) {
    let step = stepOrder(view, rest, risk);
    if (step.after !== undefined && steps.length + 1 === stepsMax) {
      step = { ...step, after: undefined, aborted: true, outcome: "fokNotFillable" };
    }
    steps.push(step);
    rest = step.after;
    if (step.aborted) view.rollback(point);
  }
  return steps;
}
