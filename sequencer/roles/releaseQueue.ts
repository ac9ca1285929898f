/**
 * Where messages wait for the end of their round, and leave in the order of batch/fairOrder.ts. Its
 * clock never falls: where the machine's does, or stands, each round's timer moves it on.
 */
import {
  comparePlaces,
  earliestArrival,
  endOf,
  type OrderingState,
  ownPlace,
  type Place,
} from "../batch/fairOrder.ts";
import type { Clock } from "../ports.ts";
import type { FairOrder } from "../protocol/fairOrder.ts";
import type { Scheduler } from "./certifier.ts";

/** Messages that may wait at once; the second half of the room is for what cannot take. */
export const WAITING_MAX = 2 ** 15;
/** Released in one turn of the event loop: requests must not wait for all of a round. */
const RELEASED_MAX = 64;

/** A message that has come; one of the two functions is called, once. */
export interface Arrival {
  readonly isTaker: boolean;
  /** Where the message that it extends stands, while that one waits too. */
  readonly behind: Place | undefined;
  /** Its turn has come. Must not throw. */
  run(arrived: number): void;
  /** It never will. */
  drop(): void;
}

/** Messages that are executed in one turn, resting ones before the one that takes. */
export interface PackageArrival {
  /** Its turn has come. Must not throw. */
  run(arrived: PackageTimes): void;
  drop(): void;
}

/** When the words of a package count as taken in (unix ms). */
export interface PackageTimes {
  readonly makers: number;
  readonly taker: number;
}

/** Packages that may wait at once: each has a round of its own. */
export const PACKAGES_WAITING_MAX = 64;

export interface ReleaseQueue {
  /**
   * Its place, or undefined where too many wait already. Without rounds its turn is now, before the
   * call returns.
   */
  take(arrival: Arrival): Place | undefined;
  /**
   * The first round that begins from now on and has no other package: its makers stand behind
   * everything that goes first in it, and its taker before every other taker, so that nobody stands
   * between. False where too many wait already.
   */
  takePackage(arrival: PackageArrival): boolean;
  /** Drops what waits. */
  close(): void;
}

export interface ReleaseQueueOptions {
  readonly rule: FairOrder;
  /** What the log has said before. */
  readonly ordering: OrderingState;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

type Waiting = Arrival & { readonly place: Place; readonly arrived: number };

interface Round {
  readonly waiting: Waiting[];
  /** Ends its timer. */
  readonly cancel: () => void;
}

interface Session extends ReleaseQueueOptions {
  /** Nothing arrives before it any more (unix ms). */
  time: number;
  readonly rounds: Map<number, Round>;
  /** Of rounds that have ended, in order. */
  readonly ready: Waiting[];
  /** Rounds in which a package waits. */
  readonly packages: Set<number>;
  count: number;
}

export function createReleaseQueue(options: ReleaseQueueOptions): ReleaseQueue {
  const time = earliestArrival(options.rule, options.ordering);
  const waiting = { rounds: new Map(), ready: [], packages: new Set<number>() };
  const session: Session = { ...options, ...waiting, time, count: 0 };
  return {
    take: (arrival) => take(session, arrival),
    takePackage: (arrival) => takePackage(session, arrival),
    close: () => {
      end(session, [...session.rounds.keys()]);
      session.count = 0;
      for (const { drop } of session.ready.splice(0)) drop();
    },
  };
}

function take(session: Session, arrival: Arrival): Place | undefined {
  const { rule, clock } = session;
  const { isTaker, behind, run } = arrival;
  session.time = Math.max(session.time, clock.now());
  const arrived = session.time;
  const own = ownPlace(rule, isTaker, arrived);
  if (rule.roundMs === 0) {
    run(arrived);
    return own;
  }
  if (session.count >= (isTaker ? WAITING_MAX / 2 : WAITING_MAX)) return undefined;
  const place = behind === undefined || comparePlaces(own, behind) >= 0 ? own : behind;
  session.count += 1;
  roundOf(session, place).waiting.push({ ...arrival, place, arrived });
  return place;
}

function takePackage(session: Session, { run, drop }: PackageArrival): boolean {
  const { rule, clock, packages } = session;
  const { roundMs, bumpMs } = rule;
  session.time = Math.max(session.time, clock.now());
  const { time } = session;
  if (roundMs === 0) {
    run({ makers: time, taker: time });
    return true;
  }
  if (packages.size >= PACKAGES_WAITING_MAX) return false;
  let number = Math.floor((time + bumpMs) / roundMs) + 1;
  while (packages.has(number)) number += 1;
  const round = number;
  packages.add(round);
  const left = (): void => void packages.delete(round);
  const arrived = { makers: (round + 1) * roundMs - 1, taker: round * roundMs - bumpMs };
  const place = { round, isTaker: true, arrived: arrived.taker };
  const waiting: Waiting = {
    ...{ place, arrived: arrived.taker, isTaker: true, behind: undefined },
    run: () => {
      left();
      run(arrived);
    },
    drop: () => {
      left();
      drop();
    },
  };
  session.count += 1;
  // Before those that come later in the very ms which its taker is said to have come in.
  roundOf(session, place).waiting.push(waiting);
  return true;
}

/**
 * Each round has its own timer, set once: so none waits longer than the rule says, however the
 * clock is set meanwhile.
 */
function roundOf(session: Session, place: Place): Round {
  const { rule, rounds, scheduler, clock, time } = session;
  const before = rounds.get(place.round);
  if (before !== undefined) return before;
  const due = endOf(rule, place);
  const cancel = scheduler.after(due - time, () => {
    // A timer may end some part of a ms before the clock says so.
    session.time = Math.max(session.time, clock.now(), due);
    const isEnded = (round: number) => (round + 1) * rule.roundMs <= session.time;
    const isIdle = session.ready.length === 0;
    end(session, [...rounds.keys()].filter(isEnded));
    if (isIdle) release(session);
  });
  const round = { waiting: [], cancel };
  rounds.set(place.round, round);
  return round;
}

/** Makes them ready, in order. */
function end({ rounds, ready }: Session, ended: readonly number[]): void {
  for (const number of [...ended].sort((one, other) => one - other)) {
    const { waiting, cancel } = rounds.get(number)!;
    cancel();
    rounds.delete(number);
    // Stable: of two that may go in either order, the one that came first goes first.
    waiting.sort((one, other) => comparePlaces(one.place, other.place));
    for (const one of waiting) ready.push(one);
  }
}

function release(session: Session): void {
  const turn = session.ready.splice(0, RELEASED_MAX);
  session.count -= turn.length;
  for (const { run, arrived } of turn) run(arrived);
  if (session.ready.length > 0) session.scheduler.after(0, () => release(session));
}
