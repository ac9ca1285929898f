/** A prover process's way to its jobs. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { decodeJson, encodeJson } from "../batch/log.ts";
import type { ProofWords } from "../batch/sealedBatch.ts";
import { FAILURE_PATH, HOLD_PATH, JOB_PATH, PROOF_PATH, type ProofJob } from "./jobMessages.ts";

export interface JobClientOptions {
  readonly url: string;
  readonly token: string;
}

export interface JobClient {
  /** The next job, or undefined when there was none for a while. Throws when out of reach. */
  next(signal: AbortSignal): Promise<ProofJob | undefined>;
  answer(job: ProofJob, proof: ProofWords): Promise<void>;
  /** Gives the job back, so that another prover may try. */
  fail(job: ProofJob, reason: string): Promise<void>;
}

/** The job server did not take what it was sent. */
export class JobServerError extends Error {
  override name = "JobServerError";
  readonly status: number;
  constructor(path: string, status: number) {
    super(`the job server answered \`${status}\` to ${path}`);
    this.status = status;
  }
}

interface Call {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export function createJobClient({ url, token }: JobClientOptions): JobClient {
  const holds = new Map<string, { destroy(): void }>();

  function send({ method, path, body, signal }: Call): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const options = { method, headers, ...(signal === undefined ? {} : { signal }) };
      // node:http and not fetch: fetch gives up on a connection that is quiet for five minutes.
      const request = httpRequest(new URL(path, url), { ...options, agent: false }, resolve);
      request.on("error", reject);
      request.end(body === undefined ? undefined : encodeJson(body));
    });
  }

  async function call(options: Call): Promise<unknown> {
    const response = await send(options);
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    const { statusCode = 0 } = response;
    if (statusCode >= 300) throw new JobServerError(options.path, statusCode);
    const text = Buffer.concat(chunks).toString("utf8");
    return text === "" ? undefined : decodeJson(text);
  }

  /** Keeps a connection open for as long as the job is in work. */
  async function hold(job: ProofJob): Promise<void> {
    const path = `${HOLD_PATH}?number=${job.number}&lease=${job.lease}`;
    const response = await send({ method: "GET", path });
    response.on("error", () => undefined);
    response.resume();
    holds.set(job.lease, response);
  }

  function letGo(job: ProofJob): void {
    holds.get(job.lease)?.destroy();
    holds.delete(job.lease);
  }

  return {
    next: async (signal) => {
      const job = (await call({ method: "GET", path: JOB_PATH, signal })) as ProofJob | undefined;
      if (job !== undefined) await hold(job);
      return job;
    },
    answer: async (job, proof) => {
      const body = { number: job.number, proof };
      await call({ method: "POST", path: PROOF_PATH, body });
      letGo(job);
    },
    fail: async (job, reason) => {
      const body = { number: job.number, lease: job.lease, reason };
      await call({ method: "POST", path: FAILURE_PATH, body }).finally(() => letGo(job));
    },
  };
}
