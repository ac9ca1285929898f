/** HTTP: one POST, one answer. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { bareRpcError } from "./rpc/dispatch.ts";
import { DOCUMENT_PATH, HTTP_PATH, type RpcEndpoints } from "./rpc/endpoints.ts";
import { RpcError } from "./rpc/errorTable.ts";
import type { Site } from "./site.ts";
import { type ApiParts, isOriginAllowed } from "./sockets.ts";

interface HttpParts extends ApiParts {
  readonly rpc: RpcEndpoints;
  /** The web terminal, where there is one. */
  readonly site: Site | undefined;
}

export function createHttpHandler(
  shared: ApiParts,
  rpc: RpcEndpoints,
  site?: Site,
): (request: IncomingMessage, response: ServerResponse) => void {
  const parts = { ...shared, rpc, site };
  return (request, response) => {
    handle(request, response, parts).catch((error: unknown) => {
      parts.logger.error("an HTTP request failed", { error: String(error) });
      response.destroy();
    });
  };
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  parts: HttpParts,
): Promise<void> {
  if (parts.site?.answer(request, response) === true) return;
  const { origin } = request.headers;
  if (origin !== undefined) {
    if (!isOriginAllowed(origin, parts.origins)) {
      const text = `calls from the origin \`${origin.slice(0, 100)}\` are not allowed.`;
      refuse(response, 403, new RpcError("invalid_request", text));
      return;
    }
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("vary", "origin");
  }
  const path = (request.url ?? "/").split("?")[0];
  if (request.method === "OPTIONS") {
    response.setHeader("access-control-allow-methods", "GET, POST");
    response.setHeader("access-control-allow-headers", "content-type, authorization");
    response.writeHead(204).end();
  } else if (request.method === "GET" && path === "/health") {
    await health(response, parts);
  } else if (request.method === "GET" && path === DOCUMENT_PATH) {
    reply(response, 200, parts.rpc.document());
  } else if (request.method === "GET" && path?.startsWith(`${HTTP_PATH}/`) === true) {
    await get(request, response, parts);
  } else if (path !== HTTP_PATH) {
    const paths = `${HTTP_PATH}, ${DOCUMENT_PATH} or /health`;
    const text = `no such path: \`${(path ?? "").slice(0, 100)}\`. Use ${paths}.`;
    refuse(response, 404, new RpcError("invalid_request", text));
  } else if (request.method !== "POST") {
    response.setHeader("allow", "POST");
    refuse(response, 405, new RpcError("invalid_request", "JSON-RPC wants POST, or a WebSocket."));
  } else {
    await post(request, response, parts);
  }
}

/** `GET /api/v2/public/ticker?instrument_name=...`. */
async function get(
  request: IncomingMessage,
  response: ServerResponse,
  { rpc, work }: HttpParts,
): Promise<void> {
  if (work.isStopping) return refuse(response, 503, new RpcError("temporarily_unavailable"));
  const url = new URL(request.url ?? "/", "http://localhost");
  work.pending++;
  try {
    const method = url.pathname.slice(HTTP_PATH.length + 1);
    const { status, body } = await rpc.get(method, url.searchParams, request);
    reply(response, status, body);
  } finally {
    work.pending--;
  }
}

async function post(
  request: IncomingMessage,
  response: ServerResponse,
  { limits, work, rpc }: HttpParts,
): Promise<void> {
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/json\b/i.test(type)) {
    const text = `\`content-type\` must be application/json. Got \`${type.slice(0, 80)}\`.`;
    return refuse(response, 415, new RpcError("invalid_request", text));
  }
  const body = await readBody(request, limits.bodyBytes);
  if (body === undefined) {
    const text = `the body is larger than ${limits.bodyBytes} bytes.`;
    return refuse(response, 413, new RpcError("invalid_request", text));
  }
  if (work.isStopping) {
    response.setHeader("connection", "close");
    return reply(response, 503, rpc.stopping(body) ?? "");
  }
  work.pending++;
  try {
    const answer = await rpc.post(body, request);
    if (answer === undefined) response.writeHead(204).end();
    else reply(response, 200, answer);
  } finally {
    work.pending--;
  }
}

/** Undefined: too large. Stops reading there; the connection is closed with the answer. */
async function readBody(request: IncomingMessage, bytesMax: number): Promise<string | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > bytesMax) return undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > bytesMax) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function health(response: ServerResponse, { service, work }: HttpParts): Promise<void> {
  const { halted, isOverloaded, trading } = await service.status();
  const isWell = halted === null && !work.isStopping;
  reply(
    response,
    isWell ? 200 : 503,
    JSON.stringify({ isWell, isOverloaded, mode: trading.mode, halted }),
  );
}

function refuse(response: ServerResponse, status: number, error: RpcError): void {
  // What was not read of the request is not worth reading: end the connection.
  response.setHeader("connection", "close");
  reply(response, status, bareRpcError(error));
}

function reply(response: ServerResponse, status: number, body: string): void {
  response.setHeader("content-type", "application/json");
  response.writeHead(status, { "content-length": Buffer.byteLength(body) }).end(body);
}
