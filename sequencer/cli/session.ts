/** What commands work with: connections and keys, made when they are first asked for. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { type Chain, defineChain, http, type LocalAccount } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { findBook } from "../client/bookNames.ts";
import { createExchange, type Exchange } from "../client/exchange.ts";
import { createOwner, type Owner } from "../client/l1.ts";
import { ExchangeError } from "../client/rpcErrors.ts";
import { createTrader, type Trader } from "../client/trader.ts";
import { deriveTradingKey, type TradingKeyPair } from "../client/tradingKey.ts";
import { developmentAccount } from "../l1/developmentAccount.ts";
import { readKeystore } from "../l1/keystore.ts";
import type { NamingMarket } from "../market/instrument.ts";
import { UsageError } from "./failure.ts";
import { createOutput, type Io, type Output } from "./output.ts";
import { openReceiptFile } from "./receiptFile.ts";
import { type GlobalOptions, readSettings, type Settings } from "./settings.ts";

export type Info = Awaited<ReturnType<Exchange["info"]>>;
export type AccountInfo = Awaited<ReturnType<Exchange["account"]>>;
export type Market = Info & NamingMarket;

export interface Session {
  readonly options: GlobalOptions;
  readonly settings: Settings;
  readonly output: Output;
  readonly io: Io;
  readonly exchange: Exchange;
  /** When a command that goes on for ever is to end. */
  readonly stopping: AbortSignal;
  /** What the node says it is, checked against what the user's side knows. */
  info(): Promise<Market>;
  wallet(): Promise<LocalAccount>;
  tradingKey(): Promise<TradingKeyPair>;
  /** The wallet's account; undefined before the first deposit was sequenced. */
  findAccount(): Promise<AccountInfo | undefined>;
  account(): Promise<AccountInfo>;
  trader(): Promise<Trader>;
  owner(): Promise<Owner>;
  /** Book id of an instrument's or combination's name, or of a number. */
  bookOf(instrument: string): Promise<number>;
  close(): void;
}

export function createSession(options: GlobalOptions, io: Io): Session {
  const settings = readSettings(options, io);
  const output = createOutput(io, options.json === true);
  const exchange = createExchange({ url: settings.apiUrl, timeoutMs: 120_000 });
  const once = <T>(make: () => Promise<T>) => {
    let made: Promise<T> | undefined;
    return () => {
      made ??= make();
      return made;
    };
  };
  let interrupt: AbortSignal | undefined;
  const info = once(async () => checkedInfo(await exchange.info(), settings));
  const keystore = once(() => readKeystoreWallet(options, io));
  const wallet = once(async () => {
    const { devAccount } = options;
    if (devAccount === undefined) return keystore();
    const ofNode = () => info().then((known) => known.chainId);
    const chainId = settings.chainId ?? (await ofNode().catch(() => chainIdOf(settings.rpcUrl)));
    return developmentAccount(devAccount, chainId);
  });
  const tradingKey = once(async () => {
    const { chainId, rollup } = await info();
    const { keyIndex } = options;
    return deriveTradingKey(await wallet(), { chainId, rollup, keyIndex });
  });
  const findAccount = async () => findAccountOf(exchange, (await wallet()).address);
  const account = async () => {
    const found = await findAccount();
    if (found !== undefined) return found;
    const { address } = await wallet();
    throw new UsageError(`\`${address}\` has no account yet. Open it with \`straddle deposit\`.`);
  };
  return {
    options,
    settings,
    output,
    io,
    exchange,
    get stopping() {
      interrupt ??= io.stopping ?? interrupted();
      return interrupt;
    },
    info,
    wallet,
    tradingKey,
    findAccount,
    account,
    trader: once(async () => {
      const { account: id } = await account();
      const { secret } = await tradingKey();
      const { keyIndex } = options;
      const receipts = receiptBook(options, io, BigInt((await info()).domain));
      const key = { secret };
      return createTrader({ node: exchange, account: id, keyIndex, key, ...receipts });
    }),
    owner: once(async () => {
      const { devAccount } = options;
      const chainId = await chainIdOf(settings.rpcUrl);
      // Not `wallet`: leaving must not need a node, not even one that is silent. Nor is what files
      // say of the chain enough for a key that everybody knows.
      const account =
        devAccount === undefined ? await keystore() : developmentAccount(devAccount, chainId);
      return ownerOf(settings, account, chainId);
    }),
    bookOf: async (instrument) => findBook(exchange, await info(), instrument),
    close: () => exchange.close(),
  };
}

/** Made when it is first needed, for it takes the interrupt's usual effect away. */
function interrupted(): AbortSignal {
  const stopping = new AbortController();
  process.once("SIGINT", () => stopping.abort());
  return stopping.signal;
}

/** The trader's own book is in memory: a file outlives the command. */
function receiptBook(options: GlobalOptions, io: Io, domain: bigint) {
  const name = receiptFileOf(options, io);
  return name === undefined ? {} : { receipts: openReceiptFile(name, domain) };
}

export function receiptFileOf({ receipts }: GlobalOptions, io: Io): string | undefined {
  const name = receipts ?? io.env.STRADDLE_RECEIPTS;
  return name === undefined ? undefined : path.resolve(io.folder, name);
}

/** A node of another deployment would have the user sign, or pay, for the wrong one. */
function checkedInfo(info: Info, { rollup, chainId }: Settings): Market {
  if (rollup !== undefined && info.rollup.toLowerCase() !== rollup.toLowerCase()) {
    throw new UsageError(
      `the node works for the rollup \`${info.rollup}\`, not for \`${rollup}\`.`,
    );
  }
  if (chainId !== undefined && info.chainId !== chainId) {
    throw new UsageError(`the node works on chain \`${info.chainId}\`, not on \`${chainId}\`.`);
  }
  return info;
}

async function readKeystoreWallet(options: GlobalOptions, io: Io): Promise<LocalAccount> {
  const { keystore = io.env.STRADDLE_KEYSTORE } = options;
  if (keystore === undefined) {
    throw new UsageError(
      "no wallet is named: use --keystore FILE (see `straddle key --new`), or --dev-account N " +
        "on a local chain.",
    );
  }
  const file = path.resolve(io.folder, keystore);
  return privateKeyToAccount(await readKeystore(file, passwordOf(options, io)));
}

export function passwordOf({ passwordFile }: GlobalOptions, io: Io): string {
  const { STRADDLE_PASSWORD } = io.env;
  if (passwordFile !== undefined) {
    return readFileSync(path.resolve(io.folder, passwordFile), "utf8").replace(/\r?\n$/, "");
  }
  if (STRADDLE_PASSWORD !== undefined) return STRADDLE_PASSWORD;
  throw new UsageError("the keystore needs --password-file FILE, or STRADDLE_PASSWORD.");
}

async function findAccountOf(exchange: Exchange, owner: string): Promise<AccountInfo | undefined> {
  try {
    return await exchange.account({ owner });
  } catch (error) {
    if (error instanceof ExchangeError && error.reason === "not_found") return undefined;
    throw error;
  }
}

async function chainIdOf(rpcUrl: string): Promise<number> {
  const answer = await http(rpcUrl)({}).request({ method: "eth_chainId" });
  return Number(BigInt(answer as string));
}

function ownerOf(settings: Settings, account: LocalAccount, actual: number): Owner {
  const { rpcUrl, rollup, chainId } = settings;
  if (rollup === undefined) {
    throw new UsageError("layer one needs --rollup ADDRESS: a node's word is not enough to pay.");
  }
  if (chainId !== undefined && actual !== chainId) {
    throw new UsageError(`\`${rpcUrl}\` is of chain \`${actual}\`, not of \`${chainId}\`.`);
  }
  const chain = chainOf(actual, rpcUrl);
  return createOwner({ transport: http(rpcUrl), chain, account, rollup });
}

function chainOf(id: number, rpcUrl: string): Chain {
  return defineChain({
    id,
    name: `chain ${id}`,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [rpcUrl] } },
  });
}
