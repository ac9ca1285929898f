/** Packages of legs, put together: books on demand, requests for quotes, blocks. */
import type { ExchangeEvent, ExchangeService } from "../exchangeService.ts";
import type { Clock } from "../ports.ts";
import { DEFAULT_PACKAGE_LIMITS, type PackageLimits } from "../protocol/blockRfq.ts";
import type { MemoryState } from "../state/memoryState.ts";
import { type ComboDemand, createComboDemand } from "./comboDemand.ts";
import type { Effect } from "./effect.ts";
import type { Intake } from "./intake.ts";
import type { MarketPlan } from "./marketPlan.ts";
import { createRfqDesk } from "./rfqDesk.ts";

export interface PackageOptions {
  readonly state: MemoryState;
  readonly clock: Clock;
  readonly limits?: Partial<PackageLimits> | undefined;
  readonly plan: MarketPlan;
  publish(event: ExchangeEvent): void;
}

export interface Packages {
  /** For whoever lists. */
  readonly combos: ComboDemand;
  executed(effect: Effect): void;
  durable(turn: { readonly effects: readonly Effect[] }): void;
  tick(now: number): void;
  readonly service: ExchangeService["packages"];
  /** Once the door is made. */
  open(door: Intake): void;
}

export function createPackages({ state, clock, limits, plan, publish }: PackageOptions): Packages {
  const bounds = { ...DEFAULT_PACKAGE_LIMITS, ...limits };
  const opened: { door: Intake | undefined } = { door: undefined };
  const planned = new Set(plan.books.map(({ book }) => book));
  const combos = createComboDemand(state, clock, bounds, planned);
  const { executed, tick, ...desk } = createRfqDesk({
    ...{ state, clock, limits: bounds },
    door: () => {
      if (opened.door === undefined) throw new Error("the door is not made yet");
      return opened.door;
    },
    publish: (news) => publish({ type: "rfq", news }),
    publishTrade: (trade) => publish({ type: "rfqTrade", trade }),
  });
  return {
    combos,
    executed,
    durable: ({ effects }) => combos.durable(effects),
    tick: (now) => {
      combos.tick(now);
      tick(now);
    },
    service: { ...desk, openCombo: combos.open },
    open: (door) => {
      opened.door = door;
    },
  };
}
