/** WebSockets: many requests under way at once, answers as they come, and subscriptions. */
import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, type WebSocketServer } from "ws";
import type { ExchangeService } from "../exchangeService.ts";
import type { Logger } from "../ports.ts";
import type { ApiLimits } from "./limits.ts";

/** What HTTP and WebSockets share. */
export interface ApiParts {
  readonly service: ExchangeService;
  readonly logger: Logger;
  readonly limits: ApiLimits;
  readonly origins: readonly string[];
  readonly work: { pending: number; isStopping: boolean };
}

const GOING_AWAY = 1001;
const TEXT_ONLY = 1003;
const POLICY = 1008;
/** Refusals in a row for rate after which a connection is not worth keeping. */
const REFUSALS_MAX = 1000;

/**
 * A page of another site must not use a visitor's node: browsers send `Origin`, programs do not.
 */
export function isOriginAllowed(origin: string, origins: readonly string[]): boolean {
  if (origins.includes("*") || origins.includes(origin)) return true;
  return /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/.test(origin);
}

/** The other end of a WebSocket, for what is sent without being asked for. */
export interface SocketReader {
  send(text: string): void;
  isCongested(): boolean;
  /** Closes the connection: its other end breaks a rule. */
  drop(): void;
}

/** What is spoken on one connection. */
export interface Conversation {
  /** Undefined: nothing to answer. Never rejects. */
  answer(text: string): Promise<string | undefined>;
  /** The answer while the node stops; undefined: nothing to answer. */
  stopping(text: string): string | undefined;
  /** Milliseconds until the next request is taken; 0: now. */
  wait(): number;
  close(): void;
}

export type Protocol = (reader: SocketReader) => Conversation;

/** Takes upgrades of the server. Returns what closes every WebSocket. */
export function acceptSockets(
  http: Server,
  sockets: WebSocketServer,
  parts: ApiParts,
  { path, protocol }: { readonly path: string; readonly protocol: Protocol },
): () => void {
  const { limits, work, origins } = parts;
  http.on("upgrade", (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    const { origin } = request.headers;
    if (origin !== undefined && !isOriginAllowed(origin, origins)) {
      rejectUpgrade(stream, "403 Forbidden");
    } else if ((request.url ?? "/").split("?")[0] !== path) {
      rejectUpgrade(stream, "404 Not Found");
    } else if (work.isStopping || sockets.clients.size >= limits.webSockets) {
      rejectUpgrade(stream, "503 Service Unavailable");
    } else {
      sockets.handleUpgrade(request, stream, head, (socket) => {
        serve(socket, { ...parts, stream, protocol });
      });
    }
  });
  return () => {
    for (const socket of sockets.clients) {
      socket.close(GOING_AWAY, "the node is stopping");
      const end = setTimeout(() => socket.terminate(), 200);
      end.unref();
    }
    sockets.close();
  };
}

function rejectUpgrade(stream: Duplex, status: string): void {
  stream.on("error", () => stream.destroy());
  stream.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

type Served = ApiParts & { readonly stream: Duplex; readonly protocol: Protocol };

function serve(socket: WebSocket, parts: Served): void {
  const { limits, work, logger, protocol } = parts;
  const reader = readerOf(socket, parts);
  const conversation = protocol(reader);
  let inFlight = 0;
  let refusals = 0;
  socket.on("message", (data, isBinary) => {
    if (isBinary) return socket.close(TEXT_ONLY, "send JSON-RPC 2.0 as text");
    if (work.isStopping) {
      const refusal = conversation.stopping(data.toString());
      if (refusal !== undefined) reader.send(refusal);
      return;
    }
    refusals = conversation.wait() > 0 ? refusals + 1 : 0;
    if (refusals > REFUSALS_MAX) return reader.drop();
    inFlight++;
    work.pending++;
    // Not reading on is the back pressure: the caller's own buffers fill.
    if (inFlight >= limits.inFlight) socket.pause();
    void conversation.answer(data.toString()).then((answer) => {
      inFlight--;
      work.pending--;
      if (socket.isPaused && inFlight < limits.inFlight) socket.resume();
      if (answer !== undefined) reader.send(answer);
    });
  });
  const stopPings = keepAlive(socket, limits.pingMs);
  socket.on("error", (error) => logger.debug("a WebSocket failed", { error: error.message }));
  socket.on("close", () => {
    stopPings();
    conversation.close();
  });
}

function readerOf(socket: WebSocket, { limits, logger, stream }: Served): SocketReader {
  let isCorked = false;
  const uncork = (): void => {
    isCorked = false;
    stream.uncork();
  };
  return {
    send: (text) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (socket.bufferedAmount > limits.unsentBytes) {
        // A close frame would wait behind what is not being read.
        logger.warn("a slow WebSocket was dropped", { unsentBytes: socket.bufferedAmount });
        socket.terminate();
        return;
      }
      // What is sent in one turn goes out in one write.
      if (!isCorked) {
        isCorked = true;
        stream.cork();
        process.nextTick(uncork);
      }
      socket.send(text);
    },
    isCongested: () => socket.bufferedAmount > limits.congestedBytes,
    drop: () => socket.close(POLICY, "too many refused requests, or no answer to a test request"),
  };
}

/** Drops a connection whose other end is gone without saying so. */
function keepAlive(socket: WebSocket, pingMs: number): () => void {
  let isAlive = true;
  socket.on("pong", () => {
    isAlive = true;
  });
  const timer = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, pingMs);
  timer.unref();
  return () => clearInterval(timer);
}
