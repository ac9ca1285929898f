/**
 * Virtual time for whole nodes. While it is installed, Node's timers put their actions into one
 * queue of events, each event belongs to the machine that it was made on, and the next one begins
 * only when nothing waits any more on promises that are settled. So a run is a function of its
 * seed, and what a machine had under way ends with it, as if its process were killed.
 */
import { syncBuiltinESMExports } from "node:module";
import timersPromises from "node:timers/promises";
import type { Clock } from "../../../sequencer/ports.ts";
import { createSchedule, type Schedule } from "../consensus/schedule.ts";
import { createChance } from "../random.ts";

/** Unix ms at which every run begins. */
export const EPOCH = 1_800_000_000_000;

/** A computer with one process, a clock of its own, and lives: each crash ends one. */
export interface Machine {
  readonly name: string;
  /** Its number in the network, below 32. */
  readonly place: number;
  /** What its processes take for the time. */
  readonly clock: Clock;
  /** Counts its starts. */
  life(): number;
  isUp(): boolean;
  /** Begins a new life with `main`. */
  boot(main: () => void): void;
  /** Nothing of the present life ever happens again. */
  crash(): void;
  /** Does it as a process of this machine, unless it is down. */
  enter(action: () => void): void;
  /** The same after so many ms of true time, unless the present life ends before. */
  after(ms: number, action: () => void): void;
  /** From now on its clock shows true time and `offset` more, and runs `rate` times as fast. */
  setClock(offset: number, rate: number): void;
}

export interface VirtualTime {
  readonly schedule: Schedule;
  createMachine(name: string, place: number): Machine;
  /** Runs events up to the time (ms from the start), or until it is enough. */
  runTo(end: number, isEnough?: () => boolean): Promise<void>;
  /** Events so far. */
  readonly events: number;
}

const real = {
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setImmediate: globalThis.setImmediate,
  clearImmediate: globalThis.clearImmediate,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
  timeout: AbortSignal.timeout,
  now: Date.now,
  elapsed: performance.now,
  sleep: timersPromises.setTimeout,
  turn: timersPromises.setImmediate,
  random: Math.random,
};

/** A timer as its maker holds it. */
interface Timer {
  isCancelled: boolean;
  ref(): Timer;
  unref(): Timer;
}

/** What happens now belongs to this machine; undefined: to the world itself. */
let current: { readonly machine: Machine; readonly rate: () => number } | undefined;
let isInstalled = false;

/** Installs virtual time for as long as `run` takes: one at a time in a process. */
export async function inVirtualTime<T>(run: (time: VirtualTime) => Promise<T>): Promise<T> {
  if (isInstalled) throw new Error("virtual time is installed already");
  isInstalled = true;
  const time = createVirtualTime();
  install(time.schedule);
  try {
    return await run(time);
  } finally {
    current = undefined;
    uninstall();
    isInstalled = false;
  }
}

function createVirtualTime(): VirtualTime {
  const schedule = createSchedule();
  let events = 0;
  return {
    schedule,
    get events() {
      return events;
    },
    createMachine: (name, place) => createMachine(schedule, name, place),
    runTo: async (end, isEnough = () => false) => {
      while (!isEnough()) {
        current = undefined;
        let looks = 0;
        if (schedule.runTo(end, () => looks++ > 0) === 0) return;
        events += 1;
        // Whatever is settled has been acted on when the real event loop comes round again.
        await new Promise((resolve) => real.setImmediate(resolve));
      }
    },
  };
}

function createMachine(schedule: Schedule, name: string, place: number): Machine {
  let [lives, isUp] = [0, false];
  let [offset, rate, since] = [0, 1, 0];
  const owner = { machine: undefined as unknown as Machine, rate: () => rate };
  const machine: Machine = {
    name,
    place,
    clock: {
      now: () => EPOCH + Math.floor(since + offset + (schedule.now() - since) * rate),
    },
    life: () => lives,
    isUp: () => isUp,
    boot: (main) => {
      lives += 1;
      isUp = true;
      machine.after(0, main);
    },
    crash: () => {
      isUp = false;
    },
    enter: (action) => {
      if (!isUp) return;
      current = owner;
      action();
    },
    after: (ms, action) => {
      const born = lives;
      schedule.after(ms, () => {
        if (lives === born) machine.enter(action);
      });
    },
    setClock: (ms, speed) => {
      [offset, rate, since] = [ms, speed, schedule.now()];
    },
  };
  owner.machine = machine;
  return machine;
}

function install(schedule: Schedule): void {
  const start = (action: () => void, ms: number): Timer => {
    const timer: Timer = { isCancelled: false, ref: () => timer, unref: () => timer };
    const run = (): void => {
      if (!timer.isCancelled) action();
    };
    if (current === undefined) schedule.after(ms, run);
    else current.machine.after(ms / current.rate(), run);
    return timer;
  };
  const every = (action: () => void, ms: number): Timer => {
    const again = (): void => {
      timer = Object.assign(held, start(again, ms));
      action();
    };
    const held = start(again, ms);
    let timer = held;
    return timer;
  };
  const cancel = (timer: Timer | undefined): void => {
    if (timer !== undefined) timer.isCancelled = true;
  };
  const wait = <T>(ms: number, value?: T, { signal }: { signal?: AbortSignal } = {}): Promise<T> =>
    new Promise((resolve, reject) => {
      const onAbort = (): void => {
        cancel(timer);
        reject(new DOMException("it was aborted", "AbortError"));
      };
      const timer = start(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve(value as T);
      }, ms);
      if (signal?.aborted === true) onAbort();
      else signal?.addEventListener("abort", onAbort, { once: true });
    });
  const jitter = createChance(0);
  replace({
    setTimeout: (action: () => void, ms = 0) => start(action, Math.max(1, ms)),
    setImmediate: (action: () => void) => start(action, 0),
    setInterval: every,
    ...{ clearTimeout: cancel, clearImmediate: cancel, clearInterval: cancel },
    timeout: (ms: number) => {
      const ending = new AbortController();
      start(() => ending.abort(new DOMException("it took too long", "TimeoutError")), ms);
      return ending.signal;
    },
    now: () => current?.machine.clock.now() ?? EPOCH + schedule.now(),
    elapsed: () => schedule.now(),
    sleep: wait,
    turn: () => wait(0),
    random: () => jitter.pick(2 ** 32) / 2 ** 32,
  });
}

function uninstall(): void {
  replace(real);
}

function replace(timers: Record<keyof typeof real, unknown>): void {
  const { timeout, now, elapsed, sleep, turn, random, ...globals } = timers;
  Object.assign(globalThis, globals);
  Object.assign(Date, { now });
  Object.assign(Math, { random });
  Object.assign(performance, { now: elapsed });
  Object.assign(AbortSignal, { timeout });
  // For those who import them by name.
  Object.assign(timersPromises, { setTimeout: sleep, setImmediate: turn });
  syncBuiltinESMExports();
}
