/**
 * What the sequencer knows of accounts that is not in the log: words that it holds, protection of
 * market makers, scopes of keys. Each account has one record, replaced on disk as a whole.
 */
import type { AccountStore } from "../ports.ts";
import type { Signature } from "../protocol/eddsa.ts";
import type { HeldCondition, HeldInfo, ProtectionLimits } from "../protocol/heldWord.ts";
import type { KeyScope } from "../protocol/keyScope.ts";

/** A held word as it is stored. */
export interface HeldRecord {
  readonly id: string;
  readonly group: string;
  readonly account: number;
  readonly keyIndex: number;
  /** Of the key. */
  readonly version: number;
  readonly word: bigint;
  readonly signature: Signature;
  /** The key's chain head before the word and after it. */
  readonly before: bigint;
  readonly after: bigint;
  readonly follows: string | null;
  conditions: readonly HeldCondition[];
  met: number;
  readonly label: string;
  readonly leftAt: number;
}

export interface ProtectionRecord {
  limits: ProtectionLimits;
  isFrozen: boolean;
  /** Null: until it is reset. */
  frozenUntil: number | null;
}

export interface ScopeRecord {
  readonly keyIndex: number;
  /** Of the key: another key in its place has the full scope again. */
  readonly version: number;
  readonly scope: KeyScope;
  /** Unix ms, as signed: a later one replaces it. */
  readonly time: number;
}

export interface AccountRecord {
  held: readonly HeldRecord[];
  /** Newest last. */
  ended: readonly HeldInfo[];
  protection: ProtectionRecord | null;
  scopes: readonly ScopeRecord[];
}

export interface AccountRecords {
  /** For reading; undefined: nothing is kept. */
  find(account: number): AccountRecord | undefined;
  /** To be changed, and then saved. */
  open(account: number): AccountRecord;
  all(): Iterable<readonly [number, AccountRecord]>;
  /** Resolves when the record as it is now is durable. Changes in between are written as one. */
  save(account: number): Promise<void>;
}

/** Accounts whose records say only what has ended: the longest unchanged are forgotten. */
const IDLE_KEPT = 10_000;

interface Writing {
  now: Promise<void>;
  next: Promise<void> | undefined;
}

export async function loadAccountRecords(
  store: AccountStore,
  idleKept = IDLE_KEPT,
): Promise<AccountRecords> {
  const records = new Map<number, AccountRecord>();
  const writing = new Map<number, Writing>();
  const idle = new Set<number>();
  for await (const [account, value] of store.load()) {
    const record = value as AccountRecord;
    records.set(account, record);
    if (isIdle(record)) idle.add(account);
  }
  const write = async (account: number): Promise<void> => {
    const record = records.get(account);
    if (record === undefined) await store.delete(account);
    else await store.save(account, record);
  };
  const save = (account: number): Promise<void> => {
    const busy = writing.get(account);
    if (busy !== undefined) {
      // The one under way may have been encoded before the change.
      busy.next ??= busy.now.then(() => begin(account));
      return busy.next;
    }
    return begin(account);
  };
  const begin = (account: number): Promise<void> => {
    const now = write(account);
    const own: Writing = { now, next: undefined };
    writing.set(account, own);
    const end = (): void => {
      if (own.next === undefined && writing.get(account) === own) writing.delete(account);
    };
    now.then(end, end);
    return now;
  };
  const noteIdle = (account: number): void => {
    const record = records.get(account);
    idle.delete(account);
    if (record !== undefined && isIdle(record)) idle.add(account);
    const [oldest] = idle;
    if (idle.size <= idleKept || oldest === undefined) return;
    idle.delete(oldest);
    records.delete(oldest);
    void save(oldest).catch(() => undefined);
  };
  return {
    find: (account) => records.get(account),
    open: (account) => {
      const known = records.get(account);
      if (known !== undefined) return known;
      const record: AccountRecord = { held: [], ended: [], protection: null, scopes: [] };
      records.set(account, record);
      return record;
    },
    all: () => records,
    save: (account) => {
      noteIdle(account);
      return save(account);
    },
  };
}

function isIdle({ held, protection, scopes }: AccountRecord): boolean {
  return held.length === 0 && protection === null && scopes.length === 0;
}
