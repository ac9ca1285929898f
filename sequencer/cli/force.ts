/**
 * `straddle force`: what an owner orders on layer one, where no sequencer can refuse to see it. It
 * must be served before the deadline, or anybody may freeze the rollup. Needs layer one only.
 */
import type { Command } from "commander";
import { formatUsdc, parseUsdc } from "../client/decimal.ts";
import type { Mined, Owner, Queued } from "../client/l1.ts";
import { UsageError } from "./failure.ts";
import { dateText, table } from "./output.ts";
import { ledgerOf } from "./rebuildLedger.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";

const HELP = `
Needs layer one only: neither the sequencer nor any other node is asked. Orders wait in the queue of
the contract, in turn, and each must be served before its deadline, or anybody may end the rollup
(\`straddle exit --freeze\`). What the ledger's rules do not allow is served without effect. An
account may have eight orders waiting; while more than 512 wait in all, a place costs a premium in
ether, which is stated before it is paid and is burnt.`;

export function addForceCommands(program: Command, run: Run): void {
  const force = program
    .command("force")
    .description("order on layer one what the sequencer cannot ignore")
    .addHelpText("after", HELP);
  force
    .command("withdraw")
    .description("withdraw USDC; without effect if the account would not be covered afterwards")
    .argument("<usdc>", "amount, such as 250")
    .action(run(withdraw));
  force
    .command("cancel-all")
    .description("void every order of the account that rests when this is served")
    .action(run(cancelAll));
  force
    .command("close")
    .description("close a position at the mark, against the insurance fund")
    .argument("[slot]", "which series, by its slot; without it, the positions are listed")
    .argument("[lots]", "how much of it at most (default: what was anchored last)")
    .addHelpText("after", CLOSE_HELP)
    .action(run(close));
}

const CLOSE_HELP = `
The price is the mark of the batch that serves it, less the series' short-option minimum for each
lot. Nothing happens where the position is gone, the series has expired (it is paid out instead), or
the fund or the account could not bear it. Positions and marks are read from the last anchored
batch, which is rebuilt from layer one.`;

async function withdraw(session: Session, [text = ""]: readonly string[]): Promise<void> {
  const amount = parseUsdc(text);
  if (amount <= 0) throw new UsageError(`\`amount\` must be above 0. Got \`${text}\`.`);
  const owner = await readyOwner(session);
  await tell(session, owner, {
    done: await owner.forceWithdraw(amount),
    what: { amount },
    text: `withdrawal of ${formatUsdc(amount)} USDC`,
    after: "when it is anchored, `straddle withdraw --claim` pays it out",
  });
}

async function cancelAll(session: Session): Promise<void> {
  const owner = await readyOwner(session);
  const done = await owner.forceCancelAll();
  await tell(session, owner, { done, what: {}, text: "cancel-all" });
}

async function close(session: Session, [slotText, lotsText]: readonly string[]): Promise<void> {
  const owner = await session.owner();
  const account = await owner.accountId();
  if (account === 0) throw new UsageError(`\`${owner.address}\` has no account in this rollup.`);
  if (slotText === undefined) return list(session, owner, account);
  const slot = wholeNumber("slot", slotText);
  const lots =
    lotsText === undefined
      ? await anchoredLots(session, owner, { account, slot })
      : wholeNumber("lots", lotsText);
  if (lots === 0) throw new UsageError("`lots` must be above 0. Got `0`.");
  await announce(session, owner);
  const done = await owner.forceClose(slot, lots);
  const text = `close of at most ${lots} lots in slot ${slot}`;
  await tell(session, owner, { done, what: { slot, lots }, text });
}

async function list(session: Session, owner: Owner, account: number): Promise<void> {
  const { ledger, batches } = await ledgerOf(session, owner);
  const { positions } = ledger.view.account(account);
  const held = positions.flatMap((lots, slot) => {
    if (lots === 0) return [];
    const { isCall, strike, expiry, status, mark } = ledger.view.series()[slot]!;
    return [{ slot, type: isCall ? "call" : "put", strike, expiry, status, mark, lots }];
  });
  session.output.result({ account, batches, positions: held }, () => {
    if (held.length === 0) return `account ${account} held nothing after ${batches} batches`;
    const head = ["slot", "type", "strike (ticks)", "expiry (UTC)", "status", "mark", "lots"];
    const rows = held.map(({ slot, type, strike, expiry, status, mark, lots }) => {
      return [slot, type, strike, dateText(expiry), status, mark, lots];
    });
    return table(head, rows);
  });
}

async function anchoredLots(
  session: Session,
  owner: Owner,
  { account, slot }: { readonly account: number; readonly slot: number },
): Promise<number> {
  const { ledger, batches } = await ledgerOf(session, owner);
  const lots = Math.abs(ledger.view.account(account).positions[slot] ?? 0);
  if (lots > 0) return lots;
  throw new UsageError(
    `account ${account} held nothing in slot \`${slot}\` after ${batches} batches: ` +
      "name the lots if you hold some since.",
  );
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new UsageError(`\`${name}\` must be a whole number. Got \`${text}\`.`);
}

async function readyOwner(session: Session): Promise<Owner> {
  const owner = await session.owner();
  await announce(session, owner);
  return owner;
}

/** Says what the place costs, before it is paid. */
async function announce({ output }: Session, owner: Owner): Promise<void> {
  const premium = await owner.premium();
  if (premium === 0n) return;
  output.progress(`the queue's ordinary lane is full: a place costs ${premium} wei ...`);
}

async function tell(
  { output }: Session,
  owner: Owner,
  order: {
    readonly done: Mined & Queued;
    readonly what: Readonly<Record<string, number>>;
    readonly text: string;
    readonly after?: string;
  },
): Promise<void> {
  const { queueId, transaction } = order.done;
  const freezableAt = await owner.freezableAt();
  output.result({ ...order.what, queueId, transaction, freezableAt }, () => {
    const due = `${dateText(freezableAt)} UTC`;
    const until = `the queue's oldest order must be served by ${due}, or anybody may freeze`;
    const lines = [`${order.text} queued as ${queueId} in ${transaction}`];
    if (freezableAt !== 0) lines.push(until);
    if (order.after !== undefined) lines.push(order.after);
    return lines.join("\n");
  });
}
