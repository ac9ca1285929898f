/**
 * The way to one other member: a stream that this side opens and only writes to, dialled again with
 * growing pauses for as long as it takes. What cannot be sent is dropped: who votes says again what
 * matters, and a queue for somebody who is away would only grow.
 */
import type { Libp2p } from "@libp2p/interface";
import type { Logger } from "../ports.ts";
import { backOffMs, openStream, type Waiting, wait, wakeOrTime } from "./dialling.ts";
import { sendFrames } from "./frames.ts";
import { MEMBER_PROTOCOL, type MemberLimits } from "./memberWire.ts";
import { createPatience } from "./patience.ts";

const POLL_MS = 20;

export interface MemberLinkOptions {
  readonly node: Libp2p;
  readonly member: number;
  /** Multiaddr with the member's peer id; undefined while it is not known. */
  address(): string | undefined;
  readonly limits: MemberLimits;
  readonly logger: Logger;
  /** How long (ms) this member must not be dialled. */
  banned(): number;
  /** Whether this side leaves the first dialling to the other: both can use one connection. */
  readonly isPatient: boolean;
  hasConnection(): boolean;
}

export interface MemberLink {
  send(frame: Uint8Array): void;
  isConnected(): boolean;
  stop(): Promise<void>;
}

interface Parts extends Waiting {
  readonly options: MemberLinkOptions;
  waiting: Uint8Array[];
  waitingBytes: number;
  isConnected: boolean;
  dropped: number;
}

export function createMemberLink(options: MemberLinkOptions): MemberLink {
  const stopping = new AbortController();
  const parts: Parts = {
    options,
    ...{ waiting: [], waitingBytes: 0, isConnected: false, dropped: 0, wake: () => undefined },
  };
  const running = run(parts, stopping.signal);
  return {
    send: (frame) => enqueue(parts, frame),
    isConnected: () => parts.isConnected,
    stop: async () => {
      stopping.abort(new Error("the node stops"));
      await running;
    },
  };
}

function enqueue(parts: Parts, frame: Uint8Array): void {
  if (!parts.isConnected) return;
  const { queueMessages, queueBytes } = parts.options.limits;
  parts.waiting.push(frame);
  parts.waitingBytes += frame.length;
  // The oldest say least: votes and certificates only grow.
  while (parts.waiting.length > queueMessages || parts.waitingBytes > queueBytes) {
    parts.waitingBytes -= parts.waiting.shift()!.length;
    parts.dropped += 1;
  }
  parts.wake();
}

async function run(parts: Parts, signal: AbortSignal): Promise<void> {
  const { member, limits, logger, banned, isPatient } = parts.options;
  if (isPatient) await connectionOrTime(parts, signal);
  for (let failures = 0; !signal.aborted; ) {
    const opened = performance.now();
    try {
      await writeAll(parts, signal);
    } catch (error) {
      if (signal.aborted) return;
      const wasUp = parts.isConnected;
      parts.isConnected = false;
      parts.waiting = [];
      parts.waitingBytes = 0;
      // One that closes as soon as it is open is no better than one that cannot be dialled.
      failures = wasUp && performance.now() - opened > limits.backoff.msMax ? 0 : failures + 1;
      if (wasUp || failures === 1) logger.warn("no stream to a member", { member, error });
    }
    await wait(Math.max(banned(), backOffMs(failures, limits.backoff)), signal);
  }
}

async function connectionOrTime({ options }: Parts, signal: AbortSignal): Promise<void> {
  const end = performance.now() + options.limits.patienceMs;
  while (!signal.aborted && !options.hasConnection() && performance.now() < end) {
    await wait(POLL_MS, signal);
  }
}

/** Opens the stream and writes until it breaks, which it throws. */
async function writeAll(parts: Parts, outer: AbortSignal): Promise<void> {
  const { node, address, limits, member, logger } = parts.options;
  const known = address();
  if (known === undefined) throw new Error("nobody knows where the member is");
  const where = { address: known, protocol: MEMBER_PROTOCOL, ms: limits.dialMsMax };
  const stream = await openStream(node, where, outer);
  const closed = new AbortController();
  const signal = AbortSignal.any([outer, closed.signal]);
  stream.addEventListener("close", () => closed.abort(new Error("the stream was closed")));
  const stuck = createPatience(stream, limits.silenceMsMax, "the member takes nothing");
  try {
    parts.isConnected = true;
    logger.info("stream to a member", { member });
    for (;;) {
      const frames = parts.waiting;
      parts.waiting = [];
      parts.waitingBytes = 0;
      // libp2p aborts streams that were idle for two minutes: an empty frame keeps them.
      stuck.begin();
      await sendFrames(stream, frames.length === 0 ? [new Uint8Array(0)] : frames, signal);
      stuck.end();
      if (parts.waiting.length === 0) await wakeOrTime(parts, limits.heartbeatMs, signal);
    }
  } finally {
    stuck.stop();
    stream.abort(new Error("this end has left"));
  }
}
