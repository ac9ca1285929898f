/**
 * What batches may cost in an hour and in a day. A transaction counts with the most that it could
 * cost from before it is signed until its price is known, so that nothing exceeds the budget even
 * if everything in flight is mined at its highest price. Kept on disk.
 */
import type { Clock, DurableValues } from "../ports.ts";

const NAME = "layerOne/spending";
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Wei. */
export interface FeeLimits {
  readonly weiPerHour?: bigint | undefined;
  readonly weiPerDay?: bigint | undefined;
}

export interface FeeBudget {
  /** Why the batch's transaction may not cost `wei`, or undefined: then it is accounted for. */
  reserve(batch: number, wei: bigint): Promise<string | undefined>;
  /** The batch's transaction has cost `wei`; undefined: as much as it could, for all we know. */
  settle(batch: number, wei: bigint | undefined): Promise<void>;
  spent(): { readonly hour: bigint; readonly day: bigint };
}

interface Spending {
  /** What each minute cost, ascending. */
  readonly minutes: readonly (readonly [minute: number, wei: bigint])[];
  readonly inFlight: { readonly batch: number; readonly wei: bigint } | undefined;
}

export async function openFeeBudget(options: {
  readonly limits: FeeLimits;
  readonly clock: Clock;
  readonly values: DurableValues;
}): Promise<FeeBudget> {
  const { limits, clock, values } = options;
  const nothing: Spending = { minutes: [], inFlight: undefined };
  let spending = ((await values.get(NAME)) as Spending | undefined) ?? nothing;
  const save = async (changed: Spending): Promise<void> => {
    spending = changed;
    await values.set(NAME, changed);
  };
  const sum = (periodMs: number): bigint => {
    const first = Math.floor((clock.now() - periodMs) / MINUTE_MS);
    return spending.minutes.reduce((total, [at, wei]) => (at >= first ? total + wei : total), 0n);
  };
  return {
    reserve: async (batch, wei) => {
      // One that is told of no more may have been mined: it counts as if at its highest price.
      const { inFlight } = spending;
      if (inFlight !== undefined && inFlight.batch !== batch) {
        await save(settled(spending, clock.now(), inFlight.wei));
      }
      const reason = excess(limits, wei, { hour: sum(HOUR_MS), day: sum(DAY_MS) });
      if (reason === undefined) await save({ ...spending, inFlight: { batch, wei } });
      return reason;
    },
    settle: async (batch, wei) => {
      const { inFlight } = spending;
      if (inFlight?.batch !== batch) return;
      await save(settled(spending, clock.now(), wei ?? inFlight.wei));
    },
    spent: () => ({ hour: sum(HOUR_MS), day: sum(DAY_MS) }),
  };
}

function settled({ minutes }: Spending, now: number, wei: bigint): Spending {
  const minute = Math.floor(now / MINUTE_MS);
  const first = Math.floor((now - DAY_MS) / MINUTE_MS);
  const kept = minutes.filter(([at]) => at >= first);
  const last = kept.at(-1);
  // A clock that went back must not undo the order.
  const next = last !== undefined && last[0] >= minute ? kept.pop() : undefined;
  const entry = [next?.[0] ?? minute, (next?.[1] ?? 0n) + wei] as const;
  return { minutes: [...kept, entry], inFlight: undefined };
}

function excess(
  { weiPerHour, weiPerDay }: FeeLimits,
  wei: bigint,
  spent: { readonly hour: bigint; readonly day: bigint },
): string | undefined {
  const tell = (period: string, total: bigint, limit: bigint): string =>
    `the ${period}'s fee budget: \`${total}\` wei spent, \`${wei}\` wanted, at most ${limit}`;
  if (weiPerHour !== undefined && spent.hour + wei > weiPerHour) {
    return tell("hour", spent.hour, weiPerHour);
  }
  if (weiPerDay !== undefined && spent.day + wei > weiPerDay) {
    return tell("day", spent.day, weiPerDay);
  }
  return undefined;
}
