/**
 * The node's public answers in the protocol's own units: ticks, lots and 1e-6 USDC. Everything else
 * that the API has is at `rpc`. Bigints arrive as `0x` strings.
 */
import type {
  AccountInfo,
  BatchStatus,
  Info,
  KeyInfo,
  StageInfo,
  Submission,
  Wire,
  Withdrawal,
} from "../exchangeService.ts";
import { parseUsdc } from "../market/decimal.ts";
import type { LiquidationInfo, LiquidationUpdate } from "../market/liquidation.ts";
import type { OrderPreview, PreviewRequest } from "../market/orderPreview.ts";
import type { BookSummary, ChainInfo } from "../market/publicBook.ts";
import type { RiskAnswer } from "../market/riskReport.ts";
import type { LogHashes } from "../protocol/evidence.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import type { Status } from "../protocol/status.ts";
import type { ChannelMessages } from "./generated/api.ts";
import {
  createRpcConnection,
  type Params,
  type Result,
  type RpcConnection,
  type RpcConnectionOptions,
} from "./rpcConnection.ts";

export interface Exchange {
  readonly rpc: RpcConnection;
  /** Fetched once, then remembered: it does not change while a node runs. */
  info(): Promise<Wire<Info>>;
  status(): Promise<Wire<Status>>;
  /** The series table. */
  chain(): Promise<Wire<ChainInfo>>;
  books(): Promise<Wire<readonly BookSummary[]>>;
  account(who: { account: number } | { owner: string }): Promise<Wire<AccountInfo>>;
  key(account: number, keyIndex: number): Promise<Wire<KeyInfo>>;
  batch(number: number | "latest"): Promise<Wire<BatchStatus>>;
  /** The latest first. */
  batches(range?: { from?: number; limit?: number }): Promise<Wire<readonly BatchStatus[]>>;
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
  onBatch(handler: (batch: Wire<BatchStatus>) => void): Promise<() => void>;
  onLiquidation(handler: (update: LiquidationUpdate) => void): Promise<() => void>;
  close(): void;
}

export type ExchangeOptions = RpcConnectionOptions;

export function createExchange(options: ExchangeOptions): Exchange {
  return exchangeOf(createRpcConnection(options));
}

/** On a connection that others may use as well. */
export function exchangeOf(rpc: RpcConnection): Exchange {
  let known: Promise<Wire<Info>> | undefined;
  return {
    rpc,
    info() {
      known ??= (rpc.call("straddle/get_info") as Promise<Wire<Info>>).catch((error: unknown) => {
        known = undefined;
        throw error;
      });
      return known;
    },
    status: async () => (await rpc.call("straddle/get_status")) as Wire<Status>,
    chain: () => rpc.call("straddle/get_series"),
    books: () => rpc.call("straddle/get_books"),
    account: async (who) => {
      const params = who as Params<"straddle/get_holdings">;
      return (await rpc.call("straddle/get_holdings", params)) as Wire<AccountInfo>;
    },
    key: async (account, keyIndex) =>
      keyOf(await rpc.call("straddle/get_key", { account, key_index: keyIndex })),
    batch: async (number) => batchOf(await rpc.call("straddle/get_batch", { number })),
    batches: async ({ from, limit: count } = {}) =>
      (await rpc.call("straddle/get_batches", { from, count })).map(batchOf),
    snapshot: () => rpc.call("straddle/get_snapshot"),
    risk: async (account) =>
      (await rpc.call("straddle/get_risk", { account })) as unknown as Wire<RiskAnswer>,
    preview: async (request) =>
      (await rpc.call("straddle/preview_order", request)) as unknown as OrderPreview,
    liquidations: () => rpc.call("straddle/get_auctions"),
    stages: async (logPosition) =>
      stageOf(await rpc.call("straddle/get_stage", { log_position: logPosition })),
    log: async (from, count = 100) =>
      (await rpc.call("straddle/get_log", { from, count })) as LogHashes,
    withdrawals: async (owner) =>
      (await rpc.call("straddle/get_withdrawals", { owner: owner as `0x${string}` })).map(
        withdrawalOf,
      ),
    onBatch: (handler) => rpc.subscribe("straddle.batches", (batch) => handler(batchOf(batch))),
    onLiquidation: (handler) => rpc.subscribe("straddle.liquidations", handler),
    close: () => rpc.close(),
  };
}

function keyOf({ key_index, expires, ...rest }: Result<"straddle/get_key">): Wire<KeyInfo> {
  return { ...rest, keyIndex: key_index, expiry: expires };
}

function batchOf(batch: ChannelMessages["batches"]): Wire<BatchStatus> {
  const { timestamp, log_position, transaction, ...rest } = batch;
  const at = { time: timestamp, logPosition: log_position };
  return { ...rest, ...at, transaction: transaction as `0x${string}` | null };
}

function stageOf(info: Result<"straddle/get_stage">): Wire<StageInfo> {
  const { log_position, batch_number, is_sealed, stage, transaction } = info;
  return {
    ...{ logPosition: log_position, batchNumber: batch_number, isSealed: is_sealed, stage },
    transaction: transaction as `0x${string}` | null,
  };
}

function withdrawalOf(item: Result<"straddle/get_withdrawals">[number]): Wire<Withdrawal> {
  const { amount, is_forced, log_position, batch_number, transaction, ...rest } = item;
  return {
    ...{ ...rest, amount: parseUsdc(String(amount)), isForced: is_forced },
    ...{ logPosition: log_position, batchNumber: batch_number },
    transaction: transaction as `0x${string}` | null,
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

/** A signed word as methods take it. */
export type SignedWord = Params<"straddle/submit">["words"][number];

export function wireWord({ account, keyIndex, word, signature, seen }: Submission): SignedWord {
  return {
    ...{ account, key_index: keyIndex, word: hexOf(word), signature: wireSignature(signature) },
    ...(seen && { seen: { ...seen, signature: wireSignature(seen.signature) } }),
  };
}
