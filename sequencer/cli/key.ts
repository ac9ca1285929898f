/** `straddle key`: the wallet, the trading key it derives, and whether layer two knows the key. */
import { existsSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { hexOf } from "../client/exchange.ts";
import { keyFileText } from "../client/keyFile.ts";
import { deriveTradingKey } from "../client/tradingKey.ts";
import { writeKeystore } from "../l1/keystore.ts";
import { KEYS_PER_ACCOUNT } from "../protocol/constants.ts";
import { UsageError } from "./failure.ts";
import { facts } from "./output.ts";
import type { Run } from "./run.ts";
import { passwordOf, type Session } from "./session.ts";

/** Trading keys expire: one that is forgotten somewhere does not live for ever. */
export const KEY_DAYS = 365;
const DAY_SECONDS = 86_400;

interface KeyOptions {
  readonly new?: string;
  readonly register?: boolean;
  readonly revoke?: boolean;
  readonly export?: string;
  readonly guardIndex?: string;
}

export function addKeyCommand(program: Command, run: Run): void {
  program
    .command("key")
    .description("show the wallet and its trading key; make, register, revoke or export one")
    .option("--new <file>", "make a wallet and keep it encrypted in FILE")
    .option("--register", "register the trading key (of --key-index) on layer one")
    .option("--revoke", "revoke the key of --key-index on layer one")
    .option(
      "--export <file>",
      "keep the trading key in FILE, for a program: whoever has it can trade",
    )
    .option("--guard-index <n>", "with --export: a second key, for words that the venue holds")
    .action(run(key));
}

async function key(session: Session, _args: readonly string[], options: KeyOptions): Promise<void> {
  const { new: made, register: registers, revoke: revokes, export: exported } = options;
  const chosen = [made, registers, revokes, exported].filter((item) => item);
  if (chosen.length > 1) {
    throw new UsageError("`--new`, `--register`, `--revoke` and `--export` exclude each other.");
  }
  if (options.guardIndex !== undefined && exported === undefined) {
    throw new UsageError("`--guard-index` goes with `--export` only.");
  }
  if (options.new !== undefined) await makeWallet(session, options.new);
  else if (options.register === true) await register(session);
  else if (options.revoke === true) await revoke(session);
  else if (exported !== undefined) await exportKey(session, exported, options.guardIndex);
  else await show(session);
}

async function makeWallet({ options, io, output }: Session, name: string): Promise<void> {
  const file = path.resolve(io.folder, name);
  // Asked before the password is worked on, which takes a second.
  if (existsSync(file)) throw new UsageError(`\`${file}\` exists already; name another file.`);
  const password = passwordOf(options, io);
  const privateKey = generatePrivateKey();
  await writeKeystore({ file, privateKey, password });
  const address = privateKeyToAddress(privateKey);
  output.result({ address, file }, () => `made the wallet ${address} in ${file}`);
}

async function register(session: Session): Promise<void> {
  const { output, options } = session;
  const owner = await session.owner();
  const { publicKey } = await session.tradingKey();
  output.progress("registering the trading key on layer one ...");
  const expiry = keyExpiry();
  const done = await owner.registerKey({ index: options.keyIndex, key: publicKey, expiry });
  output.result({ transaction: done.transaction, keyIndex: options.keyIndex, expiry }, () => {
    return `queued in ${done.transaction}; the key trades once the sequencer has served it`;
  });
}

async function revoke(session: Session): Promise<void> {
  const { output, options } = session;
  const done = await (await session.owner()).revokeKey(options.keyIndex);
  output.result({ transaction: done.transaction, keyIndex: options.keyIndex }, () => {
    return `queued the end of key ${options.keyIndex} in ${done.transaction}`;
  });
}

/** Not the wallet: what trades for long can so be kept apart from what owns the money. */
async function exportKey(session: Session, name: string, guard?: string): Promise<void> {
  const { io, output, options } = session;
  const file = path.resolve(io.folder, name);
  if (existsSync(file)) throw new UsageError(`\`${file}\` exists already; name another file.`);
  const { chainId, rollup } = await session.info();
  const { account, keys: registered } = await session.account();
  const wallet = await session.wallet();
  const indices = [options.keyIndex, ...(guard === undefined ? [] : [guardIndexOf(guard)])];
  if (new Set(indices).size < indices.length) {
    throw new UsageError("`--guard-index` must be another key than `--key-index`.");
  }
  const missing = indices.filter((index) => !registered.some((key) => key.keyIndex === index));
  if (missing.length > 0) {
    const command = `straddle --key-index ${missing[0]} key --register`;
    throw new UsageError(`key \`${missing[0]}\` is not registered yet: \`${command}\`.`);
  }
  const keys = await Promise.all(
    indices.map(async (index) => {
      const { secret } = await deriveTradingKey(wallet, { chainId, rollup, keyIndex: index });
      return { index, secret };
    }),
  );
  writeFileSync(file, keyFileText({ chainId, rollup, account, keys }), { mode: 0o600, flag: "wx" });
  output.result({ account, keys: indices, file }, () => {
    return `kept key ${indices.join(" and ")} of account ${account} in ${file}`;
  });
}

function guardIndexOf(text: string): number {
  if (/^\d$/.test(text) && Number(text) < KEYS_PER_ACCOUNT) return Number(text);
  const allowed = `an integer from 0 to ${KEYS_PER_ACCOUNT - 1}`;
  throw new UsageError(`--guard-index must be ${allowed}. Got \`${text}\`.`);
}

export function keyExpiry(): number {
  return Math.floor(Date.now() / 1000) + KEY_DAYS * DAY_SECONDS;
}

async function show(session: Session): Promise<void> {
  const { address } = await session.wallet();
  const { publicKey } = await session.tradingKey();
  const account = await session.findAccount();
  const { keyIndex } = session.options;
  const registered = account?.keys.find((item) => item.keyIndex === keyIndex);
  const isRegistered =
    registered !== undefined &&
    BigInt(registered.key.x) === publicKey.x &&
    BigInt(registered.key.y) === publicKey.y;
  const data = {
    wallet: address,
    account: account?.account ?? null,
    keyIndex,
    key: { x: hexOf(publicKey.x), y: hexOf(publicKey.y) },
    isRegistered,
    expiry: isRegistered ? registered.expiry : null,
  };
  session.output.result(data, () =>
    facts([
      ["wallet", address],
      ["account", data.account],
      ["key index", keyIndex],
      ["key x", data.key.x],
      ["key y", data.key.y],
      ["registered", isRegistered ? "yes" : "no: `straddle deposit` or `straddle key --register`"],
    ]),
  );
}
