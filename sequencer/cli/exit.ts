/**
 * `straddle exit`: leaves without the sequencer. Rebuilds the ledger from layer one, proves what
 * the account is worth, claims it, and pays the claim out when the window for claims is over.
 */
import type { Command } from "commander";
import { formatUsdc } from "../client/decimal.ts";
import type { Mined, Owner } from "../client/l1.ts";
import { proveExit } from "../node/exitProof.ts";
import { addKeyOptions, exitKeys, type KeyOptions } from "./exitKeys.ts";
import { UsageError } from "./failure.ts";
import { dateText } from "./output.ts";
import { ledgerOf } from "./rebuildLedger.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";

interface ExitOptions extends KeyOptions {
  readonly check?: boolean;
  readonly freeze?: boolean;
  readonly state?: string;
}

export function addExitCommand(program: Command, run: Run): void {
  const command = program
    .command("exit")
    .description("leave without the sequencer: rebuild the ledger, prove, claim, get paid")
    .option("--check", "only rebuild, and show what could be claimed")
    .option("--freeze", "end the rollup for everybody if it has missed a deadline")
    .option("--state <file>", "what `straddle rebuild --out` wrote, in place of reading it all");
  addKeyOptions(command).action(run(exit));
}

async function exit(
  session: Session,
  _args: readonly string[],
  options: ExitOptions,
): Promise<void> {
  const owner = await session.owner();
  const account = await owner.accountId();
  if (account === 0) throw new UsageError(`\`${owner.address}\` has no account in this rollup.`);
  if (options.check !== true) await assertFrozen(session, owner, options.freeze === true);
  const earlier = options.check === true ? undefined : await owner.exitClaim(account);
  if (earlier === undefined) await claim(session, { owner, account }, options);
  else await pay(session, owner, { account, ...earlier });
}

async function assertFrozen(session: Session, owner: Owner, mayFreeze: boolean): Promise<void> {
  if ((await owner.frozenAt()) !== 0) return;
  const freezable = await owner.freezableAt();
  const now = await timeOf(owner);
  if (freezable === 0) {
    throw new UsageError(
      "the rollup lives and nothing is overdue: `straddle withdraw` is the way, or " +
        "`straddle withdraw --forced`, which it must serve in time.",
    );
  }
  if (now < freezable) {
    const text = `the rollup has until ${dateText(freezable)} UTC to serve its queue`;
    throw new UsageError(`${text}. After that \`straddle exit --freeze\` ends it.`);
  }
  if (!mayFreeze) {
    throw new UsageError("the rollup has missed a deadline: `--freeze` ends it, for everybody.");
  }
  session.output.progress("freezing the rollup ...");
  await owner.freeze();
}

interface Leaver {
  readonly owner: Owner;
  readonly account: number;
}

async function claim(session: Session, leaver: Leaver, options: ExitOptions): Promise<void> {
  const { output, io } = session;
  const { owner, account } = leaver;
  const { ledger, batches } = await ledgerOf(session, owner, options.state);
  const worth = ledger.claim(account);
  const amount = Number(worth.claim);
  if (options.check === true || amount === 0) {
    output.result({ account, batches, claim: amount }, () => {
      const text = `account ${account} is worth ${formatUsdc(amount)} USDC`;
      return `${text} after ${batches} batches${amount === 0 ? ": nothing to claim" : ""}`;
    });
    return;
  }
  const keys = exitKeys(session, ledger.instance, options);
  output.progress(`proving a claim of ${formatUsdc(amount)} USDC; this takes a while ...`);
  const proof = await (io.proveExit ?? proveExit)(worth, keys);
  const end = (await owner.frozenAt()) + (await owner.claimWindow());
  const isLate = (await timeOf(owner)) >= end;
  output.progress("claiming on layer one ...");
  const done = await owner.exit({ account, claim: amount, proof, isLate });
  const refunds = await refund(session, leaver);
  const { transaction } = done;
  output.result({ account, claim: amount, transaction, isPaid: isLate, refunds, end }, () => {
    if (isLate) return `paid what the timely claims left of it, in ${transaction}`;
    const when = `${dateText(end)} UTC, run \`straddle exit\` again to be paid`;
    return `claimed ${formatUsdc(amount)} USDC in ${transaction}; after ${when}`;
  });
}

/** Deposits that no batch has served are not in the ledger; a frozen rollup gives them back. */
async function refund({ output }: Session, { owner, account }: Leaver): Promise<readonly Mined[]> {
  const done: Mined[] = [];
  for (const queueId of await owner.refundable(account)) {
    output.progress(`taking back the deposit ${queueId} ...`);
    done.push(await owner.refundDeposit(queueId));
  }
  return done;
}

async function pay(
  { output }: Session,
  owner: Owner,
  claimed: { readonly account: number; readonly amount: number; readonly isPaid: boolean },
): Promise<void> {
  const { account, amount, isPaid } = claimed;
  const end = (await owner.frozenAt()) + (await owner.claimWindow());
  if (isPaid) {
    output.result({ account, claim: amount, isPaid }, () => "the claim has been paid already");
    return;
  }
  if ((await timeOf(owner)) < end) {
    output.result({ account, claim: amount, isPaid, end }, () => {
      return `claimed ${formatUsdc(amount)} USDC; it is paid after ${dateText(end)} UTC`;
    });
    return;
  }
  const { transaction } = await owner.payExit(account);
  output.result({ account, claim: amount, isPaid: true, transaction }, () => {
    return `paid, or its share if the vault could not pay all, in ${transaction}`;
  });
}

async function timeOf({ client }: Owner): Promise<number> {
  return Number((await client.getBlock()).timestamp);
}
