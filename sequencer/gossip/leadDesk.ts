/** Where a sequencer hears of its own member when it is to write the log, and when no longer. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Libp2p } from "@libp2p/interface";
import type { LogRecord } from "../batch/log.ts";
import type { LeadDesk, LeadSession, Logger, Turn } from "../ports.ts";
import { createFrameReader, type FrameReader, sendFrames } from "./frames.ts";
import {
  LEAD_PROTOCOL,
  parseFinal,
  parseHash,
  parseRecordOrTurn,
  SAY_EVERY_MS,
} from "./leadWire.ts";
import { type Session, sessionHandler } from "./session.ts";
import { encodeMessage, STREAM_FRAME_BYTES_MAX } from "./wire.ts";

/** A new stream may come before the end of the broken one is noticed. */
const STREAMS_MAX = 2;

/** `member`: peer id of the one whose sequencer this is. */
export async function createLeadDesk(
  node: Libp2p,
  member: string,
  stopping: AbortSignal,
  logger: Logger,
): Promise<LeadDesk> {
  const waiting = new Set<(session: LeadSession) => void>();
  let unclaimed: LeadSession | undefined;
  let current: AbortController | undefined;

  async function receive(session: Session): Promise<void> {
    if (session.peer !== member) throw new Error("the peer is not this sequencer's member");
    current?.abort(new Error("the member has called again"));
    const over = new AbortController();
    current = over;
    const signal = AbortSignal.any([session.signal, over.signal]);
    const reader = createFrameReader(session.stream, STREAM_FRAME_BYTES_MAX);
    const first = await reader.next(signal);
    if (first === undefined) return;
    const final = parseFinal(first);
    const opened = open({ ...session, signal }, reader, final);
    unclaimed = waiting.size === 0 ? opened : undefined;
    for (const take of waiting) take(opened);
    waiting.clear();
    await ended(signal);
  }

  await node.handle(LEAD_PROTOCOL, sessionHandler(receive, stopping, logger), {
    maxInboundStreams: STREAMS_MAX,
  });
  return {
    session: (signal) =>
      new Promise((resolve, reject) => {
        const fail = (): void => {
          waiting.delete(take);
          reject(signal.reason);
        };
        const take = (session: LeadSession): void => {
          signal.removeEventListener("abort", fail);
          resolve(session);
        };
        const called = unclaimed;
        unclaimed = undefined;
        if (signal.aborted) return fail();
        if (called !== undefined && !called.over.aborted) return resolve(called);
        signal.addEventListener("abort", fail, { once: true });
        waiting.add(take);
      }),
  };
}

function open(session: Session, reader: FrameReader, final: LeadSession["final"]): LeadSession {
  const { stream, signal } = session;
  let leading: number | null = null;
  const say = async (): Promise<void> => {
    while (!signal.aborted) {
      await sendFrames(stream, [encodeMessage({ leading })], signal);
      await sleep(SAY_EVERY_MS, undefined, { signal });
    }
  };
  return {
    final,
    over: signal,
    leading: (term) => {
      leading = term;
      void sendFrames(stream, [encodeMessage({ leading })], signal).catch(() => undefined);
    },
    hashAt: async (position) => {
      await sendFrames(stream, [encodeMessage({ before: position })], signal);
      const frame = await reader.next(signal);
      if (frame === undefined) throw new Error("the member has hung up");
      return parseHash(frame);
    },
    follow: async function* (from): AsyncGenerator<LogRecord | Turn> {
      await sendFrames(stream, [encodeMessage({ at: from })], signal);
      // Whoever hears nothing for a while hangs up.
      say().catch(() => undefined);
      for (let position = from; ; position++) {
        const frame = await reader.next(signal);
        if (frame === undefined) throw new Error("the member has hung up");
        const item = parseRecordOrTurn(frame, position);
        yield item;
        if ("term" in item) return;
      }
    },
  };
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
