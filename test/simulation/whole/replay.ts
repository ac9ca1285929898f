/** The log, executed by a node of its own: what each record did, and what accounts were then. */
import type { LogRecord } from "../../../sequencer/batch/log.ts";
import type { Author, Fill, StepRecord } from "../../../sequencer/engine/records.ts";
import { publishedFills } from "../../../sequencer/engine/trade.ts";
import { createNodeState, type NodeState } from "../../../sequencer/roles/nodeState.ts";
import { createOrderTracker } from "../../../sequencer/roles/orderTracker.ts";
import { totalWorth } from "../../support/conservation.ts";
import { deployment, ORIGIN } from "./deployment.ts";
import { balanceText, ordersText } from "./history.ts";

/** A client's message in the log. */
export interface Executed {
  readonly position: number;
  readonly hash: string;
  readonly account: number;
  readonly head: bigint;
  readonly outcome: string;
  readonly fills: readonly Fill[];
}

export interface Replay {
  readonly root: bigint;
  readonly head: { readonly position: number; readonly hash: string };
  readonly executed: readonly Executed[];
  /** Every fill with the record that did it. */
  readonly fills: readonly (Fill & { readonly position: number })[];
  /** Roots of sealed batches, from batch 1 on. */
  readonly roots: readonly bigint[];
  /** Root of the last batch sealed in the first so many records. */
  rootAt(records: number): bigint;
  /** What a reader would find after so many records. */
  found(what: "balance" | "orders", account: number, records: number): string;
  readonly faults: readonly string[];
}

/** `accounts`: those that somebody reads. */
export function replayLog(records: readonly LogRecord[], accounts: readonly number[]): Replay {
  const node = createNodeState(deployment, ORIGIN, undefined);
  const orders = createOrderTracker({ state: node.state });
  const faults: string[] = [];
  const executed: Executed[] = [];
  const fills: (Fill & { readonly position: number })[] = [];
  const sealed: { readonly to: number; readonly root: bigint }[] = [];
  const seen = new Map<string, { from: number; text: string }[]>();
  const genesis = node.executor.root();
  let [paidIn, paidOut] = [0n, 0n];

  function look(from: number): void {
    for (const account of accounts) {
      note("balance", account, { from, text: balanceOf(node, account) });
      note("orders", account, { from, text: ordersText(orders.orders(account)) });
    }
  }

  function note(what: string, account: number, now: { from: number; text: string }): void {
    const key = `${what} ${account}`;
    const known = seen.get(key) ?? [];
    seen.set(key, known);
    if (known.at(-1)?.text !== now.text) known.push(now);
  }

  function pay({ entry }: LogRecord, outcome: string | undefined): void {
    if (entry.type !== "operation" || outcome !== "executed") return;
    const { operation } = entry;
    if (operation.kind === "deposit") paidIn += BigInt(operation.amount);
    if (operation.kind === "withdraw") paidOut += BigInt(operation.message.amount);
  }

  function observe(record: LogRecord): void {
    const { position, hash } = record;
    const { steps, operation, batch, sealed: batchDone } = node.apply(record);
    orders.observe(steps, batch);
    const own = publishedFills(steps);
    for (const fill of own) fills.push({ ...fill, position });
    const author = authorOf(record);
    if (author !== undefined) {
      const { account, keyIndex } = author;
      const { head } = node.state.session(account).keys[keyIndex]!;
      const outcome = operation?.outcome ?? outcomeOf(steps);
      executed.push({ position, hash, account, head, outcome, fills: own });
    }
    pay(record, operation?.outcome);
    if (totalWorth(node.state) !== paidIn - paidOut) {
      faults.push(`after record ${position} there is more or less money than was paid in`);
    }
    if (batchDone !== undefined) sealed.push({ to: position + 1, root: batchDone.rootAfter });
    look(position + 1);
  }

  look(0);
  for (const record of records) observe(record);
  return {
    root: node.executor.root(),
    head: { position: node.position(), hash: node.hash() },
    ...{ executed, fills, faults, roots: sealed.map(({ root }) => root) },
    rootAt: (to) => sealed.findLast((each) => each.to <= to)?.root ?? genesis,
    found: (what, account, to) =>
      seen.get(`${what} ${account}`)?.findLast(({ from }) => from <= to)?.text ?? "",
  };
}

function authorOf({ entry }: LogRecord): Author | undefined {
  if (entry.type === "message") return entry.author;
  if (entry.type !== "operation" || !("author" in entry.operation)) return undefined;
  return entry.operation.author;
}

/** As receipts say it. */
function outcomeOf(steps: readonly StepRecord[]): string {
  const [first, last] = [steps[0]!, steps.at(-1)!];
  if (first.kind !== "place" || !("order" in last)) return "outcome" in first ? first.outcome : "";
  return last.order.outcome ?? "interrupted";
}

function balanceOf({ state }: NodeState, account: number): string {
  return state.accountIds().includes(account) ? balanceText(state.account(account)) : "";
}
