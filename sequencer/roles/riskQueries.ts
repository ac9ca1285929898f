/** Risk as the exchange tells it: reports, previews of orders, accounts in liquidation. */
import type { AdmissionContext } from "../engine/admission.ts";
import { checkMessage } from "../engine/door.ts";
import { effectiveRisk, type Risk } from "../engine/risk.ts";
import type { Info } from "../exchangeService.ts";
import { describeLiquidation } from "../market/auction.ts";
import type { LiquidationInfo } from "../market/liquidation.ts";
import { type OrderPreview, type PreviewRequest, weighOrder } from "../market/orderPreview.ts";
import { type RiskAnswer, type RiskSizes, reportRisk } from "../market/riskReport.ts";
import type { Clock } from "../ports.ts";
import { type Message, messageFromWord, messageWord } from "../protocol/messages.ts";
import type { DoorReject } from "../protocol/rejection.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { Batcher } from "./batcher.ts";
import type { Stop } from "./circuitBreakers.ts";
import { isTradeOpen } from "./doorChecks.ts";

/** What the venue's own policy adds to the state when it admits an order. */
export type Admission = Pick<AdmissionContext, "policy" | "openInterest">;

export interface RiskParts {
  readonly info: Info;
  readonly state: MemoryState;
  readonly clock: Clock;
  readonly batcher: Batcher;
  /** The same that the intake gives to the door. */
  readonly admission?: Admission | undefined;
  isOverloaded(): boolean;
  stop(): Stop | undefined;
}

export function riskInUse({ state, batcher }: Pick<RiskParts, "state" | "batcher">) {
  const snapshot = batcher.snapshotInUse();
  return snapshot === undefined ? undefined : effectiveRisk(state.series(), snapshot);
}

function sizesOf({ info, state }: RiskParts): RiskSizes {
  const { tickSize, lotsPerContract } = info;
  return { unit: state.unit, tickSize, lotsPerContract };
}

export function isAccount(state: MemoryState, id: number): boolean {
  return state.hasAccount(id) && state.account(id).owner !== 0n;
}

export function readRisk(parts: RiskParts, id: number): RiskAnswer | null {
  const { state, batcher } = parts;
  const snapshot = batcher.snapshotInUse();
  if (snapshot === undefined || !isAccount(state, id)) return null;
  const series = state.series().map(({ status, isCall, strike, expiry, mark }) => {
    return { status, isCall, strike, expiry, mark };
  });
  const { cash, positions } = state.account(id);
  const holdings = { cash, positions: [...positions] };
  return {
    account: id,
    report: reportRisk({ holdings, snapshot, series, sizes: sizesOf(parts) }),
    liquidation: readLiquidation(parts, id, riskInUse(parts)),
    snapshot,
    series,
  };
}

/** Null: no such account or book, or no snapshot, so that there is nothing to weigh. */
export function readPreview(parts: RiskParts, request: PreviewRequest): OrderPreview | null {
  const { state, batcher } = parts;
  const snapshot = batcher.snapshotInUse();
  const { account: id, book: bookId } = request;
  const book = state.book(bookId);
  if (snapshot === undefined || book === undefined || !isAccount(state, id)) return null;
  const { cash, positions } = state.account(id);
  const inputs = {
    holdings: { cash, positions: [...positions] },
    snapshot,
    series: state.series(),
    sizes: sizesOf(parts),
  };
  return { verdict: verdictOf(parts, request, snapshot), ...weighOrder(inputs, book, request) };
}

/** The message that the trader would sign, at the door; its signature aside. */
function verdictOf(
  parts: RiskParts,
  request: PreviewRequest,
  snapshot: Snapshot,
): DoorReject | null {
  const { state, batcher, clock, admission = {} } = parts;
  if (parts.stop() !== undefined) return "tradingPaused";
  if (parts.isOverloaded()) return "overloaded";
  const now = clock.now();
  if (!isTradeOpen(batcher, { kind: "place" }, now)) return "noSnapshot";
  const time = batcher.timeAt(now);
  const { account, keyIndex, ...order } = request;
  const word = wordOf({ kind: "place", ...order, deadline: time });
  const message = word === undefined ? undefined : messageFromWord(word);
  if (word === undefined || message === undefined) return "malformed";
  const risk = effectiveRisk(state.series(), snapshot);
  const incoming = { author: { account, keyIndex }, message, word };
  return checkMessage(state, incoming, { risk, time, ...admission }) ?? null;
}

/** Undefined: a field is out of its range. */
function wordOf(message: Message): bigint | undefined {
  try {
    return messageWord(message);
  } catch {
    return undefined;
  }
}

function readLiquidation(
  { state, clock }: RiskParts,
  account: number,
  risk: Risk | undefined,
): LiquidationInfo | null {
  const { lockedSince } = state.session(account);
  if (lockedSince === 0) return null;
  const { cash, positions } = state.account(account);
  const holdings = { cash, positions };
  const time = clock.now();
  return describeLiquidation({ account, holdings, lockedSince, risk, time, unit: state.unit });
}

/** The longest locked first. */
export function readLiquidations(parts: RiskParts): LiquidationInfo[] {
  const risk = riskInUse(parts);
  return parts.state
    .accountIds()
    .flatMap((id) => readLiquidation(parts, id, risk) ?? [])
    .sort((a, b) => a.lockedSince - b.lockedSince || a.account - b.account);
}
