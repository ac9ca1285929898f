/** JSON-RPC 2.0 over one WebSocket that reconnects. For browsers, and Node 24 and later. */

/** The node answered with an error. `reason` is the stable name of `code`. */
export class ExchangeError extends Error {
  override name = "ExchangeError";
  readonly code: number;
  readonly reason: string;
  readonly data: Readonly<Record<string, unknown>>;
  constructor(code: number, message: string, data: Readonly<Record<string, unknown>>) {
    super(message);
    this.code = code;
    this.reason = typeof data.reason === "string" ? data.reason : "unknown";
    this.data = data;
  }
}

/** The connection failed before the answer came: whether the request was done is not known. */
export class ConnectionError extends Error {
  override name = "ConnectionError";
}

export interface RpcOptions {
  /**
   * `ws://`, `wss://`, or the `http` forms of them. Of several, the next is tried when one does not
   * answer: where the sequencer moves, one of them serves at a time.
   */
  readonly url: string | readonly string[];
  /** Milliseconds before the first try to reconnect; doubles up to `retryMsMax`. */
  readonly retryMs?: number;
  readonly retryMsMax?: number;
  /** Milliseconds for one answer. */
  readonly timeoutMs?: number;
  /** Called when a connection is there, and when it is lost. */
  readonly onConnection?: (isConnected: boolean) => void;
}

export interface Rpc {
  /** Waits for a connection. Rejects with {@link ExchangeError} or {@link ConnectionError}. */
  call(method: string, params?: object): Promise<unknown>;
  /**
   * Calls `handler` for every notification of the channel until the returned function is called;
   * joins again after every reconnection. `reader` makes the signature that `account.N` needs.
   */
  subscribe(options: SubscribeOptions): Promise<() => void>;
  close(): void;
}

export interface SubscribeOptions {
  readonly channel: string;
  readonly handler: (data: unknown) => void;
  readonly reader?: () => Promise<object>;
  /** A later attempt to join again failed: nothing more comes until the next reconnection. */
  readonly onError?: (error: unknown) => void;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

interface RpcState {
  readonly options: Required<Omit<RpcOptions, "url" | "onConnection">> &
    Pick<RpcOptions, "onConnection">;
  readonly urls: readonly string[];
  /** Place of the one that answered last. */
  place: number;
  readonly waiting: Map<number, Waiting>;
  readonly subscriptions: Map<string, Set<SubscribeOptions>>;
  socket: WebSocket | undefined;
  opening: Promise<WebSocket> | undefined;
  retry: ReturnType<typeof setTimeout> | undefined;
  failures: number;
  nextId: number;
  isClosed: boolean;
}

const DEFAULTS = { retryMs: 200, retryMsMax: 10_000, timeoutMs: 30_000 };

export function createRpc(options: RpcOptions): Rpc {
  const state: RpcState = {
    options: { ...DEFAULTS, ...options },
    urls: [options.url].flat().map((url) => url.replace(/^http/, "ws")),
    place: 0,
    waiting: new Map(),
    subscriptions: new Map(),
    socket: undefined,
    opening: undefined,
    retry: undefined,
    failures: 0,
    nextId: 1,
    isClosed: false,
  };
  return {
    call: async (method, params = {}) => send(state, await open(state), method, params),
    subscribe: (subscription) => subscribe(state, subscription),
    close() {
      state.isClosed = true;
      clearTimeout(state.retry);
      state.socket?.close();
      rejectAll(state, "the connection was closed");
    },
  };
}

function open(state: RpcState): Promise<WebSocket> {
  if (state.isClosed) return Promise.reject(new ConnectionError("the connection was closed."));
  if (state.socket?.readyState === WebSocket.OPEN) return Promise.resolve(state.socket);
  state.opening ??= connectAny(state).finally(() => {
    state.opening = undefined;
  });
  return state.opening;
}

/** To the one that answered last, else to the next that does. */
async function connectAny(state: RpcState): Promise<WebSocket> {
  clearTimeout(state.retry);
  const { urls } = state;
  for (let tries = 1; ; tries++) {
    try {
      return await connect(state, urls[state.place % urls.length]!);
    } catch (error) {
      state.place += 1;
      if (tries < urls.length && !state.isClosed) continue;
      retryLater(state);
      throw error;
    }
  }
}

function connect(state: RpcState, url: string): Promise<WebSocket> {
  const { onConnection } = state.options;
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    state.socket = socket;
    let wasOpen = false;
    socket.addEventListener("open", () => {
      wasOpen = true;
      state.failures = 0;
      onConnection?.(true);
      resolve(socket);
      rejoin(state, socket);
    });
    socket.addEventListener("message", (event) => receive(state, String(event.data)));
    // `close` follows every `error` and is handled there.
    socket.addEventListener("error", () => undefined);
    socket.addEventListener("close", () => {
      if (state.socket === socket) state.socket = undefined;
      if (wasOpen) {
        rejectAll(state, `the connection to \`${url}\` was lost`);
        onConnection?.(false);
        retryLater(state);
      } else {
        reject(new ConnectionError(`no connection to \`${url}\`. Is the node running there?`));
      }
    });
  });
}

/** Only subscriptions need a connection when no call is being made. */
function retryLater(state: RpcState): void {
  if (state.isClosed || state.subscriptions.size === 0) return;
  const { retryMs, retryMsMax } = state.options;
  const wait = Math.min(retryMsMax, retryMs * 2 ** Math.min(state.failures++, 16));
  // Half of the wait is random, so that clients do not come back all at once.
  const delay = wait / 2 + (Math.random() * wait) / 2;
  clearTimeout(state.retry);
  state.retry = setTimeout(() => open(state).catch(() => undefined), delay);
}

function send(
  state: RpcState,
  socket: WebSocket,
  method: string,
  params: object,
): Promise<unknown> {
  const id = state.nextId++;
  return new Promise((resolve, reject) => {
    const { timeoutMs } = state.options;
    const timer = setTimeout(() => {
      state.waiting.delete(id);
      reject(new ConnectionError(`no answer to \`${method}\` within \`${timeoutMs}\` ms.`));
    }, timeoutMs);
    state.waiting.set(id, { resolve, reject, timer });
    socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
  });
}

function rejectAll(state: RpcState, reason: string): void {
  for (const { reject, timer } of state.waiting.values()) {
    clearTimeout(timer);
    reject(new ConnectionError(`${reason} before the answer came.`));
  }
  state.waiting.clear();
}

interface Incoming {
  readonly id?: number | null;
  readonly result?: unknown;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data?: Record<string, unknown>;
  };
  readonly params?: { readonly channel: string; readonly data: unknown };
}

function receive(state: RpcState, text: string): void {
  let message: Incoming;
  try {
    message = JSON.parse(text) as Incoming;
  } catch {
    // Not from a Straddle node: drop the connection, and whatever was asked with it.
    state.socket?.close();
    return;
  }
  if (message.params !== undefined) {
    const { channel, data } = message.params;
    for (const { handler } of state.subscriptions.get(channel) ?? []) handler(data);
    return;
  }
  const waiting = state.waiting.get(message.id ?? -1);
  if (waiting === undefined) return;
  state.waiting.delete(message.id ?? -1);
  clearTimeout(waiting.timer);
  if (message.error === undefined) {
    waiting.resolve(message.result);
  } else {
    const { code, message: reason, data = {} } = message.error;
    waiting.reject(new ExchangeError(code, reason, data));
  }
}

async function subscribe(state: RpcState, subscription: SubscribeOptions): Promise<() => void> {
  const { channel, reader } = subscription;
  const socket = await open(state);
  const handlers = state.subscriptions.get(channel) ?? new Set();
  state.subscriptions.set(channel, handlers.add(subscription));
  const leave = () => {
    if (!handlers.delete(subscription) || handlers.size > 0) return;
    state.subscriptions.delete(channel);
    if (state.socket?.readyState !== WebSocket.OPEN) return;
    send(state, state.socket, "unsubscribe", { channels: [channel] }).catch(() => undefined);
  };
  try {
    await join(state, socket, channel, reader);
  } catch (error) {
    handlers.delete(subscription);
    if (handlers.size === 0) state.subscriptions.delete(channel);
    throw error;
  }
  return leave;
}

async function join(
  state: RpcState,
  socket: WebSocket,
  channel: string,
  reader: SubscribeOptions["reader"],
): Promise<void> {
  const proof = reader === undefined ? {} : { reader: await reader() };
  await send(state, socket, "subscribe", { channels: [channel], ...proof });
}

function rejoin(state: RpcState, socket: WebSocket): void {
  for (const [channel, handlers] of state.subscriptions) {
    const [first] = handlers;
    join(state, socket, channel, first?.reader).catch((error: unknown) => {
      for (const { onError } of handlers) onError?.(error);
    });
  }
}
