/** The engine of the order log that a sequencer's configuration names. */
import { logOrigin } from "../batch/log.ts";
import { openJetstreamLog } from "../jetstream/jetstreamLog.ts";
import { openStandbyLog } from "../jetstream/standbyLog.ts";
import type { Log, Logger } from "../ports.ts";
import type { SequencerFile } from "./config.ts";

const ORIGIN_DIGITS = 16;

export interface OrderLogOptions {
  /** The log in this node's own store: the log itself, or its copy. */
  readonly copy: Log;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Awaited before the log can be written: now, or when a node that stands by takes over. */
  onOwn(): Promise<void>;
}

export async function openOrderLog(
  { log, deployment }: Pick<SequencerFile, "log" | "deployment">,
  { copy, logger, signal, onOwn }: OrderLogOptions,
): Promise<Log> {
  if (log.engine === "embedded") {
    await onOwn();
    return copy;
  }
  const name = `straddle-${logOrigin(deployment.domain).slice(0, ORIGIN_DIGITS)}`;
  const { standby, stream = name } = log;
  const options = { ...log, stream, copy, logger };
  if (standby !== undefined) {
    return openStandbyLog({ ...options, ...standby, signal, onTakeover: onOwn });
  }
  const opened = await openJetstreamLog(options);
  await onOwn();
  return opened;
}
