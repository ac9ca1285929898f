/**
 * From a signed word to a signed receipt. Every check is made against the state in which the
 * message would be executed, in the same turn, so nothing can change between them.
 */
import { isTaking, type OrderingState } from "../batch/fairOrder.ts";
import type { Author, LedgerOperation, OperationRecord, StepRecord } from "../engine/records.ts";
import { backstopScenario } from "../engine/transactions/backstop.ts";
import type { Receipt, Refused, Submission, SubmitResult } from "../exchangeService.ts";
import type { SignatureDesk } from "../ports.ts";
import { isTradeMessage, type LedgerMessage, type TradeMessage } from "../protocol/messages.ts";
import type { Turn } from "./batcher.ts";
import type { Scheduler } from "./certifier.ts";
import {
  admit,
  closedTo,
  type Door,
  judge,
  keyRefusal,
  type Link,
  parse,
  refuse,
  riskNow,
  type Signed,
  staleAt,
  timeNow,
} from "./doorChecks.ts";
import { type Chain, createKeyLanes, type KeyLanes, type Started } from "./keyLanes.ts";
import type { Deployment } from "./nodeState.ts";
import { NoSnapshotError } from "./opening.ts";
import {
  admitPlace,
  type PackageRequest,
  type PackageResult,
  submitPackage,
} from "./packageTurn.ts";
import { makePlace } from "./purging.ts";
import { createRateLimiter, type RateLimit, type RateLimiter } from "./rateLimiter.ts";
import { createReceiptDesk, type DigestSigner, type ReceiptDesk } from "./receipts.ts";
import { createReleaseQueue, type ReleaseQueue } from "./releaseQueue.ts";
import { REQUESTS_MAX, type Sequencing } from "./sequencing.ts";
import { createSignaturesAhead, type SignaturesAhead } from "./signaturesAhead.ts";
import { messageEntry, seenOf } from "./signedEntry.ts";

export interface IntakeOptions extends Omit<Door, "lanes" | "takeRate"> {
  readonly sequencing: Sequencing;
  readonly deployment: Pick<Deployment, "domain" | "fairOrder" | "sizes">;
  readonly rate: RateLimit;
  readonly receiptSigner: DigestSigner;
  readonly scheduler: Scheduler;
  readonly signatures: SignatureDesk;
  /** What the log has said before. */
  readonly ordering: OrderingState;
  /** The executor refused what the door had let in: a bug, the node must stop. */
  fail(error: unknown): void;
  /** Throws where the node has stopped. */
  assertRunning(): void;
}

interface Desk extends IntakeOptions {
  readonly takeRate: RateLimiter;
  readonly receipts: ReceiptDesk;
  readonly lanes: KeyLanes;
  readonly queue: ReleaseQueue;
  readonly ahead: SignaturesAhead;
}

export interface Intake {
  submit(submission: Submission): Promise<SubmitResult>;
  /** Begins when everything that the key has sent before is executed; undefined: too much waits. */
  inLane<T>(author: Author, begin: () => T | Promise<T>): Promise<T> | undefined;
  /** Several words in one turn: all of it is done, or nothing. */
  submitPackage(request: PackageRequest): Promise<PackageResult>;
  /** Whether the word is that of an order that its key could send now. Costs one of its rate. */
  admitPlace(submission: Submission): ReturnType<typeof admitPlace>;
  /** Refuses what waits for its round. */
  close(): void;
}

export function createIntake(options: IntakeOptions): Intake {
  const { deployment, ordering, clock, scheduler, state, batcher, receiptSigner: signer } = options;
  const { domain, fairOrder: rule } = deployment;
  const lanes = createKeyLanes();
  const desk: Desk = {
    ...options,
    takeRate: createRateLimiter(options.rate),
    receipts: createReceiptDesk({ state, batcher, domain, signer }),
    lanes,
    ahead: createSignaturesAhead({ state, lanes, desk: options.signatures }),
    queue: createReleaseQueue({ rule, ordering, clock, scheduler }),
  };
  return {
    submit: async (submission) => {
      const signed = parse(state, submission);
      if ("refused" in signed) return signed.refused;
      const { author, message } = signed.value;
      const answer = desk.lanes.start(author, isTradeMessage(message), () =>
        isTradeMessage(message)
          ? submitTrade(desk, signed.value, message)
          : submitLedger(desk, signed.value, message),
      );
      const tooMany = "too many messages wait behind a withdraw of this key";
      return answer ?? refuse("rateLimited", tooMany);
    },
    inLane: (author, begin) => desk.lanes.start(author, false, () => ({ answer: begin() })),
    submitPackage: (request) => submitPackage(desk, request),
    admitPlace: (submission) => {
      // It extends what its key has sent before.
      desk.ahead.settle(submission);
      return admitPlace(desk, submission);
    },
    close: () => {
      desk.ahead.flush();
      desk.queue.close();
    },
  };
}

function submitTrade(desk: Desk, signed: Signed, message: TradeMessage): Started {
  const closed = closedTo(desk, message);
  if (closed !== undefined) return { answer: closed };
  return desk.ahead.start(signed, () => takeTrade(desk, signed, message));
}

/** Waits for the end of its round: what hangs on the state is checked there. */
function takeTrade(desk: Desk, signed: Signed, message: TradeMessage): Started {
  const { lanes, queue } = desk;
  const { author } = signed;
  const admitted = admit(desk, signed);
  if ("refused" in admitted) return { answer: admitted.refused };
  const { before, after } = admitted.value;
  const answer = defer<SubmitResult>();
  const executed = defer<void>();
  let chain: Chain | undefined;
  let isOver = false;
  const end = (isExecuted: boolean): void => {
    isOver = true;
    if (chain !== undefined) lanes.left(author, chain, isExecuted);
    executed.resolve();
  };
  const place = queue.take({
    isTaker: isTaking(message),
    behind: lanes.chain(author)?.place,
    run: (arrived) => {
      const ran = attempt(() => runTrade(desk, { signed, message, arrived, before }));
      end("answer" in ran);
      if ("failure" in ran) answer.reject(ran.failure);
      else answer.resolve("answer" in ran ? ran.answer : ran.refused);
    },
    drop: () => {
      end(false);
      answer.resolve(refuse("overloaded", "the node stops: nothing was sequenced"));
    },
  });
  if (place === undefined) {
    return { answer: refuse("overloaded", "too many messages wait for their round") };
  }
  if (isOver) return { answer: answer.promise };
  chain = lanes.extend(author, { head: after, previous: before, place });
  return { answer: answer.promise, executed: executed.promise };
}

type Ran =
  | { readonly answer: Promise<SubmitResult> }
  | { readonly refused: Refused }
  | { readonly failure: unknown };

function attempt(run: () => Ran): Ran {
  try {
    return run();
  } catch (failure) {
    return { failure };
  }
}

interface Turned extends Pick<Link, "before"> {
  readonly signed: Signed;
  readonly message: TradeMessage;
  readonly arrived: number;
}

function runTrade(desk: Desk, { signed, message, arrived, before }: Turned): Ran {
  const { batcher, receipts, clock, state, lanes } = desk;
  const { author, submission } = signed;
  desk.assertRunning();
  const time = clock.now();
  const closed = closedTo(desk, message) ?? staleAt(desk, message, time);
  if (closed !== undefined) return { refused: closed };
  const refused = keyRefusal(desk, author, before) ?? judge(desk, signed, time);
  if (refused !== undefined) return { refused };
  const entry = messageEntry(submission, arrived);
  const turn = execute(desk, () => {
    makePlace(batcher, state, { message, time });
    return batcher.message(entry, time, message.kind === "place" ? "trade" : "cancels");
  });
  if (turn === undefined) return { refused: refuse("noSnapshot") };
  lanes.replaced(author, before);
  return { answer: accept(turn, receipts.trade(author, message, { steps: turn.value, arrived })) };
}

/** Waits for the next ledger group: what hangs on the state is checked there. */
function submitLedger(desk: Desk, signed: Signed, message: LedgerMessage): Started {
  const admitted = admit(desk, signed);
  if ("refused" in admitted) return { answer: admitted.refused };
  const { before } = admitted.value;
  const answer = defer<SubmitResult>();
  const executed = defer<void>();
  const run = (time: number): void => {
    try {
      answer.resolve(runLedger(desk, { signed, message, before, time }));
    } catch (error) {
      answer.reject(error);
    }
    executed.resolve();
  };
  if (desk.sequencing.request({ waitingSince: desk.clock.now(), run })) {
    return { answer: answer.promise, executed: executed.promise };
  }
  return { answer: refuse("overloaded", `${REQUESTS_MAX} ledger messages wait already`) };
}

interface Grouped extends Pick<Link, "before"> {
  readonly signed: Signed;
  readonly message: LedgerMessage;
  readonly time: number;
}

function runLedger(desk: Desk, grouped: Grouped): SubmitResult | Promise<SubmitResult> {
  const { signed, message, before, time } = grouped;
  const { sequencing, receipts, lanes } = desk;
  const { author, submission } = signed;
  const refused = keyRefusal(desk, author, before) ?? judge(desk, signed, time);
  if (refused !== undefined) return refused;
  const operation = operationOf(desk, signed, message, time);
  const { signature } = submission;
  const entry = { type: "operation", operation, signature, ...seenOf(submission) } as const;
  const turn = execute(desk, () => sequencing.operation(entry, time));
  if (turn === undefined) return refuse("noSnapshot");
  const { value, durable } = turn;
  // Its batch was full: the next one may have another snapshot, so the door is asked again.
  if (value === undefined) return runLedger(desk, grouped);
  lanes.replaced(author, before);
  return accept({ value, durable }, receipts.ledger(author, message, value));
}

/** A backstop states the scenario that shows it to be due; the door has found that there is one. */
function operationOf(
  desk: Desk,
  { author, word }: Signed,
  message: LedgerMessage,
  now: number,
): LedgerOperation {
  const operation = { kind: message.kind, author, message, word };
  if (message.kind !== "backstop") return operation;
  const risk = riskNow(desk, message)!;
  const context = { risk, time: timeNow(desk, message, now) };
  const scenario = backstopScenario(desk.state, author, message, context);
  return scenario === undefined ? operation : { ...operation, scenario };
}

/** Undefined: no snapshot. Any other failure stops the node: the door had let the message in. */
function execute<T>(desk: Desk, run: () => Turn<T>): Turn<T> | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof NoSnapshotError) return undefined;
    desk.fail(error);
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

interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T | Promise<T>): void;
  reject(reason: unknown): void;
}

function defer<T>(): Deferred<T> {
  let settle = {} as Pick<Deferred<T>, "resolve" | "reject">;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
}
