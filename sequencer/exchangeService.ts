/**
 * What the sequencer role offers to the API: the border between `roles/sequencer.ts`, which
 * implements {@link ExchangeService}, and `api/`, which speaks JSON. Clients know the same types
 * as {@link Wire}: every bigint becomes a `0x` string at the API's border and nowhere else.
 *
 * Rules for implementers. Nothing here throws for what a caller did wrong: an unknown book or
 * account is `null`, a refused message is a {@link Refused}. Absent values are `null`, never
 * undefined, so that JSON keeps the field. Prices are ticks, quantities lots, cash 1e-6 USDC,
 * times unix ms, expiries unix seconds. Answers are copies that the role does not change later.
 */
import type { AccountPolicy } from "./accountPolicy.ts";
import type { LiquidationInfo, LiquidationUpdate } from "./market/liquidation.ts";
import type { OrderPreview, PreviewRequest } from "./market/orderPreview.ts";
import type { PositionCost } from "./market/positionCost.ts";
import type {
  BookChange,
  BookInfo,
  BookOpening,
  BookSummary,
  BookTicker,
  ChainInfo,
  Listing,
} from "./market/publicBook.ts";
import type { RiskAnswer } from "./market/riskReport.ts";
import type { PackageTrading, RfqNews } from "./packageTrading.ts";
import type { BatchProof } from "./protocol/batchProof.ts";
import type { RfqTrade } from "./protocol/blockRfq.ts";
import type { BatchKind, MessageKind } from "./protocol/constants.ts";
import type { PublicKey, Signature } from "./protocol/eddsa.ts";
import type { LogHashes } from "./protocol/evidence.ts";
import type { FairOrder } from "./protocol/fairOrder.ts";
import type { HeldInfo, ProtectionInfo } from "./protocol/heldWord.ts";
import type { LedgerProof } from "./protocol/ledgerProof.ts";
import type { DoorReject, Outcome, Removal } from "./protocol/rejection.ts";
import type { SeenHead } from "./protocol/seenHead.ts";
import type { Snapshot } from "./protocol/snapshot.ts";
import type { Shape } from "./protocol/state.ts";
import type { Status } from "./protocol/status.ts";
import type { TradingInfo } from "./protocol/trading.ts";

export type Hex = `0x${string}`;

/** A value as it travels in JSON: bigints are `0x` strings, the rest is as it was. */
export type Wire<T> = T extends bigint
  ? Hex
  : T extends readonly (infer Item)[]
    ? readonly Wire<Item>[]
    : T extends object
      ? { readonly [K in keyof T]: Wire<T[K]> }
      : T;

/** How far something has come. Each stage implies the ones before it. */
export const STAGES = ["sequenced", "certified", "proven", "anchored"] as const;
export type Stage = (typeof STAGES)[number];

/** A signed word. `signature` is over the key's chain head after the word. */
export interface Submission {
  readonly account: number;
  readonly keyIndex: number;
  readonly word: bigint;
  readonly signature: Signature;
  /** What of the log the author had seen: it is kept in the log with the message. */
  readonly seen?: SeenHead | undefined;
}

/** One execution of the author's order against a resting one, at the resting order's price. */
export interface ReceiptFill {
  readonly price: number;
  readonly lots: number;
  readonly makerSeq: number;
  /** What the author pays, in 1e-6 USDC. */
  readonly fee: number;
}

/** A resting order of anyone's that the message's execution removed without its owner's asking. */
export interface ReceiptRemoval {
  readonly book: number;
  readonly isSell: boolean;
  readonly price: number;
  readonly seq: number;
  readonly lots: number;
  readonly reason: Removal;
}

/**
 * The sequencer's signed word that the message stands in the log, once the record is durable, and
 * what executing it did. `logHash` covers the message (`batch/log.ts`), so the author can check
 * with `logEpoch` and `logPrevious` that the record is of exactly what was sent.
 */
export interface Receipt {
  readonly account: number;
  readonly keyIndex: number;
  /** The key's chain head after the message. */
  readonly head: bigint;
  readonly kind: MessageKind;
  /** Place of the message's own record in the log, its hash, and the hash before it: 64 hex. */
  readonly logPosition: number;
  readonly logEpoch: number;
  readonly logPrevious: string;
  readonly logHash: string;
  /** Number that trade messages take from `nextSeq`; null for withdraw and transfer. */
  readonly seq: number | null;
  /** Text of protocol/orderId.ts for an order that rests or is carried, else null. */
  readonly orderId: string | null;
  readonly outcome: Outcome;
  /** Lots of a place that are left in the book or carried on; 0 otherwise. */
  readonly restingLots: number;
  readonly fills: readonly ReceiptFill[];
  readonly removed: readonly ReceiptRemoval[];
  /**
   * When the sequencer took it in (unix ms), as its record says, which places it among the others;
   * null for ledger messages, which no rule of order is about.
   */
  readonly arrived: number | null;
  /** The batch that the message is in, and that batch's time. */
  readonly batchNumber: number;
  readonly time: number;
  /** Always `sequenced`: ask {@link ExchangeService.stages} for how far it has come since. */
  readonly stage: "sequenced";
  /** 65 bytes `r | s | v` (v 27 or 28): secp256k1 by `Info.sequencer`, see protocol/receipt.ts. */
  readonly signature: Hex;
}

/** Refused at the door: the key's chain has not moved. `data` names what it was checked against. */
export interface Refused {
  readonly accepted: false;
  readonly code: DoorReject;
  /** A sentence for people, where there is more to say than the code does; else null. */
  readonly reason: string | null;
  /** For `wrongHead` and `badSignature`: `head`, the chain's present head. JSON-safe otherwise. */
  readonly data: Readonly<Record<string, string | number | bigint | boolean>>;
}

export type SubmitResult = { readonly accepted: true; readonly receipt: Receipt } | Refused;

/** A trading key and its chain. */
export interface KeyInfo {
  readonly account: number;
  readonly keyIndex: number;
  readonly key: PublicKey;
  readonly head: bigint;
  /** Unix seconds. */
  readonly expiry: number;
  readonly version: number;
}

/** All values are of the sequenced state, which runs ahead of layer one. */
export interface AccountInfo {
  readonly account: number;
  /** Layer-one address as an integer. */
  readonly owner: bigint;
  readonly cash: number;
  /** Signed lots by slot, and what they have cost in the slots that the account has traded in. */
  readonly positions: readonly number[];
  readonly costs: readonly PositionCost[];
  /** Cash and positions at the effective marks; null while there is no snapshot. */
  readonly equity: number | null;
  /**
   * Smallest headroom over the 18 scenarios, divided by 4 and rounded down: what may be lost
   * before the account is no longer covered. No more than this and than `cash` may be withdrawn,
   * for cash must stay at least 0. Null while there is no snapshot.
   */
  readonly headroom: number | null;
  /** Smallest equity over the scenarios: below 0 the account may be liquidated. Null as above. */
  readonly maintenance: number | null;
  /** When the account was locked for liquidation (unix seconds), or null. */
  readonly lockedSince: number | null;
  /** Orders with a smaller seq are void. */
  readonly watermark: number;
  /** Registered keys only, ascending. */
  readonly keys: readonly KeyInfo[];
}

/** An order that rests, or that is being carried into the next batch (`isCarried`). */
export interface OpenOrder {
  readonly orderId: string;
  readonly account: number;
  readonly book: number;
  readonly isSell: boolean;
  readonly price: number;
  readonly seq: number;
  readonly lots: number;
  readonly isCarried: boolean;
}

/**
 * A fill as everyone sees it. `tradeId` counts from 1 over all books; `takerSeq` is 0 where the
 * taker is being liquidated. Fees are what each side pays in 1e-6 USDC, negative for a rebate.
 */
export interface Trade {
  readonly tradeId: number;
  readonly book: number;
  readonly price: number;
  readonly lots: number;
  readonly takerIsSell: boolean;
  readonly takerSeq: number;
  readonly makerSeq: number;
  readonly takerFee: number;
  readonly makerFee: number;
  readonly time: number;
  readonly batchNumber: number;
}

/** A sealed batch on its way. */
export interface BatchStatus {
  readonly number: number;
  readonly kind: BatchKind;
  readonly time: number;
  readonly root: bigint;
  /** Position of the batch's seal in the log. */
  readonly logPosition: number;
  readonly stage: Stage;
  /** Validators that attested its root. */
  readonly attestations: number;
  /** Layer-one transaction, once anchored. */
  readonly transaction: Hex | null;
}

export type StagedProof = LedgerProof & Pick<BatchStatus, "stage" | "transaction">;

/** How far a log record has come. `batchNumber` and `transaction` as in {@link BatchStatus}. */
export interface StageInfo {
  readonly logPosition: number;
  readonly batchNumber: number;
  /** False while the batch is still being filled. */
  readonly isSealed: boolean;
  readonly stage: Stage;
  readonly transaction: Hex | null;
}

/** A withdrawal that has left an account: claimable on layer one as soon as it is anchored. */
export interface Withdrawal {
  readonly account: number;
  readonly owner: bigint;
  readonly amount: number;
  readonly isForced: boolean;
  readonly logPosition: number;
  readonly batchNumber: number;
  readonly stage: Stage;
  readonly transaction: Hex | null;
}

/** What a deployment is: fixed while the node runs. */
export interface Info {
  readonly name: "straddle";
  /** Version of the node's package, and of the protocol (1). */
  readonly version: string;
  readonly protocol: number;
  readonly chainId: number;
  readonly rollup: Hex;
  readonly token: Hex;
  readonly tokenDecimals: number;
  readonly domain: bigint;
  readonly shape: Shape;
  /** First part of instrument names; a tick in 1e-6 USDC a contract; lots of one contract. */
  readonly underlying: string;
  readonly tickSize: number;
  readonly lotsPerContract: number;
  readonly stepsPerBatch: number;
  /** How many of them may fill. */
  readonly fillsPerBatch: number;
  readonly operationsPerBatch: number;
  readonly oracles: readonly PublicKey[];
  readonly oracleQuorum: number;
  readonly oracleSet: bigint;
  /** The rule by which messages are put in order; validators refuse a log by another one. */
  readonly fairOrder: FairOrder;
  /** Address that signs receipts, and addresses of the validators. */
  readonly sequencer: Hex;
  /** Of all sequencers, where they take turns with the leader; absent: there is one. */
  readonly receiptSigners?: readonly Hex[] | undefined;
  readonly validators: readonly Hex[];
}

/**
 * Something happened to an order of the account: after it `lots` are left. `reason` is the outcome
 * or removal that ended the order; null while it lives (`state` `open`).
 */
export interface OrderUpdate extends Omit<OpenOrder, "isCarried"> {
  readonly state: "open" | "closed";
  readonly reason: Outcome | Removal | null;
  /** The fill that caused the update, from the order's side, else null. */
  readonly fill: {
    readonly tradeId: number;
    readonly price: number;
    readonly lots: number;
    readonly isTaker: boolean;
    /** What the order's owner pays, in 1e-6 USDC; negative: a rebate. */
    readonly fee: number;
  } | null;
  readonly time: number;
  readonly batchNumber: number;
}

/** A ledger operation touched the account; `cash` is what it has afterwards. */
export interface LedgerUpdate {
  readonly account: number;
  readonly operation:
    | "deposit"
    | "registerKey"
    | "forcedWithdraw"
    | "forcedCancelAll"
    | "withdraw"
    | "transfer"
    | "settlePosition"
    | "forcedClose"
    | "backstop"
    | "insure"
    | "deleverage"
    | "absorb"
    | "release"
    | "collectFees";
  readonly outcome: "executed" | "refused";
  /** 0 for registerKey, forcedCancelAll, release. From settlePosition on: cash change, signed. */
  readonly amount: number;
  readonly cash: number;
  readonly time: number;
  readonly batchNumber: number;
}

/** `ticker` follows its `book` changes; `batch` comes when one is sealed and at each stage. */
export type ExchangeEvent =
  | { readonly type: "trade"; readonly trade: Trade }
  | { readonly type: "book"; readonly change: BookChange }
  | { readonly type: "ticker"; readonly ticker: BookTicker }
  | { readonly type: "liquidation"; readonly update: LiquidationUpdate }
  | { readonly type: "order"; readonly update: OrderUpdate }
  | { readonly type: "ledger"; readonly update: LedgerUpdate }
  | { readonly type: "batch"; readonly batch: BatchStatus }
  /** `receipt`: of a word that was sent, told once more when it is signed. */
  | { readonly type: "held"; readonly update: HeldInfo; readonly receipt: Receipt | null }
  | { readonly type: "protection"; readonly update: ProtectionInfo }
  | { readonly type: "rfq"; readonly news: RfqNews }
  | { readonly type: "rfqTrade"; readonly trade: RfqTrade }
  | { readonly type: "trading"; readonly trading: TradingInfo };

/** What concerns one account. */
export type AccountEvent = Extract<ExchangeEvent, { type: "order" | "ledger" | "liquidation" }>;

export interface ExchangeService {
  info(): Promise<Info>;
  status(): Promise<Status>;
  /** Resolves when the message is durable in the log, or refused. */
  submit(submission: Submission): Promise<SubmitResult>;
  /** By id, or the account with the lowest id of an owner. Null: no such account. */
  account(who: { readonly id: number } | { readonly owner: bigint }): Promise<AccountInfo | null>;
  /** The chain head that the key's next message must extend. Null: no such key. */
  session(account: number, keyIndex: number): Promise<KeyInfo | null>;
  orders(account: number): Promise<readonly OpenOrder[]>;
  /** Fills, cash movements and liquidations, newest first. Nodes keep a bounded number. */
  history(account: number, limit: number): Promise<readonly AccountEvent[]>;
  /** Newest first. */
  withdrawals(owner: bigint): Promise<readonly Withdrawal[]>;
  chain(): Promise<ChainInfo>;
  /** Series past and present, oldest first. Nodes keep a bounded number of past ones. */
  listings(): Promise<readonly Listing[]>;
  books(): Promise<readonly BookSummary[]>;
  /** What books' ids mean and meant, of each oldest first. Nodes keep a bounded number. */
  bookOpenings(): Promise<readonly BookOpening[]>;
  /** At most `depth` levels a side. Null: never opened. */
  book(id: number, depth: number): Promise<BookInfo | null>;
  /** Newest first; of all books where `book` is null. Nodes keep a bounded number of trades. */
  trades(book: number | null, limit: number): Promise<readonly Trade[]>;
  /** Sealed batches only. Null: not known, or none yet. */
  batch(number: number | "latest"): Promise<BatchStatus | null>;
  /** Descending from `from` (inclusive), or from the newest one where it is null. */
  batches(from: number | null, limit: number): Promise<readonly BatchStatus[]>;
  /** Null: not sealed, or not kept. */
  batchProof(number: number): Promise<BatchProof | null>;
  /** Of the newest seal. Null: nothing is sealed yet, or there is no such place for an account. */
  ledgerProof(account: number): Promise<StagedProof | null>;
  /** The snapshot in use. */
  snapshot(): Promise<Snapshot | null>;
  stages(logPosition: number): Promise<StageInfo | null>;
  /** Hashes of at most `limit` durable records from position `from` on. */
  log(from: number, limit: number): Promise<LogHashes>;
  /** Null: no such account, or no snapshot yet. */
  risk(account: number): Promise<RiskAnswer | null>;
  /** What the door would say now to an order, and the account's risk after its worst fill. */
  preview(request: PreviewRequest): Promise<OrderPreview | null>;
  /** Accounts that are locked, longest first. */
  liquidations(): Promise<readonly LiquidationInfo[]>;
  /** Held words, protection of market makers, scopes of keys. */
  readonly policy: AccountPolicy<Refused, SubmitResult>;
  /** Combinations on demand, requests for quotes, blocks. */
  readonly packages: PackageTrading<Refused, Receipt>;
  /**
   * Calls `listener` for everything that happens from now on, in order, synchronously after the
   * records are durable. The listener must not throw and returns at once. Returns the end of it.
   */
  subscribe(listener: (event: ExchangeEvent) => void): () => void;
}
