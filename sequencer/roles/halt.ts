/** The end of a node that cannot go on: said once, with its reason, and nothing is taken after. */
import type { Logger } from "../ports.ts";
import { HaltedError } from "../protocol/halted.ts";
import { messageOf } from "./loop.ts";
import { TurnOverError } from "./termLog.ts";

export interface Halt {
  fail(error: unknown): void;
  reason(): string | undefined;
  /** Throws {@link HaltedError}. */
  assertRunning(): void;
  /** Aborted by the first failure; its reason is the error. */
  readonly signal: AbortSignal;
}

export function createHalt(logger: Logger): Halt {
  const controller = new AbortController();
  let reason: string | undefined;
  return {
    signal: controller.signal,
    reason: () => reason,
    assertRunning: () => {
      if (reason !== undefined) throw new HaltedError(`the node has stopped: ${reason}`);
    },
    fail: (error) => {
      if (reason !== undefined) return;
      reason = messageOf(error);
      const stack = error instanceof Error ? error.stack : undefined;
      if (error instanceof TurnOverError) logger.warn("the node stops sequencing", { reason });
      else logger.error("the node stops: it cannot go on", { reason, stack });
      controller.abort(error);
    },
  };
}

/** A node whose log takes nothing more ends, also when it has nothing to write. */
export function haltWith(halt: Halt, failure: AbortSignal): void {
  if (failure.aborted) halt.fail(failure.reason);
  failure.addEventListener("abort", () => halt.fail(failure.reason), { once: true });
}
