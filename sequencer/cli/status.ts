/**
 * `straddle status`: the node, its newest batches, or how far one log record has come; or, without
 * a node, what layer one says and what its owner can do next.
 */
import type { Command } from "commander";
import { formatEther } from "viem";
import { ConnectionError } from "../client/rpcErrors.ts";
import { formatUsdc } from "../market/decimal.ts";
import type { FairOrder } from "../protocol/fairOrder.ts";
import type { LayerOneStatus, LogPolicy, Status } from "../protocol/status.ts";
import { PAUSE_REASONS, type Tolerance, type TradingStatus } from "../protocol/trading.ts";
import { EXIT_CODES, UsageError } from "./failure.ts";
import {
  type AccountState,
  conditionText,
  nextStep,
  readAccount,
  readRollup,
  rollupReads,
  waitingText,
} from "./layerOneState.ts";
import { type Cell, dateText, facts, table } from "./output.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";

export function addStatusCommand(program: Command, run: Run): void {
  program
    .command("status")
    .description("the node and its newest batches, or how far a log record has come")
    .argument("[log-position]", "as receipts give it")
    .option(
      "--layer-one",
      "ask layer one only: queue, deadline, freeze, claim, and what to do next",
    )
    .addHelpText("after", HELP)
    .action(run(status));
}

/** Members report every second. */
const REPORT_AGE_MS_MAX = 5_000;

const HELP = `
\`order\` is the rule by which messages are put in order; validators refuse a log by another one:
inside a round cancels and post-only orders go first, then all others as they came.

Where no node answers, layer one is asked instead, and the exit code is 1. With a wallet named, it
also tells what that owner has waiting, claimed or pending there.`;

async function status(
  session: Session,
  [position]: readonly string[],
  options: { readonly layerOne?: boolean },
): Promise<number | undefined> {
  if (position !== undefined) {
    if (options.layerOne !== true) return recordStatus(session, position);
    throw new UsageError("`--layer-one` knows batches, not log records: leave the position out.");
  }
  if (options.layerOne === true) return layerOneStatus(session);
  try {
    return await nodeStatus(session);
  } catch (error) {
    const isGone = error instanceof ConnectionError && session.settings.rollup !== undefined;
    if (!isGone) throw error;
    session.output.progress(`${error.message} Layer one says:`);
    await layerOneStatus(session);
    return EXIT_CODES.failed;
  }
}

async function recordStatus({ exchange, output }: Session, text: string): Promise<undefined> {
  const logPosition = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(logPosition)) {
    throw new UsageError(`\`log-position\` must be an integer from 0. Got \`${text}\`.`);
  }
  const stages = await exchange.stages(logPosition);
  output.result(stages, () =>
    facts([
      ["stage", stages.stage],
      ["batch", `${stages.batchNumber}${stages.isSealed ? "" : " (being filled)"}`],
      ["transaction", stages.transaction],
    ]),
  );
}

async function nodeStatus({ exchange, info, output, settings }: Session): Promise<undefined> {
  const [{ rollup, chainId, version, fairOrder }, state, batches] = await Promise.all([
    info(),
    exchange.status(),
    exchange.batches({ limit: 8 }),
  ]);
  const age = state.snapshotTime === null ? null : state.time - state.snapshotTime;
  const node = { url: settings.apiUrl.join(" "), rollup, chainId, version, fairOrder };
  output.result({ ...node, ...state, batches }, () =>
    [
      facts([
        ["node", `${node.url}, version ${version}`],
        ["rollup", `${rollup} on chain ${chainId}`],
        ["state", stateText(state)],
        ["trading", tradingText(state.trading)],
        ["tolerances", toleranceText(state.trading)],
        ["order", orderText(fairOrder)],
        ["log", `${state.logPosition} records, epoch ${state.logEpoch}`],
        ["durability", `${state.log.engine}: ${state.log.durability}`],
        ["loss window", lossText(state.log)],
        ["batches", `sealed ${state.sealed}, proven ${state.proven}, anchored ${state.anchored}`],
        ["snapshot", age === null ? "none" : `${age} ms old`],
        ["layer one", layerOneText(state.layerOne)],
        ["validators", state.validatorsConnected],
        ["certified", certifiedText(state)],
        ["leader", leaderText(state)],
        ["members", membersText(state)],
        ["insurance fund", `${formatUsdc(state.insuranceFund)} USDC`],
        ["fees", feesText(state)],
        ["in liquidation", `${state.lockedAccounts} accounts`],
      ]),
      table(
        ["batch", "kind", "time", "stage", "transaction"],
        batches.map(({ number, kind, time, stage, transaction }) => [
          number,
          kind,
          timeText(time),
          stage,
          transaction,
        ]),
        5,
      ),
    ].join("\n\n"),
  );
}

async function layerOneStatus(session: Session): Promise<undefined> {
  const reads = await rollupReads(session);
  const { rollup, chainId } = reads;
  const state = await readRollup(reads);
  const { options, io } = session;
  const isNamed =
    (options.devAccount ?? options.keystore ?? io.env.STRADDLE_KEYSTORE) !== undefined;
  const account = isNamed ? await readAccount(await session.owner()) : undefined;
  const next = nextStep(state, account);
  const data = { rollup, chainId, ...state, account: account ?? null, next };
  session.output.result(data, () =>
    facts([
      ["rollup", `${rollup} on chain ${chainId}`],
      ["state", conditionText(state)],
      ["batches", `${state.batches}, the last anchored at ${dateText(state.lastAnchoredAt)} UTC`],
      ...(isNamed ? accountRows(account) : []),
      ["next step", next],
    ]),
  );
}

function accountRows(account: AccountState | undefined): [name: string, value: Cell][] {
  if (account === undefined) return [["account", "none"]];
  const { claimed, pending } = account;
  const claim = claimed && `${formatUsdc(claimed.amount)} USDC${claimed.isPaid ? ", paid" : ""}`;
  return [
    ["account", `${account.account} of ${account.owner}`],
    ["waiting", waitingText(account.waiting)],
    ["claimed", claim],
    ["pending", pending === 0 ? "nothing" : `${formatUsdc(pending)} USDC`],
  ];
}

function feesText(state: {
  readonly feeAccount: number;
  readonly feesUncollected: number;
}): string {
  const open = formatUsdc(state.feesUncollected);
  return `${formatUsdc(state.feeAccount)} USDC, and ${open} not yet collected`;
}

function lossText({ lossWindowMs, lossWindow }: LogPolicy): string {
  return `${lossWindowMs === null ? "not known" : `${lossWindowMs} ms`}: ${lossWindow}`;
}

type Certified = Pick<Status, "certification">;

function certifiedText({ certification, logPosition }: Certified & Pick<Status, "logPosition">) {
  if (certification === null) return "validators attest batches only";
  const { position, height } = certification;
  return `${position} of ${logPosition} records, in ${height} blocks`;
}

function leaderText({ certification }: Certified): string | null {
  if (certification === null) return null;
  const { term, leader } = certification;
  return leader === null ? "not heard of yet" : `${leader}, term ${term}`;
}

/** How many records each has yet to execute. */
function membersText({ certification }: Certified): string | null {
  if (certification === null) return null;
  const texts = certification.members.map(({ lag, halted, reportAgeMs }) => {
    if (halted !== null) return `halted: ${halted}`;
    const isAway = reportAgeMs === null || reportAgeMs > REPORT_AGE_MS_MAX;
    return isAway ? "away" : `${lag} behind`;
  });
  return texts.join(", ");
}

type Shown = Pick<LayerOneStatus, "paused" | "stopped" | "head" | "reorgs" | "deepestReorg">;

function layerOneText(status: Shown & { readonly spentDay: string }): string {
  const { paused, stopped, head, reorgs, deepestReorg, spentDay } = status;
  if (stopped !== null) return `stopped: ${stopped}`;
  if (paused !== null) return `paused: ${paused}`;
  const history = reorgs === 0 ? "" : `, ${reorgs} reorgs, the deepest ${deepestReorg} blocks`;
  const fees = `${formatEther(BigInt(spentDay))} ETH of fees in 24 h`;
  return `block ${head ?? "unknown"}, ${fees}${history}`;
}

function tradingText(trading: TradingStatus): string {
  const { mode, reason, detail, since, opensAt, dissenting } = trading;
  const dissent = dissenting === 0 ? "" : `; ${dissenting} validators contradict`;
  if (mode === "open" || reason === null) return `open${dissent}`;
  const why = `${PAUSE_REASONS[reason]} (${detail})`;
  const until = opensAt === null ? "" : `, opens at ${timeText(opensAt)} UTC or later`;
  return `${mode} since ${timeText(since ?? 0)} UTC${until}: ${why}; cancels are taken${dissent}`;
}

function toleranceText({ append, certification }: TradingStatus): string {
  const text = ({ latencyMs, boundMs }: Tolerance): string =>
    `${boundMs} ms (measured ${latencyMs === null ? "too few" : `${latencyMs} ms`})`;
  return `log ${text(append)}, certification ${text(certification)}`;
}

function orderText({ roundMs, bumpMs }: FairOrder): string {
  if (roundMs === 0) return "first come, first served";
  const bump = bumpMs === 0 ? "" : `, which count as ${bumpMs} ms later than they came`;
  return `rounds of ${roundMs} ms: cancels and post-only orders, then all other orders${bump}`;
}

function timeText(time: number): string {
  return new Date(time).toISOString().slice(11, 19);
}

function stateText(state: { readonly halted: string | null; readonly isOverloaded: boolean }) {
  if (state.halted !== null) return `halted: ${state.halted}`;
  return state.isOverloaded ? "overloaded: new orders are refused" : "running";
}
