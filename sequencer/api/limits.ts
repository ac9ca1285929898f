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
  /** Connections of one address: no one may take them all. */
  readonly connectionsPerAddress: number;
  readonly channelsPerConnection: number;
  /** So many of them every connection may have; beyond, all connections share `channelsShared`. */
  readonly channelsSure: number;
  readonly channelsShared: number;
  /** Frames of one message, and pieces in which one frame may come. */
  readonly fragments: number;
  readonly framePieces: number;
  /** Requests of one connection that may wait for their answers. */
  readonly inFlight: number;
  /** A WebSocket whose unsent bytes grow past this is dropped. */
  readonly unsentBytes: number;
  /** Past this, what can be conflated is: the reader gets the latest once it reads again. */
  readonly congestedBytes: number;
  /** Of one WebSocket connection, or of one address over HTTP: 500 for an ordinary call. */
  readonly credits: RateLimit;
  /** Accepted messages of one account. */
  readonly accountRate: RateLimit;
  /** Addresses and accounts whose rates are remembered. */
  readonly rateEntries: number;
  /** Headers, and whole requests, must be there within these; else the connection ends. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** A WebSocket that does not answer a ping within this is dropped. */
  readonly pingMs: number;
  /** Requests under way get this long when the server stops. */
  readonly stopMs: number;
}

export const DEFAULT_LIMITS: ApiLimits = {
  bodyBytes: 64 * 1024,
  jsonDepth: 8,
  batchRequests: 50,
  webSockets: 3000,
  connections: 4000,
  connectionsPerAddress: 1500,
  // Every book and ticker of 1,700 instruments, and then some.
  channelsPerConnection: 4000,
  channelsSure: 1000,
  channelsShared: 500_000,
  fragments: 64,
  framePieces: 1024,
  inFlight: 200,
  unsentBytes: 1024 * 1024,
  congestedBytes: 64 * 1024,
  credits: { perSecond: 100_000, burst: 250_000 },
  accountRate: { perSecond: 100, burst: 400 },
  rateEntries: 10_000,
  headersMs: 5000,
  requestMs: 10_000,
  pingMs: 30_000,
  stopMs: 5000,
};

/** Levels a side of one book answer, rows of one list answer, how old a read request may be. */
export const DEPTH_MAX = 100;
export const ROWS_MAX = 1000;
export const READ_REQUEST_AGE_MS = 60_000;
