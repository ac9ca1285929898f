/**
 * Executes a package: resting orders of makers and, directly after them, the fill-or-kill order
 * that takes them, in one turn and one append. What would come of it is found out first, by the
 * same engine and on the very state: only where every part of it succeeds is anything sequenced.
 */
import { fokSteps } from "../batch/sizes.ts";
import type { StepRecord } from "../engine/records.ts";
import { publishedFills, sequenceMessage } from "../engine/trade.ts";
import type { Receipt, Refused, Submission } from "../exchangeService.ts";
import type { PlaceMessage } from "../protocol/messages.ts";
import { orderIdText } from "../protocol/orderId.ts";
import {
  admit,
  type Checked,
  closedTo,
  type Door,
  judge,
  keyRefusal,
  parse,
  refuse,
  riskNow,
  type Signed,
  staleAt,
} from "./doorChecks.ts";
import type { KeyLanes, Started } from "./keyLanes.ts";
import type { Deployment } from "./nodeState.ts";
import { NoSnapshotError } from "./opening.ts";
import { makePlace } from "./purging.ts";
import type { ReceiptDesk } from "./receipts.ts";
import type { PackageTimes, ReleaseQueue } from "./releaseQueue.ts";
import { messageEntry } from "./signedEntry.ts";

export interface PackageDesk extends Door {
  readonly deployment: Pick<Deployment, "sizes">;
  readonly receipts: ReceiptDesk;
  readonly lanes: KeyLanes;
  readonly queue: ReleaseQueue;
  fail(error: unknown): void;
  assertRunning(): void;
}

/** A maker's word, found to be signed; `before` is the head of its key that it extends. */
export interface PackageMaker {
  readonly word: Submission;
  readonly message: PlaceMessage;
  readonly before: bigint;
  /** All of it is filled, or nothing is traded. */
  readonly isWhole: boolean;
}

export interface PackageRequest {
  readonly taker: Submission;
  /**
   * Makers whose words would fill it, as it is when its turn has come, without those that were
   * found not to. Undefined: there is no further way.
   */
  plan(excluded: ReadonlySet<PackageMaker>): readonly PackageMaker[] | undefined;
}

/** Ways to fill a package that are tried. */
const TRIES_MAX = 16;

/** What became of a maker's order. */
export interface MakerOrder {
  readonly maker: PackageMaker;
  readonly orderId: string;
  readonly filledLots: number;
  readonly restingLots: number;
}

/** `maker` is undefined for orders that rested in the book before. */
export interface PackageFill {
  readonly price: number;
  readonly lots: number;
  readonly maker: PackageMaker | undefined;
}

export interface PackageDone {
  readonly accepted: true;
  readonly receipt: Receipt;
  readonly orders: readonly MakerOrder[];
  readonly fills: readonly PackageFill[];
}
export type PackageResult = PackageDone | Refused;

/** A place that the door would take now, and the head that it extends. */
export function admitPlace(
  door: Door,
  submission: Submission,
): Checked<{ readonly message: PlaceMessage; readonly before: bigint }> {
  const parsed = parse(door.state, submission);
  if ("refused" in parsed) return parsed;
  const { message } = parsed.value;
  if (message.kind !== "place") {
    return { refused: refuse("malformed", "the word is not that of an order") };
  }
  const admitted = admit(door, parsed.value);
  if ("refused" in admitted) return admitted;
  // Asked again in its turn; what could not be executed now nobody is to count on.
  const refused = judge(door, parsed.value, door.clock.now());
  return refused === undefined
    ? { value: { message, before: admitted.value.before } }
    : { refused };
}

/** Resolves when it is durable, or refused. What the taker's key sends meanwhile waits. */
export async function submitPackage(
  desk: PackageDesk,
  request: PackageRequest,
): Promise<PackageResult> {
  const { account, keyIndex } = request.taker;
  const parsed = parse(desk.state, request.taker);
  if ("refused" in parsed) return parsed.refused;
  const begin = (): Started<PackageResult> => start(desk, request);
  const answer = desk.lanes.start({ account, keyIndex }, false, begin);
  return answer ?? refuse("rateLimited", "too many messages of this key wait already");
}

function start(desk: PackageDesk, request: PackageRequest): Started<PackageResult> {
  const admitted = admitPlace(desk, request.taker);
  if ("refused" in admitted) return { answer: admitted.refused };
  const { before, message } = admitted.value;
  const closed = closedTo(desk, message);
  if (closed !== undefined) return { answer: closed };
  let over = (): void => undefined;
  const executed = new Promise<void>((resolve) => {
    over = resolve;
  });
  const answer = new Promise<PackageResult>((resolve, reject) => {
    const isTaken = desk.queue.takePackage({
      run: (arrived) => {
        const maker = { word: request.taker, message, before, isWhole: true };
        try {
          resolve(run(desk, { request, taker: maker, arrived }));
        } catch (error) {
          reject(error);
        }
        over();
      },
      drop: () => {
        over();
        resolve(refuse("overloaded", "the node stops: nothing was sequenced"));
      },
    });
    if (isTaken) return;
    over();
    resolve(refuse("overloaded", "too many packages wait for their round"));
  });
  return { answer, executed };
}

interface Turned {
  readonly request: PackageRequest;
  readonly taker: PackageMaker;
  readonly arrived: PackageTimes;
}

function run(desk: PackageDesk, turned: Turned): PackageResult | Promise<PackageResult> {
  desk.assertRunning();
  try {
    const chosen = chooseInOneBatch(desk, turned);
    if ("refused" in chosen) return chosen.refused;
    return execute(desk, turned, chosen.value);
  } catch (error) {
    if (error instanceof NoSnapshotError) return refuse("noSnapshot");
    desk.fail(error);
    throw error;
  }
}

/** Makers that are needed, and the steps of their words and of the taker's. */
interface Chosen {
  readonly makers: readonly PackageMaker[];
  readonly steps: readonly (readonly StepRecord[])[];
}

/** A batch has one snapshot: in the next one all of it would be judged anew. */
function chooseInOneBatch(desk: PackageDesk, turned: Turned): Checked<Chosen> {
  const { batcher, clock } = desk;
  if (batcher.isOrderCarried()) batcher.finishTrades(clock.now());
  const chosen = choose(desk, turned);
  if ("refused" in chosen || batcher.hasRoom(chosen.value.steps)) return chosen;
  batcher.end();
  const again = choose(desk, turned);
  if ("refused" in again || batcher.hasRoom(again.value.steps)) return again;
  return { refused: refuse("packageUnfilled", "it meets more accounts than a batch has room for") };
}

/** The first way that fills it, without the makers that others have left nothing for. */
function choose(desk: PackageDesk, { request, taker }: Turned): Checked<Chosen> {
  const now = desk.clock.now();
  const closed = closedTo(desk, taker.message) ?? staleAt(desk, taker.message, now);
  if (closed !== undefined) return { refused: closed };
  const excluded = new Set<PackageMaker>();
  let first: Refused | undefined;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const makers = request.plan(excluded);
    if (makers === undefined) break;
    const rehearsed = rehearse(desk, { makers, taker, now });
    if (!("refused" in rehearsed)) return prune(desk, { makers, taker, now }, rehearsed);
    const { refused, at = makers.find(({ isWhole }) => isWhole) } = rehearsed;
    first ??= refused;
    if (at === undefined) break;
    excluded.add(at);
  }
  return { refused: first ?? refuse("packageUnfilled", "there are no quotes within the limit") };
}

/** Whoever is not needed is not sequenced: nothing of the word would come but a resting order. */
function prune(desk: PackageDesk, tried: Tried, { steps, idle }: Rehearsed): Checked<Chosen> {
  const makers = tried.makers.filter((maker) => !idle.has(maker));
  if (idle.size === 0) return { value: { makers, steps } };
  const again = rehearse(desk, { ...tried, makers });
  return "refused" in again ? again : { value: { makers, steps: again.steps } };
}

interface Tried {
  readonly makers: readonly PackageMaker[];
  readonly taker: PackageMaker;
  readonly now: number;
}

interface Rehearsed {
  readonly steps: readonly (readonly StepRecord[])[];
  /** Makers of whom nothing was taken. */
  readonly idle: ReadonlySet<PackageMaker>;
}

/** `at`: the maker without whom it may succeed. */
interface Unfilled {
  readonly refused: Refused;
  readonly at?: PackageMaker;
}

/** What would come of it, on the state as it is; afterwards the state is as it was. */
function rehearse(desk: PackageDesk, { makers, taker, now }: Tried): Rehearsed | Unfilled {
  const { state, batcher } = desk;
  for (const { message } of makers) makePlace(batcher, state, { message, time: now });
  const point = state.checkpoint();
  try {
    const steps: (readonly StepRecord[])[] = [];
    for (const one of [...makers, taker]) {
      const done = rehearseOne(desk, one, now);
      const at = one === taker ? {} : { at: one };
      if ("refused" in done) return { refused: ofSide(done.refused, one === taker), ...at };
      steps.push(done.value);
      const outcome = outcomeOf(done.value);
      if (outcome === (one === taker ? "filled" : "rested")) continue;
      const whose = one === taker ? "the taker's order" : "a maker's order";
      return { refused: refuse("packageUnfilled", `${whose} would end as \`${outcome}\``), ...at };
    }
    const filled = filledOf(makers, steps);
    const cut = makers.find((maker) => maker.isWhole && filled.get(maker) !== maker.message.lots);
    if (cut !== undefined) {
      const text = "orders that rest in the book at as good a price go first, and leave a rest";
      return { refused: refuse("packageUnfilled", text), at: cut };
    }
    return { steps, idle: new Set(makers.filter((maker) => !filled.has(maker))) };
  } finally {
    state.rollback(point);
    state.commit();
  }
}

/** Who the maker is, its taker may not know. */
function ofSide({ code, reason }: Refused, isTaker: boolean): Refused {
  return refuse(code, reason, { side: isTaker ? "taker" : "maker" });
}

function rehearseOne(
  desk: PackageDesk,
  one: PackageMaker,
  now: number,
): Checked<readonly StepRecord[]> {
  const { state, batcher, deployment } = desk;
  const signed = signedOf(one);
  const refused = keyRefusal(desk, signed.author, one.before) ?? judge(desk, signed, now);
  if (refused !== undefined) return { refused };
  const batch = batcher.current();
  const time = batch?.kind === "trade" ? batch.time : batcher.timeAt(now);
  // The door has just found one.
  const risk = riskNow(desk, one.message)!;
  const rules = { risk, time, fokSteps: fokSteps(deployment.sizes.trade) };
  const { author, word } = signed;
  return { value: sequenceMessage(state, { author, message: one.message, word }, rules) };
}

function signedOf({ word: submission, message }: PackageMaker): Signed {
  const { account, keyIndex, word } = submission;
  return { author: { account, keyIndex }, message, word, submission };
}

function outcomeOf(steps: readonly StepRecord[]): string | undefined {
  const last = steps.at(-1);
  return last !== undefined && "order" in last ? last.order.outcome : undefined;
}

/** Lots that the last message, the taker's, takes of each maker's. */
function filledOf(
  makers: readonly PackageMaker[],
  steps: readonly (readonly StepRecord[])[],
): ReadonlyMap<PackageMaker, number> {
  const filled = new Map<PackageMaker, number>();
  for (const { maker, lots } of fillsOf(makers, steps)) {
    if (maker !== undefined) filled.set(maker, (filled.get(maker) ?? 0) + lots);
  }
  return filled;
}

function fillsOf(
  makers: readonly PackageMaker[],
  steps: readonly (readonly StepRecord[])[],
): PackageFill[] {
  const bySeq = new Map(makers.map((maker, index) => [seqOf(steps[index]), maker]));
  return publishedFills(steps.at(-1) ?? []).map(({ price, lots, makerSeq }) => {
    return { price, lots, maker: bySeq.get(makerSeq) };
  });
}

function seqOf(steps: readonly StepRecord[] | undefined): number {
  const first = steps?.[0];
  return first !== undefined && "seq" in first ? first.seq : 0;
}

function execute(
  desk: PackageDesk,
  { taker, arrived }: Turned,
  { makers }: Chosen,
): Promise<PackageResult> {
  const { batcher, receipts, lanes, clock } = desk;
  const all = [...makers, taker];
  const entries = all.map((one) => {
    return messageEntry(one.word, one === taker ? arrived.taker : arrived.makers);
  });
  const { value: steps, durable } = batcher.messages(entries, clock.now());
  const receiptOf = receipts.trade(signedOf(taker).author, taker.message, {
    ...{ steps: steps.at(-1) ?? [], arrived: arrived.taker },
  });
  for (const one of all) lanes.replaced(signedOf(one).author, one.before);
  const filled = filledOf(makers, steps);
  const orders = makers.map((maker, index): MakerOrder => {
    const { book, isSell, price } = maker.message;
    const seq = seqOf(steps[index]);
    const side = desk.state.book(book)?.[isSell ? "asks" : "bids"] ?? [];
    const restingLots = side.find((entry) => entry.seq === seq)?.lots ?? 0;
    const orderId = orderIdText({ book, isSell, price, seq });
    return { maker, orderId, filledLots: filled.get(maker) ?? 0, restingLots };
  });
  const fills = fillsOf(makers, steps);
  const finish = async (): Promise<PackageResult> => {
    const records = await durable;
    return { accepted: true, receipt: await receiptOf(records.at(-1)!), orders, fills };
  };
  return finish();
}
