/** Where members' reports arrive: one stream each, every report acknowledged by an empty frame. */
import type { Libp2p } from "@libp2p/interface";
import type { Logger, MemberReport } from "../ports.ts";
import { createFrameReader, sendFrames } from "./frames.ts";
import { createPatience } from "./patience.ts";
import { parseReport, REPORT_FRAME_BYTES_MAX, REPORT_PROTOCOL } from "./reportWire.ts";
import { type Session, sessionHandler } from "./session.ts";
import { createTokenBucket } from "./tokenBucket.ts";

/** A new stream may come before the end of the broken one is noticed. */
const STREAMS_PER_PEER_MAX = 2;
/** Members report every second: after so long without one they are gone (ms). */
const SILENCE_MS_MAX = 30_000;
const RATE = { perSecond: 250, burst: 500 };

export interface ReportDesk {
  onReport(handler: (peer: string, report: MemberReport) => void): void;
}

export async function createReportDesk(
  node: Libp2p,
  stopping: AbortSignal,
  logger: Logger,
): Promise<ReportDesk> {
  const handlers = new Set<(peer: string, report: MemberReport) => void>();

  async function receive({ stream, signal, peer }: Session): Promise<void> {
    const reader = createFrameReader(stream, REPORT_FRAME_BYTES_MAX);
    const bucket = createTokenBucket(RATE);
    const patience = createPatience(stream, SILENCE_MS_MAX, "the member says nothing");
    try {
      for (;;) {
        patience.begin();
        const frame = await reader.next(signal);
        if (frame === undefined) return;
        patience.end();
        const report = parseReport(frame);
        for (const handler of handlers) handler(peer, report);
        await bucket.take(1, signal);
        await sendFrames(stream, [new Uint8Array(0)], signal);
      }
    } finally {
      patience.stop();
    }
  }

  await node.handle(REPORT_PROTOCOL, sessionHandler(receive, stopping, logger), {
    maxInboundStreams: STREAMS_PER_PEER_MAX,
  });
  return { onReport: (handler) => void handlers.add(handler) };
}
