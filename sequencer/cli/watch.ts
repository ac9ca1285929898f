/** `--watch`: what a command shows, shown again when it has changed, until interrupted. */
import { setTimeout as sleep } from "node:timers/promises";
import { ConnectionError } from "../client/rpcErrors.ts";
import type { Session } from "./session.ts";

/** Milliseconds between two showings, at least. */
const SHOW_MS = 250;

export interface Watched<T> {
  /** What is shown. */
  read(): Promise<T>;
  /** Calls back when something may have changed. Resolves with the end of it. */
  follow(touch: () => void): Promise<() => void>;
  people(data: T): string;
}

/** Shows it once, or again and again. */
export async function show<T>(
  session: Session,
  isWatching: boolean,
  watched: Watched<T>,
): Promise<void> {
  const { output } = session;
  if (!isWatching) {
    const data = await watched.read();
    output.result(data, () => watched.people(data));
    return;
  }
  const { stopping } = session;
  let isTouched = true;
  let wake = (): void => undefined;
  const touch = (): void => {
    isTouched = true;
    wake();
  };
  // Before anything is read: what changes in between must not be missed.
  const ends = [
    await watched.follow(touch),
    session.exchange.rpc.on("closed", ({ reason }) => output.progress(`the connection ${reason}`)),
    session.exchange.rpc.on("reconnected", () => touch()),
  ];
  stopping.addEventListener("abort", touch, { once: true });
  while (!stopping.aborted) {
    if (!isTouched) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    isTouched = false;
    if (stopping.aborted) break;
    try {
      const data = await watched.read();
      output.frame(data, () => watched.people(data));
    } catch (error) {
      // The connection comes back by itself, and then it is read again.
      if (!(error instanceof ConnectionError)) throw error;
    }
    await sleep(SHOW_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
  for (const end of ends) end();
}
