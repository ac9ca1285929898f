/** What a sequencer does now and then besides executing orders, and what takes longer with them. */
import type { Executor } from "../../../sequencer/batch/executor.ts";
import { createMarginWatch } from "../../../sequencer/roles/marginWatch.ts";
import type { MemoryState } from "../../../sequencer/state/memoryState.ts";
import { percentile } from "../percentile.ts";

const TIMES = 3;

/** CPU milliseconds of all threads, each time. */
export interface Besides {
  /** The copy of the state that a checkpoint is made of, before it is written. */
  readonly checkpoint: number;
  /** A look for accounts below maintenance margin while nothing has changed. */
  readonly margins: number;
}

/** Between two batches. Throws where an account is below maintenance margin. */
export function costBesides(state: MemoryState, executor: Executor): Besides {
  const risk = executor.risk();
  if (risk === undefined) throw new Error("no batch was open yet");
  const watch = createMarginWatch(state);
  const look = (): void => {
    const { failing } = watch.scan(risk);
    if (failing.length > 0) throw new Error("an account is below maintenance margin");
  };
  look();
  return {
    checkpoint: medianMs(() => {
      const { accounts } = state.exportState();
      if (accounts.length === 0) throw new Error("the copy has no accounts");
    }),
    margins: medianMs(look),
  };
}

function medianMs(act: () => void): number {
  const times = Array.from({ length: TIMES }, () => {
    const before = process.cpuUsage();
    act();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return percentile(times, 50);
}
