/**
 * A member's reports to the sequencer: the newest one at a time, at least every second, over one
 * stream. Without an acknowledgement the connection is given up, so that the log, which may have
 * nothing to send for long, is dialled anew too: the connection monitor, which would do that, is
 * off (see `peerNode.ts`).
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Libp2p, Stream } from "@libp2p/interface";
import { multiaddr } from "@multiformats/multiaddr";
import type { Logger, MemberReport } from "../ports.ts";
import { createFrameReader, type FrameReader, sendFrames } from "./frames.ts";
import { encodeReport, REPORT_PROTOCOL } from "./reportWire.ts";

const REPORT_EVERY_MS = 1_000;
const DIAL_MS_MAX = 10_000;
const ACKNOWLEDGE_MS_MAX = 15_000;
const ACKNOWLEDGE_BYTES_MAX = 16;
const BACKOFF_MS_MIN = 50;
const BACKOFF_MS_MAX = 5_000;

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

interface News {
  isThere: boolean;
  wake: () => void;
}

async function run(options: ReportLineOptions, news: News, signal: AbortSignal): Promise<void> {
  const { node, server, logger } = options;
  for (let failures = 0; !signal.aborted; failures++) {
    let stream: Stream | undefined;
    try {
      const timeout = AbortSignal.timeout(DIAL_MS_MAX);
      const dial = AbortSignal.any([signal, timeout]);
      stream = await node.dialProtocol(multiaddr(server), REPORT_PROTOCOL, { signal: dial });
      const reader = createFrameReader(stream, ACKNOWLEDGE_BYTES_MAX);
      for (;;) {
        news.isThere = false;
        await report(stream, reader, options.report(), signal);
        failures = 0;
        await nextNews(news, signal);
      }
    } catch (error) {
      stream?.abort(error as Error);
      if (signal.aborted) return;
      logger.warn("lost the line for reports", { failures, error });
      for (const connection of node.getConnections()) {
        if (server.endsWith(String(connection.remotePeer))) connection.abort(error as Error);
      }
    }
    const wait = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(failures, 10));
    await sleep(wait, undefined, { signal }).catch(() => undefined);
  }
}

async function report(
  stream: Stream,
  reader: FrameReader,
  content: MemberReport,
  outer: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([outer, AbortSignal.timeout(ACKNOWLEDGE_MS_MAX)]);
  await sendFrames(stream, [encodeReport(content)], signal);
  const answer = await reader.next(signal);
  if (answer === undefined) throw new Error("the sequencer has ended the stream");
}

/** Resolves when there is news, or it is time to say the same again. */
async function nextNews(news: News, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (news.isThere) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      news.wake = () => undefined;
      resolve();
    };
    const timer = setTimeout(end, REPORT_EVERY_MS);
    signal.addEventListener("abort", end, { once: true });
    news.wake = end;
  });
  signal.throwIfAborted();
}
