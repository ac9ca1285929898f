/**
 * `straddle force`: what an owner orders on layer one, where no sequencer can refuse to see it. It
 * must be served before the deadline, or anybody may freeze the rollup. Needs layer one only.
 */
import type { Command } from "commander";
import type { Mined, Owner, Queued } from "../client/l1.ts";
import { type ForcedOrder, orderDigest } from "../client/waitingOperations.ts";
import { formatUsdc, parseUsdc } from "../market/decimal.ts";
import { UsageError } from "./failure.ts";
import { dateText, table } from "./output.ts";
import { ledgerOf } from "./rebuildLedger.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";

const HELP = `
Needs layer one only: neither the sequencer nor any other node is asked. Orders wait in the queue of
the contract, in turn, and each must be served before its deadline, or anybody may end the rollup
(\`straddle exit --freeze\`). What the ledger's rules do not allow is served without effect. An
account may have eight orders waiting for nothing, and one more for each series place. What goes
beyond its eight, or beyond 512 in all, costs a premium in ether, which is stated before it is paid
and is burnt. An order that waits already is not queued again without --again. \`straddle status
--layer-one\` shows what waits, and the next step.`;

interface ForceOptions {
  readonly again?: boolean;
}

const AGAIN = ["--again", "queue it even if the same order waits already"] as const;

export function addForceCommands(program: Command, run: Run): void {
  const force = program
    .command("force")
    .description("order on layer one what the sequencer cannot ignore")
    .addHelpText("after", HELP);
  force
    .command("withdraw")
    .description("withdraw USDC; without effect if the account would not be covered afterwards")
    .argument("<usdc>", "amount, such as 250")
    .option(...AGAIN)
    .action(run(withdraw));
  force
    .command("cancel-all")
    .description("void every order of the account that rests when this is served")
    .option(...AGAIN)
    .action(run(cancelAll));
  force
    .command("close")
    .description("close a position at the mark, against the insurance fund")
    .argument("[slot]", "which series, by its slot; without it, the positions are listed")
    .argument("[lots]", "how much of it at most (default: what was anchored last)")
    .addHelpText("after", CLOSE_HELP)
    .option(...AGAIN)
    .action(run(close));
}

const CLOSE_HELP = `
The price is the mark of the batch that serves it, less the series' short-option minimum for each
lot; an expired series is paid out, all of it, as soon as its last mark is final. Nothing happens
where the position is gone, or the fund or the account could not bear it. Positions and marks are
read from the last anchored batch, which is rebuilt from layer one.`;

async function withdraw(
  session: Session,
  [text = ""]: readonly string[],
  options: ForceOptions,
): Promise<void> {
  const amount = parseUsdc(text);
  if (amount <= 0) throw new UsageError(`\`amount\` must be above 0. Got \`${text}\`.`);
  const orderer = await readyOrderer(session);
  await order(session, orderer, {
    order: { kind: "forcedWithdraw", amount },
    send: () => orderer.owner.forceWithdraw(amount),
    text: `withdrawal of ${formatUsdc(amount)} USDC`,
    after: "when it is anchored, `straddle withdraw --claim` pays it out",
    isAgain: options.again === true,
  });
}

async function cancelAll(
  session: Session,
  _args: readonly string[],
  options: ForceOptions,
): Promise<void> {
  const orderer = await readyOrderer(session);
  await order(session, orderer, {
    order: { kind: "forcedCancelAll" },
    send: () => orderer.owner.forceCancelAll(),
    text: "cancel-all",
    isAgain: options.again === true,
  });
}

async function close(
  session: Session,
  [slotText, lotsText]: readonly string[],
  options: ForceOptions,
): Promise<void> {
  const { owner, account } = await ordererOf(session);
  if (slotText === undefined) return list(session, owner, account);
  const orderer = await readyOrderer(session);
  const slot = wholeNumber("slot", slotText);
  const lots =
    lotsText === undefined
      ? await anchoredLots(session, owner, { account, slot })
      : wholeNumber("lots", lotsText);
  if (lots === 0) throw new UsageError("`lots` must be above 0. Got `0`.");
  await order(session, orderer, {
    order: { kind: "forcedClose", slot, lots },
    send: () => owner.forceClose(slot, lots),
    text: `close of at most ${lots} lots in slot ${slot}`,
    isAgain: options.again === true,
  });
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

interface Orderer {
  readonly owner: Owner;
  readonly account: number;
}

async function ordererOf(session: Session): Promise<Orderer> {
  const owner = await session.owner();
  const account = await owner.accountId();
  if (account !== 0) return { owner, account };
  throw new UsageError(`\`${owner.address}\` has no account in this rollup.`);
}

/** One whose rollup still has a queue. */
async function readyOrderer(session: Session): Promise<Orderer> {
  const orderer = await ordererOf(session);
  const frozenAt = await orderer.owner.frozenAt();
  if (frozenAt === 0) return orderer;
  const since = `${dateText(frozenAt)} UTC`;
  throw new UsageError(`the rollup is frozen since ${since}: \`straddle exit\` is the way out.`);
}

interface Order {
  readonly order: ForcedOrder;
  readonly send: () => Promise<Mined & Queued>;
  readonly text: string;
  /** What comes when it has been served. */
  readonly after?: string;
  readonly isAgain: boolean;
}

/** Queues it, unless it waits already: an interrupted command may simply be given again. */
async function order(session: Session, orderer: Orderer, wanted: Order): Promise<void> {
  const { owner } = orderer;
  const waitingId = wanted.isAgain ? undefined : await waitingAlready(orderer, wanted.order);
  if (waitingId === undefined) await announce(session, owner);
  const done = waitingId === undefined ? await wanted.send() : undefined;
  const queueId = done?.queueId ?? waitingId;
  const transaction = done?.transaction ?? null;
  const freezableAt = await owner.freezableAt();
  const { kind: _, ...what } = wanted.order;
  const data = { ...what, queueId, transaction, freezableAt };
  session.output.result(data, () => {
    const lines = [
      transaction === null
        ? `${wanted.text} waits already, as ${queueId}: --again would queue another`
        : `${wanted.text} queued as ${queueId} in ${transaction}`,
    ];
    if (freezableAt !== 0) lines.push(deadlineText(freezableAt));
    if (wanted.after !== undefined) lines.push(wanted.after);
    return lines.join("\n");
  });
}

async function waitingAlready(
  { owner, account }: Orderer,
  wanted: ForcedOrder,
): Promise<number | undefined> {
  const digest = orderDigest(wanted, { account, owner: owner.address });
  return (await owner.waiting(account)).find((operation) => operation.digest === digest)?.queueId;
}

function deadlineText(freezableAt: number): string {
  const until = `the queue's oldest order must be served by ${dateText(freezableAt)} UTC`;
  return `${until}; if it is not, \`straddle exit --freeze\``;
}

/** Says what the place costs, before it is paid. */
async function announce({ output }: Session, owner: Owner): Promise<void> {
  const premium = await owner.premium();
  if (premium === 0n) return;
  output.progress(`the places that cost nothing are taken: this one costs ${premium} wei ...`);
}
