/**
 * Holds words until their conditions have come true, and then submits each as if it had just
 * arrived. What excludes double action is the key's chain: a word that was sequenced extends a head
 * that is gone. So whatever a crash interrupts may be tried again.
 */
import type { Author } from "../engine/records.ts";
import type {
  ExchangeEvent,
  Receipt,
  Refused,
  Submission,
  SubmitResult,
} from "../exchangeService.ts";
import type { Clock, Logger } from "../ports.ts";
import {
  type Drop,
  HELD_MAX,
  HELD_PER_ACCOUNT_MAX,
  type HeldInfo,
  type HeldRequest,
} from "../protocol/heldWord.ts";
import { type Message, messageFromWord } from "../protocol/messages.ts";
import type { DoorReject } from "../protocol/rejection.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { AccountRecords, HeldRecord } from "./accountRecords.ts";
import { refuse } from "./doorChecks.ts";
import type { Effect } from "./effect.ts";
import type { HeldBook, HeldEnd } from "./heldBook.ts";
import { chainedRecords, formRefusal, signatureRefusal } from "./heldLeaving.ts";
import type { HeldNews, HeldTrail } from "./heldTrail.ts";
import { createHeldWatch, type HeldWatch } from "./heldWatch.ts";
import type { RateLimiter } from "./rateLimiter.ts";

/** Words that are submitted in one turn: others must not wait for all of a cascade. */
const SENT_PER_TICK_MAX = 64;
/** Until a word that a closed door has refused is tried again (ms). */
const RETRY_MS = 100;

/** The door is closed to everybody for a while: the word's condition stays true meanwhile. */
const PASSING: ReadonlySet<DoorReject> = new Set([
  ...(["tradingPaused", "overloaded", "noSnapshot", "rateLimited"] as const),
]);
/** The head that the word extends may be that of a message that waits for its round. */
const HEAD_REFUSALS: ReadonlySet<DoorReject> = new Set(["wrongHead", "badSignature"]);

export interface HeldOptions {
  readonly state: MemoryState;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly records: AccountRecords;
  readonly book: HeldBook;
  readonly trail: HeldTrail;
  readonly takeRate: RateLimiter;
  readonly snapshot: () => Snapshot | undefined;
  submit(submission: Submission): Promise<SubmitResult>;
  /** Begins when everything that the key has sent before is executed. */
  inLane<T>(author: Author, begin: () => T | Promise<T>): Promise<T> | undefined;
  /**
   * Nobody else writes this log, ever. Where others do, their clients may have withdrawn from them
   * what was left here before: nothing of it acts.
   */
  readonly isSoleWriter: boolean;
  /** Why its key may not say this, or undefined. */
  scopeRefusal(author: Author, message: Message): Refused | undefined;
  isLiveOrder(account: number, orderId: string): boolean;
  publish(event: ExchangeEvent): void;
  /** The disk has refused a record. */
  fail(error: unknown): void;
}

export type HeldResult =
  | {
      readonly accepted: true;
      readonly held: readonly HeldInfo[];
      /** Of a word without condition that has gone out at once. */
      readonly sent: Promise<SubmitResult> | undefined;
    }
  | Refused;

export interface HeldWords {
  /** Resolves when the words are durable, or refused. */
  hold(request: HeldRequest): Promise<HeldResult>;
  /** Resolves when it is durable that these words will not act; ids of those that will not. */
  withdraw(
    account: number,
    wanted: (held: HeldRecord) => boolean,
    reason?: Drop,
  ): Promise<readonly string[]>;
  list(account: number): readonly HeldInfo[];
  /** Newest first. */
  history(account: number): readonly HeldInfo[];
  /** Something has happened that words wait for: neither a price, nor a time, nor a fill. */
  meet(account: number, isOf: (condition: HeldRecord["conditions"][number]) => boolean): void;
  /** See {@link HeldTrail}; both are called for every turn. */
  executed(effect: Effect): void;
  durable(turn: { effects: readonly Effect[]; events: readonly ExchangeEvent[] }): void;
  /** Looks at prices, times and heads, and submits what is due. */
  tick(now: number): void;
}

interface Desk extends HeldOptions {
  readonly watch: HeldWatch;
  /** Words whose conditions have all come true. */
  readonly ready: Set<HeldRecord>;
  /** Of them, those that have been submitted. */
  readonly sending: Set<HeldRecord>;
  /** By word, when it may be tried again (unix ms). */
  readonly retryAt: WeakMap<HeldRecord, number>;
  /** Words that are not durable yet. */
  readonly arriving: Set<HeldRecord>;
}

export function createHeldWords(options: HeldOptions): HeldWords {
  const desk: Desk = {
    ...options,
    ...{ ready: new Set(), sending: new Set(), retryAt: new WeakMap(), arriving: new Set() },
    watch: createHeldWatch(options),
  };
  const { book, trail, state, clock, records } = options;
  resume(desk);
  return {
    hold: (request) => hold(desk, request),
    withdraw: async (account, wanted, reason) => {
      const found = book.of(account).filter((held) => wanted(held) && !desk.sending.has(held));
      const how = reason === undefined ? {} : { reason };
      const infos = found.flatMap((held) => end(desk, held, { state: "withdrawn", ...how }));
      if (infos.length > 0) await save(desk, account);
      return infos.map(({ id }) => id);
    },
    list: (account) => {
      const stateOf = (held: HeldRecord) => (desk.ready.has(held) ? "triggered" : "held");
      const durable = book.of(account).filter((held) => !desk.arriving.has(held));
      return durable.map((held) => book.info(held, stateOf(held), held.leftAt));
    },
    history: (account) => [...(records.find(account)?.ended ?? [])].reverse(),
    meet: (account, isOf) => {
      for (const held of book.of(account)) {
        const condition = held.conditions[held.met];
        if (condition !== undefined && isOf(condition)) progress(desk, held);
      }
    },
    executed: (effect) => trail.executed(state, effect),
    durable: (turn) => tell(desk, trail.durable(turn, clock.now())),
    tick: (now) => {
      noteDue(desk, now);
      sendReady(desk, now);
    },
  };
}

/** What a node before this one has left. */
function resume(desk: Desk): void {
  const { book, isLiveOrder } = desk;
  for (const held of [...book.all()]) {
    if (book.get(held.id) === undefined) continue;
    const condition = held.conditions[held.met];
    if (!desk.isSoleWriter) drop(desk, held, "writerMoved");
    else if (condition === undefined) desk.ready.add(held);
    // Every connection of before has ended.
    else if (condition.type === "disconnected") progress(desk, held);
    else if (condition.type === "filled" && !isHeldBefore(desk, held)) {
      const { orderId } = condition;
      const isLive = orderId !== null && isLiveOrder(held.account, orderId);
      if (!isLive) drop(desk, held, "orderUnknown");
    }
    desk.watch.moved(held.account);
  }
}

function isHeldBefore({ book }: Desk, { follows }: HeldRecord): boolean {
  return follows !== null && book.get(follows) !== undefined;
}

async function hold(desk: Desk, request: HeldRequest): Promise<HeldResult> {
  const { state, inLane, scopeRefusal } = desk;
  const { account, keyIndex } = request;
  const malformed = formRefusal(state, request);
  if (malformed !== undefined) return malformed;
  for (const { word } of request.words) {
    const refused = scopeRefusal({ account, keyIndex }, messageFromWord(word)!);
    if (refused !== undefined) return refused;
  }
  const left = inLane({ account, keyIndex }, () => leave(desk, request));
  return left === undefined ? refuse("rateLimited") : left;
}

async function leave(desk: Desk, request: HeldRequest): Promise<HeldResult> {
  const { state, book, clock, arriving, takeRate } = desk;
  const { account } = request;
  const chained = chainedRecords(state, request, clock.now());
  if ("refused" in chained) return chained.refused;
  const { held } = chained;
  const known = held.flatMap(({ id }) => book.get(id) ?? []);
  const isRepeat = known.length === held.length && !known.some((each) => arriving.has(each));
  // Before the signatures, which are dear to check.
  const full = isRepeat ? undefined : fullRefusal(desk, account, held.length);
  const refused = full ?? signatureRefusal(state, held) ?? orderRefusal(desk, held);
  if (refused !== undefined) return refused;
  // Once it is known whose rate it is.
  if (!takeRate(account, clock.now(), false)) return refuse("rateLimited");
  if (isRepeat) return left(desk, known);
  if (known.length > 0) return refuse("malformed", "some of the words are held already");
  for (const each of held) {
    arriving.add(each);
    book.add(each);
  }
  await save(desk, account);
  for (const each of held) arriving.delete(each);
  return left(desk, held);
}

function fullRefusal({ book }: Desk, account: number, count: number): Refused | undefined {
  const own = book.of(account).length;
  if (own + count <= HELD_PER_ACCOUNT_MAX && book.count() + count <= HELD_MAX) return undefined;
  const text = `at most ${HELD_PER_ACCOUNT_MAX} of an account, and ${HELD_MAX} of all`;
  return refuse("heldFull", text, { held: own });
}

/** What waits for an order that is gone would wait until its deadline. */
function orderRefusal({ isLiveOrder }: Desk, held: readonly HeldRecord[]): Refused | undefined {
  for (const { account, conditions } of held) {
    for (const condition of conditions) {
      if (condition.type !== "filled" || condition.orderId === null) continue;
      const { orderId } = condition;
      if (!isLiveOrder(account, orderId)) {
        return refuse("malformed", "it waits for an order that is not open", { orderId });
      }
    }
  }
  return undefined;
}

function left(desk: Desk, held: readonly HeldRecord[]): HeldResult {
  const { book, clock, watch } = desk;
  const now = clock.now();
  const alive = held.filter(({ id }) => book.get(id) !== undefined);
  for (const each of alive) {
    watch.moved(each.account);
    watch.changed(each);
    desk.publish({ type: "held", update: book.info(each, "held", now), receipt: null });
  }
  let sent: Promise<SubmitResult> | undefined;
  const first = alive.find(({ conditions }) => conditions.length === 0);
  for (const each of alive) if (each.conditions.length === each.met) desk.ready.add(each);
  if (first !== undefined && !desk.sending.has(first)) {
    sent = new Promise((resolve) => send(desk, first, resolve));
  }
  const infos = held.map((each) => {
    const state = desk.ready.has(each) ? "triggered" : "held";
    return book.info(each, state, now);
  });
  return { accepted: true, held: infos, sent };
}

function save({ records, fail }: Desk, account: number): Promise<void> {
  const saved = records.save(account);
  saved.catch(fail);
  return saved;
}

function progress(desk: Desk, held: HeldRecord): void {
  held.met += 1;
  afterProgress(desk, held);
}

function afterProgress(desk: Desk, held: HeldRecord): void {
  desk.watch.changed(held);
  if (held.met === held.conditions.length) {
    desk.ready.add(held);
    const update = desk.book.info(held, "triggered", desk.clock.now());
    desk.publish({ type: "held", update, receipt: null });
  }
  void save(desk, held.account).catch(() => undefined);
}

function end(desk: Desk, held: HeldRecord, how: HeldEnd): readonly HeldInfo[] {
  const infos = desk.book.end(held, how, desk.clock.now());
  tell(desk, { ended: infos, met: [], moved: [] });
  return infos;
}

function drop(desk: Desk, held: HeldRecord, reason: Drop): void {
  end(desk, held, { state: "dropped", reason });
}

/** Owners hear of what has ended, and the records follow. */
function tell(desk: Desk, { ended, met, moved }: HeldNews): void {
  const { ready, publish } = desk;
  const changed = new Set<number>();
  for (const update of ended) {
    changed.add(update.account);
    desk.watch.moved(update.account);
    // Its receipt is told when it is signed.
    publish({ type: "held", update, receipt: null });
  }
  for (const held of ready) if (desk.book.get(held.id) === undefined) ready.delete(held);
  for (const held of met) afterProgress(desk, held);
  for (const account of moved) desk.watch.moved(account);
  for (const account of changed) void save(desk, account).catch(() => undefined);
}

/** What has come true by prices and by time, and what cannot act any more. */
function noteDue(desk: Desk, now: number): void {
  const { watch, sending, arriving, book } = desk;
  const isWatched = (held: HeldRecord) => !sending.has(held) && !arriving.has(held);
  for (const held of watch.met(now, isWatched)) progress(desk, held);
  for (const { held, reason } of watch.over(now, isWatched)) {
    if (book.get(held.id) !== undefined) drop(desk, held, reason);
  }
}

function sendReady(desk: Desk, now: number): void {
  let sent = 0;
  const busy = new Set([...desk.sending].map(laneOf));
  for (const held of desk.ready) {
    if (sent >= SENT_PER_TICK_MAX) return;
    const { state, sending, arriving, retryAt } = desk;
    if (sending.has(held) || arriving.has(held) || busy.has(laneOf(held))) continue;
    if ((retryAt.get(held) ?? 0) > now) continue;
    // Its turn has not come: the word before it is still to be sent.
    if (state.session(held.account).keys[held.keyIndex]?.head !== held.before) continue;
    sent += 1;
    busy.add(laneOf(held));
    send(desk, held);
  }
}

function laneOf({ account, keyIndex }: HeldRecord): string {
  return `${account}/${keyIndex}`;
}

function send(
  desk: Desk,
  held: HeldRecord,
  answer?: (result: Promise<SubmitResult>) => void,
): void {
  const { account, keyIndex, word, signature } = held;
  desk.sending.add(held);
  const result = desk.submit({ account, keyIndex, word, signature });
  answer?.(result);
  result.then(
    (settled) => settle(desk, held, settled),
    (error: unknown) => {
      // The node stops: whether it was sequenced, the chain will say.
      desk.sending.delete(held);
      desk.retryAt.set(held, Number.POSITIVE_INFINITY);
      desk.logger.warn("a held word was not answered", { id: held.id, error: String(error) });
    },
  );
}

function settle(desk: Desk, held: HeldRecord, result: SubmitResult): void {
  const { sending, retryAt, watch, book, state, clock } = desk;
  sending.delete(held);
  watch.moved(held.account);
  if (result.accepted) {
    tellReceipt(desk, held, result.receipt);
    return;
  }
  const { code } = result;
  const isMoved = state.session(held.account).keys[held.keyIndex]?.head !== held.before;
  const isPassing = PASSING.has(code) || (HEAD_REFUSALS.has(code) && !isMoved);
  if (book.get(held.id) === undefined) return;
  if (isPassing && held.conditions.length > 0) {
    retryAt.set(held, clock.now() + RETRY_MS);
  } else if (HEAD_REFUSALS.has(code) && isMoved) {
    drop(desk, held, "headUsed");
  } else {
    end(desk, held, { state: "refused", reason: code });
  }
}

function tellReceipt({ records, publish }: Desk, held: HeldRecord, receipt: Receipt): void {
  const update = records.find(held.account)?.ended.find(({ id }) => id === held.id);
  if (update !== undefined) publish({ type: "held", update, receipt });
}
