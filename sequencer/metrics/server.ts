/**
 * The port for whoever watches a process: `/metrics` for Prometheus, `/health` as long as it lives,
 * `/ready` when it can do its work, else 503 with the reason.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger } from "../ports.ts";

export interface MetricsServerOptions {
  readonly logger: Logger;
  /** 0: any free one. */
  readonly port: number;
  /** 127.0.0.1 unless told: figures tell strangers a lot. */
  readonly host?: string | undefined;
  /** All figures as they are now, in Prometheus' text format. */
  read(): Promise<string>;
  /** Why it cannot do its work; undefined: it can. Absent: it can as long as it lives. */
  reasonNotReady?(): Promise<string | undefined>;
}

export interface MetricsServer {
  /** `http://host:port`. */
  readonly url: string;
  stop(): Promise<void>;
}

const TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8";

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export async function startMetricsServer(options: MetricsServerOptions): Promise<MetricsServer> {
  const { logger, port, host = "127.0.0.1" } = options;
  const server = createServer((request, response) => {
    answer(options, request.method, request.url)
      .catch((error: unknown): Answer => {
        logger.warn("a figure could not be read", { error });
        return text(500, "a figure could not be read; the log says why");
      })
      .then(({ status, type, body }) => {
        response
          .writeHead(status, { "content-type": type })
          .end(request.method === "HEAD" ? "" : body);
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const { address, port: bound } = server.address() as AddressInfo;
  const url = `http://${address.includes(":") ? `[${address}]` : address}:${bound}`;
  logger.info("metrics are served", { url: `${url}/metrics` });
  return {
    url,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  { read, reasonNotReady }: MetricsServerOptions,
  method: string | undefined,
  target: string | undefined,
): Promise<Answer> {
  if (method !== "GET" && method !== "HEAD") return text(405, "use GET");
  const path = (target ?? "/").split("?")[0];
  if (path === "/metrics") {
    return { status: 200, type: TEXT_FORMAT, body: await read() };
  }
  if (path === "/health") return text(200, "it lives");
  if (path !== "/ready") return text(404, "there are /metrics, /health and /ready");
  const reason = await reasonNotReady?.();
  return reason === undefined ? text(200, "ready") : text(503, reason);
}

function text(status: number, body: string): Answer {
  return { status, type: "text/plain; charset=utf-8", body: `${body}\n` };
}
