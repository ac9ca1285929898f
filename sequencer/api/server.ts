/** The API's port: JSON-RPC 2.0 over HTTP and WebSocket, and `GET /health`. */
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { WebSocketServer } from "ws";
import type { ExchangeService } from "../exchangeService.ts";
import type { Clock, Logger } from "../ports.ts";
import { createHttpHandler } from "./http.ts";
import { type ApiLimits, DEFAULT_LIMITS } from "./limits.ts";
import { createBucketTable } from "./rateLimit.ts";
import type { CallObserver } from "./rpc/dispatch.ts";
import { createRpcEndpoints, SOCKET_PATH } from "./rpc/endpoints.ts";
import { readSite, type SiteOptions } from "./site.ts";
import { type ApiParts, acceptSockets } from "./sockets.ts";

export interface ApiServer {
  /** `http://host:port`; WebSocket on the same port. */
  readonly url: string;
  readonly port: number;
  /** Takes nothing new, lets requests under way finish for `stopMs`, then closes everything. */
  stop(): Promise<void>;
}

export interface ApiOptions {
  readonly service: ExchangeService;
  readonly clock: Clock;
  readonly logger: Logger;
  /** 127.0.0.1 unless told: put a proxy that ends TLS in front of anything else. */
  readonly host?: string;
  /** 0: any free one. */
  readonly port?: number;
  /** Web origins that may call, besides those on this machine; `*` for all. */
  readonly origins?: readonly string[];
  readonly limits?: Partial<ApiLimits>;
  /** Told of each call that has ended. */
  readonly onCall?: CallObserver | undefined;
  /** The web terminal; absent: none is served. */
  readonly site?: SiteOptions | undefined;
}

export async function startApi(options: ApiOptions): Promise<ApiServer> {
  const { service, clock, logger, host = "127.0.0.1", port = 0, origins = [] } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const now = () => clock.now();
  const accountRates = createBucketTable(limits.accountRate, limits.rateEntries, now);
  const rpc = createRpcEndpoints({
    ...{ service, clock, logger, limits, accountRates },
    onCall: options.onCall,
  });
  const work = { pending: 0, isStopping: false };
  const parts: ApiParts = { service, logger, limits, origins, work };
  const site = options.site && readSite(options.site);
  const { headersMs: headersTimeout, requestMs: requestTimeout } = limits;
  const timeouts = { ...HTTP_OPTIONS, headersTimeout, requestTimeout };
  const http = createServer(timeouts, createHttpHandler(parts, rpc, site));
  http.maxConnections = limits.connections;
  boundAddresses(http, limits.connectionsPerAddress);
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.bodyBytes,
    perMessageDeflate: false,
    maxFragments: limits.fragments,
    maxBufferedChunks: limits.framePieces,
  });
  const { protocol } = rpc;
  const stopSockets = acceptSockets(http, sockets, parts, { path: SOCKET_PATH, protocol });
  await listen(http, port, host);
  const address = http.address() as AddressInfo;
  const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
  logger.info("the API listens", { host: address.address, port: address.port });
  return {
    url: `http://${name}:${address.port}`,
    port: address.port,
    stop: () =>
      stop(http, parts, () => {
        rpc.stop();
        stopSockets();
      }),
  };
}

/** A connection that says nothing, or slowly, ends: looked after every second. */
const HTTP_OPTIONS = {
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 1000,
  maxHeaderSize: 16 * 1024,
};

function boundAddresses(http: Server, connectionsMax: number): void {
  const counts = new Map<string, number>();
  http.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "unknown";
    const count = (counts.get(address) ?? 0) + 1;
    if (count > connectionsMax) {
      socket.destroy();
      return;
    }
    counts.set(address, count);
    socket.on("close", () => {
      const left = (counts.get(address) ?? 1) - 1;
      if (left === 0) counts.delete(address);
      else counts.set(address, left);
    });
  });
}

function listen(http: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once("error", reject);
    http.listen(port, host, () => {
      http.off("error", reject);
      resolve();
    });
  });
}

async function stop(http: Server, parts: ApiParts, stopSockets: () => void): Promise<void> {
  const { work, limits } = parts;
  if (work.isStopping) return;
  work.isStopping = true;
  const closed = new Promise<void>((resolve) => http.close(() => resolve()));
  const pause = 10;
  for (let waited = 0; work.pending > 0 && waited < limits.stopMs; waited += pause) {
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  stopSockets();
  http.closeAllConnections();
  await closed;
}
