/** How long the log takes to make records durable, and whether it is taking too long now. */
import type { Clock, Log } from "../ports.ts";
import type { LatencyTolerance } from "./tolerance.ts";

export interface AppendWatch {
  /** The log, its appends watched. */
  readonly log: Log;
  /**
   * What is wrong, or undefined. An append counts as late when it is found so by two looks in a
   * row: a node that has not run for a while finds every answer late that waits to be read.
   */
  late(now: number): string | undefined;
  /** Whether an append has waited for longer than the bound, by one look that is not remembered. */
  isLate(now: number): boolean;
}

interface Pending {
  readonly since: number;
  isSuspect: boolean;
}

export function watchAppends(log: Log, clock: Clock, tolerance: LatencyTolerance): AppendWatch {
  const pending = new Set<Pending>();
  const append: Log["append"] = (entries) => {
    const mine: Pending = { since: clock.now(), isSuspect: false };
    pending.add(mine);
    const done = log.append(entries);
    done.then(
      () => {
        pending.delete(mine);
        tolerance.note(clock.now() - mine.since);
      },
      // A failed append stops the node: whoever waits for it hears of it.
      () => undefined,
    );
    return done;
  };
  // In the order of the appends, which is that in which they become durable.
  const first = (): Pending | undefined => pending.values().next().value;
  return {
    log: { ...log, append },
    isLate: (now) => now - (first()?.since ?? now) > tolerance.boundMs(),
    late: (now) => {
      const oldest = first();
      if (oldest === undefined) return undefined;
      const bound = tolerance.boundMs();
      const age = now - oldest.since;
      if (age <= bound) return undefined;
      if (oldest.isSuspect) return `not durable after ${age} ms, at most ${bound}`;
      oldest.isSuspect = true;
      return undefined;
    },
  };
}
