/** Messages on a libp2p stream: four bytes of length, then as many bytes, with backpressure. */
import type { Stream, StreamMessageEvent } from "@libp2p/interface";
import { GossipProtocolError } from "./wire.ts";

const LENGTH_BYTES = 4;
/** Complete frames that wait to be taken before the stream is told to hold. */
const FRAMES_WAITING_MAX = 512;
/** And what they may take, however few they are. */
const BYTES_WAITING_MAX = 2 ** 24;

export interface FrameReader {
  /** The next frame; undefined when the stream has ended. Throws when `signal` aborts. */
  next(signal?: AbortSignal): Promise<Uint8Array | undefined>;
}

/**
 * Reads frames of at most `bytesMax` bytes; a longer one aborts the stream. With `waitingMax`
 * frames not yet taken, or as many as are too large, it tells the other side to hold.
 */
export function createFrameReader(
  stream: Stream,
  bytesMax: number,
  waitingMax = FRAMES_WAITING_MAX,
): FrameReader {
  grantByHalves(stream);
  const frames: Uint8Array[] = [];
  const assemble = createAssembler(bytesMax);
  let failure: Error | undefined;
  let held = 0;
  let ended = false;
  let paused = false;
  let wake = (): void => {};

  stream.addEventListener("message", (event: StreamMessageEvent) => {
    if (failure !== undefined) return;
    try {
      for (const frame of assemble(event.data.subarray())) {
        frames.push(frame);
        held += frame.length;
      }
    } catch (error) {
      failure = error as Error;
      stream.abort(failure);
    }
    if ((frames.length >= waitingMax || held >= BYTES_WAITING_MAX) && !paused && !ended) {
      paused = true;
      stream.pause();
    }
    wake();
  });
  // One listener for each signal, however often it is waited under: they cost more than frames.
  const signals = new Map<AbortSignal, () => void>();
  const onEnd = (): void => {
    ended = true;
    for (const [signal, listener] of signals) signal.removeEventListener("abort", listener);
    signals.clear();
    wake();
  };
  const listenTo = (signal: AbortSignal): void => {
    if (signals.has(signal)) return;
    const listener = (): void => wake();
    signals.set(signal, listener);
    signal.addEventListener("abort", listener, { once: true });
  };
  stream.addEventListener("end", onEnd);
  stream.addEventListener("close", onEnd);
  if (stream.readableEnded || stream.status !== "open") ended = true;

  async function next(signal?: AbortSignal): Promise<Uint8Array | undefined> {
    for (;;) {
      // Before the signal: a stream that broke the protocol was aborted for that very reason.
      if (failure !== undefined) throw failure;
      signal?.throwIfAborted();
      const hasRoom = frames.length < waitingMax / 2 && held < BYTES_WAITING_MAX / 2;
      if (paused && hasRoom && !ended) {
        paused = false;
        stream.resume();
      }
      const frame = frames.shift();
      if (frame !== undefined) {
        held -= frame.length;
        return frame;
      }
      if (ended) return undefined;
      if (signal !== undefined) listenTo(signal);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  return { next };
}

/** What this file knows of yamux's streams beside their interface. */
interface Windowed {
  readonly state: number;
  readonly recvWindow: number;
  readonly recvWindowCapacity: number;
  sendWindowUpdate(): void;
}

const YAMUX_ESTABLISHED = 3;

/**
 * yamux answers every chunk with a message that the other side may send as much again, which costs
 * both as much as a small message does. Half a window at a time keeps the other side going too.
 */
function grantByHalves(stream: Stream): void {
  const windowed = stream as unknown as Windowed;
  if (typeof windowed.sendWindowUpdate !== "function") return;
  const update = windowed.sendWindowUpdate.bind(windowed);
  windowed.sendWindowUpdate = () => {
    // Until it is established, the update is the answer that the stream has been opened.
    const isPlenty = windowed.recvWindowCapacity > windowed.recvWindow / 2;
    if (windowed.state === YAMUX_ESTABLISHED && isPlenty) return;
    update();
  };
}

/** Cuts chunks as they come into frames. */
function createAssembler(bytesMax: number): (chunk: Uint8Array) => Uint8Array[] {
  let parts: Uint8Array[] = [];
  let size = 0;

  return (chunk) => {
    parts.push(chunk);
    size += chunk.length;
    const needed = frameLength(parts[0]!, bytesMax);
    // Parts are joined only once they hold a frame: a long frame comes in many of them.
    if (needed !== undefined && size < needed) return [];
    let rest: Uint8Array = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    const frames: Uint8Array[] = [];
    for (;;) {
      const length = frameLength(rest, bytesMax);
      if (length === undefined || rest.length < length) break;
      frames.push(rest.subarray(LENGTH_BYTES, length));
      rest = rest.subarray(length);
    }
    parts = rest.length === 0 ? [] : [rest];
    size = rest.length;
    return frames;
  };
}

/** Bytes of the frame that begins here, its length field included; undefined if too short. */
function frameLength(bytes: Uint8Array, bytesMax: number): number | undefined {
  if (bytes.length < LENGTH_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES);
  const length = view.getUint32(0);
  if (length > bytesMax) {
    throw new GossipProtocolError(`a frame of \`${length}\` bytes; at most ${bytesMax}`);
  }
  return LENGTH_BYTES + length;
}

/** Sends messages as frames, in one piece; waits while the other side does not take more. */
export async function sendFrames(
  stream: Stream,
  messages: readonly Uint8Array[],
  signal?: AbortSignal,
): Promise<void> {
  const parts: Uint8Array[] = [];
  for (const message of messages) {
    const length = new Uint8Array(LENGTH_BYTES);
    new DataView(length.buffer).setUint32(0, message.length);
    parts.push(length, message);
  }
  stream.send(Buffer.concat(parts));
  // Not `stream.onDrain()`: in libp2p 3 its promise stays resolved after the first time, and a
  // peer that does not read would fill this process's memory.
  while (stream.writableNeedsDrain) await drained(stream, signal);
}

/** Resolves at the next sign that the stream takes more. Throws when it closes before. */
function drained(stream: Stream, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      stream.removeEventListener("drain", onDrain);
      stream.removeEventListener("close", onEnd);
      signal?.removeEventListener("abort", onEnd);
    };
    const onDrain = (): void => {
      end();
      resolve();
    };
    const onEnd = (): void => {
      end();
      reject(new Error("the stream closed before everything was sent"));
    };
    stream.addEventListener("drain", onDrain);
    stream.addEventListener("close", onEnd);
    signal?.addEventListener("abort", onEnd, { once: true });
    if (stream.status !== "open" || signal?.aborted === true) onEnd();
  });
}
