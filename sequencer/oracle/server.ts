/** The oracles' own JSON-RPC 2.0 over HTTP POST: among themselves, and to the sequencer. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Logger, Review } from "../ports.ts";
import type { Snapshot } from "../protocol/snapshot.ts";
import { snapshotFromJson, snapshotToJson } from "./snapshotJson.ts";

/** What an oracle does for others. */
export interface OracleService {
  sign(proposal: unknown): Promise<Review>;
  /** `proposal`: what the snapshot was made of, for who has not seen it. */
  offer(snapshot: Snapshot, proposal?: unknown): void;
  latest(): Snapshot | undefined;
}

export interface OracleServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** A proposal or snapshot of the largest market is some tens of kB. */
const BODY_BYTES_MAX = 2 ** 20;
const PARSE_ERROR = -32700;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;

export async function startOracleServer(options: {
  service: OracleService;
  logger: Logger;
  host?: string;
  port?: number;
}): Promise<OracleServer> {
  const { service, logger, host = "127.0.0.1", port = 0 } = options;
  const server = createServer((request, response) => {
    answer(service, request)
      .then((body) => reply(response, body))
      .catch((error: unknown) => {
        logger.warn("a request failed", { error: String(error) });
        response.destroy();
      });
  });
  server.headersTimeout = 5000;
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Call {
  readonly id: unknown;
  readonly method: unknown;
  readonly params: unknown;
}

async function answer(service: OracleService, request: IncomingMessage): Promise<object> {
  const call = parseCall(await readBody(request));
  if (call === undefined) return failure(null, PARSE_ERROR, "not a JSON-RPC call");
  const { id, method, params } = call;
  const given = (typeof params === "object" && params !== null ? params : {}) as {
    proposal?: unknown;
    snapshot?: unknown;
  };
  try {
    switch (method) {
      case "oracle/latest": {
        const snapshot = service.latest();
        return success(id, snapshot === undefined ? null : snapshotToJson(snapshot));
      }
      case "oracle/sign":
        return success(id, reviewToJson(await service.sign(given.proposal)));
      case "oracle/offer":
        service.offer(snapshotFromJson(given.snapshot), given.proposal);
        return success(id, true);
      default:
        return failure(id, METHOD_NOT_FOUND, `there is no method \`${String(method)}\``);
    }
  } catch (error) {
    return failure(id, INVALID_PARAMS, error instanceof Error ? error.message : String(error));
  }
}

function parseCall(text: string | undefined): Call | undefined {
  if (text === undefined) return undefined;
  try {
    const { id = null, method, params } = JSON.parse(text) as Partial<Call>;
    return { id, method, params };
  } catch {
    return undefined;
  }
}

/** Undefined where the body is too long. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function reviewToJson(review: Review): object {
  if ("reason" in review) return review;
  const { signer, r8x, r8y, s } = review.signature;
  return { signature: { signer, r8x: `${r8x}`, r8y: `${r8y}`, s: `${s}` } };
}

function success(id: unknown, result: unknown): object {
  return { jsonrpc: "2.0", id, result };
}

function failure(id: unknown, code: number, message: string): object {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

function reply(response: ServerResponse, body: object): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}
