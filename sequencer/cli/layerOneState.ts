/** What layer one says of a rollup and of one account in it, and what its owner can do next. */
import { createPublicClient, http, type PublicClient } from "viem";
import { createExitReads, type Owner } from "../client/l1.ts";
import type { WaitingOperation } from "../client/waitingOperations.ts";
import { formatUsdc } from "../market/decimal.ts";
import { UsageError } from "./failure.ts";
import { dateText } from "./output.ts";
import type { Session } from "./session.ts";

/** Unix seconds and 1e-6 USDC. */
export interface RollupState {
  /** Of the newest block: deadlines count by it. */
  readonly now: number;
  readonly batches: number;
  readonly lastAnchoredAt: number;
  /** 0: nothing waits in the queue. */
  readonly freezableAt: number;
  /** 0: the rollup lives. */
  readonly frozenAt: number;
  /** End of the window for claims; 0 while the rollup lives. */
  readonly claimsEnd: number;
}

export interface AccountState {
  readonly account: number;
  readonly owner: `0x${string}`;
  readonly waiting: readonly WaitingOperation[];
  readonly claimed: { readonly amount: number; readonly isPaid: boolean } | null;
  /** What `straddle withdraw --claim` pays. */
  readonly pending: number;
}

export type RollupReads = ReturnType<typeof createExitReads> & {
  readonly client: PublicClient;
  readonly rollup: `0x${string}`;
  readonly chainId: number;
};

/** What anybody may read. Throws {@link UsageError} where the endpoint is of another chain. */
export async function rollupReads({ settings }: Pick<Session, "settings">): Promise<RollupReads> {
  const { rollup, rpcUrl } = settings;
  if (rollup === undefined) {
    throw new UsageError("name the contract with --rollup ADDRESS, or its file with --config.");
  }
  const client = createPublicClient({ transport: http(rpcUrl) });
  const chainId = await client.getChainId();
  if (settings.chainId !== undefined && chainId !== settings.chainId) {
    throw new UsageError(`\`${rpcUrl}\` is of chain \`${chainId}\`, not \`${settings.chainId}\`.`);
  }
  return { client, rollup, chainId, ...createExitReads(client, rollup) };
}

export async function readRollup(
  reads: Pick<RollupReads, "client" | "anchored" | Moment>,
): Promise<RollupState> {
  const { number, timestamp } = await reads.client.getBlock();
  const [{ count }, lastAnchoredAt, freezableAt, frozenAt, window] = await Promise.all([
    reads.anchored(number),
    reads.lastAnchoredAt(),
    reads.freezableAt(),
    reads.frozenAt(),
    reads.claimWindow(),
  ]);
  const claimsEnd = frozenAt === 0 ? 0 : frozenAt + window;
  const now = Number(timestamp);
  return { now, batches: count, lastAnchoredAt, freezableAt, frozenAt, claimsEnd };
}

type Moment = "lastAnchoredAt" | "freezableAt" | "frozenAt" | "claimWindow";

/** undefined where the wallet has no account. */
export async function readAccount(owner: Owner): Promise<AccountState | undefined> {
  const account = await owner.accountId();
  if (account === 0) return undefined;
  const [waiting, claimed = null, pending] = await Promise.all([
    owner.waiting(account),
    owner.exitClaim(account),
    owner.pending(),
  ]);
  return { account, owner: owner.address, waiting, claimed, pending };
}

export function conditionText({ now, freezableAt, frozenAt, claimsEnd }: RollupState): string {
  if (frozenAt !== 0) {
    const claims = now < claimsEnd ? "claims until" : "claims were until";
    return `frozen since ${dateText(frozenAt)} UTC, ${claims} ${dateText(claimsEnd)} UTC`;
  }
  if (freezableAt === 0) return "live, nothing waits in the queue";
  const due = `${dateText(freezableAt)} UTC`;
  if (now >= freezableAt) return `overdue since ${due}: anybody may freeze it`;
  return `live, must serve its queue's oldest operation by ${due}`;
}

const KIND_TEXT: Partial<Record<WaitingOperation["kind"], string>> = {
  deposit: "deposit",
  registerKey: "key change",
  forcedWithdraw: "withdrawal",
  forcedCancelAll: "cancel-all",
  forcedClose: "close",
};

export function waitingText(waiting: readonly WaitingOperation[]): string {
  const texts = waiting.map(({ queueId, kind, amount, isRefunded }) => {
    const what = `${KIND_TEXT[kind] ?? kind} ${queueId}`;
    const sum = amount === 0 ? "" : ` of ${formatUsdc(amount)} USDC`;
    return `${what}${sum}${isRefunded ? ", refunded" : ""}`;
  });
  return texts.length === 0 ? "nothing" : texts.join("; ");
}

/** One sentence: the command to run now, or what to wait for. */
export function nextStep(rollup: RollupState, account: AccountState | undefined): string {
  if (account !== undefined && account.pending > 0) {
    return `\`straddle withdraw --claim\` pays out ${formatUsdc(account.pending)} USDC`;
  }
  return rollup.frozenAt === 0 ? liveStep(rollup, account) : frozenStep(rollup, account);
}

function liveStep({ now, freezableAt }: RollupState, account: AccountState | undefined): string {
  if (freezableAt !== 0 && now >= freezableAt) {
    return "`straddle exit --freeze` ends the rollup for everybody and begins the exit";
  }
  if (freezableAt !== 0 && account?.waiting.length !== 0) {
    const due = dateText(freezableAt);
    return `wait: if the queue is not served by ${due} UTC, \`straddle exit --freeze\``;
  }
  return "`straddle withdraw`; where no node answers, `straddle force withdraw`";
}

function frozenStep({ now, claimsEnd }: RollupState, account: AccountState | undefined): string {
  if (account === undefined) return "`straddle exit`, with the wallet that owns an account";
  const refunds = account.waiting.some(({ kind, isRefunded }) => kind === "deposit" && !isRefunded);
  const { claimed } = account;
  if (claimed === null) {
    if (now < claimsEnd) return `\`straddle exit\` claims, until ${dateText(claimsEnd)} UTC`;
    return "`straddle exit` claims late, from what the timely claims left";
  }
  if (!claimed.isPaid && now >= claimsEnd) return "`straddle exit` pays the claim out";
  if (refunds) return "`straddle exit` takes back the deposits that no batch has served";
  if (!claimed.isPaid) {
    return `wait: \`straddle exit\` pays the claim out from ${dateText(claimsEnd)} UTC on`;
  }
  return "none: the claim has been paid";
}
