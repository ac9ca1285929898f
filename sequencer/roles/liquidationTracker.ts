/** What happens to accounts in liquidation, as everyone may see it. */
import type { LedgerOperation, StepRecord } from "../engine/records.ts";
import type { StateView } from "../engine/stateView.ts";
import type { LiquidationUpdate } from "../market/liquidation.ts";
import { INSURANCE_ACCOUNT } from "../protocol/constants.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { Effect } from "./effect.ts";

export interface LiquidationTracker {
  observe(effect: Effect): LiquidationUpdate[];
}

/** An update without its place. */
type Event = Omit<LiquidationUpdate, "time" | "batchNumber">;

/** Begins with the accounts that are locked in `state`. */
export function createLiquidationTracker(state: MemoryState): LiquidationTracker {
  const locked = new Set(state.accountIds().filter((id) => state.session(id).lockedSince !== 0));
  return {
    observe: (effect) => {
      const { steps, operation, batch } = effect;
      const events = steps.flatMap((step) => stepEvents(locked, step));
      if (operation?.outcome === "executed") {
        if (operation.operation.kind === "release") locked.delete(operation.operation.account);
        const event = operationEvent(state, operation.operation, effect.cashBefore);
        if (event !== undefined) events.push(event);
      }
      return events.map((event) => ({ ...event, time: batch.time, batchNumber: batch.number }));
    },
  };
}

const NOTHING = {
  book: null,
  slot: null,
  isSell: null,
  lots: 0,
  price: null,
  amount: 0,
  counterparty: null,
} as const;

function stepEvents(locked: Set<number>, step: StepRecord): Event[] {
  if (step.kind !== "liquidate") return [];
  const { account, book, isSell, order } = step;
  const events: Event[] = [];
  if (!locked.has(account)) events.push({ ...NOTHING, account, action: "locked" });
  locked.add(account);
  if (order.fill === undefined) return events;
  const { lots, price, takerFee: amount, maker: counterparty } = order.fill;
  const fill = { book, isSell, lots, price, amount, counterparty };
  return [...events, { ...NOTHING, ...fill, account, action: "order" }];
}

function operationEvent(
  state: StateView,
  operation: LedgerOperation,
  cashBefore: Effect["cashBefore"],
): Event | undefined {
  const { kind } = operation;
  switch (kind) {
    case "release":
      return { ...NOTHING, account: operation.account, action: kind };
    case "absorb": {
      const { from: account, amount } = operation;
      const counterparty = INSURANCE_ACCOUNT;
      return { ...NOTHING, account, action: kind, amount: -amount, counterparty };
    }
    case "backstop": {
      const { author, message } = operation;
      if (message.kind !== "backstop") return undefined;
      const taken = { ...message, counterparty: author.account };
      return { ...takeoverEvent(state, taken, cashBefore), action: kind };
    }
    case "insure":
    case "deleverage": {
      const { isSubsidy } = operation;
      const amount = isSubsidy ? -operation.amount : operation.amount;
      const counterparty = kind === "insure" ? INSURANCE_ACCOUNT : operation.account;
      const taken = { ...operation, amount, counterparty };
      return { ...takeoverEvent(state, taken, cashBefore), action: kind };
    }
    default:
      return undefined;
  }
}

interface Taken {
  readonly from: number;
  readonly slot: number;
  readonly lots: number;
  /** What `from` paid besides, signed. */
  readonly amount: number;
  readonly counterparty: number;
}

function takeoverEvent(
  state: StateView,
  { from: account, slot, lots, amount, counterparty }: Taken,
  cashBefore: Effect["cashBefore"],
): Omit<Event, "action"> {
  const price = state.series()[slot]!.mark;
  const { cash } = state.account(account);
  // Who sells at the mark is paid. At mark 0 only a short position can lose, and it is bought back.
  const isSell = cash + amount > (cashBefore.get(account) ?? cash);
  return { ...NOTHING, account, slot, isSell, lots, price, amount, counterparty };
}
