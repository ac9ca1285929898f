/**
 * A state of any size: real rows for every account, real keys for those who will trade. Accounts
 * that only stand there share a few contents, so that not each of a million leaves is hashed by
 * itself; above the leaves the trees are hashed as they always are.
 */
import { type PublicKey, publicKeyOf } from "../../../sequencer/protocol/eddsa.ts";
import { firstHead } from "../../../sequencer/protocol/messages.ts";
import {
  accountLeaf,
  type Entry,
  emptyKey,
  type Shape,
  sessionLeaf,
} from "../../../sequencer/protocol/state.ts";
import { createMemoryState, type MemoryState } from "../../../sequencer/state/memoryState.ts";
import { createStateTrees, type StateTrees } from "../../../sequencer/state/stateTrees.ts";
import { EXPIRY, FAR, keySecret, ownerOf, TEST_DOMAIN } from "../../../test/support/market.ts";
import { FIRST_ACCOUNT, type Size } from "./plan.ts";

/** Ticks: every series' mark, and that of every book. */
export const MARK = 500;
/** Ticks away from the mark: what rests there is never met by the benchmark's orders. */
const FAR_TICKS = 100;
const ENTRIES_PER_SIDE = 8;
const CASH = 2 ** 46;
/** Contents that idle accounts share. */
const KINDS = 16;

export interface FilledState {
  readonly state: MemoryState;
  readonly trees: StateTrees;
}

/** Nothing in it counts as touched, and its trees are in sync. `traders`: who have real keys. */
export function fillState(shape: Shape, size: Size, traders: Iterable<number>): FilledState {
  const state = createMemoryState(shape);
  const trees = createStateTrees(shape);
  listSeries(state);
  openBooks(state, size);
  trees.sync(state, { ...state.touched(), accounts: [], sessions: [] });
  fillIdle(state, trees, size.accounts);
  const ids = [...traders];
  for (const id of ids) fillAccount(state, id, publicKeyOf(keySecret(id)));
  trees.sync(state, { accounts: ids, sessions: ids, books: [] });
  state.clearTouched();
  return { state, trees };
}

function listSeries(state: MemoryState): void {
  for (let slot = 0; slot < state.slots; slot++) {
    const terms = { status: "listed", isCall: slot % 2 === 0, strike: 20_000 + slot } as const;
    Object.assign(state.editSeries(slot), { ...terms, expiry: EXPIRY, generation: 1, mark: MARK });
  }
}

/** Plain ones of all slots, then combinations of two legs, each with a mark of {@link MARK}. */
function openBooks(state: MemoryState, { accounts, books }: Size): void {
  const fees = { taker: 3, maker: -1 };
  for (let id = 0; id < books; id++) {
    const slot = id % state.slots;
    const away = Math.floor(id / state.slots);
    const weights = new Array<number>(state.slots).fill(0).with(slot, away === 0 ? 1 : 2);
    if (away > 0) weights[(slot + away) % state.slots] = -1;
    const generation = weights.reduce((sum, weight) => sum + weight ** 2, 0);
    const bids = restingSide(state, accounts, MARK - FAR_TICKS);
    const asks = restingSide(state, accounts, MARK + FAR_TICKS);
    state.putBook(id, { weights, generation, fees, bids, asks });
  }
}

/** Of one price, so that they stand in the order of their numbers. */
function restingSide(state: MemoryState, accounts: number, price: number): Entry[] {
  return Array.from({ length: ENTRIES_PER_SIDE }, (_, at) => {
    const seq = state.nextSeq();
    state.setNextSeq(seq + 1);
    const account = FIRST_ACCOUNT + ((seq * 7919) % (accounts - FIRST_ACCOUNT));
    return { account, seq, price, lots: 1 + at };
  });
}

function fillIdle(state: MemoryState, trees: StateTrees, accounts: number): void {
  const keys = Array.from({ length: KINDS }, (_, kind) => publicKeyOf(keySecret(kind)));
  const accountLeaves: bigint[] = [];
  const sessionLeaves: bigint[] = [];
  for (let id = 0; id < accounts; id++) {
    const kind = id % KINDS;
    fillAccount(state, id, keys[kind]!, kind);
    accountLeaves[kind] ??= accountLeaf(state.account(id));
    sessionLeaves[kind] ??= sessionLeaf(state.session(id));
  }
  const leavesOf = function* (leaves: readonly bigint[]) {
    for (let id = 0; id < accounts; id++) yield [id, leaves[id % KINDS]!] as const;
  };
  trees.accounts.setMany(leavesOf(accountLeaves));
  trees.sessions.setMany(leavesOf(sessionLeaves));
}

/** `like`: of which account the contents are. */
function fillAccount(state: MemoryState, id: number, key: PublicKey, like = id): void {
  Object.assign(state.editAccount(id), { owner: ownerOf(like), cash: CASH });
  const head = headOf(like);
  const registered = { ...emptyKey(), ...key, head, expiry: FAR / 1000 - 1, version: 1 };
  state.editSession(id).keys[0] = registered;
}

const heads = new Map<number, bigint>();
/** Of a key that has signed nothing. */
function headOf(account: number): bigint {
  const known = heads.get(account);
  if (known !== undefined) return known;
  const head = firstHead({ domain: TEST_DOMAIN, account, keyIndex: 0, version: 1 });
  heads.set(account, head);
  return head;
}
