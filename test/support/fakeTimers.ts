/** Timers that end when the test lets time pass: the clock may jump meanwhile, they do not. */
import type { Scheduler } from "../../sequencer/roles/certifier.ts";

export interface FakeTimers extends Scheduler {
  /** Lets `ms` pass, each timer at its moment; `turn` is awaited after each of them. */
  pass(ms: number, turn?: () => Promise<void>): Promise<void>;
  /** Timers that are set. */
  waiting(): number;
}

export function createFakeTimers(clock: { advance(ms: number): void }): FakeTimers {
  const timers = new Set<{ readonly at: number; readonly action: () => void }>();
  let time = 0;
  const go = (to: number): void => {
    clock.advance(to - time);
    time = to;
  };
  return {
    after: (ms, action) => {
      const timer = { at: time + ms, action };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    pass: async (ms, turn) => {
      const end = time + ms;
      for (;;) {
        const [next] = [...timers].sort((one, other) => one.at - other.at);
        if (next === undefined || next.at > end) break;
        timers.delete(next);
        go(next.at);
        next.action();
        await turn?.();
      }
      go(end);
    },
    waiting: () => timers.size,
  };
}
