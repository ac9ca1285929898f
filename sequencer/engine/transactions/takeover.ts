/**
 * What backstop, insure and deleverage share: lots leave an account that is being liquidated, at
 * the mark (SPEC section 7, T1 to T6). Twin: circuits/ledger/Takeover.circom.
 */
import {
  AUCTION_DIVISOR,
  AUCTION_SECONDS,
  LOTS_BITS,
  MARGIN_INITIAL_FACTOR,
  SCENARIOS,
} from "../../protocol/constants.ts";
import { addCash, setPosition } from "../balance.ts";
import { secondsOf } from "../bookState.ts";
import {
  firstInadmissible,
  firstMarkUnrelieved,
  type HealthChange,
  hasEquity,
  healthChange,
  isBelowMaintenance,
  isInRange,
  type MarkTrade,
  markCost,
} from "../healthChange.ts";
import { checkAmount } from "../operation.ts";
import type { Takeover } from "../records.ts";
import { cashQuotient, type Risk, scenarioValues } from "../risk.ts";
import type { StateView } from "../stateView.ts";

/** `time` of the batch in unix ms; `risk` is the snapshot's after the batch's start. */
export interface TakeoverContext {
  readonly risk: Risk;
  readonly time: number;
}

/** Both accounts as the takeover would leave them. */
export interface TakeoverOutcome {
  readonly from: HealthChange;
  readonly taker: HealthChange;
}

/** Seconds since `account` was locked; undefined where it is not. */
export function secondsLocked(view: StateView, account: number, time: number): number | undefined {
  const { lockedSince } = view.session(account);
  return lockedSince === 0 ? undefined : secondsOf(time) - lockedSince;
}

/** `d`: +1 where the account is short in the slot, so that it buys back, else -1. */
export function buyBackSign(view: StateView, { from, slot }: Takeover): 1 | -1 {
  return view.account(from).positions[slot]! < 0 ? 1 : -1;
}

/** Why account `taker` cannot take this over now by T1 to T6; undefined where it can. */
export function checkTakeover(
  view: StateView,
  takeover: Takeover,
  taker: number,
  context: TakeoverContext,
): string | undefined {
  return (
    checkForm(view, takeover, taker) ??
    checkLock(view, takeover, context) ??
    checkSize(view, takeover, context) ??
    checkPrice(view, takeover, taker, context) ??
    checkOutcome(view, takeover, takeoverOutcome(view, takeover, taker, context), context)
  );
}

function checkForm(view: StateView, takeover: Takeover, taker: number): string | undefined {
  const { from, slot, lots, amount, scenario } = takeover;
  if (from === taker) return `Account \`${from}\` cannot take over from itself.`;
  if (!isIntegerBelow(slot, view.slots)) {
    return `\`slot\` must be below ${view.slots}. Got \`${slot}\`.`;
  }
  if (!isIntegerBelow(lots, 2 ** LOTS_BITS) || lots === 0) {
    return `\`lots\` must be an integer from 1 to 2^${LOTS_BITS} - 1. Got \`${lots}\`.`;
  }
  if (!isIntegerBelow(scenario, SCENARIOS)) {
    return `\`scenario\` must be below ${SCENARIOS}. Got \`${scenario}\`.`;
  }
  return checkAmount(amount);
}

/** Whether `value` is an integer from 0 to `limit - 1`. */
export function isIntegerBelow(value: number, limit: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value < limit;
}

/** T1. */
function checkLock(
  view: StateView,
  { from, scenario }: Takeover,
  { risk, time }: TakeoverContext,
): string | undefined {
  if (secondsLocked(view, from, time) === undefined) {
    return `Account \`${from}\` is not locked for liquidation.`;
  }
  const test = { scenario, risk, unit: view.unit };
  if (isBelowMaintenance(view.account(from), test)) return undefined;
  return `Account \`${from}\` is not below maintenance margin in scenario \`${scenario}\`.`;
}

/** T2. */
function checkSize(
  view: StateView,
  takeover: Takeover,
  { risk }: TakeoverContext,
): string | undefined {
  const { from, slot, lots, scenario } = takeover;
  const held = Math.abs(view.account(from).positions[slot]!);
  if (lots > held) return `\`lots\` must be at most the position of \`${held}\`. Got \`${lots}\`.`;
  const loss = buyBackSign(view, takeover) * risk.changes[slot]![scenario]!;
  return loss > 0 ? undefined : `The position does not lose in scenario \`${scenario}\`.`;
}

/** T3 to T5. */
function checkPrice(
  view: StateView,
  takeover: Takeover,
  taker: number,
  context: TakeoverContext,
): string | undefined {
  const { slot, scenario, amount, isSubsidy, lots } = takeover;
  const { risk } = context;
  const { unit } = view;
  const after = takeoverOutcome(view, takeover, taker, context).from.after;
  const lot = MARGIN_INITIAL_FACTOR * buyBackSign(view, takeover) * risk.changes[slot]![scenario]!;
  if (cashQuotient(after.cash, unit) + scenarioValues(after, risk)[scenario]! >= lot) {
    const bound = `restore initial margin in scenario \`${scenario}\``;
    return `\`lots\` must be no more than ${bound}. Got \`${lots}\`.`;
  }
  if (isSubsidy) {
    return hasEquity(after, risk, unit) ? "A subsidy must not leave any equity." : undefined;
  }
  const most = discountLimit(view, takeover, context);
  return amount <= most ? undefined : `\`amount\` must be at most \`${most}\`. Got \`${amount}\`.`;
}

/**
 * T4: the largest `amount` with `512 amount <= min(t, 256) unit lots d change` (1e-6 USDC), for a
 * locked account. The avoided loss `unit lots d change` is below 2^(10 + 22 + 20) and exact; its
 * product with t, up to 2^60, is not, so it is divided first: `loss = 512 high + low`, with
 * `high t` below 2^51 and `low t` below 2^17.
 */
export function discountLimit(
  view: StateView,
  takeover: Takeover,
  { risk, time }: TakeoverContext,
): number {
  const { from, slot, lots, scenario } = takeover;
  const change = buyBackSign(view, takeover) * risk.changes[slot]![scenario]!;
  const loss = view.unit * lots * change;
  const seconds = Math.min(secondsLocked(view, from, time) ?? 0, AUCTION_SECONDS);
  const low = loss % AUCTION_DIVISOR;
  const high = (loss - low) / AUCTION_DIVISOR;
  return high * seconds + Math.floor((low * seconds) / AUCTION_DIVISOR);
}

/** T6, and the ranges that every proof demands. */
function checkOutcome(
  view: StateView,
  takeover: Takeover,
  { from, taker }: TakeoverOutcome,
  { risk }: TakeoverContext,
): string | undefined {
  if (!isInRange(from.after) || !isInRange(taker.after)) {
    return "An account would leave the range of cash or positions.";
  }
  const [given] = markTrades(view, takeover);
  const test = { scenario: takeover.scenario, risk, unit: view.unit };
  const fallen = firstMarkUnrelieved(view.account(takeover.from), given, test);
  if (fallen !== undefined) {
    return `Account \`${takeover.from}\` would fall too low in scenario \`${fallen}\`.`;
  }
  const row = firstInadmissible(taker, risk, view.unit);
  if (row === undefined) return undefined;
  return `The account that takes over the lots would lack margin in scenario \`${row}\`.`;
}

/** Both sides of the takeover; its lots must be within the position. */
export function takeoverOutcome(
  view: StateView,
  takeover: Takeover,
  taker: number,
  { risk }: TakeoverContext,
): TakeoverOutcome {
  const [given, taken] = markTrades(view, takeover);
  const options = { risk, unit: view.unit };
  return {
    from: healthChange(view.account(takeover.from), given, options),
    taker: healthChange(view.account(taker), taken, options),
  };
}

/** What `from` does and what the other does. */
export function markTrades(view: StateView, takeover: Takeover): [MarkTrade, MarkTrade] {
  const { slot, lots, amount, isSubsidy } = takeover;
  const signedLots = buyBackSign(view, takeover) * lots;
  const gained = isSubsidy ? amount : -amount;
  return [
    { slot, signedLots, gained },
    { slot, signedLots: -signedLots, gained: -gained },
  ];
}

/** Moves lots and cash after {@link checkTakeover}, and ends a ranking: positions have changed. */
export function applyTakeover(
  view: StateView,
  takeover: Takeover,
  taker: number,
  { risk }: TakeoverContext,
): void {
  const [given, taken] = markTrades(view, takeover);
  for (const [id, trade] of [[takeover.from, given] as const, [taker, taken] as const]) {
    const { slot, signedLots, gained } = trade;
    setPosition(view, id, slot, view.account(id).positions[slot]! + signedLots);
    addCash(view, id, gained - markCost(trade, risk, view.unit));
  }
  view.setRanking(undefined);
}

/** The first scenario (0..16) for which `check` finds nothing against the takeover, if any. */
export function findTakeoverScenario(
  terms: Omit<Takeover, "scenario">,
  check: (takeover: Takeover) => string | undefined,
): number | undefined {
  for (let scenario = 0; scenario < SCENARIOS; scenario++) {
    if (check({ ...terms, scenario }) === undefined) return scenario;
  }
  return undefined;
}
