/** Changes of cash and positions, with the ranges that every proof demands. */
import { CASH_OFFSET, POSITION_OFFSET } from "../protocol/constants.ts";
import type { Account } from "../protocol/state.ts";
import { failEngine } from "./assertion.ts";
import type { BookRates, Leg } from "./kept.ts";
import { isCovered, type Risk } from "./risk.ts";
import type { StateView } from "./stateView.ts";

/** Positions that an account's orders and takeovers could reach stay below this (lots). */
export const POSITION_LIMIT = 2 ** 21;
/** Cash and the notional of all orders of an account stay below this (1e-6 USDC). */
export const CASH_LIMIT = 2 ** 51;

/** Adds signed 1e-6 USDC. Throws EngineAssertion if cash would leave +-2^52. */
export function addCash(view: StateView, id: number, amount: number): void {
  view.setCash(id, cashAfter(view, id, amount));
}

function cashAfter(view: StateView, id: number, amount: number): number {
  // An inexact sum is at least 2^53 and thereby out of range itself.
  const cash = view.account(id).cash + amount;
  if (!(Math.abs(cash) < CASH_OFFSET)) {
    failEngine(`Cash of account \`${id}\` must lie inside +-2^52. Got \`${cash}\`.`);
  }
  return cash;
}

/** Whether every position stays inside +-2^22 when `signedLots` of a book are added. */
export function positionsFit(
  account: Readonly<Account>,
  legs: readonly Leg[],
  signedLots: number,
): boolean {
  for (const { slot, weight } of legs) {
    if (Math.abs(account.positions[slot]! + signedLots * weight) >= POSITION_OFFSET) return false;
  }
  return true;
}

/**
 * Adds signed 1e-6 USDC and `signedLots` of a book, which must fit, and keeps the slots' holder
 * counts. Throws as {@link addCash}.
 */
export function exchange(
  view: StateView,
  id: number,
  amount: number,
  { rates, signedLots }: { readonly rates: BookRates; readonly signedLots: number },
): void {
  view.exchange(id, cashAfter(view, id, amount), rates, signedLots);
}

/** Sets a position (lots); `holders` counts the non-zero. */
export function setPosition(view: StateView, id: number, slot: number, lots: number): void {
  const before = view.account(id).positions[slot]!;
  view.setLots(id, slot, lots);
  if ((before === 0) !== (lots === 0)) view.addHolders(slot, lots === 0 ? -1 : 1);
}

/** Whether cash is at least 0 and the account covered after paying `amount` (1e-6 USDC). */
export function canPay(view: StateView, id: number, amount: number, risk: Risk): boolean {
  const account = view.account(id);
  const cash = account.cash - amount;
  return cash >= 0 && isCovered({ ...account, cash }, risk, view.unit);
}
