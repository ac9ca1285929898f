/** ccxt's class on a whole devnet: an account by the command line, then every method once. */
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { ExchangeNotAvailable } from "ccxt";
import straddle from "../../sequencer/ccxt/straddle.ts";
import { createExchange } from "../../sequencer/client/exchange.ts";
import { deriveTradingKey } from "../../sequencer/client/tradingKey.ts";
import { developmentAccount } from "../../sequencer/l1/developmentAccount.ts";
import { callEveryMethod } from "../unit/ccxt/everyMethod.ts";

const ROOT = path.join(import.meta.dirname, "..", "..");
/** Nobody else's: the page and the devnet's own traders have others. */
const DEV_ACCOUNT = 17;
/** A market maker's: it may be paid. */
const OTHER_ACCOUNT = "3";
const QUOTED_MS = 120_000;
/** Until proofs have made room, on a slow machine. */
const ROOM_MS = 15 * 60_000;
const PASSING = /overloaded|no_snapshot/;

/** Deposits, and resolves with a class that has the account's key. */
export async function openCcxt(url: string, directory: string): Promise<straddle> {
  const config = path.join(directory, "devnet.json");
  const who = ["--dev-account", `${DEV_ACCOUNT}`, "--config", config];
  const command = path.join(ROOT, "sequencer", "cli", "straddle.ts");
  const args = [command, ...who, "deposit", "5000", "--mint"];
  await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  const node = createExchange({ url });
  try {
    const { chainId, rollup } = await node.info();
    const wallet = developmentAccount(DEV_ACCOUNT, chainId);
    const { account } = await node.account({ owner: wallet.address });
    const { secret } = await deriveTradingKey(wallet, { chainId, rollup, keyIndex: 0 });
    const key = { apiKey: `${account}/0`, secret: `0x${secret.toString(16)}` };
    const ws = `${url.replace("http", "ws").replace(/\/$/, "")}/ws/api/v2`;
    const exchange = new straddle(key);
    exchange.urls.api = { rest: url.replace(/\/$/, ""), ws };
    return exchange;
  } finally {
    node.close();
  }
}

export async function runCcxt(exchange: straddle): Promise<void> {
  await exchange.loadMarkets();
  const symbol = await quotedSymbol(exchange);
  const trade = () => attempt(() => exchange.createOrder(symbol, "market", "buy", 0.01));
  await callEveryMethod({ exchange, symbol, trade, attempt, otherAccount: OTHER_ACCOUNT });
}

/**
 * So many orders at once bring a small prover to its backlog bound, and on a slow machine oracles
 * are late: who trades waits for both.
 */
async function attempt<T>(call: () => Promise<T>): Promise<T> {
  const end = Date.now() + ROOM_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const isAway = error instanceof ExchangeNotAvailable && PASSING.test(error.message);
      if (!isAway || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

/** An option that is quoted on both sides. */
async function quotedSymbol(exchange: straddle): Promise<string> {
  const end = Date.now() + QUOTED_MS;
  for (;;) {
    const tickers = Object.values(await exchange.fetchTickers());
    const isOption = (symbol: string): boolean => exchange.market(symbol).option === true;
    for (const { symbol = "", bid, ask } of tickers) {
      if (isOption(symbol) && Number(bid) > 1 && Number(ask) > 1) return symbol;
    }
    if (Date.now() > end) throw new Error("nobody quotes an option");
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
