/**
 * What the ledger does for accounts in liquidation that the books do not help (SPEC section 7):
 * release, insurance, deleveraging, absorption. Pure: the executor checks every plan again.
 */
import type { LedgerOperation, Takeover } from "../engine/records.ts";
import { firstBelowMaintenance } from "../engine/risk.ts";
import { checkAbsorb } from "../engine/transactions/absorb.ts";
import { checkInsure } from "../engine/transactions/insure.ts";
import { checkTakeover, secondsLocked } from "../engine/transactions/takeover.ts";
import {
  AUCTION_SECONDS,
  DELEVERAGE_SECONDS,
  INSURANCE_ACCOUNT,
  SCENARIOS,
} from "../protocol/constants.ts";
import type { Account } from "../protocol/state.ts";
import type { MemoryState } from "../state/memoryState.ts";
import { deficitsOf, type PlanContext } from "./bookLiquidation.ts";
import {
  equityOf,
  floorDivide,
  headrooms,
  largestTakeover,
  losesIn,
  maxDiscountOf,
  type Offer,
  smallest,
  type Terms,
} from "./takeoverTerms.ts";

/**
 * The next operation for the account, or undefined. Call it again once that has been executed. A
 * ranking comes as one operation for each holder and must not be interrupted by a trade batch.
 */
export function planRescue(
  state: MemoryState,
  id: number,
  context: PlanContext,
): LedgerOperation | undefined {
  const seconds = secondsLocked(state, id, context.time);
  if (seconds === undefined) return planAbsorption(state, id, context);
  if (firstBelowMaintenance(state.account(id), context.risk, state.unit) === undefined) {
    return { kind: "release", account: id };
  }
  const positions = losingPositions(state, id, context);
  if (seconds >= AUCTION_SECONDS && id !== INSURANCE_ACCOUNT) {
    const insured = planInsurance(state, id, positions, { ...context, seconds });
    if (insured !== undefined) return insured;
  }
  if (seconds >= DELEVERAGE_SECONDS) {
    const deleveraged = planDeleverage(state, id, positions, { ...context, seconds });
    if (deleveraged !== undefined) return deleveraged;
  }
  return planAbsorption(state, id, context);
}

interface RescueContext extends PlanContext {
  readonly seconds: number;
}

/** A position that loses in a scenario in which its account is below maintenance margin. */
interface Losing {
  readonly slot: number;
  readonly scenario: number;
}

/** By what they lose, most first; each in the worst scenario in which it loses. */
function losingPositions(state: MemoryState, id: number, { risk }: PlanContext): Losing[] {
  const from = state.account(id);
  const failing = deficitsOf(from, risk, state.unit).filter(({ scenario }) => scenario < SCENARIOS);
  const losing = from.positions.flatMap((lots, slot) => {
    if (lots === 0) return [];
    const worst = failing.find(({ scenario }) => losesIn({ from, slot, risk }, scenario));
    return worst === undefined ? [] : [{ slot, scenario: worst.scenario }];
  });
  const loss = ({ slot, scenario }: Losing) =>
    Math.abs(from.positions[slot]! * risk.changes[slot]![scenario]!);
  return losing.sort((left, right) => loss(right) - loss(left));
}

/** The fund is paid an eighth of what the scenario threatens, a quarter of an auction's end. */
const INSURANCE_DISCOUNT_PARTS = 4n;

/** What the fund is paid pays for the next deficit. */
function planInsurance(
  state: MemoryState,
  id: number,
  positions: readonly Losing[],
  context: RescueContext,
): LedgerOperation | undefined {
  for (const losing of positions) {
    const offer = offerOf(state, id, losing, { ...context, taker: INSURANCE_ACCOUNT });
    const price = (lots: number) => -maxDiscountOf(offer, lots) / INSURANCE_DISCOUNT_PARTS;
    const found = largestTakeover(offer, heldLots(offer), price);
    if (found === undefined) continue;
    const terms = termsOf(id, losing, found);
    const operation = { kind: "insure", ...terms } as const;
    if (checkInsure(state, operation, context) === undefined) return operation;
  }
  return undefined;
}

/** The next count of the ranking that is needed, or the takeover by its first. */
function planDeleverage(
  state: MemoryState,
  id: number,
  positions: readonly Losing[],
  context: RescueContext,
): LedgerOperation | undefined {
  for (const losing of positions) {
    const { slot } = losing;
    const isLong = state.account(id).positions[slot]! < 0;
    const holders = holdersOf(state, slot);
    const account = largestHolder(state, holders, { slot, isLong });
    if (account === undefined) continue;
    const offer = offerOf(state, id, losing, { ...context, taker: account });
    const most = Math.min(heldLots(offer), Math.abs(state.account(account).positions[slot]!));
    // At the mark where that is allowed: neither side has asked for the trade.
    const found = largestTakeover(offer, most, () => 0n);
    if (found === undefined) continue;
    const terms = termsOf(id, losing, found);
    if (checkTakeover(state, terms, account, context) !== undefined) continue;
    const next = nextToRank(state, holders, { slot, isLong });
    if (next !== undefined) return { kind: "rank", account: next, slot, isLong };
    return { kind: "deleverage", account, ...terms };
  }
  return undefined;
}

function offerOf(
  state: MemoryState,
  id: number,
  losing: Losing,
  { taker, seconds, risk }: RescueContext & { readonly taker: number },
): Offer {
  return {
    ...losing,
    from: state.account(id),
    taker: state.account(taker),
    seconds,
    isInsurance: taker === INSURANCE_ACCOUNT,
    risk,
    unit: state.unit,
  };
}

function heldLots({ from, slot }: Offer): number {
  return Math.abs(from.positions[slot]!);
}

/** `received` as in takeoverTerms.ts: negative is what `from` pays. */
function termsOf(from: number, losing: Losing, { lots, received }: Terms): Takeover {
  const isSubsidy = received > 0n;
  const amount = Number(isSubsidy ? received : -received);
  return { from, ...losing, lots, amount, isSubsidy };
}

/** Ascending, as a ranking counts them. */
function holdersOf(state: MemoryState, slot: number): number[] {
  return state.accountIds().filter((id) => state.account(id).positions[slot] !== 0);
}

interface Side {
  readonly slot: number;
  readonly isLong: boolean;
}

/** The first of the largest, as the ranking finds it. */
function largestHolder(
  state: MemoryState,
  holders: readonly number[],
  { slot, isLong }: Side,
): number | undefined {
  const lotsOf = (id: number) => state.account(id).positions[slot]! * (isLong ? 1 : -1);
  let best: number | undefined;
  for (const id of holders) {
    if (lotsOf(id) > (best === undefined ? 0 : lotsOf(best))) best = id;
  }
  return best;
}

/** Undefined: the ranking is complete. */
function nextToRank(
  state: MemoryState,
  holders: readonly number[],
  { slot, isLong }: Side,
): number | undefined {
  const ranking = state.ranking();
  const goesOn = ranking !== undefined && ranking.slot === slot && ranking.isLong === isLong;
  // A ranking that has passed somebody over can only begin anew, at the first.
  const counted = goesOn ? holders.filter((id) => id < ranking.next).length : 0;
  if (!goesOn || ranking.seen !== counted) return holders[0];
  return holders[counted];
}

/** What nobody else can pay: the deficit of an account whose positions are gone or cannot go. */
function planAbsorption(
  state: MemoryState,
  id: number,
  context: PlanContext,
): LedgerOperation | undefined {
  if (id === INSURANCE_ACCOUNT || !isAbsorbable(state, id, context)) return undefined;
  const deficit = -equityOf(state.account(id), context.risk, state.unit);
  const amount = Number(smallest([deficit, payableByFund(state, context)]));
  if (amount <= 0) return undefined;
  const operation = { kind: "absorb", from: id, amount } as const;
  return checkAbsorb(state, operation, context) === undefined ? operation : undefined;
}

/** While there are positions, others have their turn first: the auction, then deleveraging. */
function isAbsorbable(state: MemoryState, id: number, { time }: PlanContext): boolean {
  const { positions } = state.account(id);
  if (positions.every((lots) => lots === 0)) return true;
  return (secondsLocked(state, id, time) ?? 0) >= DELEVERAGE_SECONDS;
}

/** The fund pays from its cash and stays covered, as with a withdrawal. */
function payableByFund(state: MemoryState, { risk }: PlanContext): bigint {
  const fund: Readonly<Account> = state.account(INSURANCE_ACCOUNT);
  const spare = headrooms(fund, { risk, unit: state.unit }).map((room) => floorDivide(room, 4n));
  return smallest([BigInt(fund.cash), ...spare]);
}
