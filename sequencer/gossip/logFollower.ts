/**
 * A validator's end of the network. Whatever goes wrong on the way, a broken connection or a
 * server that breaks the protocol, it waits, dials again and goes on from where it was.
 */
import type { Libp2p, Stream } from "@libp2p/interface";
import type { LogFollower, Logger } from "../ports.ts";
import { backOffMs, openStream, SERVER_BACKOFF, wait } from "./dialling.ts";
import { createFrameReader, sendFrames } from "./frames.ts";
import { createPeerNode } from "./peerNode.ts";
import {
  ATTEST_PROTOCOL,
  encodeMessage,
  LOG_PROTOCOL,
  PROOFS_PROTOCOL,
  parseProof,
  parseRecord,
  REQUEST_FRAME_BYTES_MAX,
  STREAM_FRAME_BYTES_MAX,
} from "./wire.ts";

export interface LogFollowerOptions {
  /** Multiaddr of the server, with its peer id. */
  readonly server: string;
  /** Identity seed, 32 bytes in hex; a new identity each time without it. */
  readonly seed?: string;
  /** A node to use instead of an own one; whoever made it stops it. */
  readonly node?: Libp2p;
  readonly logger: Logger;
}

const ANSWER_TIMEOUT_MS = 10_000;

/** A kind of stream: where it begins, and how one frame is read. */
interface Subscription<T> {
  readonly protocol: string;
  readonly from: number;
  readonly parse: (frame: Uint8Array, expected: number) => T;
}

interface Line {
  readonly node: Libp2p;
  readonly server: string;
  readonly logger: Logger;
}

export async function createLogFollower(options: LogFollowerOptions): Promise<LogFollower> {
  const { server, seed, logger } = options;
  const identity = seed === undefined ? {} : { seed };
  const node = options.node ?? (await createPeerNode({ listen: [], ...identity }));
  const line: Line = { node, server, logger };
  const stopping = new AbortController();
  const until = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, stopping.signal]);

  return {
    follow: (from, signal) =>
      subscribe(line, { protocol: LOG_PROTOCOL, from, parse: parseRecord }, until(signal)),
    proofs: (from, signal) =>
      subscribe(line, { protocol: PROOFS_PROTOCOL, from, parse: parseProof }, until(signal)),
    attest: (attestation, signal) => deliver(line, { attestation }, until(signal)),
    refuse: (refusal) => deliver(line, { refusal }, stopping.signal),
    stop: async () => {
      stopping.abort();
      if (options.node === undefined) await node.stop();
    },
  };
}

/** Items in order, one for each number from `from` on, without end. */
async function* subscribe<T>(
  line: Line,
  { protocol, from, parse }: Subscription<T>,
  signal: AbortSignal,
): AsyncGenerator<T> {
  let expected = from;
  let failures = 0;
  while (!signal.aborted) {
    let stream: Stream | undefined;
    try {
      stream = await openStream(line.node, { address: line.server, protocol }, signal);
      const reader = createFrameReader(stream, STREAM_FRAME_BYTES_MAX);
      await sendFrames(stream, [encodeMessage({ from: expected })], signal);
      for (;;) {
        const frame = await reader.next(signal);
        if (frame === undefined) throw new Error("the server ended the stream");
        const item = parse(frame, expected);
        expected += 1;
        failures = 0;
        yield item;
      }
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      line.logger.warn("lost the log server", { protocol, expected, failures, error });
    } finally {
      // Runs too when the consumer leaves the loop: the server then learns that nobody reads.
      stream?.abort(new Error("the follower has left"));
    }
    await wait(backOffMs(failures, SERVER_BACKOFF), signal);
  }
}

/** Sends one message and waits for the server's word that it has it; tries until `signal`. */
async function deliver(line: Line, message: unknown, signal: AbortSignal): Promise<void> {
  const attesting = { address: line.server, protocol: ATTEST_PROTOCOL };
  for (let failures = 0; ; ) {
    signal.throwIfAborted();
    let stream: Stream | undefined;
    try {
      stream = await openStream(line.node, attesting, signal);
      const reader = createFrameReader(stream, REQUEST_FRAME_BYTES_MAX);
      const timeout = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
      await sendFrames(stream, [encodeMessage(message)], timeout);
      const answer = await reader.next(timeout);
      if (answer === undefined) throw new Error("the server did not take the message");
      await stream.close({ signal: timeout });
      return;
    } catch (error) {
      stream?.abort(error as Error);
      failures += 1;
      line.logger.warn("could not deliver to the log server", { failures, error });
    }
    await wait(backOffMs(failures, SERVER_BACKOFF), signal);
  }
}
