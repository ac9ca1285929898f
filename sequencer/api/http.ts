/** HTTP: one POST, one answer. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { bareError, dispatch } from "./dispatch.ts";
import { ApiError } from "./errors.ts";
import { type ApiParts, isOriginAllowed } from "./sockets.ts";

export function createHttpHandler(
  parts: ApiParts,
): (request: IncomingMessage, response: ServerResponse) => void {
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
  parts: ApiParts,
): Promise<void> {
  const { origin } = request.headers;
  if (origin !== undefined) {
    if (!isOriginAllowed(origin, parts.origins)) {
      const text = `calls from the origin \`${origin.slice(0, 100)}\` are not allowed.`;
      refuse(response, 403, new ApiError("invalidRequest", text));
      return;
    }
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("vary", "origin");
  }
  const path = (request.url ?? "/").split("?")[0];
  if (request.method === "OPTIONS") {
    response.setHeader("access-control-allow-methods", "POST");
    response.setHeader("access-control-allow-headers", "content-type");
    response.writeHead(204).end();
  } else if (request.method === "GET" && path === "/health") {
    await health(response, parts);
  } else if (path !== "/") {
    const text = `no such path: \`${(path ?? "").slice(0, 100)}\`. Use / or /health.`;
    refuse(response, 404, new ApiError("invalidRequest", text));
  } else if (request.method !== "POST") {
    response.setHeader("allow", "POST");
    refuse(response, 405, new ApiError("invalidRequest", "JSON-RPC wants POST, or a WebSocket."));
  } else {
    await post(request, response, parts);
  }
}

async function post(
  request: IncomingMessage,
  response: ServerResponse,
  parts: ApiParts,
): Promise<void> {
  const { limits, work } = parts;
  if (work.isStopping) return refuse(response, 503, new ApiError("stopping"));
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/json\b/i.test(type)) {
    const text = `\`content-type\` must be application/json. Got \`${type.slice(0, 80)}\`.`;
    return refuse(response, 415, new ApiError("invalidRequest", text));
  }
  const body = await readBody(request, limits.bodyBytes);
  if (body === undefined) {
    const text = `the body is larger than ${limits.bodyBytes} bytes.`;
    return refuse(response, 413, new ApiError("invalidRequest", text));
  }
  work.pending++;
  try {
    const bucket = parts.addressRates.get(request.socket.remoteAddress ?? "unknown");
    const answer = await dispatch(body, { ...parts, bucket, subscriber: undefined });
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

async function health(response: ServerResponse, { service, work }: ApiParts): Promise<void> {
  const { halted, isOverloaded, trading } = await service.status();
  const isWell = halted === null && !work.isStopping;
  reply(
    response,
    isWell ? 200 : 503,
    JSON.stringify({ isWell, isOverloaded, mode: trading.mode, halted }),
  );
}

function refuse(response: ServerResponse, status: number, error: ApiError): void {
  // What was not read of the request is not worth reading: end the connection.
  response.setHeader("connection", "close");
  reply(response, status, bareError(error));
}

function reply(response: ServerResponse, status: number, body: string): void {
  response.setHeader("content-type", "application/json");
  response.writeHead(status, { "content-length": Buffer.byteLength(body) }).end(body);
}
