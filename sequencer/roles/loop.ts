/** Repeated work of a role: one run at a time, ended by a signal, awaited at the end. */

export interface LoopOptions {
  /** Pause between the end of one run and the beginning of the next. */
  readonly everyMs: number;
  readonly signal: AbortSignal;
  run(): Promise<void> | void;
  /** What a failed run means; the loop goes on after it unless the signal has been aborted. */
  onError(error: unknown): void;
}

/** Resolves when the signal has been aborted and the last run has ended. */
export async function loop(options: LoopOptions): Promise<void> {
  const { everyMs, signal, run, onError } = options;
  while (!signal.aborted) {
    try {
      await run();
    } catch (error) {
      if (!signal.aborted) onError(error);
    }
    await pause(everyMs, signal);
  }
}

/** Resolves after `ms`, or at once when the signal is aborted. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
  });
}

/** What it comes to; throws at once when the signal aborts: nobody waits for it then. */
export function unlessAborted<T>(coming: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    coming.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
