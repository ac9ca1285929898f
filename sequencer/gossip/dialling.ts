/** Opening streams, as often as it takes, and waiting between two tries or two messages. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Libp2p, Stream } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";

/** Longer than this a dial takes only where nobody answers (ms). */
export const DIAL_MS_MAX = 10_000;

/** `address`: multiaddr with the peer's id. */
export function openStream(
  node: Libp2p,
  { address, protocol, ms = DIAL_MS_MAX }: { address: string; protocol: string; ms?: number },
  outer: AbortSignal,
): Promise<Stream> {
  const signal = AbortSignal.any([outer, AbortSignal.timeout(ms)]);
  return node.dialProtocol(multiaddr(address), protocol, { signal });
}

/** Between two tries (ms). */
export interface Backoff {
  readonly msMin: number;
  readonly msMax: number;
}

/** Towards a server that everybody comes back to. */
export const SERVER_BACKOFF: Backoff = { msMin: 50, msMax: 5_000 };

const DOUBLINGS_MAX = 10;

/** Doubles from try to try, with jitter: peers of one node must not all come back at once. */
export function backOffMs(failures: number, { msMin, msMax }: Backoff): number {
  const full = Math.min(msMax, msMin * 2 ** Math.min(failures, DOUBLINGS_MAX));
  return full / 2 + (Math.random() * full) / 2;
}

/** Resolves after that time, or at once when the signal aborts. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** Whoever sends when there is something, and is told so by `wake`. */
export interface Waiting {
  wake: () => void;
}

/** The signal that each waits under: one listener serves all its waits. */
const under = new WeakMap<Waiting, AbortSignal>();

/** Resolves at `wake`, or after `ms` all the same. Throws when the signal aborts. */
export async function wakeOrTime(waiting: Waiting, ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (under.get(waiting) !== signal) {
    under.set(waiting, signal);
    signal.addEventListener("abort", () => waiting.wake(), { once: true });
  }
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      waiting.wake = () => undefined;
      resolve();
    };
    const timer = setTimeout(end, ms);
    waiting.wake = end;
  });
  signal.throwIfAborted();
}
