import type { Clock } from "../ports.ts";
import type { Scheduler } from "../roles/certifier.ts";

/** The machine's clock. */
export const systemClock: Clock = { now: () => Date.now() };

/** Node's timers. */
export const realScheduler: Scheduler = {
  after: (ms, action) => {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
};
