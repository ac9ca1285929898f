/**
 * Books for combinations that somebody asks for. They are opened by ordinary listings, in ids at
 * the end of the tree that neither plan nor ladder uses: so what traders ask for can neither take
 * the venue's own books nor be mistaken for them after a restart. A book whose series has expired
 * is free again.
 */
import { isBookOpen, secondsOf } from "../engine/bookState.ts";
import type { Refused } from "../exchangeService.ts";
import { type BookLegs, isBookOf } from "../market/package.ts";
import type { ComboBook } from "../packageTrading.ts";
import type { Clock } from "../ports.ts";
import {
  COMBOS_WAITING_MAX,
  COMBOS_WAITING_PER_ACCOUNT_MAX,
  comboBooks,
  type PackageLimits,
} from "../protocol/blockRfq.ts";
import type { MemoryState } from "../state/memoryState.ts";
import { refuse } from "./doorChecks.ts";
import type { Effect } from "./effect.ts";
import type { PlannedBook } from "./marketPlan.ts";
import { createRateLimiter } from "./rateLimiter.ts";

/** A book is not opened for a leg that expires sooner (seconds). */
const COMBO_SECONDS_MIN = 60;
/** How long an answer waits for the book; after that whoever has asked asks again (ms). */
const COMBO_WAIT_MS = 5_000;
/** A combination that could not be opened for so long is forgotten (ms). */
const DEMAND_MS_MAX = 120_000;
const HOUR_SECONDS = 3600;

export interface ComboDemand {
  /** How many ids, at the end of the tree, are kept for these books. */
  readonly booksKept: number;
  open(account: number, legs: BookLegs): Promise<ComboBook | Refused>;
  /** The next book to be opened, at the time of its batch (unix ms). */
  due(time: number): PlannedBook | undefined;
  /** Once it is durable. */
  durable(effects: readonly Effect[]): void;
  tick(now: number): void;
}

interface Waiting {
  readonly account: number;
  readonly legs: BookLegs;
  readonly since: number;
  readonly answers: ((book: ComboBook | Refused) => void)[];
}

export function createComboDemand(
  state: MemoryState,
  clock: Clock,
  limits: PackageLimits,
  /** Ids that the operator's plan has taken. */
  planned: ReadonlySet<number> = new Set(),
): ComboDemand {
  const market: Market = { state, planned, booksKept: comboBooks(state.shape.bookLevels, limits) };
  const { booksKept } = market;
  const waiting: Waiting[] = [];
  // A quarter of a bucket is left to cancels, of which there are none here.
  const burst = Math.ceil((limits.combosPerHour * 4) / 3);
  const takeRate = createRateLimiter({ perSecond: limits.combosPerHour / HOUR_SECONDS, burst });
  const end = (one: Waiting, answer: ComboBook | Refused): void => {
    for (const tell of one.answers.splice(0)) tell(answer);
  };
  const remove = (one: Waiting, answer: ComboBook | Refused): void => {
    waiting.splice(waiting.indexOf(one), 1);
    end(one, answer);
  };
  return {
    booksKept,
    open: async (account, legs) => {
      const now = clock.now();
      const book = openBookOf(state, legs, now);
      if (book !== undefined) return { accepted: true, book, isOpen: true };
      const fault = legsFault(state, legs, now);
      if (fault !== undefined) return refuse("bookClosed", fault);
      let one = waiting.find((known) => isSame(known.legs, legs));
      if (one === undefined) {
        const full = fullness(market, waiting, account, now);
        if (full !== undefined) return refuse("booksFull", full);
        if (!takeRate(account, now, false)) {
          const text = `at most ${limits.combosPerHour} combinations an hour of one account`;
          return refuse("rateLimited", text);
        }
        one = { account, legs, since: now, answers: [] };
        waiting.push(one);
      }
      const { answers } = one;
      return new Promise((resolve) => answers.push(resolve));
    },
    due: (time) => {
      // Those whose legs have been settled meanwhile.
      for (const one of [...waiting]) {
        const fault = legsFault(state, one.legs, time);
        if (fault !== undefined) remove(one, refuse("bookClosed", fault));
      }
      const next = waiting.find(({ legs }) => openBookOf(state, legs, time) === undefined);
      const [book] = freeBooks(market, time);
      return next === undefined || book === undefined ? undefined : { book, legs: next.legs };
    },
    durable: (effects) => {
      for (const { operation } of effects) {
        const opened = operation?.operation;
        if (opened?.kind !== "openBook") continue;
        const { book, weights } = opened;
        const one = waiting.find(({ legs }) => isBookOf(weights, legs));
        if (one !== undefined) remove(one, { accepted: true, book, isOpen: true });
      }
    },
    tick: (now) => {
      for (const one of [...waiting]) {
        if (now - one.since >= DEMAND_MS_MAX) {
          remove(one, refuse("noSnapshot", "no batch of listings could be opened meanwhile"));
        } else if (now - one.since >= COMBO_WAIT_MS) {
          end(one, { accepted: true, book: null, isOpen: false });
        }
      }
    },
  };
}

function isSame(one: BookLegs, other: BookLegs): boolean {
  return (
    one.length === other.length &&
    one.every(([slot, weight], place) => other[place]?.[0] === slot && other[place][1] === weight)
  );
}

function openBookOf(state: MemoryState, legs: BookLegs, time: number): number | undefined {
  return state.bookIds().find((id) => {
    const book = state.book(id);
    return book !== undefined && isBookOf(book.weights, legs) && isBookOpen(state, book, time);
  });
}

/** Why no book can be opened over the legs, or undefined. */
function legsFault(state: MemoryState, legs: BookLegs, time: number): string | undefined {
  const earliest = secondsOf(time) + COMBO_SECONDS_MIN;
  const isLive = legs.every(([slot]) => {
    const series = state.series()[slot];
    return series?.status === "listed" && series.expiry > earliest;
  });
  return isLive ? undefined : `a leg is not listed, or expires within ${COMBO_SECONDS_MIN} s`;
}

interface Market {
  readonly state: MemoryState;
  readonly planned: ReadonlySet<number>;
  readonly booksKept: number;
}

function freeBooks({ state, planned, booksKept }: Market, time: number): number[] {
  const end = 4 ** state.shape.bookLevels;
  const ids = Array.from({ length: booksKept }, (_, place) => end - booksKept + place);
  return ids.filter((id) => {
    if (planned.has(id)) return false;
    const book = state.book(id);
    // An order that is carried goes on in the book that it was placed in.
    return (book === undefined || !isBookOpen(state, book, time)) && state.carry()?.book !== id;
  });
}

function fullness(
  market: Market,
  waiting: readonly Waiting[],
  account: number,
  now: number,
): string | undefined {
  const own = waiting.filter((one) => one.account === account).length;
  if (own >= COMBOS_WAITING_PER_ACCOUNT_MAX) {
    return `at most ${COMBOS_WAITING_PER_ACCOUNT_MAX} combinations of an account wait`;
  }
  const room = Math.min(COMBOS_WAITING_MAX, freeBooks(market, now).length);
  if (waiting.length < room) return undefined;
  return `at most ${market.booksKept} combinations that were asked for are open`;
}
