/** What the processes of the benchmark agree on, and which orders a point of a curve gets. */
import { createChance } from "../../../test/simulation/random.ts";
import { sizesOf } from "../../../test/support/market.ts";

/** Sizes of one market; a point of a curve. */
export interface Size {
  readonly accounts: number;
  readonly books: number;
}

/** CPU microseconds for each order: of all threads of the process. */
export interface Cost {
  readonly signature: number;
  readonly engine: number;
  readonly seal: number;
}

/** What a point's process is asked for. */
export type Wanted = "round" | "besides";

/** Who and what a batch touches: as much as its circuit has room for, at every point. */
export interface BatchPlan {
  readonly accounts: readonly number[];
  readonly books: readonly number[];
}

/** Accounts below it are the venue's own. */
export const FIRST_ACCOUNT = 3;
const { accounts: opened, books: touched, steps } = sizesOf("large").trade;
/** As many as one `large` batch has room for. */
export const ACCOUNTS_PER_BATCH = opened;
export const BOOKS_PER_BATCH = touched;
export const ORDERS_PER_BATCH = steps;
/** The oracles' snapshot changes with each round. */
export const BATCHES_PER_ROUND = 32;
/** Without those that warm up. */
export const ROUNDS = 5;
export const WARM_UP_ROUNDS = 2;
const SEED = 11;

/** Different ones for each round; random among all accounts and all books of the market. */
export function planBatches({ accounts, books }: Size): BatchPlan[] {
  const chance = createChance(SEED);
  const distinct = (count: number, from: number, below: number): number[] => {
    const chosen = new Set<number>();
    while (chosen.size < count) chosen.add(from + chance.pick(below - from));
    return [...chosen];
  };
  return Array.from({ length: BATCHES_PER_ROUND * (WARM_UP_ROUNDS + ROUNDS) }, () => ({
    accounts: distinct(ACCOUNTS_PER_BATCH, FIRST_ACCOUNT, accounts),
    books: distinct(BOOKS_PER_BATCH, 0, books),
  }));
}
