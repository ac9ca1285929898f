/** `straddle key`: the wallet, the trading key it derives, and whether layer two knows the key. */
import { existsSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { generatePrivateKey, privateKeyToAddress } from "viem/accounts";
import { hexOf } from "../client/exchange.ts";
import { writeKeystore } from "../l1/keystore.ts";
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
}

export function addKeyCommand(program: Command, run: Run): void {
  program
    .command("key")
    .description("show the wallet and its trading key; make, register or revoke one")
    .option("--new <file>", "make a wallet and keep it encrypted in FILE")
    .option("--register", "register the trading key (of --key-index) on layer one")
    .option("--revoke", "revoke the key of --key-index on layer one")
    .action(run(key));
}

async function key(session: Session, _args: readonly string[], options: KeyOptions): Promise<void> {
  const chosen = [options.new, options.register, options.revoke].filter((item) => item);
  if (chosen.length > 1) {
    throw new UsageError("`--new`, `--register` and `--revoke` exclude each other.");
  }
  if (options.new !== undefined) await makeWallet(session, options.new);
  else if (options.register === true) await register(session);
  else if (options.revoke === true) await revoke(session);
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
