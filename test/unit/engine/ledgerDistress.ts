// An account below maintenance margin, those who may take it over, and how to refuse them.
import assert from "node:assert/strict";
import {
  applyOperation,
  checkOperation,
  type LedgerContext,
} from "../../../sequencer/engine/ledger.ts";
import type { LedgerOperation, OperationRecord } from "../../../sequencer/engine/records.ts";
import type { BackstopMessage } from "../../../sequencer/protocol/messages.ts";
import type { SlotPrice } from "../../../sequencer/protocol/snapshot.ts";
import { createMemoryState, type MemoryState } from "../../../sequencer/state/memoryState.ts";
import { assertBalanced, totalWorth } from "../../support/conservation.ts";
import {
  contextsOf,
  depositOf,
  EXPIRY,
  NOW,
  paymentBy,
  SHAPE,
  slotRisk,
  snapshotOf,
} from "./market.ts";

/** Who is short 100 lots of slot 0, with {@link LOCKED_CASH}; 4 and 5 are long 60 and 40. */
export const LOCKED = 3;
/** Has cash and no positions. */
export const TRADER = 6;
/** 25 lots of {@link LOSS} are missing: 11.5 M less 12 M in scenario 0. */
export const LOCKED_CASH = 11_500_000;
/** 1e-6 USDC that a lot of slot 0 loses in scenario 0: 20 ticks. */
export const LOSS = 20_000;
/** Seconds since the lock. */
export const LOCKED_FOR = 600;

export interface Distress {
  readonly state: MemoryState;
  readonly ledger: LedgerContext;
}

export interface DistressOptions {
  /** 1e-6 USDC by account. */
  readonly cash?: Readonly<Record<number, number>>;
  /** Lots by account, by slot. */
  readonly positions?: Readonly<Record<number, readonly number[]>>;
  /** Seconds since the lock; undefined: not locked. */
  readonly lockedFor?: number | undefined;
  readonly slots?: readonly SlotPrice[];
}

const CASH = { 1: 0, 2: 10_000_000, 3: LOCKED_CASH, 4: 50_000_000, 5: 50_000_000, 6: 50_000_000 };
const POSITIONS = { 3: [-100, 0, 0, 0], 4: [60, 0, 0, 0], 5: [40, 0, 0, 0] };

/** Marks 100, changes of +20 in even and -20 in odd scenarios; slots 0 to 2 are listed. */
export function createDistress(options: DistressOptions = {}): Distress {
  const state = createMemoryState(SHAPE);
  const slots = options.slots ?? Array.from({ length: SHAPE.slots }, () => slotRisk(100, 20));
  const snapshot = snapshotOf(slots);
  const opening = contextsOf(state, { snapshot });
  for (const slot of [0, 1, 2]) {
    const terms = { isCall: true, strike: 100 * slot, expiry: EXPIRY };
    applyOperation(state, { kind: "listSeries", slot, ...terms }, opening.ledger);
  }
  // A batch prices the series that are listed when it begins.
  const { ledger } = contextsOf(state, { snapshot });
  for (const [id, amount] of Object.entries({ ...CASH, ...options.cash })) {
    const account = Number(id);
    applyOperation(state, depositOf(account, 0), ledger);
    state.editAccount(account).cash = amount;
  }
  for (const [id, lots] of Object.entries({ ...POSITIONS, ...options.positions })) {
    state.editAccount(Number(id)).positions = [...lots];
  }
  for (const slot of state.series().keys()) {
    const held = state.accountIds().filter((id) => state.account(id).positions[slot] !== 0);
    state.editSeries(slot).holders = held.length;
  }
  const lockedFor = "lockedFor" in options ? options.lockedFor : LOCKED_FOR;
  if (lockedFor !== undefined) state.editSession(LOCKED).lockedSince = NOW / 1000 - lockedFor;
  assertBalanced(state);
  return { state, ledger };
}

/** Applies what must be sequenced, and asserts that it leaves the sums as they are. */
export function execute({ state, ledger }: Distress, operation: LedgerOperation): OperationRecord {
  const worth = totalWorth(state);
  const record = applyOperation(state, operation, ledger);
  assert.equal(record.outcome, "executed");
  assert.equal(totalWorth(state), worth);
  assertBalanced(state);
  return record;
}

/** Asserts that the operation is refused for `reason`, and with no trace in the state. */
export function assertRefused(
  { state, ledger }: Distress,
  operation: LedgerOperation,
  reason: RegExp,
): void {
  const before = state.exportState();
  assert.match(checkOperation(state, operation, ledger) ?? "(sequenced)", reason);
  assert.throws(() => applyOperation(state, operation, ledger), reason);
  assert.deepEqual(state.exportState(), before);
}

/** Counts the holders of slot 0, or those named, for the ranking of its long side. */
export function rankHolders(
  distress: Distress,
  { accounts = [3, 4, 5], slot = 0, isLong = true } = {},
): void {
  for (const account of accounts) execute(distress, { kind: "rank", account, slot, isLong });
}

/** What a test says of a takeover; the rest is 10 lots of slot 0 for nothing. */
export type Terms = Partial<{
  from: number;
  slot: number;
  lots: number;
  amount: number;
  isSubsidy: boolean;
  scenario: number;
}>;

export const TERMS = { from: LOCKED, slot: 0, lots: 10, amount: 0, isSubsidy: false, scenario: 0 };
export function insure(terms: Terms = {}): LedgerOperation {
  return { kind: "insure", ...TERMS, ...terms };
}
export function deleverage(terms: Terms = {}, account = 4): LedgerOperation {
  return { kind: "deleverage", account, ...TERMS, ...terms };
}

export function messageOf(terms: Terms = {}): BackstopMessage {
  const { from, slot, lots, amount } = { ...TERMS, ...terms };
  return { kind: "backstop", from, slot, lots, amount, deadline: NOW };
}

export function backstop(terms: Terms = {}, account = TRADER): LedgerOperation {
  const signed = paymentBy(account, messageOf(terms));
  return { ...signed, scenario: terms.scenario ?? 0 } as LedgerOperation;
}
