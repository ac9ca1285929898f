/** One WebSocket: requests with ids, notifications, heartbeats. It does not come back. */
import { ConnectionError, exchangeError } from "./rpcErrors.ts";

/** What a browser's `WebSocket` and that of the package `ws` have in common. */
export interface SocketLike {
  send(text: string): void;
  close(): void;
  addEventListener(type: SocketEvent, listener: (event: SocketMessage) => void): void;
}
/** `data` of a message. */
export interface SocketMessage {
  readonly type: string;
  readonly data?: unknown;
}
export type SocketEvent = "open" | "message" | "error" | "close";
export type SocketConstructor = new (url: string) => SocketLike;

export interface Link {
  readonly url: string;
  /** Rejects with {@link ConnectionError} or `ExchangeError`. */
  call(method: string, params: object): Promise<unknown>;
  /** Ends it at once, without waiting for the other end. */
  drop(reason: string): void;
}

export interface LinkOptions {
  readonly url: string;
  readonly webSocket: SocketConstructor;
  /** Milliseconds for the connection, and for one answer. */
  readonly connectMs: number;
  readonly timeoutMs: number;
  /** A link that brings nothing for so many milliseconds is dropped. */
  readonly silenceMs: number;
  readonly onNotification: (channel: string, data: unknown) => void;
  /** Once, after it was open. Calls under way have been rejected. */
  readonly onClosed: (reason: string) => void;
}

/** Requests of one link that may wait for their answers. */
export const CALLS_MAX = 10_000;

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

export function openLink(options: LinkOptions): Promise<Link> {
  const { url, webSocket: Socket, connectMs, silenceMs } = options;
  return new Promise((resolve, reject) => {
    const socket = new Socket(url);
    const calls = createCalls(socket, options);
    let phase: "connecting" | "open" | "ended" = "connecting";
    let heardAt = performance.now();
    const watch = setInterval(() => {
      if (phase === "open" && performance.now() - heardAt > silenceMs) {
        end(`brought nothing for ${silenceMs} ms`);
      }
    }, silenceMs / 4);
    const late = setTimeout(() => end(`did not open within ${connectMs} ms`), connectMs);
    const end = (reason: string): void => {
      if (phase === "ended") return;
      const wasOpen = phase === "open";
      phase = "ended";
      clearInterval(watch);
      clearTimeout(late);
      socket.close();
      calls.rejectAll(`the connection to \`${url}\` ${reason}`);
      if (wasOpen) options.onClosed(reason);
      else {
        const text = `no connection to \`${url}\`: it ${reason}. Is the node running there?`;
        reject(new ConnectionError(text, false));
      }
    };
    socket.addEventListener("open", () => {
      if (phase !== "connecting") return;
      phase = "open";
      heardAt = performance.now();
      clearTimeout(late);
      resolve({
        url,
        drop: end,
        call: (method, params) => {
          if (phase === "open") return calls.call(method, params);
          const text = `the connection to \`${url}\` is gone.`;
          return Promise.reject(new ConnectionError(text, false));
        },
      });
    });
    socket.addEventListener("message", ({ data }) => {
      if (phase !== "open") return;
      heardAt = performance.now();
      if (!receive(String(data), calls, options)) end("sent what is no JSON-RPC");
    });
    // `close` follows every `error` and is handled there.
    socket.addEventListener("error", () => undefined);
    const was = () => (phase === "open" ? "was lost" : "was refused");
    socket.addEventListener("close", () => end(was()));
  });
}

interface Calls {
  call(method: string, params: object): Promise<unknown>;
  settle(answer: Answer): void;
  rejectAll(reason: string): void;
}

function createCalls(socket: SocketLike, { timeoutMs }: LinkOptions): Calls {
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  return {
    call: (method, params) =>
      new Promise((resolve, reject) => {
        if (waiting.size >= CALLS_MAX) {
          const text = `\`${waiting.size}\` calls are under way; at most ${CALLS_MAX} may be.`;
          reject(new ConnectionError(text, false));
          return;
        }
        const id = nextId++;
        const timer = setTimeout(() => {
          waiting.delete(id);
          const text = `no answer to \`${method}\` within \`${timeoutMs}\` ms.`;
          reject(new ConnectionError(text, true));
        }, timeoutMs);
        waiting.set(id, { resolve, reject, timer });
        socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
      }),
    settle({ id, result, error }) {
      const found = typeof id === "number" ? waiting.get(id) : undefined;
      if (found === undefined) return;
      waiting.delete(id as number);
      clearTimeout(found.timer);
      if (error === undefined) found.resolve(result);
      else found.reject(exchangeError(error));
    },
    rejectAll(reason) {
      for (const { reject, timer } of waiting.values()) {
        clearTimeout(timer);
        reject(new ConnectionError(`${reason} before the answer came.`, true));
      }
      waiting.clear();
    },
  };
}

interface Answer {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: Parameters<typeof exchangeError>[0];
}

interface Notification {
  readonly method: string;
  readonly params?: {
    readonly channel?: unknown;
    readonly data?: unknown;
    readonly type?: unknown;
  };
}

/** False: the other end does not speak the protocol. */
function receive(text: string, calls: Calls, { onNotification }: LinkOptions): boolean {
  let message: (Answer & Partial<Notification>) | null;
  try {
    message = JSON.parse(text) as typeof message;
  } catch {
    return false;
  }
  if (typeof message !== "object" || message === null) return false;
  const { method, params } = message;
  if (method === "subscription" && typeof params?.channel === "string") {
    onNotification(params.channel, params.data);
  } else if (method === "heartbeat") {
    // That the link is silent is seen elsewhere; a late answer to this has no other meaning.
    if (params?.type === "test_request") calls.call("public/test", {}).catch(() => undefined);
  } else if (method === undefined) calls.settle(message);
  return true;
}
