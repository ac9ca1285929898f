/** `straddle withdraw`: asks layer two, waits until layer one has it, and claims it there. */
import type { Command } from "commander";
import { formatUsdc, parseUsdc } from "../market/decimal.ts";
import { EXIT_CODES, UsageError } from "./failure.ts";
import { receiptText } from "./receiptText.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";

interface WithdrawOptions {
  readonly forced?: boolean;
  readonly claim?: boolean;
  readonly wait: boolean;
}

export function addWithdrawCommand(program: Command, run: Run): void {
  program
    .command("withdraw")
    .description("withdraw USDC to the wallet: request, wait for the proof, claim")
    .argument("[usdc]", "amount, such as 250")
    .option("--forced", "order it on layer one, where the sequencer cannot refuse to see it")
    .option("--claim", "only claim what is pending on layer one already")
    .option("--no-wait", "only ask; claim later with --claim")
    .action(run(withdraw));
}

async function withdraw(
  session: Session,
  [text]: readonly string[],
  options: WithdrawOptions,
): Promise<number | undefined> {
  if (options.claim === true) return claim(session);
  if (text === undefined) throw new UsageError("name the amount, or use --claim.");
  const amount = parseUsdc(text);
  if (amount <= 0) throw new UsageError(`\`amount\` must be above 0. Got \`${text}\`.`);
  return options.forced === true ? force(session, amount) : ask(session, amount, options);
}

async function claim(session: Session): Promise<undefined> {
  const { output } = session;
  const done = await (await session.owner()).claim();
  output.result({ amount: done.amount, transaction: done.transaction }, () => {
    return `${formatUsdc(done.amount)} USDC paid to the wallet in ${done.transaction}`;
  });
}

async function force(session: Session, amount: number): Promise<undefined> {
  const { output } = session;
  const done = await (await session.owner()).forceWithdraw(amount);
  output.result({ amount, queueId: done.queueId, transaction: done.transaction }, () => {
    const after = "when its batch is anchored, `straddle withdraw --claim` pays it out";
    return `queued as ${done.queueId} in ${done.transaction}; ${after}`;
  });
}

async function ask(
  session: Session,
  amount: number,
  options: WithdrawOptions,
): Promise<number | undefined> {
  const { output } = session;
  const market = await session.info();
  const trader = await session.trader();
  // Before anything is asked for, so that a wrong --rpc does not strand the money half way.
  const owner = options.wait ? await session.owner() : undefined;
  output.progress(`asking for ${formatUsdc(amount)} USDC ...`);
  const receipt = await trader.withdraw(amount);
  if (receipt.outcome !== "executed") {
    output.result({ receipt }, () => receiptText(receipt, market));
    return EXIT_CODES.noEffect;
  }
  if (owner === undefined) {
    output.result({ receipt }, () => receiptText(receipt, market));
    return undefined;
  }
  const { logPosition } = receipt;
  const anchored = await trader.reached({
    logPosition,
    stage: "anchored",
    onStage: ({ stage, batchNumber }) => output.progress(`${stage} in batch ${batchNumber} ...`),
  });
  output.progress("claiming on layer one ...");
  const { amount: paid, transaction } = await owner.claim();
  output.result({ receipt, anchored, paid, transaction }, () => {
    return `${formatUsdc(paid)} USDC paid to the wallet in ${transaction}`;
  });
  return undefined;
}
