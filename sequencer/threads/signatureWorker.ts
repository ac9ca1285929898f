/**
 * Signatures checked by a second thread, with its own WebAssembly and tables of keys, before the
 * door asks for them. It can only save the door work: what it has found to hold is remembered, and
 * the door checks by itself whatever is not. So where the thread is slow, full, stuck or dead,
 * nothing is lost but time, and nothing is taken unchecked.
 */
import { Worker } from "node:worker_threads";
import type { Logger, SignatureClaim, SignatureDesk } from "../ports.ts";
import { rememberVerified } from "../protocol/remembered.ts";
import {
  createRingMemory,
  DONE,
  distance,
  fitsRing,
  following,
  PLACES,
  POSTED,
  placeOf,
  ringOf,
  type SignatureRing,
  writeClaim,
} from "./signatureRing.ts";

/** Claims that may wait at once, in the ring and behind it; a node takes in no more messages. */
export const WAITING_MAX = 2 ** 15;
/** Without a verdict for so long, whoever waits is sent on to the door. */
const STUCK_MS = 1_000;

interface Waiting {
  readonly claim: SignatureClaim;
  readonly done: () => void;
}

interface Session {
  readonly ring: SignatureRing;
  /** The first `posted - taken` of them stand in the ring. */
  readonly waiting: Waiting[];
  readonly logger: Logger;
  readonly stuckMs: number;
  /** Claims written; and those among them for which nobody waits any more. */
  posted: number;
  taken: number;
  isListening: boolean;
  isOver: boolean;
}

/** `thread`: another one, as tests have that fail. */
export function openSignatureWorker(
  logger: Logger,
  { thread = new URL("./signatureThread.ts", import.meta.url), stuckMs = STUCK_MS } = {},
): SignatureDesk {
  const memory = createRingMemory();
  const desk = createSignatureDesk(ringOf(memory), logger, stuckMs);
  const worker = new Worker(thread, { workerData: memory });
  worker.unref();
  let isStopped = false;
  const end = (reason: unknown): void => {
    if (isStopped) return;
    isStopped = true;
    logger.error("the thread that checks signatures has ended: checked here", { reason });
    desk.close();
  };
  worker.on("error", end);
  worker.on("exit", end);
  return {
    ...desk,
    stop: async () => {
      isStopped = true;
      desk.close();
      await worker.terminate();
    },
  };
}

/** The asker's side of a ring, whoever is at the other one. */
export function createSignatureDesk(
  ring: SignatureRing,
  logger: Logger,
  stuckMs: number,
): Omit<SignatureDesk, "stop"> & {
  /** Nobody is at the other side any more: calls all that wait, and from now on at once. */
  close(): void;
} {
  const session: Session = {
    ...{ ring, waiting: [], logger, stuckMs },
    ...{ posted: 0, taken: 0, isListening: false, isOver: false },
  };
  return {
    ahead: (claim, done) => ahead(session, { claim, done }),
    flush: () => flush(session),
    close: () => {
      session.isOver = true;
      flush(session);
    },
  };
}

function ahead(session: Session, waiting: Waiting): void {
  // Order does not matter for it: it will be refused.
  const isRefused = !fitsRing(waiting.claim);
  if (isRefused || session.isOver || isBehind(session)) {
    if (!isRefused) flush(session);
    waiting.done();
    return;
  }
  session.waiting.push(waiting);
  post(session);
  listen(session);
}

/** Whether too many wait, or the thread is still at what nobody waits for. */
function isBehind({ ring, waiting, taken }: Session): boolean {
  const done = Atomics.load(ring.counters, DONE);
  return waiting.length >= WAITING_MAX || distance(taken, done) > 0;
}

/**
 * As many as the ring has places for. A place is free when its verdict has been read, not when it
 * has one: else the verdict on a later claim would be taken for that on an earlier one. (What was
 * flushed has no reader, but then nothing is posted before the thread is through with it.)
 */
function post(session: Session): void {
  const { ring, waiting, taken } = session;
  const before = session.posted;
  const written = distance(before, taken);
  const room = PLACES - written;
  for (const { claim } of waiting.slice(written, written + room)) {
    writeClaim(ring, placeOf(session.posted), claim);
    session.posted = following(session.posted);
  }
  if (session.posted === before) return;
  Atomics.store(ring.counters, POSTED, session.posted);
  Atomics.notify(ring.counters, POSTED);
}

function flush(session: Session): void {
  session.taken = session.posted;
  for (const { done } of session.waiting.splice(0)) done();
}

function listen(session: Session): void {
  const { ring, waiting, taken, stuckMs } = session;
  if (session.isListening || waiting.length === 0) return;
  session.isListening = true;
  const { value } = Atomics.waitAsync(ring.counters, DONE, taken, stuckMs);
  void Promise.resolve(value).then((outcome) => {
    session.isListening = false;
    // Whoever waited then may have been flushed, and others may wait that have come just now.
    const isStuck = outcome === "timed-out" && session.taken === taken;
    drain(session);
    if (isStuck && session.taken === taken && session.waiting.length > 0) {
      session.logger.warn("the thread that checks signatures is stuck: checked here");
      flush(session);
    }
    post(session);
    listen(session);
  });
}

function drain(session: Session): void {
  const { ring, waiting } = session;
  const done = Atomics.load(ring.counters, DONE);
  while (distance(done, session.taken) > 0) {
    const holds = ring.verdicts[placeOf(session.taken)] === 1;
    const first = waiting.shift();
    session.taken = following(session.taken);
    if (first === undefined) continue;
    const { key, message, signature } = first.claim;
    if (holds) rememberVerified(key, message, signature);
    first.done();
  }
}
