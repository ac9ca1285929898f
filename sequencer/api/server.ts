/** The API's port: JSON-RPC 2.0 over HTTP POST and WebSocket, and `GET /health`. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import type { ExchangeService } from "../exchangeService.ts";
import type { Clock, Logger } from "../ports.ts";
import { createHttpHandler } from "./http.ts";
import { type ApiLimits, DEFAULT_LIMITS } from "./limits.ts";
import { createBucketTable } from "./rateLimit.ts";
import { type ApiParts, acceptSockets } from "./sockets.ts";
import { createHub } from "./subscriptions.ts";

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
}

export async function startApi(options: ApiOptions): Promise<ApiServer> {
  const { service, clock, logger, host = "127.0.0.1", port = 0, origins = [] } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const now = () => clock.now();
  const parts: ApiParts = {
    service,
    clock,
    logger,
    limits,
    origins,
    accountRates: createBucketTable(limits.accountRate, limits.rateEntries, now),
    addressRates: createBucketTable(limits.connectionRate, limits.rateEntries, now),
    hub: createHub({ service, clock, logger, limits }),
    work: { pending: 0, isStopping: false },
  };
  const http = createServer(createHttpHandler(parts));
  http.maxConnections = limits.connections;
  http.headersTimeout = 5000;
  http.requestTimeout = 10_000;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.bodyBytes,
    perMessageDeflate: false,
  });
  const stopSockets = acceptSockets(http, sockets, parts);
  await listen(http, port, host);
  const address = http.address() as AddressInfo;
  const name = address.family === "IPv6" ? `[${address.address}]` : address.address;
  logger.info("the API listens", { host: address.address, port: address.port });
  return {
    url: `http://${name}:${address.port}`,
    port: address.port,
    stop: () => stop(http, parts, stopSockets),
  };
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
  const { work, limits, hub } = parts;
  if (work.isStopping) return;
  work.isStopping = true;
  const closed = new Promise<void>((resolve) => http.close(() => resolve()));
  const pause = 10;
  for (let waited = 0; work.pending > 0 && waited < limits.stopMs; waited += pause) {
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  hub.stop();
  stopSockets();
  http.closeAllConnections();
  await closed;
}
