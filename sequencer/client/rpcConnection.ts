/**
 * The JSON-RPC API over a WebSocket that comes back: whichever of several nodes serves, with the
 * session and the channels that it had. For browsers, and for Node 20 and later.
 */
import { type ChannelDesk, createChannelDesk } from "./channelDesk.ts";
import { createEmitter, type Emitter } from "./emitter.ts";
import type { ChannelData, Methods } from "./generated/api.ts";
import { ClosedError, ConnectionError } from "./rpcErrors.ts";
import { type Link, openLink, type SocketConstructor } from "./socketLink.ts";

export type MethodName = keyof Methods;
export type Params<M extends MethodName> = Methods[M]["params"];
export type Result<M extends MethodName> = Methods[M]["result"];
/** Nothing has to be given where every parameter may be left out. */
type Arguments<M extends MethodName> =
  Record<never, never> extends Params<M> ? [params?: Params<M>] : [params: Params<M>];

export interface RpcConnectionOptions {
  /**
   * `http://`, `https://`, `ws://` or `wss://`; without a path, the API's is added. Of several, the
   * next is tried when one does not answer: where the sequencer moves, one serves at a time.
   */
  readonly url: string | readonly string[];
  /** Default: the platform's. Node 20 has none: give `WebSocket` of the package `ws`. */
  readonly webSocket?: SocketConstructor | undefined;
  /** Milliseconds before the first try to reconnect; doubles up to `retryMsMax`. */
  readonly retryMs?: number;
  readonly retryMsMax?: number;
  /** Milliseconds for a connection, and for one answer. */
  readonly connectMs?: number;
  readonly timeoutMs?: number;
  /** Seconds between the node's heartbeats, at least 10. */
  readonly heartbeatSeconds?: number;
  /** A connection that brings nothing for so many milliseconds is dropped. */
  readonly silenceMs?: number;
}

export interface ConnectionEvents {
  /** There is a connection; also after a loss. */
  readonly open: { readonly url: string };
  readonly closed: { readonly url: string; readonly reason: string };
  /** After a loss, once the session and the channels are there again. */
  readonly reconnected: { readonly url: string };
  /** The node has refused a channel that there was before the loss. */
  readonly channelLost: { readonly channel: string; readonly error: Error };
  /** The node has refused the session after the loss, for example because its key has expired. */
  readonly sessionLost: { readonly error: Error };
}

/** Answers the connection's challenge; called again after each reconnection. */
export type Login = (challenge: bigint) => Params<"public/auth"> | Promise<Params<"public/auth">>;

export interface RpcConnection {
  readonly isOpen: boolean;
  /** Whose session the connection has: of one account at a time. */
  readonly session: { readonly account: number; readonly keyIndex: number } | undefined;
  /** Waits for a connection. Rejects with `ExchangeError` or {@link ConnectionError}. */
  call<M extends MethodName>(method: M, ...params: Arguments<M>): Promise<Result<M>>;
  /** Calls `handler` until the returned function is called, across reconnections. */
  subscribe<C extends string>(
    channel: C,
    handler: (data: ChannelData<C>) => void,
  ): Promise<() => void>;
  /** Joins a channel anew: one that begins with the whole sends it again. */
  rejoin(channel: string): void;
  /** Opens a private session, and opens it again after reconnections. */
  login(login: Login): Promise<Result<"public/auth">>;
  logout(): Promise<void>;
  on: Emitter<ConnectionEvents>["on"];
  /** For good. */
  close(): void;
}

export const SOCKET_PATH = "/ws/api/v2";

const DEFAULTS = {
  ...{ retryMs: 200, retryMsMax: 10_000, connectMs: 10_000, timeoutMs: 30_000 },
  heartbeatSeconds: 30,
};

interface State {
  readonly options: Required<RpcConnectionOptions> & { readonly webSocket: SocketConstructor };
  readonly urls: readonly string[];
  readonly emitter: Emitter<ConnectionEvents>;
  readonly desk: ChannelDesk;
  /** Place of the url that answered last. */
  place: number;
  link: Link | undefined;
  opening: Promise<Link> | undefined;
  retry: ReturnType<typeof setTimeout> | undefined;
  failures: number;
  login: Login | undefined;
  session: RpcConnection["session"];
  wasOpen: boolean;
  isClosed: boolean;
}

/** Throws for a url that is none, or a platform without WebSockets. */
export function createRpcConnection(options: RpcConnectionOptions): RpcConnection {
  const emitter = createEmitter<ConnectionEvents>();
  const desk = createChannelDesk((channel, error) => {
    emitter.emit("channelLost", { channel, error });
  });
  const state: State = {
    ...{ options: completed(options), urls: [options.url].flat().map(socketUrl), emitter, desk },
    ...{ place: 0, link: undefined, opening: undefined, retry: undefined, failures: 0 },
    ...{ login: undefined, session: undefined, wasOpen: false, isClosed: false },
  };
  if (state.urls.length === 0) throw new RangeError("`url` must name at least one node.");
  return {
    get isOpen() {
      return state.link !== undefined;
    },
    get session() {
      return state.session;
    },
    call: async (method, ...[params]) => {
      const link = await linkOf(state);
      return (await link.call(method, params ?? {})) as never;
    },
    async subscribe(channel, handler) {
      await linkOf(state);
      const { ready, leave } = desk.subscribe(channel, handler as (data: unknown) => void);
      await ready;
      return leave;
    },
    rejoin: (channel) => desk.rejoin(channel),
    async login(login) {
      const link = await linkOf(state);
      const result = await openSession(link, login);
      state.login = login;
      state.session = { account: result.account, keyIndex: result.key_index };
      return result;
    },
    async logout() {
      [state.login, state.session] = [undefined, undefined];
      await state.link?.call("private/logout", {});
    },
    on: (event, listener) => emitter.on(event, listener),
    close() {
      state.isClosed = true;
      clearTimeout(state.retry);
      state.link?.drop("was closed");
      desk.close();
    },
  };
}

function completed(options: RpcConnectionOptions): State["options"] {
  const webSocket = options.webSocket ?? globalThis.WebSocket;
  if (webSocket === undefined) {
    const from = "give `webSocket`, for example `WebSocket` of the package `ws`";
    throw new TypeError(`this platform has no WebSocket: ${from}.`);
  }
  const filled = { ...DEFAULTS, ...options };
  // The node says something in each interval.
  const silenceMs = options.silenceMs ?? 2500 * filled.heartbeatSeconds;
  return { ...filled, webSocket, silenceMs };
}

/** Where the API's WebSocket is. Throws {@link RangeError}. */
export function socketUrl(text: string): string {
  const form = "`url` must be such as `http://127.0.0.1:8545` or `wss://node.example`";
  if (!/^(https?|wss?):\/\//.test(text) || !URL.canParse(text)) {
    throw new RangeError(`${form}. Got \`${text}\`.`);
  }
  const url = new URL(text.replace(/^http/, "ws"));
  if (url.pathname === "/") url.pathname = SOCKET_PATH;
  return url.href;
}

/** The present link, or one that is opened now. */
function linkOf(state: State): Promise<Link> {
  if (state.isClosed) return Promise.reject(new ClosedError());
  if (state.link !== undefined) return Promise.resolve(state.link);
  state.opening ??= connectAny(state).finally(() => {
    state.opening = undefined;
  });
  return state.opening;
}

/** To the one that answered last, else to the next that does. */
async function connectAny(state: State): Promise<Link> {
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

async function connect(state: State, url: string): Promise<Link> {
  const { options, emitter, desk } = state;
  const { webSocket, connectMs, timeoutMs, silenceMs, heartbeatSeconds } = options;
  const onClosed = (reason: string): void => {
    // One that ended before it was taken into use: whoever opened it sees to it.
    if (state.link === undefined) return;
    state.link = undefined;
    desk.detach();
    emitter.emit("closed", { url, reason });
    retryLater(state);
  };
  const onNotification = (channel: string, data: unknown) => desk.receive(channel, data);
  const limits = { connectMs, timeoutMs, silenceMs };
  const link = await openLink({ url, webSocket, ...limits, onNotification, onClosed });
  try {
    if (state.isClosed) link.drop("was closed");
    await link.call("public/set_heartbeat", { interval: heartbeatSeconds });
    await reopenSession(state, link);
  } catch (error) {
    link.drop("could not be begun");
    throw error;
  }
  state.link = link;
  const isBack = state.wasOpen;
  state.wasOpen = true;
  emitter.emit("open", { url });
  void desk.attach(link).then(() => {
    if (state.link !== link) return;
    // Not before: a node that takes connections and nothing else must not be asked without pause.
    state.failures = 0;
    if (isBack) emitter.emit("reconnected", { url });
  });
  return link;
}

/** A refusal does not keep anybody from the market's data. */
async function reopenSession(state: State, link: Link): Promise<void> {
  if (state.login === undefined) return;
  try {
    await openSession(link, state.login);
  } catch (error) {
    if (error instanceof ConnectionError) throw error;
    [state.login, state.session] = [undefined, undefined];
    state.emitter.emit("sessionLost", { error: error as Error });
  }
}

async function openSession(link: Link, login: Login): Promise<Result<"public/auth">> {
  const asked = await link.call("straddle/get_challenge", {});
  const { challenge } = asked as Result<"straddle/get_challenge">;
  const answer = await login(BigInt(challenge));
  return (await link.call("public/auth", answer)) as Result<"public/auth">;
}

/** Only channels and sessions need a connection when no call is being made. */
function retryLater(state: State): void {
  if (state.isClosed || (state.desk.size === 0 && state.login === undefined)) return;
  const { retryMs, retryMsMax } = state.options;
  const wait = Math.min(retryMsMax, retryMs * 2 ** Math.min(state.failures++, 16));
  // Half of the wait is random, so that clients do not come back all at once.
  const delay = wait / 2 + (Math.random() * wait) / 2;
  clearTimeout(state.retry);
  // What fails is tried again from there.
  state.retry = setTimeout(() => linkOf(state).catch(() => undefined), delay);
}
