// A node with the `jetstream` log, in a process of its own: the writer, or one that stands by and
// takes over. Each message is a number of records to append, one by one; what is acknowledged, and
// what is not any more, is told as it comes.
import { setTimeout as sleep } from "node:timers/promises";
import {
  type JetstreamLogOptions,
  openJetstreamLog,
} from "../../sequencer/jetstream/jetstreamLog.ts";
import { openStandbyLog } from "../../sequencer/jetstream/standbyLog.ts";
import { openStore } from "../../sequencer/store/store.ts";
import { silent } from "../unit/roles/ports.ts";
import { DOMAIN, sampleEntry } from "../unit/store/sampleEntries.ts";

export interface StreamStart {
  readonly directory: string;
  readonly stream: Omit<JetstreamLogOptions, "copy" | "logger">;
  /** Silence after which it takes over; absent for the one that writes from the beginning. */
  readonly takeoverMs?: number;
}

export type StreamTold =
  | { readonly kind: "ready" }
  | { readonly kind: "acknowledged"; readonly position: number; readonly hash: string }
  | { readonly kind: "refused"; readonly reason: string };

/** A cluster that has just been started has no leader yet. */
const TRIES_MAX = 60;
const RETRY_MS = 500;

const tell = (told: StreamTold): void => void process.send?.(told);
const start = JSON.parse(process.argv[2] ?? "") as StreamStart;
const { log: copy } = await openStore(start.directory, DOMAIN);
const options = { ...start.stream, copy, logger: silent };

async function open(tries = 0): Promise<Awaited<ReturnType<typeof openJetstreamLog>>> {
  const { takeoverMs } = start;
  try {
    if (takeoverMs === undefined) return await openJetstreamLog(options);
    const { signal } = new AbortController();
    const standby = { ...options, takeoverMs, signal, onTakeover: async () => undefined };
    return await openStandbyLog(standby);
  } catch (error) {
    if (tries >= TRIES_MAX) throw error;
    await sleep(RETRY_MS);
    return open(tries + 1);
  }
}

const log = await open();
process.on("disconnect", () => process.exit(0));
process.on("message", (count: number) => {
  for (let place = 0; place < count; place++) {
    log.append([sampleEntry(place)]).then(
      ([record]) => tell({ kind: "acknowledged", position: record!.position, hash: record!.hash }),
      (error: Error) => tell({ kind: "refused", reason: error.message }),
    );
  }
});
if (start.takeoverMs === undefined) tell({ kind: "ready" });
else {
  // Ends when the log has become its own.
  for await (const _record of log.read(copy.head().position)) void _record;
  tell({ kind: "ready" });
}
