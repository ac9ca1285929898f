/** Receipts: what a message did, and the sequencer's signature on its place in the log. */
import type { LogRecord } from "../batch/log.ts";
import type { Author, OperationRecord, OrderStep, StepRecord } from "../engine/records.ts";
import { publishedFills, publishedRemovals } from "../engine/trade.ts";
import type { Hex, Receipt } from "../exchangeService.ts";
import type { LedgerMessage, TradeMessage } from "../protocol/messages.ts";
import { orderIdText } from "../protocol/orderId.ts";
import { receiptDigest } from "../protocol/receipt.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { Batcher } from "./batcher.ts";

/** secp256k1 over 32 bytes as they are; 65 bytes `r | s | v` with v 27 or 28. */
export interface DigestSigner {
  readonly address: Hex;
  sign(digest: Uint8Array): Hex | Promise<Hex>;
}

/** Makes the receipt once the record is known, which is when it is durable. */
export type ReceiptOf = (record: LogRecord) => Promise<Receipt>;

/** What a trade message did, and when it had come (unix ms). */
export interface Traded {
  readonly steps: readonly StepRecord[];
  readonly arrived: number;
}

export interface ReceiptDesk {
  /** Both are called right after the execution, for they read the state as it is then. */
  trade(author: Author, message: TradeMessage, done: Traded): ReceiptOf;
  ledger(author: Author, message: LedgerMessage, record: OperationRecord): ReceiptOf;
}

type Done = Omit<
  Receipt,
  "logPosition" | "logEpoch" | "logPrevious" | "logHash" | "stage" | "signature"
>;

export function createReceiptDesk(options: {
  state: MemoryState;
  batcher: Batcher;
  domain: bigint;
  signer: DigestSigner;
}): ReceiptDesk {
  const { state, batcher, domain, signer } = options;

  function common(author: Author): Pick<Done, "account" | "keyIndex" | "head"> & InBatch {
    const { account, keyIndex } = author;
    const { head } = state.session(account).keys[keyIndex]!;
    const batch = batcher.current()!;
    return { account, keyIndex, head, batchNumber: batch.number, time: batch.time };
  }

  function finish(done: Done): ReceiptOf {
    return async ({ position, epoch, previous, hash }) => {
      const link = { logPrevious: previous, logHash: hash };
      const place = { logPosition: position, logEpoch: epoch, ...link };
      const signature = await signer.sign(receiptDigest(domain, position, hash));
      return { ...done, ...place, stage: "sequenced", signature };
    };
  }

  return {
    trade: (author, { kind }, { steps, arrived }) =>
      finish({ ...common(author), kind, arrived, ...tradeResult(steps) }),
    ledger: (author, { kind }, { outcome }) =>
      finish({ ...common(author), kind, arrived: null, ...NO_ORDER, seq: null, outcome }),
  };
}

type InBatch = Pick<Done, "batchNumber" | "time">;

const NO_ORDER = { orderId: null, restingLots: 0, fills: [], removed: [] } as const;

type Result = Pick<Done, "seq" | "orderId" | "outcome" | "restingLots" | "fills" | "removed">;

function tradeResult(steps: readonly StepRecord[]): Result {
  const [first] = steps;
  const last = steps.at(-1);
  if (first === undefined || last === undefined || !("seq" in first)) {
    throw new TypeError("a message's first step carries its message");
  }
  const { seq } = first;
  if (first.kind !== "place" || !("order" in last)) {
    const outcome = "outcome" in first ? first.outcome : "cancelled";
    return { ...NO_ORDER, seq, outcome };
  }
  const outcome = last.order.outcome ?? "interrupted";
  const fills = publishedFills(steps).map(({ price, lots, makerSeq, takerFee }) => {
    return { price, lots, makerSeq, fee: takerFee };
  });
  const removed = publishedRemovals(steps).map(({ account: _, ...order }) => order);
  const restingLots = lotsLeft(last.order);
  const orderId = restingLots > 0 ? orderIdText(last.order.before) : null;
  return { seq, orderId, outcome, restingLots, fills, removed };
}

/** Lots that rest or go on after the step. */
function lotsLeft(step: OrderStep): number {
  if (step.outcome === undefined) return step.after?.lots ?? 0;
  return step.outcome === "rested" ? step.before.lots : 0;
}
