/**
 * Market makers and takers. They trade through the public API as anybody would, and no faster
 * than the prover keeps up: a devnet proves on the same cores that everything else runs on.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { http } from "viem";
import type { Exchange } from "../../sequencer/client/exchange.ts";
import { UncertainError } from "../../sequencer/client/keyChain.ts";
import { createOwner, type Owner } from "../../sequencer/client/l1.ts";
import { ConnectionError, ExchangeError } from "../../sequencer/client/rpcErrors.ts";
import { createTrader, type Trader } from "../../sequencer/client/trader.ts";
import { deriveTradingKey } from "../../sequencer/client/tradingKey.ts";
import type { Receipt, Wire } from "../../sequencer/exchangeService.ts";
import { developmentAccount } from "../../sequencer/l1/developmentAccount.ts";
import type { BookSummary, ChainInfo } from "../../sequencer/market/publicBook.ts";
import { localChain } from "./localChain.ts";
import { CHAIN_ID, type Network } from "./network.ts";
import { ACCOUNTS } from "./nodeConfigs.ts";
import { bookName, priceText, type Report } from "./report.ts";
import type { Taking } from "./takings.ts";

/** 1e-6 USDC that every trader deposits. */
const DEPOSIT = 50_000_000_000;
const KEY_DAYS = 30;
const DAY_SECONDS = 86_400;
/** Quotes stand this part of the fair price away from it, and at least a few ticks. */
const SPREAD_DIVISOR = 50;
const SPREAD_TICKS_MIN = 3;
const QUOTE_LOTS = 20;
/** Sealed batches without proof at which traders wait. */
const BACKLOG_MAX = 2;
const POLL_MS = 500;
/** Pause between two rounds of trading when nothing else slows them down. */
const ROUND_MS = 2000;
const ACCOUNT_MS_MAX = 120_000;

export interface DevnetTrader {
  readonly name: string;
  readonly owner: Owner;
  /** Its trading keys follow from it. */
  readonly wallet: ReturnType<typeof developmentAccount>;
  readonly trader: Trader;
}

export interface Traders {
  readonly makers: readonly DevnetTrader[];
  readonly takers: readonly DevnetTrader[];
}

const NAMES = ["maker-1", "maker-2", "taker-1", "taker-2"] as const;

/** Mints, deposits and waits for the accounts. */
export async function openTraders(
  network: Network,
  exchange: Exchange,
  signal: AbortSignal,
): Promise<Traders> {
  const traders = await Promise.all(
    NAMES.map((name, index) => openTrader({ network, exchange, name, index, signal })),
  );
  return { makers: traders.slice(0, 2), takers: traders.slice(2) };
}

/** Of the development account `index` places after the first trader's. */
export async function openTrader(options: {
  network: Network;
  exchange: Exchange;
  name: string;
  index: number;
  signal: AbortSignal;
}): Promise<DevnetTrader> {
  const { network, exchange, name, index, signal } = options;
  const { rollup } = network.deployment;
  const wallet = developmentAccount(ACCOUNTS.traders + index, CHAIN_ID);
  const owner = createOwner({
    transport: http(network.rpcUrl),
    chain: localChain(network.rpcUrl),
    account: wallet,
    rollup,
  });
  const pair = await deriveTradingKey(wallet, { chainId: CHAIN_ID, rollup, keyIndex: 0 });
  await owner.mint(DEPOSIT);
  const key = { index: 0, key: pair.publicKey, expiry: keyExpiry() };
  const { account } = await owner.deposit({ amount: DEPOSIT, key });
  await waitFor(`the account of ${name}`, ACCOUNT_MS_MAX, signal, async () => {
    return exchange.key(account, 0).catch(() => undefined);
  });
  const trader = await createTrader({
    node: exchange,
    account,
    keyIndex: 0,
    key: { secret: pair.secret },
  });
  return { name, owner, wallet, trader };
}

/** Unix seconds. */
export function keyExpiry(): number {
  return Math.floor(Date.now() / 1000) + KEY_DAYS * DAY_SECONDS;
}

/** A fill, for whoever waits for one. */
export interface TradedOrder {
  readonly taker: DevnetTrader;
  readonly receipt: Wire<Receipt>;
}

interface Standing {
  readonly maker: DevnetTrader;
  readonly orderIds: readonly string[];
}

/** Trades until the signal aborts. `nextTaking` says what takers want, in turn. */
export async function trade(options: {
  exchange: Exchange;
  traders: Traders;
  report: Report;
  signal: AbortSignal;
  nextTaking(books: readonly Wire<BookSummary>[], chain: Wire<ChainInfo>): Taking | undefined;
  onFill(order: TradedOrder): void;
}): Promise<void> {
  const { exchange, traders, report, signal, nextTaking, onFill } = options;
  const standing = new Map<number, Standing>();
  for (let round = 0; !signal.aborted; ) {
    try {
      // The first order goes at once, whatever listings and deposits have yet to be proven.
      if (round > 0) await waitForProofs(exchange, signal);
      const [books, chain] = await Promise.all([exchange.books(), exchange.chain()]);
      const open = books.filter(({ isOpen }) => isOpen);
      const taking = chain.snapshotTime === null ? undefined : nextTaking(open, chain);
      if (taking !== undefined) {
        const maker = traders.makers[taking.book.book % traders.makers.length]!;
        const taker = traders.takers[round % traders.takers.length]!;
        const name = bookName(taking.book, chain.series);
        await quote({ maker, taking, name, standing, report });
        round += 1;
        const receipt = await take({ taker, taking, name, report });
        if (receipt.fills.length > 0) onFill({ taker, receipt });
      }
    } catch (error) {
      if (signal.aborted) return;
      const isExpected = error instanceof ExchangeError || error instanceof ConnectionError;
      // Where sequencers take turns, an answer may be lost with one of them.
      if (!isExpected && !(error instanceof UncertainError)) throw error;
      report.say("refused", error.message);
    }
    await sleep(ROUND_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Replaces the maker's quotes in the book by a bid and an ask around what the taker will pay. */
async function quote(options: {
  maker: DevnetTrader;
  taking: Taking;
  name: string;
  standing: Map<number, Standing>;
  report: Report;
}): Promise<void> {
  const { maker, taking, name, standing, report } = options;
  const { book } = taking.book;
  const { trader } = maker;
  const old = standing.get(book)?.orderIds ?? [];
  const spread = Math.max(SPREAD_TICKS_MIN, Math.round(taking.price / SPREAD_DIVISOR));
  // The side that the taker meets is at the taker's price, the other one a spread away.
  const [bid, ask] = taking.isSell
    ? [taking.price, taking.price + spread]
    : [taking.price - spread, taking.price];
  const place = (isSell: boolean, price: number) =>
    trader.place({ book, isSell, price, lots: QUOTE_LOTS, postOnly: true });
  const sent = [...old.map((id) => trader.cancel(id)), place(true, ask)];
  if (bid > 0) sent.push(place(false, bid));
  // All at once: each message stands on the chain head of the one before, not on its answer.
  const receipts = await Promise.all(sent);
  const orderIds = receipts.flatMap(({ orderId }) => orderId ?? []);
  standing.set(book, { maker, orderIds });
  for (const receipt of receipts) {
    if (receipt.kind !== "place") continue;
    const order = receipt.orderId?.split("-")[1] === "S" ? "offers" : "bids";
    const price =
      receipt.orderId === null ? "" : ` at ${priceText(order === "offers" ? ask : bid)}`;
    report.order(maker.name, `${order} ${QUOTE_LOTS} lots of ${name}${price}`, receipt);
  }
}

async function take(options: {
  taker: DevnetTrader;
  taking: Taking;
  name: string;
  report: Report;
}): Promise<Wire<Receipt>> {
  const { taker, taking, name, report } = options;
  const { isSell, price, lots } = taking;
  const order = { book: taking.book.book, isSell, price, lots, timeInForce: "ioc" } as const;
  const receipt = await taker.trader.place(order);
  const verb = isSell ? "sells" : "buys";
  report.order(taker.name, `${verb} ${lots} lots of ${name} at ${priceText(price)}`, receipt);
  return receipt;
}

async function waitForProofs(exchange: Exchange, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { sealed, proven } = await exchange.status();
    if (sealed - proven < BACKLOG_MAX) return;
    await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Asks again until there is an answer. Throws after `ms`. */
export async function waitFor<T>(
  what: string,
  ms: number,
  signal: AbortSignal,
  ask: () => Promise<T | undefined>,
): Promise<T> {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    signal.throwIfAborted();
    const found = await ask();
    if (found !== undefined) return found;
    await sleep(POLL_MS, undefined, { signal });
  }
  throw new Error(`${what} did not come about within ${Math.round(ms / 1000)} s`);
}
