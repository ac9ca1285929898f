/** The engine of the order log that a sequencer's configuration names. */
import { logOrigin } from "../batch/log.ts";
import { openJetstreamLog } from "../jetstream/jetstreamLog.ts";
import { openStandbyLog } from "../jetstream/standbyLog.ts";
import type { LeadDesk, Log, Logger } from "../ports.ts";
import { openTermLog, type TermLog } from "../roles/termLog.ts";
import type { Store } from "../store/store.ts";
import type { SequencerFile } from "./config.ts";

const ORIGIN_DIGITS = 16;

export interface OrderLogOptions {
  /** With the log in this node's own store: the log itself, or its copy. */
  readonly store: Pick<Store, "log" | "truncate">;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Awaited before the log can be written: now, or when a node that stands by takes over. */
  onOwn(): Promise<void>;
  /** Where a member calls whose sequencer this is, and whom its records are shown. */
  openDesk(member: string): Promise<{ desk: LeadDesk; announce(position: number): void }>;
}

export interface OrderLog {
  readonly log: Log;
  /** It acknowledges what validators have certified, and shows them more: the store's log. */
  readonly waiting?: TermLog;
}

export async function openOrderLog(
  { log, deployment }: Pick<SequencerFile, "log" | "deployment">,
  { store, logger, signal, onOwn, openDesk }: OrderLogOptions,
): Promise<OrderLog> {
  const copy = store.log;
  if (log.engine === "embedded") {
    await onOwn();
    return { log: copy };
  }
  if (log.engine === "simplex") {
    const { desk, announce } = await openDesk(log.member);
    const { truncate } = store;
    const waiting = await openTermLog({
      ...{ copy, desk, announce, truncate, logger, signal, onTurn: onOwn },
    });
    return { log: waiting, waiting };
  }
  const name = `straddle-${logOrigin(deployment.domain).slice(0, ORIGIN_DIGITS)}`;
  const { standby, stream = name } = log;
  const options = { ...log, stream, copy, logger };
  if (standby !== undefined) {
    return { log: await openStandbyLog({ ...options, ...standby, signal, onTakeover: onOwn }) };
  }
  const opened = await openJetstreamLog(options);
  await onOwn();
  return { log: opened };
}
