/**
 * A member's reports to the sequencer: the newest one at a time, at least every second, over one
 * stream. Without an acknowledgement the connection is given up, so that the log, which may have
 * nothing to send for long, is dialled anew too: the connection monitor, which would do that, is
 * off (see `peerNode.ts`).
 */
import type { Libp2p, Stream } from "@libp2p/interface";
import type { Logger, MemberReport } from "../ports.ts";
import {
  backOffMs,
  openStream,
  SERVER_BACKOFF,
  type Waiting,
  wait,
  wakeOrTime,
} from "./dialling.ts";
import { createFrameReader, type FrameReader, sendFrames } from "./frames.ts";
import { createPatience, type Patience } from "./patience.ts";
import { encodeReport, REPORT_PROTOCOL } from "./reportWire.ts";

const REPORT_EVERY_MS = 1_000;
const ACKNOWLEDGE_MS_MAX = 15_000;
const ACKNOWLEDGE_BYTES_MAX = 16;

export interface ReportLineOptions {
  readonly node: Libp2p;
  /** Multiaddr of the sequencer, with its peer id. */
  readonly server: string;
  readonly logger: Logger;
  /** What there is to say now. */
  report(): MemberReport;
}

export interface ReportLine {
  /** There is something new to say. */
  tell(): void;
  stop(): Promise<void>;
}

export function createReportLine(options: ReportLineOptions): ReportLine {
  const stopping = new AbortController();
  const news = { isThere: false, wake: (): void => undefined };
  const running = run(options, news, stopping.signal);
  return {
    tell: () => {
      news.isThere = true;
      news.wake();
    },
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

interface News extends Waiting {
  isThere: boolean;
}

async function run(options: ReportLineOptions, news: News, signal: AbortSignal): Promise<void> {
  const { node, server, logger } = options;
  for (let failures = 0; !signal.aborted; failures++) {
    let stream: Stream | undefined;
    let patience: Patience | undefined;
    try {
      stream = await openStream(node, { address: server, protocol: REPORT_PROTOCOL }, signal);
      const reader = createFrameReader(stream, ACKNOWLEDGE_BYTES_MAX);
      patience = createPatience(stream, ACKNOWLEDGE_MS_MAX, "no acknowledgement");
      for (;;) {
        news.isThere = false;
        patience.begin();
        await report(stream, reader, options.report(), signal);
        patience.end();
        failures = 0;
        if (!news.isThere) await wakeOrTime(news, REPORT_EVERY_MS, signal);
      }
    } catch (error) {
      stream?.abort(error as Error);
      if (signal.aborted) return;
      logger.warn("lost the line for reports", { failures, error });
      for (const connection of node.getConnections()) {
        if (server.endsWith(String(connection.remotePeer))) connection.abort(error as Error);
      }
    } finally {
      patience?.stop();
    }
    await wait(backOffMs(failures, SERVER_BACKOFF), signal);
  }
}

async function report(
  stream: Stream,
  reader: FrameReader,
  content: MemberReport,
  signal: AbortSignal,
): Promise<void> {
  await sendFrames(stream, [encodeReport(content)], signal);
  const answer = await reader.next(signal);
  if (answer === undefined) throw new Error("the sequencer has ended the stream");
}
