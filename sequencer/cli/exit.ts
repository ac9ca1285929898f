/**
 * `straddle exit`: leaves without the sequencer. Takes back deposits that no batch has served,
 * rebuilds the ledger from layer one, proves what the account is worth, claims it, and pays the
 * claim out when the window for claims is over.
 */
import type { Command } from "commander";
import { numberToHex } from "viem";
import type { Mined, Owner, Paid } from "../client/l1.ts";
import { formatUsdc } from "../market/decimal.ts";
import { proveExit } from "../node/exitProof.ts";
import { addKeyOptions, exitKeys, type KeyOptions } from "./exitKeys.ts";
import { revertName, UsageError } from "./failure.ts";
import { readRollup } from "./layerOneState.ts";
import { dateText } from "./output.ts";
import { ledgerOf } from "./rebuildLedger.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";

const ADDRESS_BYTES = 20;

interface ExitOptions extends KeyOptions {
  readonly account?: string;
  readonly check?: boolean;
  readonly freeze?: boolean;
  readonly state?: string;
}

export function addExitCommand(program: Command, run: Run): void {
  const command = program
    .command("exit")
    .description("leave without the sequencer: rebuild the ledger, prove, claim, get paid")
    .option("--account <n>", "another owner's account: the money goes to that owner")
    .option("--check", "only rebuild, and show what could be claimed and taken back")
    .option("--freeze", "end the rollup for everybody if it has missed a deadline")
    .option("--state <file>", "what `straddle rebuild --out` wrote, in place of reading it all")
    .addHelpText("after", HELP);
  addKeyOptions(command).action(run(exit));
}

const HELP = `
Needs layer one, this repository and a wallet with ether for gas; no node is asked. Every run does
what can be done at that moment and says what comes next; a run too many does no harm.

  the rollup lives        nothing; says until when it must serve its queue (see \`force --help\`)
  it missed a deadline    with --freeze, ends it for everybody, and goes on
  the window for claims   takes back deposits that no batch has served, then claims by proof
  after the window        pays the claim, or its share where the vault cannot pay all claims; who
                          claims only now is paid at once, from what the timely claims left

The claim is cash and positions at the marks of the last anchored batch. The mark of a series whose
settlement price was final by then is its payoff; what expires later is worth its last mark.`;

async function exit(
  session: Session,
  _args: readonly string[],
  options: ExitOptions,
): Promise<void> {
  const sender = await session.owner();
  const leaver = await leaverOf(sender, options.account);
  if (options.check === true) return check(session, leaver, options);
  await assertFrozen(session, sender, options.freeze === true);
  // First, because it takes no proof.
  const refunds = await refund(session, leaver);
  if ((await sender.exitClaim(leaver.account)) === undefined) {
    await claim(session, { ...leaver, refunds }, options);
  } else {
    await pay(session, { ...leaver, refunds });
  }
}

interface Leaver {
  /** Sends the transactions, and need not be the account's owner. */
  readonly sender: Owner;
  readonly account: number;
  /** Who is paid. */
  readonly owner: `0x${string}`;
}

async function leaverOf(sender: Owner, named: string | undefined): Promise<Leaver> {
  if (named === undefined) {
    const account = await sender.accountId();
    if (account !== 0) return { sender, account, owner: sender.address };
    throw new UsageError(`\`${sender.address}\` has no account in this rollup.`);
  }
  const account = Number(named);
  const owner = /^\d{1,9}$/.test(named) ? await sender.ownerOf(account) : undefined;
  if (owner === undefined) throw new UsageError(`there is no account \`${named}\`.`);
  return { sender, account, owner };
}

async function check(session: Session, leaver: Leaver, options: ExitOptions): Promise<void> {
  const { sender, account } = leaver;
  const { worth, batches } = await worthOf(session, leaver, options);
  const waiting = await sender.waiting(account);
  const deposits = waiting.filter(({ kind, isRefunded }) => kind === "deposit" && !isRefunded);
  const unserved = deposits.reduce((sum, { amount }) => sum + amount, 0);
  session.output.result({ account, batches, claim: Number(worth?.claim ?? 0), unserved }, () => {
    const text = worthText(account, worth?.claim ?? 0n, batches);
    return unserved === 0
      ? text
      : `${text}\nbesides, deposits of ${formatUsdc(unserved)} USDC wait for a batch`;
  });
}

function worthText(account: number, worth: bigint, batches: number): string {
  const text = `account ${account} is worth ${formatUsdc(Number(worth))} USDC`;
  return `${text} after ${batches} batches`;
}

/** `worth`: undefined where no batch was ever anchored. */
async function worthOf(session: Session, { sender, account }: Leaver, options: ExitOptions) {
  const { ledger, batches } = await ledgerOf(session, sender, options.state);
  return { ledger, batches, worth: batches === 0 ? undefined : ledger.claim(account) };
}

async function assertFrozen(session: Session, sender: Owner, mayFreeze: boolean): Promise<void> {
  const { now, freezableAt, frozenAt } = await readRollup(sender);
  if (frozenAt !== 0) return;
  if (freezableAt === 0) {
    throw new UsageError(
      "the rollup lives and nothing is overdue: `straddle withdraw` is the way, or " +
        "`straddle force withdraw`, which it must serve in time.",
    );
  }
  if (now < freezableAt) {
    const text = `the rollup has until ${dateText(freezableAt)} UTC to serve its queue`;
    throw new UsageError(`${text}. After that \`straddle exit --freeze\` ends it.`);
  }
  if (!mayFreeze) {
    throw new UsageError("the rollup has missed a deadline: `--freeze` ends it, for everybody.");
  }
  session.output.progress("freezing the rollup ...");
  await unlessDone(
    () => sender.freeze(),
    async () => (await sender.frozenAt()) !== 0,
  );
}

/** Anybody may have done it a moment before: then a refusal is no failure. */
async function unlessDone<T>(
  act: () => Promise<T>,
  isDone: () => Promise<boolean>,
): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    if (await isDone()) return undefined;
    throw error;
  }
}

interface Refund extends Paid, Pick<Mined, "transaction"> {
  readonly queueId: number;
}

/** Deposits that no batch has served are not in the ledger; a frozen rollup gives them back. */
async function refund(
  { output }: Session,
  { sender, account }: Leaver,
): Promise<readonly Refund[]> {
  const done: Refund[] = [];
  for (const queueId of await sender.refundable(account)) {
    output.progress(`taking back the deposit ${queueId} ...`);
    const paid = await unlessDone(
      () => sender.refundDeposit(queueId),
      async () => !(await sender.refundable(account)).includes(queueId),
    );
    if (paid === undefined) continue;
    const { amount, transaction } = paid;
    done.push({ queueId, amount, transaction });
  }
  return done;
}

interface Refunded extends Leaver {
  readonly refunds: readonly Refund[];
}

async function claim(session: Session, leaver: Refunded, options: ExitOptions): Promise<void> {
  const { output, io } = session;
  const { sender, account } = leaver;
  const { ledger, batches, worth } = await worthOf(session, leaver, options);
  const amount = Number(worth?.claim ?? 0n);
  if (worth === undefined || amount === 0) {
    const text = `${worthText(account, 0n, batches)}: nothing to claim`;
    return tell(session, leaver, { batches, claim: 0, isPaid: false }, text);
  }
  const keys = exitKeys(session, ledger.instance, options);
  output.progress(`proving a claim of ${formatUsdc(amount)} USDC; this takes a while ...`);
  const proof = await (io.proveExit ?? proveExit)(worth, keys);
  const { now, claimsEnd: end } = await readRollup(sender);
  const isLate = now >= end;
  // Nobody, where money came before a deposit did: the contract knows the owner all the same.
  const proven = { account, owner: numberToHex(worth.owner, { size: ADDRESS_BYTES }) };
  output.progress("claiming on layer one ...");
  const done = await unlessDone(
    () => sender.exit({ ...proven, claim: amount, proof, isLate }).catch(explainRefusal),
    async () => (await sender.exitClaim(account)) !== undefined,
  );
  // Somebody else has claimed it meanwhile, to the same effect.
  if (done === undefined) return pay(session, leaver);
  const { transaction, amount: paid } = done;
  const result = { claim: amount, transaction, isPaid: isLate, end, ...(isLate && { paid }) };
  const again = `after ${dateText(end)} UTC, run \`straddle exit\` again to be paid`;
  const claimed = `claimed ${formatUsdc(amount)} USDC in ${transaction}; ${again}`;
  await tell(session, leaver, result, isLate ? paidText(amount, done) : claimed);
}

/** A frozen rollup's root stays, and the proof holds for its own key: only that can be wrong. */
function explainRefusal(error: unknown): never {
  if (revertName(error) !== "ExitProofInvalid") throw error;
  throw new UsageError(
    "layer one refuses the proof: the proving key is not that of the rollup's verifier. Name the " +
      "files of its setup with --zkey, --vkey and --wasm.",
  );
}

async function pay(session: Session, leaver: Refunded): Promise<void> {
  const { sender, account } = leaver;
  const { amount, isPaid } = await claimOf(leaver);
  const { now, claimsEnd: end } = await readRollup(sender);
  const already = { claim: amount, isPaid: true, end };
  if (isPaid) return tell(session, leaver, already, "the claim has been paid already");
  if (now < end) {
    const text = `claimed ${formatUsdc(amount)} USDC; it is paid after ${dateText(end)} UTC`;
    return tell(session, leaver, { ...already, isPaid }, `${text}: run \`straddle exit\` then`);
  }
  const done = await unlessDone(
    () => sender.payExit(account),
    async () => (await claimOf(leaver)).isPaid,
  );
  if (done === undefined) return tell(session, leaver, already, "the claim has been paid already");
  const { transaction, amount: paid } = done;
  await tell(session, leaver, { ...already, transaction, paid }, paidText(amount, done));
}

async function claimOf({ sender, account }: Leaver) {
  const found = await sender.exitClaim(account);
  if (found === undefined) throw new Error(`the claim of account \`${account}\` is gone.`);
  return found;
}

function paidText(claimed: number, { amount = 0, transaction }: Mined & Partial<Paid>): string {
  const all = `paid ${formatUsdc(amount)} USDC in ${transaction}`;
  if (amount === claimed) return all;
  return `${all}: what there was for a claim of ${formatUsdc(claimed)} USDC`;
}

interface ExitResult {
  readonly claim: number;
  readonly isPaid: boolean;
  readonly batches?: number;
  readonly transaction?: string;
  readonly paid?: number | undefined;
  /** Of the window for claims, unix seconds. */
  readonly end?: number;
}

/** The result, what was taken back on the way, and what the token did not let through. */
async function tell(
  { output }: Session,
  { sender, account, owner, refunds }: Refunded,
  result: ExitResult,
  text: string,
): Promise<void> {
  const pending = owner === sender.address ? await sender.pending() : 0;
  output.result({ account, owner, ...result, refunds, pending }, () => {
    const lines = refunds.map(({ queueId, amount, transaction }) => {
      return `took back ${formatUsdc(amount)} USDC, the deposit ${queueId}, in ${transaction}`;
    });
    lines.push(text);
    if (pending > 0) {
      lines.push(
        `${formatUsdc(pending)} USDC are pending: \`straddle withdraw --claim\` pays them`,
      );
    }
    return lines.join("\n");
  });
}
