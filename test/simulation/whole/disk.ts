/**
 * A machine's disk: the database and head file that a node's store stands on. Writes are synced one
 * after the other, each in one piece, as LevelDB's journal makes them. When the machine stops, some
 * of those under way have reached the medium, in their order; the others never happened. The head
 * file is seldom synced, and may lag behind or be torn after a power failure.
 */
import type { LogHead } from "../../../sequencer/batch/log.ts";
import type { Database } from "../../../sequencer/store/database.ts";
import type { HeadFile } from "../../../sequencer/store/headFile.ts";
import { HEAD_KEY } from "../../../sequencer/store/keys.ts";
import type { Chance } from "../random.ts";
import type { Machine } from "./virtualTime.ts";

export interface DiskFaults {
  /** A sync takes this long at most (ms); in a slow spell, `slowMsMax`. */
  readonly syncMsMax: number;
  readonly slowMsMax: number;
  /** A broken promise, to see that the checks notice: syncs are acknowledged so much too early. */
  readonly liesMs: number;
}

export interface Disk {
  /** What a store opens at each start of the machine. */
  readonly database: Database;
  openHeadFile(): HeadFile;
  /** The machine stops. `isPower`: with all that was not synced. */
  crash(isPower: boolean): void;
  /** From now on syncs are slow, or not. */
  setSlow(isSlow: boolean): void;
  /** The next sync fails, and every other until the machine stops. */
  breakDown(): void;
  isBroken(): boolean;
  /** Head of the log as the medium has it, whatever the machine says. */
  logHead(): { readonly position: number; readonly hash: string };
  /** A record of the log as the medium has it. */
  logText(key: string): string | undefined;
}

type Change =
  | { readonly type: "put"; readonly key: string; readonly value: string }
  | { readonly type: "del"; readonly key: string };

interface Write {
  readonly changes: readonly Change[];
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

interface Range {
  readonly gte?: string;
  readonly lte?: string;
  readonly lt?: string;
  readonly reverse?: boolean;
  readonly limit?: number;
}

interface Medium {
  readonly machine: Machine;
  readonly chance: Chance;
  readonly faults: DiskFaults;
  /** As readers see it, and as it is after the machine has stopped. */
  visible: Map<string, string>;
  durable: Map<string, string>;
  waiting: Write[];
  /** Told to be durable, but not yet so: of a disk that lies. */
  owed: (readonly Change[])[];
  isWriting: boolean;
  isSlow: boolean;
  isBroken: boolean;
  heads: LogHead[];
}

/** Unsynced writes of the head file that a power failure may undo. */
const HEADS_KEPT = 4;

export function createDisk(machine: Machine, chance: Chance, faults: DiskFaults): Disk {
  const medium: Medium = {
    ...{ machine, chance, faults, visible: new Map(), durable: new Map(), waiting: [], owed: [] },
    ...{ isWriting: false, isSlow: false, isBroken: false, heads: [] },
  };
  return {
    database: createDatabase(medium),
    openHeadFile: () => openHeadFile(medium),
    crash: (isPower) => crash(medium, isPower),
    setSlow: (isSlow) => {
      medium.isSlow = isSlow;
    },
    breakDown: () => {
      medium.isBroken = true;
    },
    isBroken: () => medium.isBroken,
    logHead: () => JSON.parse(medium.durable.get(HEAD_KEY) ?? '{"position":0,"hash":""}'),
    logText: (key) => medium.durable.get(key),
  };
}

/** The part of LevelDB's interface that stores use. */
function createDatabase(medium: Medium): Database {
  const batch = (changes: readonly Change[]) => write(medium, changes);
  const entries = (range: Range) => entriesIn(medium, range);
  const database = {
    batch,
    get: async (key: string) => medium.visible.get(key),
    del: (key: string) => batch([{ type: "del", key }]),
    clear: (range: Range) =>
      batch([...keysIn(medium, range)].map((key) => ({ type: "del", key }) as const)),
    iterator: entries,
    keys: async function* (range: Range) {
      for await (const [key] of entries(range)) yield key;
    },
    values: async function* (range: Range) {
      for await (const [, value] of entries(range)) yield value;
    },
  };
  return database as unknown as Database;
}

async function* entriesIn(medium: Medium, range: Range): AsyncGenerator<[string, string]> {
  // An iterator sees the database as it was when it began.
  const { visible } = medium;
  const found = keysIn(medium, range).map((key) => [key, visible.get(key)!] as [string, string]);
  yield* found;
}

function keysIn({ visible }: Medium, { gte = "", lte, lt, reverse, limit }: Range): string[] {
  const isIn = (key: string): boolean =>
    key >= gte && (lte === undefined || key <= lte) && (lt === undefined || key < lt);
  const keys = [...visible.keys()].filter(isIn).sort();
  if (reverse === true) keys.reverse();
  return limit === undefined ? keys : keys.slice(0, limit);
}

function write(medium: Medium, changes: readonly Change[]): Promise<void> {
  return new Promise((resolve, reject) => {
    medium.waiting.push({ changes, resolve, reject });
    if (!medium.isWriting) sync(medium);
  });
}

function sync(medium: Medium): void {
  const { machine, chance, faults, waiting } = medium;
  medium.isWriting = true;
  const ms = chance.pick((medium.isSlow ? faults.slowMsMax : faults.syncMsMax) + 1);
  machine.after(ms, () => {
    const done = waiting.shift()!;
    if (medium.isBroken) done.reject(new Error("EIO: the sync failed"));
    else finish(medium, done);
    medium.isWriting = false;
    if (waiting.length > 0) sync(medium);
  });
}

function finish(medium: Medium, { changes, resolve }: Write): void {
  const { machine, faults, owed } = medium;
  apply(medium.visible, changes);
  if (faults.liesMs === 0) apply(medium.durable, changes);
  else {
    owed.push(changes);
    machine.after(faults.liesMs, () => apply(medium.durable, owed.shift()!));
  }
  resolve();
}

function apply(map: Map<string, string>, changes: readonly Change[]): void {
  for (const change of changes) {
    if (change.type === "put") map.set(change.key, change.value);
    else map.delete(change.key);
  }
}

function crash(medium: Medium, isPower: boolean): void {
  const { chance, waiting, durable, owed } = medium;
  if (!isPower) for (const changes of owed) apply(durable, changes);
  // Nothing that follows a failed sync is on the medium.
  const reached = medium.isBroken ? 0 : chance.pick(waiting.length + 1);
  for (const { changes } of waiting.slice(0, reached)) apply(durable, changes);
  medium.visible = new Map(durable);
  [medium.waiting, medium.owed] = [[], []];
  [medium.isWriting, medium.isBroken] = [false, false];
  if (!isPower) return;
  const isTorn = chance.happens(20);
  medium.heads = isTorn ? [] : medium.heads.slice(0, 1 + chance.pick(medium.heads.length));
}

function openHeadFile(medium: Medium): HeadFile {
  return {
    found: medium.heads.at(-1),
    write: async (head) => {
      medium.heads = [...medium.heads.slice(1 - HEADS_KEPT), head];
    },
    sync: async () => {
      medium.heads = medium.heads.slice(-1);
    },
    close: async () => undefined,
  };
}
