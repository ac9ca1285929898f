/**
 * `straddle exit`: leaves without the sequencer. Rebuilds the ledger from layer one, proves what
 * the account is worth, claims it, and pays the claim out when the window for claims is over.
 */
import { globSync, statSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { formatUsdc } from "../client/decimal.ts";
import type { Mined, Owner } from "../client/l1.ts";
import { createExitLedger, proveExit } from "../node/exitProof.ts";
import { anchoredBatches } from "./anchoredBatches.ts";
import { UsageError } from "./failure.ts";
import { dateText } from "./output.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";

interface ExitOptions {
  readonly check?: boolean;
  readonly freeze?: boolean;
  readonly wasm?: string;
  readonly zkey?: string;
  readonly vkey?: string;
}

export function addExitCommand(program: Command, run: Run): void {
  program
    .command("exit")
    .description("leave without the sequencer: rebuild the ledger, prove, claim, get paid")
    .option("--check", "only rebuild, and show what could be claimed")
    .option("--freeze", "end the rollup for everybody if it has missed a deadline")
    .option("--wasm <file>", "exit circuit's witness program (default: of build/)")
    .option("--zkey <file>", "exit circuit's proving key (default: of build/)")
    .option("--vkey <file>", "exit circuit's verification key (default: of build/)")
    .action(run(exit));
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
  const { ledger, batches } = await rebuild(session, owner);
  const worth = ledger.claim(account);
  const amount = Number(worth.claim);
  if (options.check === true || amount === 0) {
    output.result({ account, batches, claim: amount }, () => {
      const text = `account ${account} is worth ${formatUsdc(amount)} USDC`;
      return `${text} after ${batches} batches${amount === 0 ? ": nothing to claim" : ""}`;
    });
    return;
  }
  const keys = keysOf(session, ledger.instance, options);
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

async function rebuild({ settings, output }: Session, owner: Owner) {
  const { client, rollup } = owner;
  // One block for everything: the rollup may live on while `--check` reads.
  const toBlock = await client.getBlockNumber();
  const anchored = await owner.anchored(toBlock);
  const ledger = createExitLedger(anchored.sizes);
  const fromBlock = BigInt(settings.fromBlock ?? 0);
  let batches = 0;
  for await (const words of anchoredBatches({ client, rollup, fromBlock, toBlock })) {
    ledger.apply(words);
    batches++;
    if (batches % 100 === 0 || batches === anchored.count) {
      output.progress(`rebuilt ${batches} of ${anchored.count} batches ...`);
    }
  }
  if (batches !== anchored.count || (batches > 0 && ledger.root() !== anchored.root)) {
    throw new Error(
      `found \`${batches}\` of ${anchored.count} batches since block ${fromBlock}: the layer-one ` +
        "endpoint keeps too little history, or the block is too late.",
    );
  }
  return { ledger, batches };
}

async function timeOf({ client }: Owner): Promise<number> {
  return Number((await client.getBlock()).timestamp);
}

function keysOf({ io }: Session, instance: string, options: ExitOptions) {
  const find = (name: "wasm" | "zkey" | "vkey", pattern: string) => {
    const given = options[name];
    if (given !== undefined) return path.resolve(io.folder, given);
    const files = globSync(pattern, { cwd: io.folder }).map((file) => path.join(io.folder, file));
    const [newest] = files.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
    if (newest !== undefined || io.proveExit !== undefined) return newest ?? "";
    throw new UsageError(`there is no \`${pattern}\` here: name the file with --${name}.`);
  };
  return {
    wasm: find("wasm", `build/circuits/exit-${instance}/*_js/*.wasm`),
    zkey: find("zkey", `build/keys/*exit-${instance}-*.zkey`),
    vkey: find("vkey", `build/keys/*exit-${instance}-*.vkey.json`),
  };
}
