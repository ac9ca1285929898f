/**
 * Protection of market makers: when an account's resting orders have been filled for more than its
 * limits within its interval, orders of it that would rest are refused for a while, and the words
 * that wait for that, cancels of everything, go out.
 */
import type { ExchangeEvent, Info, OrderUpdate, Refused } from "../exchangeService.ts";
import { forwardsOf, quoteOption } from "../market/optionQuotes.ts";
import type { Clock } from "../ports.ts";
import type { ProtectionInfo, ProtectionLimits } from "../protocol/heldWord.ts";
import type { Message } from "../protocol/messages.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { AccountRecords } from "./accountRecords.ts";
import { refuse } from "./doorChecks.ts";

/** Fills of one account that are remembered: beyond it the oldest ones count as one. */
const FILLS_MAX = 4096;

interface Fill {
  readonly at: number;
  readonly quantity: number;
  readonly delta: number;
  readonly vega: number;
}

export interface ProtectionOptions {
  readonly state: MemoryState;
  readonly clock: Clock;
  readonly records: AccountRecords;
  readonly info: Pick<Info, "lotsPerContract" | "tickSize">;
  snapshot(): Snapshot | undefined;
  hasWord(account: number): boolean;
  /** The account's limits are passed: called once, until it is reset or thawed. */
  onTrigger(account: number): void;
  publish(event: ExchangeEvent): void;
  fail(error: unknown): void;
}

export interface Protection {
  /** Undefined takes it away. Resolves when it is durable. */
  set(account: number, limits: ProtectionLimits | undefined): Promise<void>;
  of(account: number): ProtectionInfo | undefined;
  /** Ends the freeze and begins to count anew. Resolves when it is durable. */
  reset(account: number): Promise<void>;
  observe(events: readonly ExchangeEvent[]): void;
  refusal(account: number, message: Message): Refused | undefined;
}

export function createProtection(options: ProtectionOptions): Protection {
  const { records, clock, fail, publish } = options;
  const fills = new Map<number, Fill[]>();
  const save = (account: number): Promise<void> => {
    const saved = records.save(account);
    saved.catch(fail);
    return saved;
  };
  const thaw = (account: number): void => {
    const record = records.find(account)?.protection;
    if (!record?.isFrozen) return;
    [record.isFrozen, record.frozenUntil] = [false, null];
    fills.delete(account);
  };
  const of = (account: number): ProtectionInfo | undefined => {
    const record = records.find(account)?.protection;
    if (record === undefined || record === null) return undefined;
    if (record.frozenUntil !== null && record.frozenUntil <= clock.now()) thaw(account);
    const { limits, isFrozen, frozenUntil } = record;
    return { account, limits, isFrozen, frozenUntil, hasWord: options.hasWord(account) };
  };
  const trigger = (account: number): void => {
    const record = records.open(account).protection!;
    const { frozenMs } = record.limits;
    record.isFrozen = true;
    record.frozenUntil = frozenMs === 0 ? null : clock.now() + frozenMs;
    fills.delete(account);
    options.onTrigger(account);
    publish({ type: "protection", update: of(account)! });
    void save(account).catch(() => undefined);
  };
  return {
    of,
    set: (account, limits) => {
      const record = records.open(account);
      const frozen = record.protection ?? { isFrozen: false, frozenUntil: null };
      fills.delete(account);
      // Other limits do not end a freeze: that is what a reset is for.
      record.protection = limits === undefined ? null : { ...frozen, limits };
      return save(account);
    },
    reset: (account) => {
      thaw(account);
      fills.delete(account);
      return save(account);
    },
    observe: (events) => {
      for (const event of events) {
        if (event.type !== "order") continue;
        const { account, fill } = event.update;
        if (fill === null || fill.isTaker) continue;
        const info = of(account);
        if (info === undefined || info.isFrozen) continue;
        const own = fills.get(account) ?? [];
        fills.set(account, keep(own, weigh(options, event.update, fill.lots), info.limits));
        if (isPassed(fills.get(account) ?? [], info.limits)) trigger(account);
      }
    },
    refusal: (account, message) => {
      if (message.kind !== "place" || message.timeInForce !== "gtc") return undefined;
      const info = of(account);
      if (!info?.isFrozen) return undefined;
      const { frozenUntil } = info;
      return refuse("quotesFrozen", null, frozenUntil === null ? {} : { frozenUntil });
    },
  };
}

/** Those of the interval that ends with the new one. */
function keep(own: readonly Fill[], fill: Fill, { intervalMs }: ProtectionLimits): Fill[] {
  const kept = [...own.filter(({ at }) => at > fill.at - intervalMs), fill];
  while (kept.length > FILLS_MAX) {
    const [first, second] = kept.splice(0, 2) as [Fill, Fill];
    kept.unshift({ ...sumOf([first, second]), at: second.at });
  }
  return kept;
}

function sumOf(fills: readonly Fill[]): Omit<Fill, "at"> {
  const sum = (name: "quantity" | "delta" | "vega") =>
    fills.reduce((total, fill) => total + fill[name], 0);
  return { quantity: sum("quantity"), delta: sum("delta"), vega: sum("vega") };
}

function isPassed(fills: readonly Fill[], limits: ProtectionLimits): boolean {
  const sums = sumOf(fills);
  return (["quantity", "delta", "vega"] as const).some((name) => {
    const limit = limits[name];
    // Sums of decimals are not exact, and to reach a limit is to be filled for it.
    return limit !== null && Math.abs(sums[name]) >= limit - 1e-9;
  });
}

/** What the fill of a resting order has added; greeks by the newest snapshot, 0 if it has none. */
function weigh(
  { state, clock, info, snapshot }: ProtectionOptions,
  { book, isSell }: OrderUpdate,
  lots: number,
): Fill {
  const { lotsPerContract, tickSize } = info;
  const quantity = lots / lotsPerContract;
  const signed = isSell ? -quantity : quantity;
  let [delta, vega] = [0, 0];
  const newest = snapshot();
  const weights = state.book(book)?.weights ?? [];
  if (newest === undefined) return { at: clock.now(), quantity, delta, vega };
  const marked = state.series().map((series, slot) => {
    return { ...series, mark: newest.slots[slot]?.mark ?? 0 };
  });
  const forwards = forwardsOf(marked);
  for (const [slot, weight] of weights.entries()) {
    const terms = marked[slot];
    if (weight === 0 || terms === undefined) continue;
    const quote = quoteOption({
      ...{ terms, forward: forwards.get(terms.expiry), mark: terms.mark, bid: null, ask: null },
      ...{ time: newest.time, tickSize },
    });
    delta += signed * weight * (quote.greeks?.delta ?? 0);
    vega += signed * weight * (quote.greeks?.vega ?? 0);
  }
  return { at: clock.now(), quantity, delta, vega };
}
