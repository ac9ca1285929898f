/** Which accounts, books and keys a batch has touched, against what its circuit has room for. */
import type { Author, LedgerOperation, OrderCase, StepRecord } from "../engine/records.ts";
import { FEE_ACCOUNT, INSURANCE_ACCOUNT, KEYS_PER_ACCOUNT } from "../protocol/constants.ts";
import type { Signature } from "../protocol/eddsa.ts";

/** A key's number within the batch: account * 4 + index; signers are ordered by it. */
export function signerId(author: Author): number {
  return author.account * KEYS_PER_ACCOUNT + author.keyIndex;
}

export interface WorkingSet {
  readonly accounts: Set<number>;
  readonly books: Set<number>;
  /** The last signature of each key that has signed. */
  readonly signers: Map<number, Signature>;
  /** Keys that the batch has registered. */
  readonly registered: Set<number>;
  used: number;
  /** Of the fill units: {@link needsFillUnit}. */
  fills: number;
}

export function createWorkingSet(): WorkingSet {
  return {
    accounts: new Set(),
    books: new Set(),
    signers: new Map(),
    registered: new Set(),
    used: 0,
    fills: 0,
  };
}

/** What some steps or an operation add. */
export interface Addition {
  readonly steps: number;
  readonly fills: number;
  readonly accounts: readonly number[];
  readonly books: readonly number[];
  readonly author?: Author | undefined;
}

export interface Room {
  readonly steps: number;
  readonly fills: number;
  readonly accounts: number;
  readonly signers: number;
  readonly books: number;
}

export function fits(set: WorkingSet, addition: Addition, room: Room): boolean {
  const newAccounts = new Set(addition.accounts.filter((id) => !set.accounts.has(id)));
  const newBooks = new Set(addition.books.filter((id) => !set.books.has(id)));
  const { author } = addition;
  const newSigners = author !== undefined && !set.signers.has(signerId(author)) ? 1 : 0;
  return (
    set.used + addition.steps <= room.steps &&
    set.fills + addition.fills <= room.fills &&
    set.accounts.size + newAccounts.size <= room.accounts &&
    set.books.size + newBooks.size <= room.books &&
    set.signers.size + newSigners <= room.signers
  );
}

/** Whether all of them fit, one after the other; the set stays as it is. */
export function fitsAll(set: WorkingSet, additions: readonly Addition[], room: Room): boolean {
  const { accounts, books, signers } = set;
  const copies = { accounts: new Set(accounts), books: new Set(books), signers: new Map(signers) };
  const tried: WorkingSet = { ...set, ...copies };
  return additions.every((addition) => {
    const isFitting = fits(tried, addition, room);
    add(tried, addition, NO_SIGNATURE);
    return isFitting;
  });
}

const NO_SIGNATURE: Signature = { r8x: 0n, r8y: 0n, s: 0n };

export function add(set: WorkingSet, addition: Addition, signature?: Signature): void {
  set.used += addition.steps;
  set.fills += addition.fills;
  for (const id of addition.accounts) set.accounts.add(id);
  for (const id of addition.books) set.books.add(id);
  if (addition.author !== undefined && signature !== undefined) {
    set.signers.set(signerId(addition.author), signature);
  }
}

/** What the circuit opens for these steps: authors, owners of met entries, named books. */
export function additionOfSteps(records: readonly StepRecord[]): Addition {
  const accounts: number[] = [];
  const books: number[] = [];
  let author: Author | undefined;
  for (const record of records) {
    if ("author" in record) {
      author = record.author;
      accounts.push(record.author.account);
    }
    if ("order" in record) {
      accounts.push(record.order.before.account);
      books.push(record.order.before.book);
      if (record.order.maker !== undefined) accounts.push(record.order.maker);
    } else if (record.kind === "cancel") {
      if (record.message.kind === "cancel") books.push(record.message.book);
    } else if (record.kind === "purge") {
      accounts.push(record.account);
      books.push(record.book);
    }
  }
  const fills = records.filter(needsFillUnit).length;
  return { steps: records.length, fills, accounts, books, author };
}

/**
 * Whether a step needs one of the trade circuit's fill units: its order meets an entry with which
 * it may trade, is a liquidation's, or is a fill-or-kill order that aborts.
 */
export function needsFillUnit(record: StepRecord): boolean {
  if (!("order" in record)) return false;
  return record.kind === "liquidate" || record.order.aborted || isMet(record.order.orderCase);
}

/** Rows 5 to 8 of SPEC section 6. */
function isMet(orderCase: OrderCase): boolean {
  switch (orderCase) {
    case "nothingToReduce":
    case "makerMargin":
    case "takerMargin":
    case "fill":
      return true;
    default:
      return false;
  }
}

/** What the circuit opens for an operation: who acts, who is acted on, and the venue's accounts. */
export function additionOfOperation(operation: LedgerOperation): Addition {
  const author = "author" in operation ? operation.author : undefined;
  return { steps: 1, fills: 0, accounts: accountsOf(operation), books: [], author };
}

/** The accounts that an operation reads or changes, the one that acts first. */
export function accountsOf(operation: LedgerOperation): number[] {
  if ("author" in operation) {
    const { author, message } = operation;
    if (message.kind === "transfer") return [author.account, message.to];
    return message.kind === "backstop" ? [author.account, message.from] : [author.account];
  }
  switch (operation.kind) {
    case "forcedClose":
      return [INSURANCE_ACCOUNT, operation.account];
    case "insure":
    case "absorb":
      return [INSURANCE_ACCOUNT, operation.from];
    case "deleverage":
      return [operation.account, operation.from];
    case "collectFees":
      return [FEE_ACCOUNT];
    default:
      return "account" in operation ? [operation.account] : [];
  }
}

/** The touched ids, filled up with the smallest others to `count`, ascending. */
export function padded(ids: ReadonlySet<number>, count: number): number[] {
  const all = new Set(ids);
  for (let id = 0; all.size < count; id++) all.add(id);
  return [...all].sort((left, right) => left - right);
}
