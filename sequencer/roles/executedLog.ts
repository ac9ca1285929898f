/** A node's own log as far as it is durable and executed: heads and roots at its positions. */
import type { LogRecord } from "../batch/log.ts";
import { BLOCK_RECORDS_MAX, type LogPlace } from "../consensus/block.ts";
import type { Log } from "../ports.ts";

/** Newest places that are known without reading the log: as many as one block can take in. */
const PLACES_KEPT = BLOCK_RECORDS_MAX;

/** A place in the log, and the epoch of the record before it. */
export interface ExecutedPlace extends LogPlace {
  readonly epoch: number;
}

export interface ExecutedLog {
  head(): ExecutedPlace;
  /**
   * The place `to` after the executed place `base`; undefined while the log does not reach it. The
   * root is that of the last batch sealed before it: what came after is in the log's hash alone.
   */
  placeAt(base: LogPlace, to: number): Promise<ExecutedPlace | undefined>;
  onGrowth(listener: () => void): void;
  /** The next record is durable and was executed; `root` of the last sealed batch, it included. */
  executed(record: LogRecord, root: bigint): void;
  /** The log is about to be cut off there: what is above must not be read. */
  cutting(to: number): void;
  /** It has been. */
  rewound(place: ExecutedPlace): void;
}

/** `head`: where the node begins. `log` holds what is executed and nothing else. */
export function createExecutedLog(log: Pick<Log, "read">, head: ExecutedPlace): ExecutedLog {
  let newest = head;
  let cuts = 0;
  let end = Number.POSITIVE_INFINITY;
  // In a ring: the oldest of a Map is found behind all that were deleted before it.
  const recent = new Map<number, ExecutedPlace>([[slotOf(head.to), head]]);
  const reading = new Map<string, Promise<ExecutedPlace | undefined>>();
  const listeners = new Set<() => void>();

  async function placeAt(base: LogPlace, to: number): Promise<ExecutedPlace | undefined> {
    if (to > Math.min(newest.to, end)) return undefined;
    const known = recent.get(slotOf(to));
    if (known?.to === to) return known;
    // Who asks again with each record that comes gets the answer of the first.
    const question = `${cuts}/${base.logHash}/${to}`;
    const asked = reading.get(question);
    if (asked !== undefined) return asked;
    const answer = readUncut(base, to).finally(() => reading.delete(question));
    reading.set(question, answer);
    return answer;
  }

  async function readUncut(base: LogPlace, to: number): Promise<ExecutedPlace | undefined> {
    const before = cuts;
    try {
      const place = await readPlace(base, to);
      return cuts === before ? place : undefined;
    } catch (error) {
      // Cut off while it was read: what is missing there is no damage.
      if (cuts === before) throw error;
      return undefined;
    }
  }

  async function readPlace(base: LogPlace, to: number): Promise<ExecutedPlace | undefined> {
    let { root } = base;
    if (to === 0) return { ...base, epoch: 0 };
    for await (const { position, epoch, hash, entry } of log.read(Math.min(base.to, to - 1))) {
      // Sealing with another root than was found here is no entry that was executed.
      if (entry.type === "seal") root = entry.root;
      if (position === to - 1) return { to, logHash: hash, root, epoch };
    }
    return undefined;
  }

  function note(place: ExecutedPlace): void {
    newest = place;
    recent.set(slotOf(place.to), place);
  }

  return {
    head: () => newest,
    placeAt,
    onGrowth: (listener) => void listeners.add(listener),
    executed: ({ position, epoch, hash }, root) => {
      note({ to: position + 1, logHash: hash, root, epoch });
      for (const listener of listeners) listener();
    },
    cutting: (to) => {
      cuts += 1;
      end = Math.min(end, to);
    },
    rewound: (place) => {
      cuts += 1;
      end = Number.POSITIVE_INFINITY;
      for (const [slot, { to }] of recent) if (to > place.to) recent.delete(slot);
      note(place);
    },
  };
}

function slotOf(to: number): number {
  return to % PLACES_KEPT;
}
