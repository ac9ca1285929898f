/** A trader: one trading key of one account, on one node. */
import type { Receipt, StageInfo, Wire } from "../exchangeService.ts";
import type { OrderPreview } from "../market/orderPreview.ts";
import type { RiskReport } from "../market/riskReport.ts";
import type { TimeInForceName } from "../market/timeInForce.ts";
import type { TimeInForce } from "../protocol/constants.ts";
import { sign } from "../protocol/eddsa.ts";
import type { Message } from "../protocol/messages.ts";
import { type OrderPlace, parseOrderId } from "../protocol/orderId.ts";
import { sessionHash } from "../protocol/session.ts";
import {
  createExchange,
  type Exchange,
  exchangeOf,
  hexOf,
  wireSignature,
  wireWord,
} from "./exchange.ts";
import {
  type Answered,
  createKeyChain,
  type KeyChain,
  type Sender,
  type WordAnswer,
} from "./keyChain.ts";
import { createOrderMessages, wellFormed } from "./orderMessages.ts";
import { followOwn, type Order, type OwnNews, type Summary } from "./ownEvents.ts";
import { checkReceipt, type SentMessage } from "./receipt.ts";
import { createReceiptBook, type ReceiptBook } from "./receiptBook.ts";
import { verifiedRisk } from "./risk.ts";
import type { MethodName, Params, Result, RpcConnection } from "./rpcConnection.ts";
import { ExchangeError, exchangeError } from "./rpcErrors.ts";
import { reached } from "./stages.ts";
import { deriveTradingKey, type WalletSigner } from "./tradingKey.ts";

export interface TraderOptions {
  /** The node: its url, several, or a connection that is shared with others. */
  readonly node: string | readonly string[] | Exchange | RpcConnection;
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
  /** For so many milliseconds a word whose answer was lost is sent again. */
  readonly resendMs?: number;
  /** Unix ms. */
  readonly now?: () => number;
}

/** Decimals: USDC for one contract, and contracts. */
export interface OrderRequest {
  readonly instrument_name: string;
  readonly amount: number | string;
  readonly price: number | string;
  readonly time_in_force?: TimeInForceName;
  readonly post_only?: boolean;
  readonly reduce_only?: boolean;
  readonly label?: string;
  readonly lifetimeMs?: number;
}

export type Placed = Result<"private/edit">;
export type OrderChange = Pick<OrderRequest, "amount" | "price" | "lifetimeMs">;

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

export type Quote = OrderRequest & { readonly direction: "buy" | "sell" };
export type QuoteResult = { readonly receipt: Wire<Receipt> } | { readonly error: Error };

export interface Trader {
  readonly exchange: Exchange;
  readonly rpc: RpcConnection;
  readonly account: number;
  readonly keyIndex: number;
  /** Where its receipts are. */
  readonly receipts: ReceiptBook;
  /** The order, its trades and its verified receipt. Rejects where it had no effect at all. */
  buy(order: OrderRequest): Promise<Placed>;
  sell(order: OrderRequest): Promise<Placed>;
  /** Cancels the order, and places it anew only if it was still open. It loses its place. */
  edit(orderId: string, change: OrderChange): Promise<Placed>;
  /** Cancels and quotes in one request, in this order; each quote has an answer of its own. */
  massQuote(quotes: readonly Quote[], cancel?: readonly string[]): Promise<QuoteResult[]>;
  /** These resolve with a verified receipt: the outcome is in it and may be a refusal. */
  place(order: PlaceOptions): Promise<Wire<Receipt>>;
  /** The order's word on the chain's head, for others to send: the key's next message undoes it. */
  signed(order: PlaceOptions): Promise<SentMessage>;
  /** Sends the order by another method, whose answer has its receipt. */
  placeBy<T extends Answered>(order: PlaceOptions, sender: Sender<T>): Promise<T>;
  /** Opens the session, which reading and private channels need. */
  login(): Promise<void>;
  /** An order id text, or where the order stands. */
  cancel(order: string | OrderPlace): Promise<Wire<Receipt>>;
  /** Voids every order of the account that was placed before, with whichever key. */
  cancelAll(): Promise<Wire<Receipt>>;
  /** Amounts in 1e-6 USDC. The money then waits on layer one: `client/l1.ts` claims it. */
  withdraw(amount: number): Promise<Wire<Receipt>>;
  transfer(to: number, amount: number): Promise<Wire<Receipt>>;
  /** Takes positions over from a locked account, at the mark, for what it pays (1e-6 USDC). */
  takeOver(terms: TakeoverTerms): Promise<Wire<Receipt>>;
  /** What the door would say to the order now, and the risk after its worst fill. */
  preview(order: PlaceOptions): Promise<OrderPreview>;
  /** The account's risk, recomputed here from a snapshot that the oracles have signed. */
  risk(): Promise<RiskReport>;
  openOrders(): Promise<readonly Order[]>;
  positions(): Promise<Result<"private/get_positions">>;
  summary(): Promise<Summary>;
  /** Margins with positions that the account has not got: contracts by instrument. */
  simulate(positions: Readonly<Record<string, number | string>>): Promise<Simulated>;
  /** What moved the account's cash, the latest first. */
  transactions(count?: number): Promise<Result<"private/get_transaction_log">["logs"]>;
  /** The account's orders, trades and summary as they change, none of them lost. */
  follow(): Promise<OwnNews>;
  /** Resolves when the record has come as far as `stage`. Rejects after `timeoutMs`. */
  reached(options: ReachedOptions): Promise<Wire<StageInfo>>;
  /** Also the connection, whoever shares it. */
  close(): void;
}

type Simulated = Result<"private/simulate_portfolio">;

export interface ReachedOptions {
  readonly logPosition: number;
  readonly stage: StageInfo["stage"];
  readonly timeoutMs?: number;
  /** Called whenever the stage has changed. */
  readonly onStage?: (info: Wire<StageInfo>) => void;
}

const LIFETIME_MS = 60_000;

export async function createTrader(options: TraderOptions): Promise<Trader> {
  const { account, keyIndex, lifetimeMs = LIFETIME_MS, now = Date.now } = options;
  const exchange = nodeOf(options.node);
  const { rpc } = exchange;
  const info = await exchange.info();
  const secret = await secretOf(options, info);
  const receipts = options.receipts ?? createReceiptBook({ domain: BigInt(info.domain) });
  const chain = chainOf({ ...options, exchange, secret, receipts }, info);
  const session = createSession({ rpc, secret, account, keyIndex, domain: BigInt(info.domain) });
  const orderMessage = createOrderMessages(rpc, info);
  const deadlineOf = (lifetime = lifetimeMs) => now() + lifetime;
  const send = async (message: Message) => chain.send(wellFormed(message));
  const orderOf = (of: PlaceOptions) => wellFormed(placeMessage(of, deadlineOf(of.lifetimeMs)));
  const messageOf = (of: OrderRequest, isSell: boolean) =>
    orderMessage(of, isSell, deadlineOf(of.lifetimeMs));
  const order = async (request: OrderRequest, side: "buy" | "sell"): Promise<Placed> => {
    const { lifetimeMs: _, ...readable } = request;
    const sender = async (sent: SentMessage) =>
      (await rpc.call(`private/${side}`, { ...readable, signed: wireWord(sent) })) as Placed & {
        receipt: Wire<Receipt>;
      };
    return chain.sendBy(await messageOf(request, side === "sell"), sender);
  };
  const read = async <M extends MethodName>(method: M, params: Params<M>): Promise<Result<M>> => {
    await session();
    return (rpc.call as (name: M, given: Params<M>) => Promise<Result<M>>)(method, params);
  };
  const cancel = async (of: string | OrderPlace) =>
    send({ kind: "cancel", ...placeOf(of), deadline: deadlineOf() });
  return {
    ...{ exchange, rpc, account, keyIndex, receipts, cancel },
    buy: (request) => order(request, "buy"),
    sell: (request) => order(request, "sell"),
    async edit(orderId, change) {
      const before = await read("private/get_order_state", { order_id: orderId });
      // The new order is signed once the old one is known to be gone, never both.
      const receipt = await cancel(orderId);
      if (receipt.outcome !== "cancelled") {
        const reason = "the order is no longer open";
        throw new ExchangeError(11044, "not_open_order", { reason, receipt });
      }
      const { instrument_name, post_only, label } = before;
      return order({ instrument_name, post_only, label, ...change }, before.direction);
    },
    async massQuote(quotes, cancelled = []) {
      const messages = await Promise.all(
        quotes.map((quote) => messageOf(quote, quote.direction === "sell")),
      );
      const gone = cancelled.map((id) => settled(cancel(id)));
      const placed = messages.map((message) => settled(send(message)));
      await Promise.all(gone);
      return Promise.all(placed);
    },
    place: async (terms) => send(orderOf(terms)),
    signed: async (terms) => chain.sign(orderOf(terms)),
    placeBy: async (terms, sender) => chain.sendBy(orderOf(terms), sender),
    login: session,
    cancelAll: () => send({ kind: "cancelAll", deadline: deadlineOf() }),
    withdraw: (amount) => send({ kind: "withdraw", amount, deadline: deadlineOf() }),
    transfer: (to, amount) => send({ kind: "transfer", amount, to, deadline: deadlineOf() }),
    takeOver: ({ from, slot, lots, amount, lifetimeMs: lifetime }) =>
      send({ kind: "backstop", from, slot, lots, amount, deadline: deadlineOf(lifetime) }),
    preview: ({ lifetimeMs: _, ...terms }) =>
      exchange.preview({ account, keyIndex, ...DEFAULT_FLAGS, ...terms }),
    risk: async () => verifiedRisk(await exchange.risk(account), info),
    openOrders: () => read("private/get_open_orders", {}),
    positions: () => read("private/get_positions", {}),
    summary: () => read("private/get_account_summary", {}),
    simulate: (positions) =>
      read("private/simulate_portfolio", { simulated_positions: { ...positions } }),
    transactions: async (count = 100) =>
      (await read("private/get_transaction_log", { count })).logs,
    follow: async () => {
      await session();
      return followOwn(rpc);
    },
    reached: (wanted) => reached(exchange, wanted),
    close: () => exchange.close(),
  };
}

function nodeOf(node: TraderOptions["node"]): Exchange {
  if (typeof node === "string" || Array.isArray(node)) {
    return createExchange({ url: node as string | readonly string[] });
  }
  return "rpc" in node ? node : exchangeOf(node as RpcConnection);
}

type Info = Awaited<ReturnType<Exchange["info"]>>;

interface ChainParts extends TraderOptions {
  readonly exchange: Exchange;
  readonly secret: bigint;
  readonly receipts: ReceiptBook;
}

function chainOf(parts: ChainParts, info: Info): KeyChain {
  const { exchange, secret, receipts, account, keyIndex, tellsSeen = true, resendMs } = parts;
  const named = info.receiptSigners ?? [info.sequencer];
  const sequencers = parts.sequencer === undefined ? named : [parts.sequencer].flat();
  const context = { domain: BigInt(info.domain), sequencers, unit: info.shape.unit };
  return createKeyChain({
    ...{ secret, account, keyIndex },
    ...(resendMs !== undefined && { resendMs }),
    async submit(words) {
      const sent = words.map(wireWord);
      const { results } = await exchange.rpc.call("straddle/submit", { words: sent });
      return results.map((result): WordAnswer => {
        if ("error" in result) return exchangeError(result.error);
        return { receipt: result.receipt as Wire<Receipt>, is_repeat: result.is_repeat };
      });
    },
    fetchHead: async () => BigInt((await exchange.key(account, keyIndex)).head),
    async checkReceipt(receipt, sent) {
      checkReceipt(receipt, sent, context);
      const { logPosition: position, logHash: hash, signature } = receipt;
      receipts.keep({ position, hash, signature });
    },
    lastSeen: tellsSeen ? receipts.newest : undefined,
  });
}

/** Opens the session when it is first needed, and again where the node has ended it. */
function createSession(parts: {
  readonly rpc: RpcConnection;
  readonly secret: bigint;
  readonly account: number;
  readonly keyIndex: number;
  readonly domain: bigint;
}): () => Promise<void> {
  const { rpc, secret, account, keyIndex, domain } = parts;
  let opening: Promise<unknown> | undefined;
  return async () => {
    const { session } = rpc;
    if (session?.account === account && session.keyIndex === keyIndex) return;
    if (session !== undefined) {
      const whose = `account \`${session.account}\`, key \`${session.keyIndex}\``;
      throw new Error(`the connection has the session of ${whose}: give each trader its own.`);
    }
    opening ??= rpc
      .login((challenge) => {
        const hash = sessionHash({ domain, account, keyIndex, challenge });
        const signature = wireSignature(sign(secret, hash));
        return { account, key_index: keyIndex, challenge: hexOf(challenge), signature };
      })
      .finally(() => {
        opening = undefined;
      });
    await opening;
  };
}

async function settled(sent: Promise<Wire<Receipt>>): Promise<QuoteResult> {
  try {
    return { receipt: await sent };
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
}

async function secretOf({ key, keyIndex }: TraderOptions, info: Info): Promise<bigint> {
  if ("secret" in key) return key.secret;
  const { chainId, rollup } = info;
  return (await deriveTradingKey(key.wallet, { chainId, rollup, keyIndex })).secret;
}

const DEFAULT_FLAGS = { timeInForce: "gtc", postOnly: false, reduceOnly: false } as const;

function placeMessage(order: PlaceOptions, deadline: number): Message {
  const { book, isSell, price, lots, timeInForce = "gtc" } = order;
  const { postOnly = false, reduceOnly = false } = order;
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
