/** One WebSocket connection: its session, channels and heartbeat. */
import { randomUUID } from "node:crypto";
import type { ChannelRoom } from "./channelRoom.ts";
import type { Feeds, Subscriptions } from "./feeds.ts";
import { createSessionDesk, type SessionDesk } from "./session.ts";
import type { Reader } from "./topics.ts";

export interface Connection {
  readonly session: SessionDesk;
  readonly subscriptions: Subscriptions;
  /** Ends the session and its channels; nothing is cancelled for it. */
  logout(): void;
  /** What connections are known by to the service. */
  readonly id: string;
  /** A session of the account has been opened. */
  joined(account: number): void;
  /** Undefined: none. */
  setHeartbeat(intervalMs: number | undefined): void;
  /** Ends the session where its key has expired or was replaced, and what it may not hear. */
  review(): Promise<void>;
  /** Something has come from the other end. */
  heard(): void;
  close(): void;
}

export interface ConnectionOptions extends Reader {
  readonly feeds: Feeds;
  readonly room: ChannelRoom;
  readonly sessions: Parameters<typeof createSessionDesk>[0];
  /** The other end did not answer. */
  drop(): void;
}

export function createConnection(options: ConnectionOptions): Connection {
  const { feeds, room, send } = options;
  const session = createSessionDesk(options.sessions);
  const { policy } = options.sessions.service;
  const subscriptions = feeds.connect(options, room);
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
  const id = randomUUID();
  let isClosed = false;
  const end = (isOwnWish: boolean): void => {
    session.close();
    subscriptions.removePrivate();
    policy.left(id, isOwnWish);
  };
  return {
    ...{ id, session, subscriptions, setHeartbeat, logout: () => end(true) },
    joined: (account) => {
      if (!isClosed) policy.joined(id, account);
    },
    async review() {
      if (session.account() === undefined) return;
      const current = await session.current().catch(() => end(false));
      if (current === undefined) return;
      // Its scope has changed: what it hears it may no longer read.
      if (!policy.allows(current.account, current.keyIndex, "read")) subscriptions.removePrivate();
    },
    heard() {
      [isSilent, isTested] = [false, false];
    },
    close() {
      setHeartbeat(undefined);
      isClosed = true;
      session.close();
      subscriptions.close();
      policy.left(id, false);
    },
  };
}
