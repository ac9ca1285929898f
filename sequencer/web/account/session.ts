/** Connects a wallet's trading key, follows its account, and sends what the trader orders. */
import { isLive, type Order, type OwnNews } from "../../client/ownEvents.ts";
import { RiskError } from "../../client/risk.ts";
import { ExchangeError } from "../../client/rpcErrors.ts";
import { hasReached } from "../../client/stages.ts";
import { createTrader, type OrderRequest, type Placed, type Trader } from "../../client/trader.ts";
import { deriveTradingKey, type TradingKeyPair } from "../../client/tradingKey.ts";
import type { Receipt, Wire } from "../../exchangeService.ts";
import { USDC } from "../../protocol/usdc.ts";
import { shortHex } from "../math/format.ts";
import {
  clearAccount,
  connectError,
  fills,
  orders,
  positions,
  risk,
  riskFault,
  sent,
  session,
  summary,
  tell,
} from "../state/account.ts";
import { errorText, outcomeText } from "../state/errors.ts";
import { exchange, nodeNow, rpc } from "../state/venue.ts";
import type { FoundWallet } from "../state/wallets.ts";
import { browserWallet, developmentWallet, type Wallet } from "./wallet.ts";
import { followWallet } from "./walletEvents.ts";

const ROWS = 100;
const SENT_MAX = 200;
const RISK_MS = 4000;

let wallet: Wallet | undefined;
let news: OwnNews | undefined;
let endings: (() => void)[] = [];
let leaveWallet: () => void = () => undefined;
/** By address and place, while the wallet is connected. */
const keys = new Map<string, TradingKeyPair>();

export const currentWallet = (): Wallet | undefined => wallet;

export interface ConnectOptions {
  /** Of the browser; else the ready-made account of that number. */
  readonly from: FoundWallet | number;
  readonly keyIndex: number;
}

interface Settings {
  readonly layerOneUrl: string | null;
}

let settings: Promise<Settings> | undefined;

/** What the node says to this page beside its API. */
function readSettings(): Promise<Settings> {
  settings ??= fetch("/terminal.json")
    .then(async (answer) => (await answer.json()) as Settings)
    .catch(() => ({ layerOneUrl: null }));
  return settings;
}

export async function connect({ from, keyIndex }: ConnectOptions): Promise<void> {
  connectError.set(undefined);
  try {
    session.set({ phase: "connecting", what: "Waiting for the wallet" });
    const { chainId } = await exchange.info();
    const network = { chainId, ...(await readSettings()) };
    const own =
      typeof from === "number"
        ? developmentWallet(from, network)
        : await browserWallet(from, network);
    leaveWallet();
    wallet = own;
    leaveWallet = await followWallet(own, (address) => void changeWallet(address));
    await open(keyIndex);
  } catch (error) {
    await disconnect();
    connectError.set(errorText(error));
  }
}

/** Nobody goes on with the key of an account that the wallet no longer shows. */
async function changeWallet(address: string | undefined): Promise<void> {
  const text =
    address === undefined
      ? "The wallet has taken its account back from this page. Connect again to go on."
      : `The wallet is now at ${shortHex(address)}. Connect again to trade with that account.`;
  await disconnect();
  tell(text);
}

/** Looks the account up, and begins to trade where its key is registered. */
export async function open(keyIndex: number): Promise<void> {
  if (wallet === undefined) return;
  const before = session.get();
  const own = wallet;
  try {
    await openWith(own, keyIndex);
  } catch (error) {
    // Another account was chosen meanwhile: what became of this one is nobody's any more.
    if (wallet !== own) return;
    // What was on the page before is there again: nobody waits for a wallet that has refused.
    session.set(before);
    if (before.phase !== "connecting") tell(errorText(error), "bad");
    throw error;
  }
}

async function openWith(own: Wallet, keyIndex: number): Promise<void> {
  const { address, isDevelopment } = own;
  const isOver = (): boolean => wallet !== own;
  const identity = { address, isDevelopment };
  session.set({ phase: "connecting", what: "Looking for the account" });
  const found = await findAccount(address);
  if (isOver()) return;
  if (found === undefined) {
    session.set({ phase: "noAccount", identity, keyIndex });
    return;
  }
  const { account, keys } = found;
  session.set({ phase: "connecting", what: "Waiting for the wallet's signature" });
  const { secret, publicKey } = await ownKey(keyIndex);
  if (isOver()) return;
  const isRegistered = keys.some(
    ({ keyIndex: place, key, expiry }) =>
      place === keyIndex &&
      BigInt(key.x) === publicKey.x &&
      BigInt(key.y) === publicKey.y &&
      expiry * 1000 > nodeNow(),
  );
  if (!isRegistered) {
    session.set({ phase: "noKey", identity, account, keyIndex });
    return;
  }
  await rpc.logout().catch(() => undefined);
  const trader = await createTrader({
    ...{ node: exchange, account, keyIndex, key: { secret }, now: nodeNow },
  });
  await follow(trader);
  if (isOver()) return endFollowing();
  session.set({ phase: "ready", identity, account, keyIndex, trader });
  tell(`Connected to account ${account}.`, "good");
}

/** The wallet's trading key, of the place. It signs once for each. */
export async function ownKey(keyIndex: number): Promise<TradingKeyPair> {
  if (wallet === undefined) throw new Error("connect a wallet first");
  const { address, signer } = wallet;
  const place = `${address}/${keyIndex}`;
  const known = keys.get(place);
  if (known !== undefined) return known;
  const { chainId, rollup } = await exchange.info();
  const key = await deriveTradingKey(signer, { chainId, rollup, keyIndex });
  // Not what a wallet has signed that is gone by now.
  if (wallet?.signer === signer) keys.set(place, key);
  return key;
}

async function findAccount(owner: string) {
  try {
    return await exchange.account({ owner });
  } catch (error) {
    const isNone = error instanceof ExchangeError && error.reason === "unknown_account";
    if (isNone || (error instanceof ExchangeError && error.reason === "not_found"))
      return undefined;
    throw error;
  }
}

export async function disconnect(): Promise<void> {
  endFollowing();
  leaveWallet();
  leaveWallet = () => undefined;
  wallet = undefined;
  keys.clear();
  clearAccount();
  session.set({ phase: "none" });
  await rpc.logout().catch(() => undefined);
}

function endFollowing(): void {
  for (const end of endings) end();
  endings = [];
  news?.stop();
  news = undefined;
}

async function follow(trader: Trader): Promise<void> {
  endFollowing();
  news = await trader.follow();
  const reload = (): void => {
    readLists(trader).catch(() => undefined);
    readRisk(trader).catch(() => undefined);
  };
  const stages = (): void => {
    readStages(trader).catch(() => undefined);
  };
  const timer = setInterval(() => {
    if (rpc.isOpen) reload();
  }, RISK_MS);
  endings = [
    news.on("order", (order) => {
      const others = (orders.get() ?? []).filter((each) => each.order_id !== order.order_id);
      orders.set(isLive(order) ? [order, ...others] : others);
    }),
    news.on("trade", (trade) => {
      fills.set([trade, ...(fills.get() ?? [])].slice(0, ROWS));
      const verb = trade.direction === "buy" ? "Bought" : "Sold";
      tell(`${verb} ${trade.amount} ${trade.instrument_name} at ${trade.price}.`, "good");
      reload();
    }),
    news.on("portfolio", (data) => summary.set(data)),
    news.on("missed", reload),
    news.on("ended", ({ error }) => {
      tell(`The session has ended. ${errorText(error)}`, "bad");
      void disconnect();
    }),
    rpc.on("reconnected", reload),
    await rpc.subscribe("straddle.batches", stages),
    () => clearInterval(timer),
  ];
  const [trades] = await Promise.all([
    rpc.call("private/get_user_trades_by_currency", { count: ROWS }),
    readLists(trader),
    readRisk(trader),
  ]);
  fills.set(trades.trades);
}

async function readLists(trader: Trader): Promise<void> {
  const [open, held, figures] = await Promise.all([
    trader.openOrders(),
    trader.positions(),
    trader.summary(),
  ]);
  orders.set([...open].sort((a, b) => b.creation_timestamp - a.creation_timestamp));
  positions.set(held.filter(({ size }) => size !== 0));
  summary.set(figures);
}

async function readRisk(trader: Trader): Promise<void> {
  try {
    risk.set(await trader.risk());
    riskFault.set(undefined);
  } catch (error) {
    if (error instanceof RiskError) riskFault.set(errorText(error));
  }
}

/** How far the messages of this page have come. */
async function readStages(trader: Trader): Promise<void> {
  const known = sent.get();
  const open = known.filter(
    ({ stage }) => stage === undefined || !hasReached(stage.stage, "anchored"),
  );
  const told = await Promise.all(
    open.slice(0, 20).map(async (item) => {
      const stage = await trader.exchange.stages(item.receipt.logPosition);
      return [item.receipt.logPosition, stage] as const;
    }),
  );
  const stages = new Map(told);
  sent.set(
    sent.get().map((item) => {
      const stage = stages.get(item.receipt.logPosition);
      return stage === undefined ? item : { ...item, stage };
    }),
  );
}

/** Listed among what this page has sent, with how far it has come. */
export function keep(what: string, receipt: Wire<Receipt>): void {
  sent.set([{ what, receipt, stage: undefined }, ...sent.get()].slice(0, SENT_MAX));
}

/** Called once, when the present session ends. */
export function atSessionEnd(end: () => void): void {
  endings.push(end);
}

export function traderNow(): Trader {
  const state = session.get();
  if (state.phase !== "ready") throw new Error("connect first");
  return state.trader;
}

/** Sends an order. Resolves with what became of it; rejects where it was refused. */
export async function placeOrder(side: "buy" | "sell", order: OrderRequest): Promise<Placed> {
  const trader = traderNow();
  const what = `${side === "buy" ? "Buy" : "Sell"} ${order.amount} ${order.instrument_name}`;
  try {
    const placed = await (side === "buy" ? trader.buy(order) : trader.sell(order));
    keep(`${what} at ${order.price}`, placed.receipt as Wire<Receipt>);
    const { outcome } = placed.receipt;
    const isOpen = placed.order.order_state === "open";
    const filled = placed.order.filled_amount;
    if (isOpen) tell(`Order rests: ${what} at ${order.price}.`, "good");
    else if (filled === 0) tell(`${what}: ${outcomeText(outcome)}.`, "bad");
    return placed;
  } catch (error) {
    if (error instanceof ExchangeError && error.receipt !== undefined) {
      keep(`${what} at ${order.price}`, error.receipt as Wire<Receipt>);
    }
    throw error;
  }
}

export async function cancelOrder({ order_id, order_state }: Order): Promise<void> {
  if (order_state === "untriggered") await withdrawHeld([order_id]);
  else await act(`Cancel ${order_id}`, (trader) => trader.cancel(order_id));
}

/** What waits for its condition has never been in the log: no signed word takes it back. */
async function withdrawHeld(ids: readonly string[]): Promise<void> {
  try {
    const { held_ids } = await rpc.call("straddle/withdraw_held", { held_ids: [...ids] });
    const late = ids.filter((id) => !held_ids.includes(id));
    if (held_ids.length > 0) tell(`Withdrawn: ${held_ids.join(", ")}.`);
    if (late.length > 0) tell(`No longer waiting: ${late.join(", ")}.`, "bad");
  } catch (error) {
    tell(`Withdraw ${ids.join(", ")}: ${errorText(error)}`, "bad");
    throw error;
  }
}

export async function cancelAll(): Promise<void> {
  const held = (orders.get() ?? []).filter((order) => order.order_state === "untriggered");
  // Taken back before: the word would use up the head that some of them wait to extend.
  if (held.length > 0) await withdrawHeld(held.map(({ order_id }) => order_id));
  await act("Cancel all orders", (trader) => trader.cancelAll());
}

/** 1e-6 USDC. The money waits on layer one once its batch is anchored. */
export async function withdraw(amount: number): Promise<Wire<Receipt>> {
  return act(`Withdraw ${(amount / USDC).toFixed(2)} USDC`, (trader) => trader.withdraw(amount));
}

async function act(
  what: string,
  send: (trader: Trader) => Promise<Wire<Receipt>>,
): Promise<Wire<Receipt>> {
  const trader = traderNow();
  try {
    const receipt = await send(trader);
    keep(what, receipt);
    tell(
      `${what}: ${outcomeText(receipt.outcome)}.`,
      receipt.outcome === "refused" ? "bad" : "plain",
    );
    void readLists(trader).catch(() => undefined);
    return receipt;
  } catch (error) {
    tell(`${what}: ${errorText(error)}`, "bad");
    throw error;
  }
}
