/** One WebSocket connection: its session, channels and heartbeat. */
import type { Feeds, Subscriptions } from "./feeds.ts";
import { createSessionDesk, type SessionDesk } from "./session.ts";
import type { Reader } from "./topics.ts";

export interface Connection {
  readonly session: SessionDesk;
  readonly subscriptions: Subscriptions;
  /** Ends the session and its channels. */
  logout(): void;
  /** Undefined: none. */
  setHeartbeat(intervalMs: number | undefined): void;
  /** Ends the session where its key has expired or was replaced. */
  review(): Promise<void>;
  /** Something has come from the other end. */
  heard(): void;
  close(): void;
}

export interface ConnectionOptions extends Reader {
  readonly feeds: Feeds;
  readonly channelsMax: number;
  readonly sessions: Parameters<typeof createSessionDesk>[0];
  /** The other end did not answer. */
  drop(): void;
}

export function createConnection(options: ConnectionOptions): Connection {
  const { feeds, channelsMax, send } = options;
  const session = createSessionDesk(options.sessions);
  const subscriptions = feeds.connect(options, channelsMax);
  let timer: ReturnType<typeof setInterval> | undefined;
  let isSilent = false;
  let isTested = false;
  const beat = (): void => {
    if (isSilent && isTested) {
      options.drop();
      return;
    }
    const type = isSilent ? "test_request" : "heartbeat";
    isTested = isSilent;
    isSilent = true;
    send(JSON.stringify({ jsonrpc: "2.0", method: "heartbeat", params: { type } }));
  };
  const setHeartbeat = (intervalMs: number | undefined): void => {
    clearInterval(timer);
    timer = undefined;
    [isSilent, isTested] = [false, false];
    if (intervalMs === undefined) return;
    timer = setInterval(beat, intervalMs);
    timer.unref();
  };
  const logout = (): void => {
    session.close();
    subscriptions.removePrivate();
  };
  return {
    ...{ session, subscriptions, setHeartbeat, logout },
    async review() {
      if (session.account() === undefined) return;
      await session.current().catch(logout);
    },
    heard() {
      [isSilent, isTested] = [false, false];
    },
    close() {
      setHeartbeat(undefined);
      session.close();
      subscriptions.close();
    },
  };
}
