// A small market for tests: accounts with keys, listed series, open books, a flat snapshot.

import { startBatch } from "../../../sequencer/engine/batchStart.ts";
import { applyOperation, type LedgerContext } from "../../../sequencer/engine/ledger.ts";
import type { LedgerOperation } from "../../../sequencer/engine/records.ts";
import { sequenceMessage, type TradeContext } from "../../../sequencer/engine/trade.ts";
import { type BatchKind, SCENARIOS } from "../../../sequencer/protocol/constants.ts";
import { type PublicKey, publicKeyOf } from "../../../sequencer/protocol/eddsa.ts";
import {
  type LedgerMessage,
  messageWord,
  type PlaceMessage,
  type TradeMessage,
} from "../../../sequencer/protocol/messages.ts";
import type { Prices, SlotPrice } from "../../../sequencer/protocol/snapshot.ts";
import type { BookFees, Shape } from "../../../sequencer/protocol/state.ts";
import { createMemoryState, type MemoryState } from "../../../sequencer/state/memoryState.ts";

export const SHAPE: Shape = { slots: 4, depth: 3, accountLevels: 4, bookLevels: 3, unit: 1000 };
export const DOMAIN = 77n;
/** Unix ms of the first batch; the series of {@link createMarket} expire an hour later. */
export const NOW = 1_800_000_000_000;
export const EXPIRY = NOW / 1000 + 3600;
export const KEY: PublicKey = publicKeyOf(12345n);
export const KEY_EXPIRY = 4_000_000_000;

export const NO_FEES: BookFees = { taker: 0, maker: 0 };

export interface Market {
  readonly state: MemoryState;
  readonly trade: TradeContext;
  readonly ledger: LedgerContext;
}

/** One slot with the same loss and gain in half of the scenarios each. */
export function slotRisk(mark: number, change: number, isFinal = false): SlotPrice {
  const changes = Array.from({ length: SCENARIOS }, (_, row) => (row % 2 === 0 ? change : -change));
  return { mark, isFinal, changes };
}

export function snapshotOf(slots: readonly SlotPrice[], time = NOW) {
  return { time, slots };
}

/** Marks 100, changes +-20 in every slot. */
export const SNAPSHOT = snapshotOf(Array.from({ length: SHAPE.slots }, () => slotRisk(100, 20)));

/** Weights with `legs` by slot and 0 elsewhere. */
export function weightsOf(legs: Readonly<Record<number, number>>, slots = SHAPE.slots): number[] {
  return Array.from({ length: slots }, (_, slot) => legs[slot] ?? 0);
}

/** Contexts for both kinds of steps after the start of a batch of `kind`. */
export function contextsOf(
  state: MemoryState,
  {
    snapshot = SNAPSHOT,
    time = NOW,
    kind = "ledger",
  }: { snapshot?: Prices; time?: number; kind?: BatchKind } = {},
): { trade: TradeContext; ledger: LedgerContext } {
  const risk = startBatch(state, snapshot, kind);
  return {
    trade: { risk, time, fokSteps: 4 },
    ledger: { risk, time, domain: DOMAIN, snapshot },
  };
}

/** Deposit of `cash` (1e-6 USDC) for owner `100 + account`, with {@link KEY} as key 0. */
export function depositOf(account: number, amount: number): LedgerOperation {
  const key = { key: KEY, keyIndex: 0, keyExpiry: KEY_EXPIRY };
  return { kind: "deposit", account, owner: BigInt(100 + account), amount, ...key };
}

/**
 * Slots 0 to 2 are listed, book 0 is slot 0, book 1 is slot 1, book 2 is `slot 0 - slot 1`.
 * Accounts 1.. have the given cash (1e-6 USDC).
 */
export function createMarket(
  cash: readonly number[],
  shape: Shape = SHAPE,
  fees: BookFees = NO_FEES,
): Market {
  const state = createMemoryState(shape);
  const slots = Array.from({ length: shape.slots }, () => slotRisk(100, 20));
  const snapshot = snapshotOf(slots);
  const opening = contextsOf(state, { snapshot });
  const operations: LedgerOperation[] = [
    ...cash.map((amount, index) => depositOf(index + 1, amount)),
    ...[0, 1, 2].map((slot): LedgerOperation => {
      return { kind: "listSeries", slot, isCall: true, strike: 100 * slot, expiry: EXPIRY };
    }),
    { kind: "openBook", book: 0, weights: weightsOf({ 0: 1 }, shape.slots), fees },
    { kind: "openBook", book: 1, weights: weightsOf({ 1: 1 }, shape.slots), fees },
    { kind: "openBook", book: 2, weights: weightsOf({ 0: 1, 1: -1 }, shape.slots), fees },
  ];
  for (const operation of operations) applyOperation(state, operation, opening.ledger);
  // A batch prices the series that are listed when it begins.
  return { state, ...contextsOf(state, { snapshot }) };
}

/** A GTC bid for one lot at 100 in book 0, but for what `fields` say. */
export function placeOf(fields: Partial<Omit<PlaceMessage, "kind">> = {}): PlaceMessage {
  return {
    kind: "place",
    book: 0,
    isSell: false,
    price: 100,
    lots: 1,
    timeInForce: "gtc",
    postOnly: false,
    reduceOnly: false,
    deadline: NOW + 60_000,
    ...fields,
  };
}

export function signedBy(account: number, message: TradeMessage) {
  return { author: { account, keyIndex: 0 }, message, word: messageWord(message) };
}

/** `scenario`: of a backstop. */
export function paymentBy(
  account: number,
  message: LedgerMessage,
  scenario?: number,
): LedgerOperation {
  const author = { account, keyIndex: 0 };
  const operation = { kind: message.kind, author, message, word: messageWord(message) };
  return scenario === undefined ? operation : { ...operation, scenario };
}

/** Sequences a message of key 0 of `account`. */
export function send(market: Market, account: number, message: TradeMessage) {
  return sequenceMessage(market.state, signedBy(account, message), market.trade);
}
