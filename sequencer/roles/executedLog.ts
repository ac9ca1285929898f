/** A node's own log as far as it is durable and executed: heads and roots at its positions. */
import type { LogRecord } from "../batch/log.ts";
import type { LogPlace } from "../consensus/block.ts";
import type { Log } from "../ports.ts";

/** Newest places that are known without reading the log. */
const PLACES_KEPT = 2 ** 13;

export interface ExecutedLog {
  head(): LogPlace;
  /**
   * The place `to` after the executed place `base`; undefined while the log does not reach it. The
   * root is that of the last batch sealed before it: what came after is in the log's hash alone.
   */
  placeAt(base: LogPlace, to: number): Promise<LogPlace | undefined>;
  onGrowth(listener: () => void): void;
  /** The next record is durable and was executed; `root` of the last sealed batch, it included. */
  executed(record: LogRecord, root: bigint): void;
}

/** `head`: where the node begins. `log` holds what is executed and nothing else. */
export function createExecutedLog(log: Pick<Log, "read">, head: LogPlace): ExecutedLog {
  let newest = head;
  const recent = new Map<number, LogPlace>([[head.to, head]]);
  const listeners = new Set<() => void>();

  async function placeAt(base: LogPlace, to: number): Promise<LogPlace | undefined> {
    if (to === base.to) return base;
    if (to > newest.to) return undefined;
    const known = recent.get(to);
    if (known !== undefined) return known;
    let { root } = base;
    for await (const { position, hash, entry } of log.read(base.to)) {
      // Sealing with another root than was found here is no entry that was executed.
      if (entry.type === "seal") root = entry.root;
      if (position === to - 1) return { to, logHash: hash, root };
    }
    return undefined;
  }

  return {
    head: () => newest,
    placeAt,
    onGrowth: (listener) => void listeners.add(listener),
    executed: ({ position, hash }, root) => {
      newest = { to: position + 1, logHash: hash, root };
      recent.set(newest.to, newest);
      const [oldest] = recent.keys();
      if (recent.size > PLACES_KEPT) recent.delete(oldest!);
      for (const listener of listeners) listener();
    },
  };
}
