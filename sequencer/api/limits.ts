/** Every bound of the API, in one place. */
import type { RateLimit } from "./rateLimit.ts";

export interface ApiLimits {
  /** Bytes of one HTTP body or WebSocket message. */
  readonly bodyBytes: number;
  readonly jsonDepth: number;
  /** Requests in one JSON-RPC batch. */
  readonly batchRequests: number;
  readonly webSockets: number;
  /** TCP connections, WebSockets included. */
  readonly connections: number;
  readonly subscriptionsPerConnection: number;
  /** Requests of one connection that may wait for their answers. */
  readonly inFlight: number;
  /** A WebSocket whose unsent bytes grow past this is dropped. */
  readonly unsentBytes: number;
  /** Of one WebSocket connection, or of one address over HTTP; requests cost 1 to 5. */
  readonly connectionRate: RateLimit;
  /** Accepted messages of one account. */
  readonly accountRate: RateLimit;
  /** Addresses and accounts whose rates are remembered. */
  readonly rateEntries: number;
  readonly heartbeatMs: number;
  /** A WebSocket that does not answer a ping within this is dropped. */
  readonly pingMs: number;
  /** Requests under way get this long when the server stops. */
  readonly stopMs: number;
}

export const DEFAULT_LIMITS: ApiLimits = {
  bodyBytes: 64 * 1024,
  jsonDepth: 8,
  batchRequests: 50,
  webSockets: 1000,
  connections: 2000,
  subscriptionsPerConnection: 200,
  inFlight: 200,
  unsentBytes: 1024 * 1024,
  connectionRate: { perSecond: 200, burst: 500 },
  accountRate: { perSecond: 100, burst: 400 },
  rateEntries: 10_000,
  heartbeatMs: 5000,
  pingMs: 30_000,
  stopMs: 5000,
};

/** Levels a side of one book answer, rows of one list answer, how old a read request may be. */
export const DEPTH_MAX = 100;
export const ROWS_MAX = 1000;
export const READ_REQUEST_AGE_MS = 60_000;
/** Channels in one subscribe request. */
export const CHANNELS_MAX = 50;
