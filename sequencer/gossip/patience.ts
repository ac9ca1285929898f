/** How long the other end of a stream may keep this one waiting. */
import type { Stream } from "@libp2p/interface";

export interface Patience {
  /** It is waited for from now on. */
  begin(): void;
  end(): void;
  /** The stream is over. */
  stop(): void;
}

/** Looks so often, in parts of the longest wait. */
const LOOKS = 4;

/**
 * Aborts the stream after a wait of `msMax`, or a quarter more. One timer serves all waits: a
 * signal and a timer for each message cost as much as the message.
 */
export function createPatience(stream: Stream, msMax: number, reason: string): Patience {
  let since: number | undefined;
  const timer = setInterval(() => {
    if (since === undefined || performance.now() - since < msMax) return;
    stream.abort(new Error(reason));
  }, msMax / LOOKS);
  return {
    begin: () => {
      since = performance.now();
    },
    end: () => {
      since = undefined;
    },
    stop: () => clearInterval(timer),
  };
}
