/** The job board over HTTP, on loopback. Provers and this server may die at any moment. */
import { timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { decodeJson, encodeJson } from "../batch/log.ts";
import {
  type AnswerVerdict,
  createJobBoard,
  type JobBoard,
  type JobBoardOptions,
  type LeasedJob,
} from "./jobBoard.ts";
import {
  ANSWER_BYTES_MAX,
  FAILURE_PATH,
  HOLD_PATH,
  JOB_PATH,
  PROOF_PATH,
  type ProofAnswer,
  type ProofFailure,
} from "./jobMessages.ts";
import { areProofWords } from "./proofWords.ts";

export interface JobServerOptions extends Omit<JobBoardOptions, "leaseMs"> {
  /** A free one by default. */
  readonly port?: number;
  /** Secret that provers show. */
  readonly token: string;
  readonly leaseMs?: number;
  /** How long a request for a job waits for one. */
  readonly pollMs?: number;
}

export interface JobServer {
  readonly url: string;
  /** Tells waiting provers that a batch was sealed. */
  notify(): void;
  stop(): Promise<void>;
}

/** Several times the longest proof; a dead process is noticed at once by its connection. */
const LEASE_MS = 15 * 60_000;
const POLL_MS = 20_000;
const REASON_LENGTH_MAX = 1000;
const HOST = "127.0.0.1";

const VERDICT_STATUS: Record<AnswerVerdict, number> = {
  stored: 200,
  alreadyProven: 200,
  unknownBatch: 404,
  proofInvalid: 422,
};

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}

export async function createJobServer(options: JobServerOptions): Promise<JobServer> {
  const { port = 0, token, leaseMs = LEASE_MS, pollMs = POLL_MS, logger } = options;
  const board = createJobBoard({ ...options, leaseMs });

  async function route(exchange: Exchange): Promise<void> {
    const { request, response, url } = exchange;
    if (!isAuthorised(request, token)) return reply(response, 401);
    switch (`${request.method} ${url.pathname}`) {
      case `GET ${JOB_PATH}`:
        return giveJob(board, exchange, pollMs);
      case `GET ${HOLD_PATH}`:
        return hold(board, exchange);
      case `POST ${PROOF_PATH}`:
        return takeProof(board, exchange);
      case `POST ${FAILURE_PATH}`:
        return takeFailure(board, exchange);
      default:
        return reply(response, 404);
    }
  }

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    route({ request, response, url }).catch((error: unknown) => {
      logger.warn("a prover's request failed", { path: url.pathname, error });
      if (response.headersSent) response.destroy();
      else reply(response, error instanceof SyntaxError ? 400 : 500);
    });
  });
  await listen(server, port);

  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}`,
    notify: board.notify,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST, resolve);
  });
}

/** Answers with a job as soon as there is one, else with 204 after `pollMs`. */
async function giveJob(board: JobBoard, exchange: Exchange, pollMs: number): Promise<void> {
  const { response } = exchange;
  const end = performance.now() + pollMs;
  let gone = false;
  let wake = (): void => {};
  const call = (): void => wake();
  const unwatch = board.watch(call);
  response.on("close", () => {
    gone = true;
    call();
  });
  try {
    while (!gone && performance.now() < end) {
      // Watching begins before looking: a batch sealed in between is not missed.
      let timeout: NodeJS.Timeout | undefined;
      const changed = new Promise<void>((resolve) => {
        timeout = setTimeout(resolve, end - performance.now());
        wake = resolve;
      });
      const job = await board.take();
      if (job !== undefined) {
        clearTimeout(timeout);
        if (gone) return board.release(job.number, job.lease, "the prover left");
        return replyText(response, 200, jobText(job));
      }
      await changed;
      clearTimeout(timeout);
    }
    reply(response, 204);
  } finally {
    unwatch();
  }
}

/** Stays open while the prover works. When its process dies, the kernel closes the connection. */
async function hold(board: JobBoard, { response, url }: Exchange): Promise<void> {
  const number = Number(url.searchParams.get("number"));
  const lease = url.searchParams.get("lease") ?? "";
  if (!board.isLeased(number, lease)) return reply(response, 410);
  response.writeHead(200).flushHeaders();
  response.on("close", () => board.release(number, lease, "the prover's connection closed"));
}

async function takeProof(board: JobBoard, { request, response }: Exchange): Promise<void> {
  const { number, proof } = (await readBody(request)) as Partial<ProofAnswer>;
  if (!isNumber(number) || !Array.isArray(proof) || !areProofWords(proof)) {
    return reply(response, 400);
  }
  reply(response, VERDICT_STATUS[await board.answer(number, proof)]);
}

async function takeFailure(board: JobBoard, { request, response }: Exchange): Promise<void> {
  const { number, lease, reason } = (await readBody(request)) as Partial<ProofFailure>;
  if (!isNumber(number) || typeof lease !== "string") return reply(response, 400);
  board.release(number, lease, String(reason).slice(0, REASON_LENGTH_MAX));
  reply(response, 200);
}

function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isAuthorised(request: IncomingMessage, token: string): boolean {
  // Digests have equal lengths, whatever was sent.
  const digest = (text: string): Uint8Array => sha256(utf8ToBytes(text));
  return timingSafeEqual(digest(request.headers.authorization ?? ""), digest(`Bearer ${token}`));
}

/** The `ProofJob` as JSON. */
function jobText({ inputs, ...job }: LeasedJob): string {
  return `${encodeJson(job).slice(0, -1)},"inputs":${inputs}}`;
}

function reply(response: ServerResponse, status: number, body?: unknown): void {
  replyText(response, status, body === undefined ? undefined : encodeJson(body));
}

function replyText(response: ServerResponse, status: number, text: string | undefined): void {
  response.writeHead(status, { "content-type": "application/json" }).end(text);
}

/** Throws SyntaxError on what is not a JSON object of bounded size. */
async function readBody(request: IncomingMessage): Promise<object> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > ANSWER_BYTES_MAX) throw new SyntaxError("the body is too long");
    chunks.push(chunk);
  }
  const body = decodeJson(Buffer.concat(chunks).toString("utf8"));
  if (typeof body !== "object" || body === null) throw new SyntaxError("the body is no object");
  return body;
}
