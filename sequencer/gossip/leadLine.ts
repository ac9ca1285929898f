/**
 * A member's line to its own sequencer: sends it what is final, so that it is ready, and hands it
 * the turn when the member leads. A broken line ends the turn at both ends.
 */
import type { Libp2p, Stream } from "@libp2p/interface";
import type { LeadLine, LogEnd, Logger, LogSource, Turn } from "../ports.ts";
import { backOffMs, openStream, type Waiting, wait, wakeOrTime } from "./dialling.ts";
import { createFrameReader, type FrameReader, sendFrames } from "./frames.ts";
import {
  LEAD_PROTOCOL,
  parseAtOrBefore,
  parseState,
  SAY_EVERY_MS,
  SILENCE_MS_MAX,
} from "./leadWire.ts";
import { createPatience, type Patience } from "./patience.ts";
import { sendRecords } from "./recordStream.ts";
import { encodeMessage, REQUEST_FRAME_BYTES_MAX } from "./wire.ts";

export interface LeadLineOptions {
  readonly node: Libp2p;
  /** Multiaddr of the sequencer, with its peer id. */
  readonly server: string;
  /** The member's log: what it has executed. */
  readonly source: Pick<LogSource, "record">;
  readonly logger: Logger;
}

/** It may be started later than the member, and is on the same machine. */
const BACKOFF = { msMin: 50, msMax: 500 };

interface Hearing {
  readonly reader: FrameReader;
  readonly patience: Patience;
}

interface Line {
  readonly options: LeadLineOptions;
  readonly news: Waiting;
  readonly listeners: Set<() => void>;
  /** Undefined until the member says it: a sequencer cuts off what it holds beyond that. */
  final: LogEnd | undefined;
  turn: Turn | undefined;
  leading: number | undefined;
}

export function createLeadLine(options: LeadLineOptions): LeadLine {
  const line: Line = {
    ...{ options, news: { wake: () => undefined }, listeners: new Set<() => void>() },
    ...{ final: undefined, turn: undefined, leading: undefined },
  };
  const stopping = new AbortController();
  const running = run(line, stopping.signal);
  return {
    finalized: (end) => {
      if (line.final !== undefined && end.to <= line.final.to) return;
      line.final = end;
      line.news.wake();
    },
    lead: (turn) => {
      line.turn = turn;
      line.news.wake();
    },
    follow: () => {
      line.turn = undefined;
      line.news.wake();
    },
    leading: () => line.leading,
    onChange: (listener) => void line.listeners.add(listener),
    stop: async () => {
      stopping.abort();
      await running;
    },
  };
}

async function run(line: Line, outer: AbortSignal): Promise<void> {
  const { node, server, logger } = line.options;
  while (line.final === undefined && !outer.aborted) {
    await wakeOrTime(line.news, SAY_EVERY_MS, outer).catch(() => undefined);
  }
  for (let failures = 0; !outer.aborted; failures++) {
    const ending = new AbortController();
    const signal = AbortSignal.any([outer, ending.signal]);
    let stream: Stream | undefined;
    let patience: Patience | undefined;
    try {
      stream = await openStream(node, { address: server, protocol: LEAD_PROTOCOL }, signal);
      const reader = createFrameReader(stream, REQUEST_FRAME_BYTES_MAX);
      patience = createPatience(stream, SILENCE_MS_MAX, "it says nothing");
      const own = { reader, patience };
      await sendFrames(stream, [encodeMessage({ final: line.final })], signal);
      const at = await beginning(line, stream, own, signal);
      failures = 0;
      hear(line, own, signal).catch((error: unknown) => ending.abort(error));
      await send(line, stream, at, signal);
    } catch (error) {
      const reason: unknown = signal.aborted ? signal.reason : error;
      if (line.turn !== undefined) {
        logger.warn("the own sequencer is not there", { failures, error: reason });
      }
    } finally {
      patience?.stop();
      ending.abort(new Error("the line has ended"));
      stream?.abort(new Error("the line has ended"));
      tell(line, undefined);
    }
    await wait(backOffMs(failures, BACKOFF), outer);
  }
}

/** Where the sequencer's log ends: it may ask before where it is this one. */
async function beginning(
  line: Line,
  stream: Stream,
  own: Hearing,
  signal: AbortSignal,
): Promise<number> {
  for (;;) {
    const said = parseAtOrBefore(await heard(own, signal));
    if ("at" in said) return said.at;
    for await (const { hash } of line.options.source.record(said.before - 1)) {
      await sendFrames(stream, [encodeMessage({ hash })], signal);
      break;
    }
  }
}

/** Records as far as they are final or the turn's, the turn, and no more: then it writes itself. */
async function send(line: Line, stream: Stream, at: number, signal: AbortSignal): Promise<void> {
  const { source } = line.options;
  let cursor = at;
  let given: Turn | undefined;
  for (;;) {
    const { turn } = line;
    let sent = 0;
    if (given !== undefined && turn !== given) throw new Error("the turn is over");
    if (given === undefined) {
      const to = turn?.to ?? finalTo(line);
      if (cursor < to) sent = await sendRecords(stream, source.record(cursor), signal, to);
      cursor += sent;
      if (turn !== undefined && turn === line.turn && cursor >= turn.to) {
        await sendFrames(stream, [encodeMessage({ turn })], signal);
        given = turn;
      }
    }
    const isTurnNew = line.turn !== (given ?? turn);
    const isMore = given === undefined && sent > 0 && finalTo(line) > cursor;
    if (!isTurnNew && !isMore) await wakeOrTime(line.news, SAY_EVERY_MS, signal);
  }
}

function finalTo({ final }: Line): number {
  return final?.to ?? 0;
}

async function hear(line: Line, own: Hearing, signal: AbortSignal): Promise<void> {
  for (;;) tell(line, parseState(await heard(own, signal)));
}

async function heard({ reader, patience }: Hearing, signal: AbortSignal): Promise<Uint8Array> {
  patience.begin();
  const frame = await reader.next(signal);
  patience.end();
  if (frame === undefined) throw new Error("it has ended the line");
  return frame;
}

function tell(line: Line, leading: number | undefined): void {
  if (line.leading === leading) return;
  line.leading = leading;
  for (const listener of line.listeners) listener();
}
