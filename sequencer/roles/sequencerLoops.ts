/** What the sequencer does again and again, each in a loop of its own. */
import type { Logger, SettlementLayer } from "../ports.ts";
import { ForeignBatchError } from "./anchoring.ts";
import type { Halt } from "./halt.ts";
import { LayerOneStoppedError } from "./layerOneQueue.ts";
import { loop, messageOf } from "./loop.ts";

export interface Work {
  readonly tick: () => void;
  readonly poll: () => Promise<void>;
  readonly queue: () => Promise<void>;
  readonly anchor: () => Promise<void>;
}

export interface LoopOptions {
  readonly halt: Halt;
  readonly logger: Logger;
  readonly settlement: Pick<SettlementLayer, "report">;
  readonly tickMs: number;
  readonly pollMs: number;
}

/** Until the signal aborts. Throws what made the node stop, if anything did. */
export async function runLoops(
  { halt, logger, settlement, tickMs, pollMs }: LoopOptions,
  work: Work,
  outer: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([outer, halt.signal]);
  // Layer one and oracles may be away for a while: each failure is told, none ends the loop.
  const warn = (task: string) => {
    let told: string | undefined;
    return (error: unknown): void => {
      const { stopped } = settlement.report();
      const message = messageOf(error);
      const isEnd = error instanceof ForeignBatchError || error instanceof LayerOneStoppedError;
      if (isEnd) halt.fail(error);
      else if (stopped !== null) halt.fail(new LayerOneStoppedError(stopped));
      else if (message !== told) logger.warn(`${task} failed`, { error: message });
      told = message;
    };
  };
  await Promise.all([
    loop({ everyMs: tickMs, signal, run: work.tick, onError: halt.fail }),
    loop({ everyMs: pollMs, signal, run: work.poll, onError: warn("reading snapshots") }),
    loop({ everyMs: pollMs, signal, run: work.queue, onError: warn("reading the queue") }),
    loop({ everyMs: pollMs, signal, run: work.anchor, onError: warn("anchoring") }),
  ]);
  if (halt.signal.aborted) throw halt.signal.reason;
}
