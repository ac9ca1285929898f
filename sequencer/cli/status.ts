/** `straddle status`: the node, its newest batches, or how far one log record has come. */
import type { Command } from "commander";
import { formatEther } from "viem";
import { formatUsdc } from "../client/decimal.ts";
import type { LayerOneStatus } from "../exchangeService.ts";
import { UsageError } from "./failure.ts";
import { facts, table } from "./output.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";

export function addStatusCommand(program: Command, run: Run): void {
  program
    .command("status")
    .description("the node and its newest batches, or how far a log record has come")
    .argument("[log-position]", "as receipts give it")
    .action(run(status));
}

async function status(session: Session, [position]: readonly string[]): Promise<void> {
  if (position === undefined) await nodeStatus(session);
  else await recordStatus(session, position);
}

async function recordStatus({ exchange, output }: Session, text: string): Promise<void> {
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

async function nodeStatus({ exchange, info, output, settings }: Session): Promise<void> {
  const [{ rollup, chainId, version }, state, batches] = await Promise.all([
    info(),
    exchange.status(),
    exchange.batches({ limit: 8 }),
  ]);
  const age = state.snapshotTime === null ? null : state.time - state.snapshotTime;
  output.result({ url: settings.apiUrl, rollup, chainId, version, ...state, batches }, () =>
    [
      facts([
        ["node", `${settings.apiUrl}, version ${version}`],
        ["rollup", `${rollup} on chain ${chainId}`],
        ["state", stateText(state)],
        ["log", `${state.logPosition} records`],
        ["batches", `sealed ${state.sealed}, proven ${state.proven}, anchored ${state.anchored}`],
        ["snapshot", age === null ? "none" : `${age} ms old`],
        ["layer one", layerOneText(state.layerOne)],
        ["validators", state.validatorsConnected],
        ["insurance fund", `${formatUsdc(state.insuranceFund)} USDC`],
        ["fees", feesText(state)],
        ["in liquidation", `${state.lockedAccounts} accounts`],
      ]),
      table(
        ["batch", "kind", "time", "stage", "transaction"],
        batches.map(({ number, kind, time, stage, transaction }) => [
          number,
          kind,
          new Date(time).toISOString().slice(11, 19),
          stage,
          transaction,
        ]),
        5,
      ),
    ].join("\n\n"),
  );
}

function feesText(state: {
  readonly feeAccount: number;
  readonly feesUncollected: number;
}): string {
  const open = formatUsdc(state.feesUncollected);
  return `${formatUsdc(state.feeAccount)} USDC, and ${open} not yet collected`;
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

function stateText(state: { readonly halted: string | null; readonly isOverloaded: boolean }) {
  if (state.halted !== null) return `halted: ${state.halted}`;
  return state.isOverloaded ? "overloaded: new orders are refused" : "running";
}
