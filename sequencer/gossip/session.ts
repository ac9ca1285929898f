/** One stream that a peer has opened, from its request to its end. */
import type { Connection, Stream, StreamHandler } from "@libp2p/interface";
import type { Logger } from "../ports.ts";
import { createFrameReader } from "./frames.ts";
import { REQUEST_FRAME_BYTES_MAX } from "./wire.ts";

const REQUEST_TIMEOUT_MS = 10_000;

export interface Session {
  readonly stream: Stream;
  readonly signal: AbortSignal;
  /** Id of whoever opened it: proven by the connection, and all that is known. */
  readonly peer: string;
}

/** Runs a session until it ends by itself, the stream closes or the server stops. */
export function sessionHandler(
  run: (session: Session) => Promise<void>,
  stopping: AbortSignal,
  logger: Logger,
): StreamHandler {
  return async (stream: Stream, connection: Connection) => {
    const closed = new AbortController();
    stream.addEventListener("close", () => closed.abort());
    const signal = AbortSignal.any([stopping, closed.signal]);
    const peer = String(connection.remotePeer);
    try {
      await run({ stream, signal, peer });
      await stream.close({ signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    } catch (error) {
      if (!signal.aborted) logger.warn("a peer's stream failed", { peer, error });
      stream.abort(error as Error);
    }
  };
}

export async function readRequest({ stream, signal }: Session): Promise<Uint8Array> {
  const reader = createFrameReader(stream, REQUEST_FRAME_BYTES_MAX);
  const timeout = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
  const request = await reader.next(AbortSignal.any([signal, timeout]));
  if (request === undefined) throw new Error("the stream ended before its request");
  return request;
}
