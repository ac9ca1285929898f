/** `straddle deposit`: USDC into the account; the first one opens it and registers the key. */
import type { Command } from "commander";
import type { KeyRegistration } from "../client/l1.ts";
import { formatUsdc, parseUsdc } from "../market/decimal.ts";
import { UsageError } from "./failure.ts";
import { keyExpiry } from "./key.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";

interface DepositOptions {
  readonly mint?: boolean;
  readonly wait: boolean;
}

export function addDepositCommand(program: Command, run: Run): void {
  program
    .command("deposit")
    .description("deposit USDC; opens the account and registers the trading key where needed")
    .argument("<usdc>", "amount, such as 1000 or 12.5")
    .option("--mint", "mint the test token first (development chains)")
    .option("--no-wait", "do not wait until the sequencer has credited it")
    .action(run(deposit));
}

async function deposit(
  session: Session,
  [text = ""]: readonly string[],
  options: DepositOptions,
): Promise<void> {
  const amount = parseUsdc(text);
  if (amount <= 0) throw new UsageError(`\`amount\` must be above 0. Got \`${text}\`.`);
  const { output } = session;
  const owner = await session.owner();
  await session.info();
  if (options.mint === true) {
    output.progress(`minting ${formatUsdc(amount)} test USDC ...`);
    await owner.mint(amount);
  }
  const key = await missingKey(session);
  output.progress(`depositing ${formatUsdc(amount)} USDC on layer one ...`);
  const done = await owner.deposit(key === undefined ? { amount } : { amount, key });
  if (options.wait) {
    output.progress("waiting for the sequencer to credit it ...");
    await served(session, done.queueId);
  }
  const { account, queueId, transaction } = done;
  output.result({ account, amount, queueId, transaction, isCredited: options.wait }, () => {
    const state = options.wait ? "credited to" : "on its way to";
    return `${formatUsdc(amount)} USDC ${state} account ${account} (${transaction})`;
  });
}

/** The trading key, unless the account has it already and it lives on. */
async function missingKey(session: Session): Promise<KeyRegistration | undefined> {
  const { keyIndex: index } = session.options;
  const { publicKey } = await session.tradingKey();
  const account = await session.findAccount();
  const known = account?.keys.find(({ keyIndex }) => keyIndex === index);
  const isSame =
    known !== undefined &&
    BigInt(known.key.x) === publicKey.x &&
    BigInt(known.key.y) === publicKey.y &&
    known.expiry > Date.now() / 1000;
  return isSame ? undefined : { index, key: publicKey, expiry: keyExpiry() };
}

const POLL_MS = 300;
const WAIT_MS = 600_000;

async function served({ exchange }: Session, queueId: number): Promise<void> {
  const end = Date.now() + WAIT_MS;
  while ((await exchange.status()).nextQueueId <= queueId) {
    if (Date.now() > end) {
      throw new Error(`queue entry \`${queueId}\` was not served within \`${WAIT_MS}\` ms.`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
