/**
 * From a signed word to a signed receipt. Every check is made against the state in which the
 * message would be executed, in the same turn, so nothing can change between them.
 */
import { checkMessage, type IncomingMessage } from "../engine/door.ts";
import type { Author, LedgerOperation, OperationRecord, StepRecord } from "../engine/records.ts";
import { effectiveRisk, type Risk } from "../engine/risk.ts";
import { backstopScenario } from "../engine/transactions/backstop.ts";
import type { Receipt, Refused, Submission, SubmitResult } from "../exchangeService.ts";
import type { Clock } from "../ports.ts";
import { KEYS_PER_ACCOUNT } from "../protocol/constants.ts";
import { verify } from "../protocol/eddsa.ts";
import {
  isTradeMessage,
  type LedgerMessage,
  type Message,
  messageFromWord,
  nextHead,
  type TradeMessage,
} from "../protocol/messages.ts";
import type { DoorReject } from "../protocol/rejection.ts";
import type { SeenHead } from "../protocol/seenHead.ts";
import type { TradingKey } from "../protocol/state.ts";
import type { MemoryState } from "../state/memoryState.ts";
import { type Batcher, NoSnapshotError, TRADING_AGE_MS_MAX, type Turn } from "./batcher.ts";
import type { Stop } from "./circuitBreakers.ts";
import { makePlace } from "./purging.ts";
import type { RateLimiter } from "./rateLimiter.ts";
import type { ReceiptDesk } from "./receipts.ts";
import type { Admission } from "./riskQueries.ts";
import { type SeenHeads, seenRefusal } from "./seenHeads.ts";
import { REQUESTS_MAX, type Sequencing } from "./sequencing.ts";

/** Chains whose head before the present one is remembered. */
const HEADS_MAX = 100_000;
/** Messages of one key that may wait behind its own withdraw or transfer. */
const LANE_LENGTH_MAX = 256;

export interface IntakeOptions {
  readonly state: MemoryState;
  readonly batcher: Batcher;
  readonly sequencing: Sequencing;
  readonly receipts: ReceiptDesk;
  readonly clock: Clock;
  readonly takeRate: RateLimiter;
  readonly admission: Admission;
  readonly heads: SeenHeads;
  /** At the backlog bound: new orders are refused, everything else is taken. */
  isOverloaded(): boolean;
  /** Why nothing that could trade is taken, or undefined. */
  stop(): Stop | undefined;
  /** Whether accounts may be liquidated now: the rule of the two snapshots. */
  areTakeoversOpen(now: number): boolean;
  /** The executor refused what the door had let in: a bug, the node must stop. */
  fail(error: unknown): void;
}

/** A message whose form is right, with its author. */
interface Signed {
  readonly author: Author;
  readonly message: Message;
  readonly word: bigint;
  readonly submission: Submission;
}

/** What is refused is returned, not thrown. */
type Checked<T> = { readonly refused: Refused } | { readonly value: T };

interface Lanes {
  /** By key, while one waits: resolves when its last message has been executed or refused. */
  readonly tails: Map<string, Promise<void>>;
  readonly waiting: Map<string, number>;
  /** Chain heads one message back, to tell a stale signature from a wrong one. */
  readonly previousHeads: Map<string, bigint>;
}

/** A message on its way; `executed` is there if that does not happen at once. */
interface Started {
  readonly answer: Promise<SubmitResult>;
  readonly executed?: Promise<void>;
}

export type Intake = (submission: Submission) => Promise<SubmitResult>;

export function createIntake(options: IntakeOptions): Intake {
  const lanes: Lanes = { tails: new Map(), waiting: new Map(), previousHeads: new Map() };
  return async (submission) => {
    const signed = parse(options.state, submission);
    if ("refused" in signed) return signed.refused;
    const { message } = signed.value;
    return inLane(lanes, laneOf(submission), () =>
      isTradeMessage(message)
        ? { answer: submitTrade(options, lanes, signed.value, message) }
        : submitLedger(options, lanes, signed.value, message),
    );
  };
}

function laneOf({ account, keyIndex }: Author): string {
  return `${account}/${keyIndex}`;
}

/**
 * A key's messages are executed in the order in which they came. A withdraw or transfer waits for
 * the next ledger group, and what its key sends after it waits behind it.
 */
async function inLane(lanes: Lanes, lane: string, start: () => Started): Promise<SubmitResult> {
  const previous = lanes.tails.get(lane);
  if (previous === undefined) {
    const { answer, executed } = start();
    if (executed !== undefined) setTail(lanes, lane, executed);
    return answer;
  }
  const waiting = lanes.waiting.get(lane) ?? 0;
  if (waiting >= LANE_LENGTH_MAX) {
    return refuse("rateLimited", "too many messages wait behind a withdraw of this key");
  }
  lanes.waiting.set(lane, waiting + 1);
  return new Promise((resolve, reject) => {
    const turn = previous.then(async () => {
      lanes.waiting.set(lane, (lanes.waiting.get(lane) ?? 1) - 1);
      try {
        const { answer, executed } = start();
        resolve(answer);
        await executed;
      } catch (error) {
        reject(error);
      }
    });
    setTail(lanes, lane, turn);
  });
}

function setTail(lanes: Lanes, lane: string, tail: Promise<void>): void {
  lanes.tails.set(lane, tail);
  void tail.then(() => {
    if (lanes.tails.get(lane) !== tail) return;
    lanes.tails.delete(lane);
    lanes.waiting.delete(lane);
  });
}

function parse(state: MemoryState, submission: Submission): Checked<Signed> {
  const { account, keyIndex, word } = submission;
  const message = messageFromWord(word);
  if (message === undefined) return { refused: refuse("malformed") };
  if (!(Number.isInteger(account) && account >= 0 && account < 4 ** state.shape.accountLevels)) {
    return { refused: refuse("unknownAccount", null, { account }) };
  }
  if (!(Number.isInteger(keyIndex) && keyIndex >= 0 && keyIndex < KEYS_PER_ACCOUNT)) {
    return { refused: refuse("unknownKey", null, { account, keyIndex }) };
  }
  return { value: { author: { account, keyIndex }, message, word, submission } };
}

async function submitTrade(
  options: IntakeOptions,
  lanes: Lanes,
  signed: Signed,
  message: TradeMessage,
): Promise<SubmitResult> {
  const { batcher, receipts, clock } = options;
  const time = clock.now();
  if (message.kind === "place") {
    const stop = options.stop();
    if (stop !== undefined) return refuseStopped(stop);
    if (options.isOverloaded()) return refuse("overloaded");
  }
  if (!isTradeOpen(batcher, message, time)) return refuse("noSnapshot");
  const refused = check(options, lanes, signed, time);
  if (refused !== undefined) return refused;
  const { author, word, submission } = signed;
  const { signature } = submission;
  const entry = { type: "message", author, word, signature, ...seenOf(submission) } as const;
  const head = headOf(options.state, author);
  const turn = execute(options, () => {
    makePlace(batcher, options.state, { message, time });
    return batcher.message(entry, time, message.kind === "place" ? "trade" : "cancels");
  });
  if (turn === undefined) return refuse("noSnapshot");
  remember(lanes, author, head);
  return accept(turn, receipts.trade(author, message, turn.value));
}

/** Orders need marks that are fresh; what takes orders back goes on without. */
export function isTradeOpen(
  batcher: Batcher,
  { kind }: Pick<TradeMessage, "kind">,
  time: number,
): boolean {
  const hasBatch = batcher.current()?.kind === "trade";
  if (kind !== "place") return hasBatch || batcher.canOpen("cancels", time);
  const newest = batcher.newestSnapshot();
  const isFresh = newest !== undefined && time - newest.time < TRADING_AGE_MS_MAX;
  if (!isFresh || !hasBatch) return isFresh && batcher.canOpen("trade", time);
  // A batch of cancels may have been opened by a snapshot that was too old for trading.
  return time - (batcher.batchSnapshot()?.time ?? 0) < TRADING_AGE_MS_MAX;
}

/** Waits for the next ledger group: the checks are made there, against the state of then. */
function submitLedger(
  options: IntakeOptions,
  lanes: Lanes,
  signed: Signed,
  message: LedgerMessage,
): Started {
  let release = (): void => {};
  const executed = new Promise<void>((resolve) => {
    release = resolve;
  });
  const answer = new Promise<SubmitResult>((resolve, reject) => {
    const run = (time: number): void => {
      try {
        resolve(runLedger(options, lanes, { signed, message, time }));
      } catch (error) {
        reject(error);
      }
      release();
    };
    if (options.sequencing.request({ waitingSince: options.clock.now(), run })) return;
    resolve(refuse("overloaded", `${REQUESTS_MAX} ledger messages wait already`));
    release();
  });
  return { answer, executed };
}

function runLedger(
  options: IntakeOptions,
  lanes: Lanes,
  { signed, message, time }: { signed: Signed; message: LedgerMessage; time: number },
): SubmitResult | Promise<SubmitResult> {
  const { sequencing, receipts } = options;
  const refused = check(options, lanes, signed, time);
  if (refused !== undefined) return refused;
  const { author, submission } = signed;
  const operation = operationOf(options, signed, message, time);
  const { signature } = submission;
  const entry = { type: "operation", operation, signature, ...seenOf(submission) } as const;
  const head = headOf(options.state, author);
  const turn = execute(options, () => sequencing.operation(entry, time));
  if (turn === undefined) return refuse("noSnapshot");
  const { value, durable } = turn;
  // Its batch was full: the next one may have another snapshot, so the door is asked again.
  if (value === undefined) return runLedger(options, lanes, { signed, message, time });
  remember(lanes, author, head);
  return accept({ value, durable }, receipts.ledger(author, message, value));
}

/** The entry has the field where the message has it, and in one order of its own fields. */
function seenOf({ seen }: Submission): { readonly seen?: SeenHead } {
  if (seen === undefined) return {};
  const { position, hash, signature } = seen;
  return { seen: { position, hash, signature } };
}

/** A backstop states the scenario that shows it to be due; the door has found that there is one. */
function operationOf(
  options: IntakeOptions,
  { author, word }: Signed,
  message: LedgerMessage,
  now: number,
): LedgerOperation {
  const operation = { kind: message.kind, author, message, word };
  if (message.kind !== "backstop") return operation;
  const risk = riskNow(options, message)!;
  const context = { risk, time: timeNow(options, message, now) };
  const scenario = backstopScenario(options.state, author, message, context);
  return scenario === undefined ? operation : { ...operation, scenario };
}

/** Undefined: no snapshot. Any other failure stops the node: the door had let the message in. */
function execute<T>(options: IntakeOptions, run: () => Turn<T>): Turn<T> | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof NoSnapshotError) return undefined;
    options.fail(error);
    throw error;
  }
}

async function accept<T extends OperationRecord | readonly StepRecord[]>(
  turn: Turn<T>,
  receiptOf: ReturnType<ReceiptDesk["trade"]>,
): Promise<SubmitResult> {
  const records = await turn.durable;
  // The instruction is the last entry of its turn.
  const receipt: Receipt = await receiptOf(records.at(-1)!);
  return { accepted: true, receipt };
}

function check(
  options: IntakeOptions,
  lanes: Lanes,
  signed: Signed,
  now: number,
): Refused | undefined {
  const { state } = options;
  const { author, message, word, submission } = signed;
  const time = timeNow(options, message, now);
  const key = state.session(author.account).keys[author.keyIndex];
  if (state.account(author.account).owner === 0n) return refuse("unknownAccount");
  if (key === undefined || (key.x === 0n && key.y === 0n)) return refuse("unknownKey");
  if (!verify(key, nextHead(key.head, word), submission.signature)) {
    return refuseSignature(lanes, signed, key);
  }
  const { seen } = submission;
  const unseen = seen && seenRefusal(options.heads, { key, word, seen });
  if (unseen !== undefined) return unseen;
  const isCancel = message.kind === "cancel" || message.kind === "cancelAll";
  if (!options.takeRate(author.account, now, isCancel)) return refuse("rateLimited");
  if (message.kind === "backstop") {
    const stop = options.stop();
    if (stop !== undefined) return refuseStopped(stop);
    if (!options.areTakeoversOpen(now)) {
      return refuse("takeoverRefused", "two new snapshots must come first");
    }
  }
  const incoming: IncomingMessage = { author, message, word };
  const openOrders = state.openOrdersOf(author.account);
  const risk = riskNow(options, message);
  const reject = checkMessage(state, incoming, { risk, time, openOrders, ...options.admission });
  return reject === undefined ? undefined : refuse(reject, null, { time });
}

function refuseSignature(lanes: Lanes, signed: Signed, key: TradingKey): Refused {
  const { author, word, submission } = signed;
  const data = { head: key.head };
  const previous = lanes.previousHeads.get(laneOf(author));
  const isStale =
    previous !== undefined && verify(key, nextHead(previous, word), submission.signature);
  if (!isStale) return refuse("badSignature", null, data);
  return refuse("wrongHead", "the signature extends the head before the present one", data);
}

/** Remembers the head that a message has just replaced. */
function remember(lanes: Lanes, author: Author, head: bigint): void {
  const lane = laneOf(author);
  lanes.previousHeads.delete(lane);
  lanes.previousHeads.set(lane, head);
  const [oldest] = lanes.previousHeads.keys();
  if (lanes.previousHeads.size > HEADS_MAX && oldest !== undefined) {
    lanes.previousHeads.delete(oldest);
  }
}

function headOf(state: MemoryState, { account, keyIndex }: Author): bigint {
  return state.session(account).keys[keyIndex]?.head ?? 0n;
}

/** A ledger message comes into the ledger batch that is open. */
function isForOpenLedger({ batcher }: IntakeOptions, message: Message): boolean {
  return !isTradeMessage(message) && batcher.current()?.kind === "ledger";
}

/** The earliest time of the batch that the message comes into. */
function timeNow(options: IntakeOptions, message: Message, now: number): number {
  const { batcher } = options;
  return isForOpenLedger(options, message) ? batcher.current()!.time : batcher.timeAt(now);
}

/** The risk by which the next message will be judged. */
function riskNow(options: IntakeOptions, message: Message): Risk | undefined {
  const { state, batcher } = options;
  const isLedger = isForOpenLedger(options, message);
  const inUse = isLedger ? batcher.batchSnapshot() : batcher.snapshotInUse();
  return inUse === undefined ? undefined : effectiveRisk(state.series(), inUse);
}

function refuseStopped(stop: Stop): Refused {
  return refuse("tradingPaused", null, { ...stop });
}

export function refuse(
  code: DoorReject,
  reason: string | null = null,
  data: Refused["data"] = {},
): Refused {
  return { accepted: false, code, reason, data };
}
