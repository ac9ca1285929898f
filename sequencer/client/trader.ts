/** A trader: one trading key of one account, on one node. */
import type { AccountEvent, OpenOrder, Receipt, StageInfo, Wire } from "../exchangeService.ts";
import type { OrderPreview } from "../market/orderPreview.ts";
import type { RiskReport } from "../market/riskReport.ts";
import type { TimeInForce } from "../protocol/constants.ts";
import { sign } from "../protocol/eddsa.ts";
import { isWellFormed, type Message } from "../protocol/messages.ts";
import { type OrderPlace, parseOrderId } from "../protocol/orderId.ts";
import { readRequestHash } from "../protocol/receipt.ts";
import {
  type AccountMessage,
  createExchange,
  type Exchange,
  type ReadRequest,
  wireSignature,
} from "./exchange.ts";
import { createKeyChain } from "./keyChain.ts";
import { checkReceipt } from "./receipt.ts";
import { createReceiptBook, type ReceiptBook } from "./receiptBook.ts";
import { verifiedRisk } from "./risk.ts";
import { ConnectionError, ExchangeError } from "./rpc.ts";
import { hasReached } from "./stages.ts";
import { deriveTradingKey, type WalletSigner } from "./tradingKey.ts";

export interface TraderOptions {
  /** The node: its url, or a connection that is shared with others. */
  readonly node: string | Exchange;
  readonly account: number;
  readonly keyIndex: number;
  /** The trading key's secret, or the wallet to derive it from with one signature. */
  readonly key: { readonly secret: bigint } | { readonly wallet: WalletSigner };
  /** Addresses that sign receipts. Default: what the node itself says at the start. */
  readonly sequencer?: string | readonly string[];
  /** Where receipts are kept. Default: a book of its own, in memory. */
  readonly receipts?: ReceiptBook;
  /** Whether messages say what the trader has seen of the log: its newest receipt. Default: yes. */
  readonly tellsSeen?: boolean;
  /** Milliseconds that a message may wait for its batch, unless told for the message. */
  readonly lifetimeMs?: number;
  /** Unix ms. */
  readonly now?: () => number;
}

/** `price` in ticks, `lots` in lots; see decimal.ts for USDC and contracts. */
export interface PlaceOptions {
  readonly book: number;
  readonly isSell: boolean;
  readonly price: number;
  readonly lots: number;
  readonly timeInForce?: TimeInForce;
  readonly postOnly?: boolean;
  readonly reduceOnly?: boolean;
  readonly lifetimeMs?: number;
}

/** `lots` of `slot` from the locked account `from`, which pays `amount`. */
export interface TakeoverTerms {
  readonly from: number;
  readonly slot: number;
  readonly lots: number;
  readonly amount: number;
  readonly lifetimeMs?: number;
}

export interface Trader {
  readonly exchange: Exchange;
  readonly account: number;
  readonly keyIndex: number;
  /** Where its receipts are. */
  readonly receipts: ReceiptBook;
  /** All of these resolve with a verified receipt: the outcome is in it and may be a refusal. */
  place(order: PlaceOptions): Promise<Wire<Receipt>>;
  /** An order id text, or where the order stands. */
  cancel(order: string | OrderPlace): Promise<Wire<Receipt>>;
  /** Voids every order of the account that was placed before, with whichever key. */
  cancelAll(): Promise<Wire<Receipt>>;
  /** Amounts in 1e-6 USDC. The money then waits on layer one: `client/l1.ts` claims it. */
  withdraw(amount: number): Promise<Wire<Receipt>>;
  transfer(to: number, amount: number): Promise<Wire<Receipt>>;
  /** What the door would say to the order now, and the risk after its worst fill. */
  preview(order: PlaceOptions): Promise<OrderPreview>;
  /** The account's risk, recomputed here from a snapshot that the oracles have signed. */
  risk(): Promise<RiskReport>;
  /** Takes positions over from a locked account, at the mark, for what it pays (1e-6 USDC). */
  takeOver(terms: TakeoverTerms): Promise<Wire<Receipt>>;
  orders(): Promise<Wire<readonly OpenOrder[]>>;
  /** The account's latest fills, cash movements and liquidations, newest first. */
  history(limit?: number): Promise<Wire<readonly AccountEvent[]>>;
  /** Orders' and the ledger's news of the account; joins again after reconnections. */
  onAccount(handler: (message: AccountMessage) => void): Promise<() => void>;
  /** Proof that the reader holds the key; good for a minute. */
  readRequest(): Promise<ReadRequest>;
  /** Resolves when the record has come as far as `stage`. Rejects after `timeoutMs`. */
  reached(options: ReachedOptions): Promise<Wire<StageInfo>>;
  close(): void;
}

export interface ReachedOptions {
  readonly logPosition: number;
  readonly stage: StageInfo["stage"];
  readonly timeoutMs?: number;
  /** Called whenever the stage has changed. */
  readonly onStage?: (info: Wire<StageInfo>) => void;
}

const LIFETIME_MS = 60_000;
const STAGE_POLL_MS = 500;

export async function createTrader(options: TraderOptions): Promise<Trader> {
  const { node, account, keyIndex, lifetimeMs = LIFETIME_MS, now = Date.now } = options;
  const { tellsSeen = true } = options;
  const exchange = typeof node === "string" ? createExchange({ url: node }) : node;
  const info = await exchange.info();
  const domain = BigInt(info.domain);
  const secret = await secretOf(options, info);
  const named = info.receiptSigners ?? [info.sequencer];
  const sequencers = options.sequencer === undefined ? named : [options.sequencer].flat();
  const receipts = options.receipts ?? createReceiptBook({ domain });
  const chain = createKeyChain({
    secret,
    account,
    keyIndex,
    submit: exchange.submit,
    fetchHead: async () => BigInt((await exchange.key(account, keyIndex)).head),
    async checkReceipt(receipt, sent) {
      checkReceipt(receipt, sent, { domain, sequencers, unit: info.shape.unit });
      const { logPosition: position, logHash: hash, signature } = receipt;
      receipts.keep({ position, hash, signature });
    },
    lastSeen: tellsSeen ? receipts.newest : undefined,
  });
  const deadlineOf = (lifetime = lifetimeMs) => now() + lifetime;
  const send = async (message: Message) => {
    if (!isWellFormed(message)) {
      throw new RangeError(
        `the ${message.kind} is not well formed: \`${JSON.stringify(message)}\``,
      );
    }
    return chain.send(message);
  };
  const readRequest = async (): Promise<ReadRequest> => {
    const time = now();
    const signature = sign(secret, readRequestHash({ domain, account, keyIndex, time }));
    return { account, keyIndex, time, signature: wireSignature(signature) };
  };
  return {
    exchange,
    account,
    keyIndex,
    receipts,
    place: (order) => send(placeMessage(order, deadlineOf(order.lifetimeMs))),
    cancel: async (order) => send({ kind: "cancel", ...placeOf(order), deadline: deadlineOf() }),
    cancelAll: () => send({ kind: "cancelAll", deadline: deadlineOf() }),
    withdraw: (amount) => send({ kind: "withdraw", amount, deadline: deadlineOf() }),
    transfer: (to, amount) => send({ kind: "transfer", amount, to, deadline: deadlineOf() }),
    preview: ({ lifetimeMs: _, ...order }) =>
      exchange.preview({ account, keyIndex, ...DEFAULT_FLAGS, ...order }),
    risk: async () => verifiedRisk(await exchange.risk(account), info),
    takeOver: ({ from, slot, lots, amount, lifetimeMs: lifetime }) =>
      send({ kind: "backstop", from, slot, lots, amount, deadline: deadlineOf(lifetime) }),
    orders: async () => exchange.orders(await readRequest()),
    history: async (limit) => exchange.history(await readRequest(), limit),
    onAccount: (handler) =>
      exchange.rpc.subscribe({
        channel: `account.${account}`,
        handler: handler as (data: unknown) => void,
        reader: readRequest,
      }),
    readRequest,
    reached: (wanted) => reached(exchange, wanted),
    close: () => exchange.close(),
  };
}

async function secretOf(
  { key, keyIndex }: TraderOptions,
  info: Awaited<ReturnType<Exchange["info"]>>,
): Promise<bigint> {
  if ("secret" in key) return key.secret;
  const { chainId, rollup } = info;
  return (await deriveTradingKey(key.wallet, { chainId, rollup, keyIndex })).secret;
}

const DEFAULT_FLAGS = { timeInForce: "gtc", postOnly: false, reduceOnly: false } as const;

function placeMessage(order: PlaceOptions, deadline: number): Message {
  const { book, isSell, price, lots } = order;
  const { timeInForce, postOnly, reduceOnly } = { ...DEFAULT_FLAGS, ...order };
  const flags = { timeInForce, postOnly, reduceOnly };
  return { kind: "place", book, isSell, price, lots, ...flags, deadline };
}

function placeOf(order: string | OrderPlace): OrderPlace {
  const place = typeof order === "string" ? parseOrderId(order) : order;
  if (place === undefined) {
    const form = "book-side-price-seq, such as 12-B-350-1042";
    throw new RangeError(`an order id has the form ${form}. Got \`${String(order)}\`.`);
  }
  const { book, isSell, price, seq } = place;
  return { book, isSell, price, seq };
}

function isStopping(error: unknown): boolean {
  return error instanceof ExchangeError && error.reason === "stopping";
}

async function reached(exchange: Exchange, wanted: ReachedOptions): Promise<Wire<StageInfo>> {
  const { logPosition, stage, timeoutMs = 3_600_000, onStage } = wanted;
  const end = Date.now() + timeoutMs;
  let shown = "";
  while (true) {
    const info = await exchange.stages(logPosition).catch((error: unknown) => {
      // Who has once answered may be away for a while.
      const isAway = error instanceof ConnectionError || isStopping(error);
      if (shown === "" || !isAway || Date.now() > end) throw error;
      return undefined;
    });
    if (info === undefined) {
      await new Promise((resolve) => setTimeout(resolve, STAGE_POLL_MS));
      continue;
    }
    if (info.stage !== shown) onStage?.(info);
    shown = info.stage;
    if (hasReached(info.stage, stage)) return info;
    if (Date.now() > end) {
      const state = `is \`${info.stage}\`, not yet ${stage}, after ${timeoutMs} ms`;
      throw new Error(`log position \`${logPosition}\` ${state}.`);
    }
    await new Promise((resolve) => setTimeout(resolve, STAGE_POLL_MS));
  }
}
