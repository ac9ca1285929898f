/**
 * Sends batches to layer one. The account is used for nothing else, so its next nonce is the place
 * of the next batch: whatever is sent again, after a timeout or by a process that has lost its
 * memory, takes that same nonce, and the chain can include one of them only.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { SealedBatch } from "../batch/sealedBatch.ts";
import type { AnchoredBatch, Clock, DurableValues, Logger } from "../ports.ts";
import { batchesOf } from "./batchCall.ts";
import type { ChainWatch } from "./chainWatch.ts";
import type { Conditions } from "./conditions.ts";
import { type FeeBudget, type FeeLimits, openFeeBudget } from "./feeBudget.ts";
import { guardianPause } from "./guardianPause.ts";
import { confirmAnchored, costOf, fateOf, type Place, readPlace, verdictOf } from "./outcome.ts";
import { readNewest } from "./rollupReader.ts";
import { describeChainError, SettlementError, SettlementPausedError } from "./settlementError.ts";
import { openSubmissions, type Submission, type Submissions } from "./submissions.ts";
import {
  type Call,
  firstSubmission,
  isRefused,
  renewed,
  type TransactionOptions,
} from "./transaction.ts";

export interface BatchSubmitterOptions extends TransactionOptions {
  readonly watch: ChainWatch;
  readonly conditions: Conditions;
  /** Throws where layer one lacks queue entries that the ledger has. */
  readonly assertEntries: () => Promise<void>;
  readonly values: DurableValues;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly feeLimits?: FeeLimits | undefined;
  /** After so long without inclusion the transaction is replaced by one that pays more. */
  readonly replaceMs?: number | undefined;
  readonly pollMs?: number | undefined;
  /** Ends waiting; what has been sent is taken up by the next process. */
  readonly signal?: AbortSignal | undefined;
}

type Calls = readonly [Call, ...Call[]];

export interface BatchSubmitter {
  /**
   * Consecutive batches, in one transaction where layer one takes them so. Resolves with those that
   * are anchored by then, which are the first ones.
   */
  submit(calls: Calls): Promise<readonly AnchoredBatch[]>;
  stats(): { readonly replacements: number; readonly hour: bigint; readonly day: bigint };
}

const REPLACE_MS = 60_000;
const POLL_MS = 1_000;
/** Failed questions in a row after which the caller hears of it, and may simply call again. */
const FAILURES_MAX = 30;

/** What is opened with the first batch. */
interface Desk {
  readonly options: BatchSubmitterOptions;
  readonly submissions: Submissions;
  readonly budget: FeeBudget;
  /** Outlives each call, which every pause ends. */
  readonly sent: Sent;
  replacements: number;
}

/** What has been handed to the endpoint last, and when. */
interface Sent {
  raw: string | undefined;
  at: number;
}

export function createBatchSubmitter(options: BatchSubmitterOptions): BatchSubmitter {
  let turn: Promise<unknown> = Promise.resolve();
  let desk: Desk | undefined;
  const submitInTurn = async (calls: Calls): Promise<readonly AnchoredBatch[]> => {
    desk ??= await openDesk(options);
    return submit(desk, calls);
  };
  return {
    submit: (calls) => {
      // One at a time: a batch is only valid on top of the one before.
      const result = turn.then(() => submitInTurn(calls));
      turn = result.catch(() => undefined);
      return result;
    },
    stats: () => {
      const spent = desk?.budget.spent() ?? { hour: 0n, day: 0n };
      return { replacements: desk?.replacements ?? 0, ...spent };
    },
  };
}

async function openDesk(options: BatchSubmitterOptions): Promise<Desk> {
  const { values, clock, account, feeLimits: limits = {} } = options;
  const submissions = await openSubmissions(values, account.address);
  const budget = await openFeeBudget({ limits, clock, values });
  return { options, submissions, budget, sent: { raw: undefined, at: 0 }, replacements: 0 };
}

/** Looks, and sends where something is to be sent, until the chain has the first batch. */
async function submit(desk: Desk, calls: Calls): Promise<readonly AnchoredBatch[]> {
  const { conditions, logger, signal, pollMs = POLL_MS } = desk.options;
  const { number } = calls[0].batch;
  for (let failures = 0; failures < FAILURES_MAX; ) {
    signal?.throwIfAborted();
    conditions.assertGoing();
    try {
      const anchored = await step(desk, calls);
      if (anchored !== undefined) return anchored;
      failures = 0;
    } catch (error) {
      if (error instanceof SettlementError || error instanceof SettlementPausedError) throw error;
      failures += 1;
      logger.warn("layer one did not answer", { failures, reason: describeChainError(error) });
    }
    await sleep(pollMs);
  }
  throw new SettlementError(`layer one does not answer; batch \`${number}\` may be on its way`);
}

async function step(desk: Desk, calls: Calls): Promise<readonly AnchoredBatch[] | undefined> {
  const { options, submissions, sent } = desk;
  const { reader, watch, account, conditions, clock, replaceMs = REPLACE_MS } = options;
  const [{ batch }] = calls;
  const head = await watch.check();
  const place = await readPlace(reader, account.address, head.hash);
  const submission = await ownSubmission(desk, calls);
  if (place.batch >= batch.number) {
    const anchored = calls.filter((call) => call.batch.number <= place.batch);
    return settle(desk, { batch, others: anchored.slice(1) }, submission);
  }
  if (place.batch !== batch.number - 1 || place.root !== batch.rootBefore) {
    const found = `batch \`${place.batch}\`, root \`${place.root}\``;
    throw new SettlementError(`batch \`${batch.number}\` does not follow layer one's ${found}`);
  }
  // What a reorg took is waited for: a batch that stands on it would revert.
  conditions.assertNotPaused("queue");
  // One endpoint says that nothing is anchored any more.
  conditions.assertNotPaused("frozen");
  if (submission !== undefined && place.nonce > submission.nonce) {
    await judgeUsedNonce(desk, submission);
    return undefined;
  }
  const isSent = submission !== undefined && sent.raw === submission.raw;
  const isDue = isSent && clock.now() - sent.at >= replaceMs;
  if (isSent && !isDue) {
    conditions.resume("nonce");
    return undefined;
  }
  const next = await nextTransaction(desk, { calls, place, submission, isDue }).catch(
    async (error) => {
      // A transaction of an earlier process may have been included a moment ago.
      if ((await readNewest(reader)).batch < batch.number) throw error;
    },
  );
  if (next === undefined) return undefined;
  if (next !== submission) {
    // On disk before anybody else can have it.
    await submissions.put(next);
    const { nonce, gas, fees, hashes } = next;
    const hash = hashes.at(-1);
    const sending = { number: batch.number, count: batchesOf(next.raw).length };
    options.logger.info("sending batch", { ...sending, nonce, hash, gas, ...fees });
  }
  conditions.resume("nonce");
  await fillGap(desk, next, place);
  await send(options, next);
  sent.raw = next.raw;
  sent.at = clock.now();
  return undefined;
}

/**
 * After a reorg in which somebody else anchored an earlier batch, its own transaction must be sent
 * all the same, and fail: the chain takes no nonce before the one below it.
 */
async function fillGap({ options, submissions }: Desk, next: Submission, place: Place) {
  for (let nonce = place.nonce; nonce < next.nonce; nonce++) {
    const earlier = await submissions.withNonce(nonce);
    if (earlier === undefined) {
      const message = `nonce \`${nonce}\` is unused, batch \`${next.batch}\` has \`${next.nonce}\``;
      throw options.conditions.pause("nonce", message);
    }
    await send(options, earlier);
  }
}

/** What the first batch was signed in; the others of that transaction must be these as well. */
async function ownSubmission({ submissions }: Desk, calls: Calls): Promise<Submission | undefined> {
  const { number } = calls[0].batch;
  const submission = await submissions.of(number);
  if (submission === undefined) return undefined;
  const signed = batchesOf(submission.raw);
  for (const [index, { batch }] of calls.entries()) {
    if (signed[index] === undefined || signed[index].commitment === batch.commitment) continue;
    throw new SettlementError(
      `another batch \`${batch.number}\` has been signed and may be on its way`,
    );
  }
  return submission;
}

/** The transaction that should be on its way: the one that is, or a new one. */
async function nextTransaction(
  desk: Desk,
  found: {
    readonly calls: Calls;
    readonly place: Place;
    readonly submission: Submission | undefined;
    readonly isDue: boolean;
  },
): Promise<Submission> {
  const { options, budget } = desk;
  const { conditions, logger } = options;
  const { calls, place, submission, isDue } = found;
  const { number } = calls[0].batch;
  const reserve = async (wei: bigint): Promise<string | undefined> => budget.reserve(number, wei);
  const onAlone = (reason: string): void =>
    logger.warn("batches are not taken together: the first goes alone", { number, reason });
  if (submission === undefined) {
    const outbid = await outbidAt(desk, place);
    const first = await firstSubmission(options, { calls, place, outbid, reserve, onAlone });
    if (typeof first === "string") throw conditions.pause("fees", first);
    conditions.resume("fees");
    return first;
  }
  const next = await renewed(options, submission, { calls, isDue, reserve, onAlone });
  if (typeof next === "string") {
    // What is on its way stays there: it is paid for.
    conditions.pause("fees", next);
    return submission;
  }
  if (next === submission) return submission;
  conditions.resume("fees");
  desk.replacements += 1;
  return next;
}

/**
 * The transaction with the same nonce that may still wait, because somebody else has anchored its
 * batch: it is to be outbid. If its batch was anchored by itself, the nonce is out of date.
 */
async function outbidAt({ options, submissions }: Desk, place: Place) {
  const waiting = await submissions.withNonce(place.nonce);
  if (waiting === undefined || waiting.batch > place.batch) return waiting;
  const receipts = await fateOf(options.reader, waiting.hashes);
  if (receipts === "none") return waiting;
  const message = `layer one's endpoint says \`${place.nonce}\` is the next nonce`;
  throw options.conditions.pause("nonce", `${message}, but batch \`${waiting.batch}\` has used it`);
}

/**
 * The nonce of the batch's transaction is used up, and the batch is not there. Only what both
 * endpoints say of it counts: a new nonce, and an end, are for good.
 */
async function judgeUsedNonce(desk: Desk, submission: Submission): Promise<void> {
  const { options, submissions, budget } = desk;
  const { reader, witness, account, conditions, logger } = options;
  const { batch, nonce, hashes } = submission;
  const { fate, isFinal } = await verdictOf(reader, account.address, submission);
  const its = witness && (await verdictOf(witness, account.address, submission));
  if (its !== undefined && (its.fate !== fate || its.isFinal !== isFinal)) {
    const said = `batch \`${batch}\`: \`${fate}\` and \`${its.fate}\`, final: ${isFinal}`;
    throw conditions.pause("nonce", `the endpoints disagree on ${said} and ${its.isFinal}`);
  }
  if (fate === "anchored" || fate === "open") return;
  const used = `nonce \`${nonce}\` of batch \`${batch}\` was used, the batch is not there`;
  if (fate === "mined") throw conditions.pause("nonce", used);
  const why = fate === "reverted" ? await judgeRevert(options, submission) : "";
  // Beyond the reach of reorgs no transaction with that nonce can come any more.
  if (!isFinal) throw conditions.pause(fate === "reverted" ? "batch" : "nonce", used + why);
  logger.error("the batch is signed anew", { batch, nonce, fate, hash: hashes.at(-1) });
  // Whatever is signed next reserves anew: this has been paid, and a replaced one may have been.
  await budget.settle(batch, await costOf(reader, hashes));
  await submissions.remove(batch);
}

/**
 * What would revert again stops the node; what would not came at a bad moment, and waits. Returns
 * what is known of that.
 */
async function judgeRevert(
  options: BatchSubmitterOptions,
  submission: Submission,
): Promise<string> {
  const { reader, conditions, assertEntries } = options;
  // A batch with entries that a reorg took reverts until they are back.
  await assertEntries();
  const { batch, raw, hashes } = submission;
  // Of several the first is tried alone next: only what a batch by itself does says what it is.
  if (batchesOf(raw).length === 1 && (await isRefused(options, submission))) {
    throw conditions.stop(`batch \`${batch}\` reverted in transaction \`${hashes.at(-1)}\``);
  }
  const pause = await guardianPause(reader);
  return pause === undefined ? ": it reverted" : `: it reverted; ${pause}`;
}

async function send({ reader, logger }: BatchSubmitterOptions, { raw, batch }: Submission) {
  try {
    await reader.client.sendRawTransaction({ serializedTransaction: raw });
  } catch (error) {
    // Known already, outbid, or its nonce just used up: the chain tells, not this answer.
    logger.warn("a transaction was not taken", { batch, reason: describeChainError(error) });
  }
}

async function settle(
  { options, budget, sent }: Desk,
  { batch, others }: { readonly batch: SealedBatch; readonly others: readonly Call[] },
  submission: Submission | undefined,
): Promise<readonly AnchoredBatch[]> {
  const { reader, conditions, logger } = options;
  const first = await confirmAnchored(reader, batch);
  const rest: AnchoredBatch[] = [];
  for (const other of others) rest.push(await confirmAnchored(reader, other.batch));
  for (const topic of ["batch", "fees", "balance", "nonce"] as const) conditions.resume(topic);
  // If a reorg takes it, it gets its time in the pool once more.
  sent.raw = undefined;
  const own = submission?.hashes.filter((hash) => hash === first.transaction) ?? [];
  const wei = own.length > 0 ? await costOf(reader, own) : 0n;
  await budget.settle(batch.number, wei);
  const { hour, day } = budget.spent();
  const mined = { number: batch.number, count: 1 + rest.length };
  logger.info("batch mined", { ...mined, wei, spentHour: hour, spentDay: day });
  return [first, ...rest];
}
