/** The steps of a trade batch (SPEC section 6). Twin: circuits/trade.circom. */
import { SEQ_BITS } from "../protocol/constants.ts";
import type { TradeMessage } from "../protocol/messages.ts";
import { nextHeadOnce } from "../protocol/remembered.ts";
import { assertEngine } from "./assertion.ts";
import { checkSequenced } from "./door.ts";
import type { Author, Fill, RemovedOrder, StepRecord } from "./records.ts";
import type { Risk } from "./risk.ts";
import type { StateView } from "./stateView.ts";
import { cancel } from "./transactions/cancel.ts";
import { cancelAll } from "./transactions/cancelAll.ts";
import { advanceCarry, advanceOrder, fillOrKill, orderOf } from "./transactions/place.ts";
import { type OrderName, purgeOrder } from "./transactions/purge.ts";

/** `time` of the batch in unix ms; `fokSteps` is `F`, the most steps that one FOK may use. */
export interface TradeContext {
  readonly risk: Risk;
  readonly time: number;
  readonly fokSteps: number;
}

export interface SignedTradeMessage {
  readonly author: Author;
  readonly message: TradeMessage;
  readonly word: bigint;
}

/**
 * Sequences a message: advances its key's chain, gives it the next seq, and does its first step,
 * or for a FOK all of them. An order that goes on stands in `view.carry()` afterwards.
 *
 * The records of an aborted FOK tell what its steps did before they were undone, as the witness
 * needs it; publish fills and removals by {@link publishedFills} and {@link publishedRemovals}.
 *
 * A FOK takes a checkpoint of `view` and leaves it to the owner of the view to forget it. Throws
 * EngineAssertion for a message that must not be sequenced.
 */
export function sequenceMessage(
  view: StateView,
  signed: SignedTradeMessage,
  context: TradeContext,
): StepRecord[] {
  const { author, message, word } = signed;
  const { risk, time, fokSteps } = context;
  assertEngine(view.carry() === undefined, "An interrupted order goes on before any message.");
  const reject = checkSequenced(view, signed, time);
  assertEngine(reject === undefined, `The message must not be sequenced: \`${reject}\`.`);
  const seq = takeSeq(view);
  const key = view.editSession(author.account).keys[author.keyIndex]!;
  key.head = nextHeadOnce(key.head, word);
  const part = { author, word, seq };
  if (message.kind === "cancelAll") {
    cancelAll(view, author.account, seq);
    return [{ kind: "cancelAll", ...part, message, outcome: "allCancelled" }];
  }
  if (message.kind === "cancel") {
    const outcome = cancel(view, author.account, message);
    return [{ kind: "cancel", ...part, message, outcome }];
  }
  const order = orderOf(author.account, message, seq);
  const [first, ...others] =
    message.timeInForce === "fok"
      ? fillOrKill(view, order, { risk, stepsMax: fokSteps })
      : [advanceOrder(view, order, risk)];
  return [
    { kind: "place", ...part, message, order: first! },
    ...others.map((step) => ({ kind: "proceed" as const, order: step })),
  ];
}

function takeSeq(view: StateView): number {
  const seq = view.nextSeq();
  assertEngine(seq < 2 ** SEQ_BITS, `\`seq\` must be below 2^${SEQ_BITS}. Got \`${seq}\`.`);
  view.setNextSeq(seq + 1);
  return seq;
}

/** One more step of the order in `view.carry()`. */
export function proceed(view: StateView, context: TradeContext): StepRecord {
  const order = view.carry();
  assertEngine(order !== undefined, "There is no interrupted order to go on with.");
  return { kind: "proceed", order: advanceCarry(view, order, context) };
}

/** Removes a void order. Throws EngineAssertion where it is not void or not there. */
export function purge(view: StateView, name: OrderName): StepRecord {
  assertEngine(view.carry() === undefined, "An interrupted order goes on before any purge.");
  const { book, isSell, price, seq } = name;
  return { kind: "purge", book, isSell, price, seq, account: purgeOrder(view, name) };
}

/** The fills that took place: those of aborted FOKs are left out. Takes whole FOKs. */
export function publishedFills(records: readonly StepRecord[]): Fill[] {
  return lastingOrders(records).flatMap(({ fill }) => fill ?? []);
}

/**
 * The resting orders that order steps removed, those of aborted FOKs left out. Takes whole FOKs.
 * Cancels and purges are not among them: their records name the order themselves.
 */
export function publishedRemovals(records: readonly StepRecord[]): RemovedOrder[] {
  return lastingOrders(records).flatMap(({ removed }) => removed);
}

/** Order steps but those of aborted FOKs, which end a run of steps with the same seq. */
function lastingOrders(records: readonly StepRecord[]) {
  const orders = records.flatMap((record) => ("order" in record ? [record.order] : []));
  const aborted = new Set(orders.filter((step) => step.aborted).map((step) => step.before.seq));
  return orders.filter((step) => !aborted.has(step.before.seq));
}
