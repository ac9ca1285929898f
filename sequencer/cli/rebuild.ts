/**
 * `straddle rebuild`: the whole ledger from layer one and nothing else. Needs no wallet, no node
 * and no file; writes one that exits are proven from, and proves them for anybody.
 */
import { writeFileSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { formatUsdc } from "../market/decimal.ts";
import { proveExit } from "../node/exitProof.ts";
import { type LedgerSource, ledgerFile } from "../node/ledgerFile.ts";
import { addKeyOptions, exitKeys, type KeyOptions } from "./exitKeys.ts";
import { UsageError } from "./failure.ts";
import { rollupReads } from "./layerOneState.ts";
import { dateText, facts, table } from "./output.ts";
import { type Rebuilt, rebuildLedger } from "./rebuildLedger.ts";
import type { Run } from "./run.ts";
import type { Session } from "./session.ts";

/** Accounts and series that people are shown; programs get all. */
const ROWS_MAX = 40;

interface RebuildOptions extends KeyOptions {
  readonly out?: string;
  readonly toBlock?: string;
  readonly prove?: string;
}

export function addRebuildCommand(program: Command, run: Run): void {
  const command = program
    .command("rebuild")
    .description("rebuild the ledger from layer one alone, checking the root at every batch")
    .option("--to-block <n>", "stop at this block (default: the latest)")
    .option("--out <file>", "write the ledger, for `straddle exit --state`")
    .option("--prove <account>", "also prove what this account may claim, whoever owns it");
  addKeyOptions(command).action(run(rebuild));
}

async function rebuild(
  session: Session,
  _args: readonly string[],
  options: RebuildOptions,
): Promise<void> {
  const { settings, output } = session;
  const account = natural(options.prove, "--prove");
  const reads = await rollupReads(session);
  const { client, rollup, chainId } = reads;
  const toBlock = BigInt(natural(options.toBlock, "--to-block") ?? (await client.getBlockNumber()));
  const anchored = await reads.anchored(toBlock);
  const fromBlock = BigInt(settings.fromBlock ?? 0);
  const onProgress = (line: string) => output.progress(line);
  const request = { client, rollup, fromBlock, toBlock, anchored, onProgress };
  const rebuilt = await rebuildLedger(request);
  const source = { chainId, rollup, block: Number(toBlock) };
  if (options.out !== undefined)
    write(session, rebuilt, { ...source, sizes: anchored.sizes }, options.out);
  const exit = account === undefined ? undefined : await prove(session, rebuilt, account, options);
  const summary = summaryOf(rebuilt, source);
  output.result({ ...summary, ...(exit && { exit }) }, () => {
    return [...people(summary), ...(exit ? [JSON.stringify(exit, null, 2)] : [])].join("\n\n");
  });
}

function write(
  { output, io }: Session,
  { ledger, batches }: Rebuilt,
  source: LedgerSource,
  file: string,
): void {
  if (batches === 0) {
    output.progress(`no batch is anchored: there is nothing to write to ${file}`);
    return;
  }
  const text = `${JSON.stringify(ledgerFile(ledger.view, source), null, 2)}\n`;
  writeFileSync(path.resolve(io.folder, file), text);
  output.progress(`wrote ${file}: \`straddle exit --state ${file}\` proves from it`);
}

/** What the contract's `exit` takes; anybody may send it, and the owner is paid. */
async function prove(
  session: Session,
  { ledger }: Rebuilt,
  account: number,
  options: RebuildOptions,
) {
  const worth = ledger.claim(account);
  const claimed = { account, owner: addressText(worth.owner), claim: `${worth.claim}` };
  if (worth.claim === 0n) throw new UsageError(`account \`${account}\` has nothing to claim.`);
  const keys = exitKeys(session, ledger.instance, options);
  session.output.progress(`proving the claim of account ${account}; this takes a while ...`);
  const proof = await (session.io.proveExit ?? proveExit)(worth, keys);
  return { ...claimed, stateRoot: `${worth.stateRoot}`, proof: proof.map((word) => `${word}`) };
}

interface Source {
  readonly chainId: number;
  readonly rollup: string;
  readonly block: number;
}

function summaryOf({ ledger, batches }: Rebuilt, source: Source) {
  const { view } = ledger;
  const accounts = view.accountIds().map((account) => {
    const { owner, cash, positions } = view.account(account);
    const held = positions.flatMap((lots, slot) => (lots === 0 ? [] : [{ slot, lots }]));
    const claim = batches === 0 ? 0n : ledger.claim(account).claim;
    return { account, owner: addressText(owner), cash, claim: Number(claim), positions: held };
  });
  const series = view.series().flatMap((item, slot) => {
    return item.status === "empty" ? [] : [{ slot, ...item }];
  });
  const root = ledger.root();
  return {
    ...source,
    batches,
    root: root === undefined ? null : `${root}`,
    fees: view.fees(),
    accounts,
    series,
  };
}

type Summary = ReturnType<typeof summaryOf>;

function people({ batches, root, block, fees, accounts, series }: Summary): string[] {
  const claims = accounts.reduce((sum, { claim }) => sum + claim, 0);
  const head = facts([
    ["batches", `${batches}, each with its root`],
    ["root", root],
    ["at block", block],
    ["accounts", accounts.length],
    ["sum of claims", formatUsdc(claims)],
    ["fees not collected", formatUsdc(fees)],
  ]);
  const accountRows = accounts.map(({ account, owner, cash, claim, positions }) => {
    const held = positions.map(({ slot, lots }) => `${slot}: ${lots}`).join(", ");
    return [account, owner, formatUsdc(cash), formatUsdc(claim), held || null];
  });
  const seriesRows = series.map(({ slot, isCall, strike, expiry, mark, status, holders }) => {
    return [slot, isCall ? "call" : "put", strike, dateText(expiry), mark, status, holders];
  });
  const columns = ["slot", "kind", "strike (ticks)", "expiry UTC", "mark", "status", "holders"];
  return [
    head,
    ...shown(["account", "owner", "cash", "claim", "lots by slot"], accountRows, 2),
    ...shown(columns, seriesRows, 2),
  ];
}

function shown(columns: string[], rows: Parameters<typeof table>[1], left: number): string[] {
  if (rows.length === 0) return [];
  const more = rows.length - ROWS_MAX;
  const text = table(columns, rows.slice(0, ROWS_MAX), left);
  return [more > 0 ? `${text}\nand ${more} more: --json or --out shows them` : text];
}

function addressText(owner: bigint): string {
  return `0x${owner.toString(16).padStart(40, "0")}`;
}

function natural(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(`${name} must be a whole number. Got \`${text}\`.`);
}
