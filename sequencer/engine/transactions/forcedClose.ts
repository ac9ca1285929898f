/**
 * Close of a position from the layer-one queue: at the mark, against the insurance fund, or paid
 * out where the series has expired; a no-op if refused (SPEC section 7, F1 to F4).
 * Twin: circuits/ledger/ForcedClose.circom.
 */
import { INSURANCE_ACCOUNT, LOTS_BITS, SCENARIOS } from "../../protocol/constants.ts";
import type { Series } from "../../protocol/state.ts";
import { addCash, CASH_LIMIT, POSITION_LIMIT, setPosition } from "../balance.ts";
import { secondsOf } from "../bookState.ts";
import { firstMarkFailing, fundReject } from "../healthChange.ts";
import { checkOwner, type LedgerContext, type OperationOf, recordOf } from "../operation.ts";
import type { OperationRecord, Takeover } from "../records.ts";
import type { Risk } from "../risk.ts";
import type { StateView } from "../stateView.ts";
import {
  applyTakeover,
  isIntegerBelow,
  markTrades,
  type TakeoverContext,
  takeoverOutcome,
} from "./takeover.ts";

type ForcedClose = OperationOf<"forcedClose">;

/** The short-option minimum is the last scenario. */
const MINIMUM_ROW = SCENARIOS - 1;

export function checkForcedClose(view: StateView, operation: ForcedClose): string | undefined {
  const { account, owner, slot, lots } = operation;
  const reason = checkOwner(owner, view.account(account).owner);
  if (reason !== undefined) return reason;
  if (account === INSURANCE_ACCOUNT) return "The fund cannot close against itself.";
  if (!isIntegerBelow(slot, view.slots)) {
    return `\`slot\` must be below ${view.slots}. Got \`${slot}\`.`;
  }
  if (isIntegerBelow(lots, 2 ** LOTS_BITS) && lots > 0) return undefined;
  return `\`lots\` must be an integer from 1 to 2^${LOTS_BITS} - 1. Got \`${lots}\`.`;
}

/** What the closer pays for each lot: the slot's short-option minimum, in 1e-6 USDC. */
export function closeCharge(view: StateView, slot: number, { changes }: Risk): number {
  return view.unit * Math.max(0, changes[slot]![MINIMUM_ROW]!);
}

export function applyForcedClose(
  view: StateView,
  operation: ForcedClose,
  context: LedgerContext,
): OperationRecord {
  const { account, owner, slot, lots } = operation;
  const charge = closeCharge(view, slot, context.risk);
  const isExecuted = isPayable(view.series()[slot]!, slot, context)
    ? payOut(view, operation)
    : closeAgainstFund(view, closeOf(view, operation, charge), context);
  const stated = { account: INSURANCE_ACCOUNT, to: account, slot, lots, amount: charge };
  return recordOf(operation, isExecuted ? "executed" : "refused", { stated, words: [owner] });
}

/** F1: never more than there is to close. The charge of all lots is below 2^52, so exact. */
function closeOf(view: StateView, { account, slot, lots }: ForcedClose, charge: number): Takeover {
  const held = Math.abs(view.account(account).positions[slot]!);
  const closed = Math.min(lots, held);
  const terms = { amount: charge * closed, isSubsidy: false, scenario: 0 };
  return { from: account, slot, lots: closed, ...terms };
}

/** F2: whether the slot is settled, or a series in it has expired and its last mark is known. */
function isPayable(
  { status, expiry }: Readonly<Series>,
  slot: number,
  { time, snapshot }: LedgerContext,
): boolean {
  if (status !== "listed") return status === "settled";
  return expiry <= secondsOf(time) && snapshot.slots[slot]!.isFinal;
}

/** Settles the series where that is still to be done, and pays the whole position. */
function payOut(view: StateView, { account: id, slot }: ForcedClose): boolean {
  const { cash, positions } = view.account(id);
  const lots = positions[slot]!;
  // Below 2^22 * 2^20 * 2^10 = 2^52: exact.
  const payoff = lots * view.series()[slot]!.mark * view.unit;
  if (lots === 0 || !isWithin(cash + payoff, CASH_LIMIT)) return false;
  view.editSeries(slot).status = "settled";
  setPosition(view, id, slot, 0);
  addCash(view, id, payoff);
  view.setRanking(undefined);
  return true;
}

function closeAgainstFund(view: StateView, close: Takeover, context: TakeoverContext): boolean {
  const isUnexpired = view.series()[close.slot]!.expiry > secondsOf(context.time);
  if (!isUnexpired || !isBearable(view, close, context)) return false;
  applyTakeover(view, close, INSURANCE_ACCOUNT, context);
  return true;
}

/** F3 and F4: both stay within the venue's limits; nobody made to fail, the fund as in insure. */
function isBearable(view: StateView, close: Takeover, context: TakeoverContext): boolean {
  if (close.lots === 0) return false;
  const { from, taker } = takeoverOutcome(view, close, INSURANCE_ACCOUNT, context);
  const cash = [from.after.cash, taker.after.cash];
  const position = taker.after.positions[close.slot]!;
  if (!cash.every((value) => isWithin(value, CASH_LIMIT))) return false;
  if (!isWithin(position, POSITION_LIMIT)) return false;
  const { risk } = context;
  const [given] = markTrades(view, close);
  const test = { risk, unit: view.unit };
  const fundCash = view.account(INSURANCE_ACCOUNT).cash;
  return (
    firstMarkFailing(view.account(close.from), given, test) === undefined &&
    fundReject(taker, fundCash, test) === undefined
  );
}

function isWithin(value: number, limit: number): boolean {
  return value >= -limit && value < limit;
}
