/** The node's public methods and channels, typed. Bigints arrive as `0x` strings. */
import type {
  AccountEvent,
  AccountInfo,
  BatchStatus,
  ChainInfo,
  Info,
  KeyInfo,
  LedgerUpdate,
  OpenOrder,
  OrderUpdate,
  Receipt,
  StageInfo,
  Submission,
  Trade,
  Wire,
  Withdrawal,
} from "../exchangeService.ts";
import type { LiquidationInfo, LiquidationUpdate } from "../market/liquidation.ts";
import type { OrderPreview, PreviewRequest } from "../market/orderPreview.ts";
import type { BookChange, BookInfo, BookSummary, BookTicker } from "../market/publicBook.ts";
import type { RiskAnswer } from "../market/riskReport.ts";
import type { LogHashes } from "../protocol/evidence.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import type { Status } from "../protocol/status.ts";
import type { TradingInfo } from "../protocol/trading.ts";
import { createRpc, type Rpc, type RpcOptions } from "./rpc.ts";

/** What the channel `book.N` sends: the whole book first and after reconnections, then changes. */
export type BookMessage =
  | ({ readonly type: "snapshot" } & Wire<BookInfo>)
  | ({ readonly type: "change" } & Wire<BookChange>);

/** What the channel `account.N` sends. */
export type AccountMessage =
  | ({ readonly type: "order" } & Wire<OrderUpdate>)
  | ({ readonly type: "ledger" } & Wire<LedgerUpdate>)
  | ({ readonly type: "liquidation" } & LiquidationUpdate);

/** Signed by a trading key, to read what is its account's alone. See `Trader.readRequest`. */
export type ReadRequest = {
  readonly account: number;
  readonly keyIndex: number;
  readonly time: number;
  readonly signature: Wire<Submission["signature"]>;
};

export interface Exchange {
  readonly rpc: Rpc;
  /** Fetched once, then remembered: it does not change while a node runs. */
  info(): Promise<Wire<Info>>;
  status(): Promise<Wire<Status>>;
  chain(): Promise<Wire<ChainInfo>>;
  books(): Promise<Wire<readonly BookSummary[]>>;
  book(id: number, depth?: number): Promise<Wire<BookInfo>>;
  trades(options?: { book?: number; limit?: number }): Promise<Wire<readonly Trade[]>>;
  account(who: { account: number } | { owner: string }): Promise<Wire<AccountInfo>>;
  key(account: number, keyIndex: number): Promise<Wire<KeyInfo>>;
  batch(number: number | "latest"): Promise<Wire<BatchStatus>>;
  batches(options?: { from?: number; limit?: number }): Promise<Wire<readonly BatchStatus[]>>;
  snapshot(): Promise<Wire<Snapshot>>;
  /** As the node says it: `verifiedRisk` of risk.ts checks it. */
  risk(account: number): Promise<Wire<RiskAnswer>>;
  preview(request: PreviewRequest): Promise<OrderPreview>;
  /** Locked accounts, longest first, and what is offered of them. */
  liquidations(): Promise<readonly LiquidationInfo[]>;
  stages(logPosition: number): Promise<Wire<StageInfo>>;
  /** Hashes of the log, the last of them signed. */
  log(from: number, limit?: number): Promise<LogHashes>;
  withdrawals(owner: string): Promise<Wire<readonly Withdrawal[]>>;
  submit(submission: Submission): Promise<Wire<Receipt>>;
  history(reader: ReadRequest, limit?: number): Promise<Wire<readonly AccountEvent[]>>;
  orders(request: ReadRequest): Promise<Wire<readonly OpenOrder[]>>;
  onTrade(book: number, handler: (trade: Wire<Trade>) => void): Promise<() => void>;
  onBook(book: number, handler: (message: BookMessage) => void): Promise<() => void>;
  /** The best of a book and, for a combination, of its legs; from the next change on. */
  onTicker(book: number, handler: (ticker: BookTicker) => void): Promise<() => void>;
  onLiquidation(handler: (update: LiquidationUpdate) => void): Promise<() => void>;
  onBatch(handler: (batch: Wire<BatchStatus>) => void): Promise<() => void>;
  /** Trading has paused, announces its reopening, or is open again. */
  onTrading(handler: (trading: TradingInfo) => void): Promise<() => void>;
  onHeartbeat(handler: (beat: { time: number }) => void): Promise<() => void>;
  close(): void;
}

export function createExchange(options: RpcOptions): Exchange {
  const rpc = createRpc(options);
  const call = <T>(method: string, params?: object) => rpc.call(method, params) as Promise<T>;
  const on = <T>(channel: string, handler: (data: T) => void) =>
    rpc.subscribe({ channel, handler: handler as (data: unknown) => void });
  let known: Promise<Wire<Info>> | undefined;
  return {
    rpc,
    info() {
      known ??= call<Wire<Info>>("public/info").catch((error: unknown) => {
        known = undefined;
        throw error;
      });
      return known;
    },
    status: () => call("public/status"),
    chain: () => call("public/chain"),
    books: () => call("public/books"),
    book: (book, depth = 20) => call("public/book", { book, depth }),
    trades: (filter = {}) => call("public/trades", filter),
    account: (who) => call("public/account", who),
    key: (account, keyIndex) => call("public/key", { account, keyIndex }),
    batch: (number) => call("public/batch", { number }),
    batches: (range = {}) => call("public/batches", range),
    snapshot: () => call("public/snapshot"),
    risk: (account) => call("public/risk", { account }),
    preview: (request) => call("public/preview", request),
    liquidations: () => call("public/liquidations"),
    stages: (logPosition) => call("public/stages", { logPosition }),
    log: (from, limit = 100) => call("public/log", { from, limit }),
    withdrawals: (owner) => call("public/withdrawals", { owner }),
    submit: ({ account, keyIndex, word, signature, seen }) =>
      call("private/submit", {
        account,
        keyIndex,
        word: hexOf(word),
        signature: wireSignature(signature),
        ...(seen && { seen: { ...seen, signature: wireSignature(seen.signature) } }),
      }),
    history: (reader, limit = 100) => call("private/history", { reader, limit }),
    orders: (request) => call("private/orders", request),
    onTrade: (book, handler) => on(`trades.${book}`, handler),
    onBook: (book, handler) => on(`book.${book}`, handler),
    onTicker: (book, handler) => on(`ticker.${book}`, handler),
    onLiquidation: (handler) => on("liquidations", handler),
    onBatch: (handler) => on("batches", handler),
    onTrading: (handler) => on("trading", handler),
    onHeartbeat: (handler) => on("heartbeat", handler),
    close: () => rpc.close(),
  };
}

/** As bigints travel. */
export function hexOf(value: bigint): `0x${string}` {
  return `0x${value.toString(16)}`;
}

export function wireSignature(signature: Submission["signature"]): Wire<Submission["signature"]> {
  const { r8x, r8y, s } = signature;
  return { r8x: hexOf(r8x), r8y: hexOf(r8y), s: hexOf(s) };
}
