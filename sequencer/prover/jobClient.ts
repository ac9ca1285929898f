/** A prover process's way to its jobs. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { decodeJson, encodeJson } from "../batch/log.ts";
import type { ProofWords } from "../batch/sealedBatch.ts";
import { FAILURE_PATH, HOLD_PATH, JOB_PATH, PROOF_PATH, type ProofJob } from "./jobMessages.ts";

export interface JobClientOptions {
  /** Or several, of sequencers of which one gives jobs at a time. */
  readonly url: string | readonly string[];
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
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export function createJobClient({ url, token }: JobClientOptions): JobClient {
  const holds = new Map<string, { destroy(): void }>();
  const urls = [url].flat();
  /** Where each job came from, by its lease. */
  const origins = new Map<string, string>();
  let turn = 0;

  function send({ url, method, path, body, signal }: Call): Promise<IncomingMessage> {
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
  async function hold(job: ProofJob, from: string): Promise<void> {
    const path = `${HOLD_PATH}?number=${job.number}&lease=${job.lease}`;
    origins.set(job.lease, from);
    const response = await send({ url: from, method: "GET", path });
    response.on("error", () => undefined);
    response.resume();
    holds.set(job.lease, response);
  }

  function letGo(job: ProofJob): void {
    holds.get(job.lease)?.destroy();
    holds.delete(job.lease);
    origins.delete(job.lease);
  }

  const originOf = ({ lease }: ProofJob): string => origins.get(lease) ?? urls[0]!;

  /** Whoever answers has the same batch, and verifies the proof: the one that asked may be gone. */
  async function answerAny(origin: string, body: unknown): Promise<void> {
    let failure: unknown;
    for (const url of new Set([origin, ...urls])) {
      try {
        await call({ url, method: "POST", path: PROOF_PATH, body });
        return;
      } catch (error) {
        if (error instanceof JobServerError) throw error;
        failure = error;
      }
    }
    throw failure;
  }

  return {
    next: async (signal) => {
      const from = urls[turn % urls.length]!;
      const asked = call({ url: from, method: "GET", path: JOB_PATH, signal });
      const job = (await asked.catch((error: unknown) => {
        // Whoever does not answer may only stand by: the next one is asked next.
        turn += 1;
        throw error;
      })) as ProofJob | undefined;
      if (job !== undefined) await hold(job, from);
      return job;
    },
    answer: async (job, proof) => {
      const body = { number: job.number, proof };
      await answerAny(originOf(job), body);
      letGo(job);
    },
    fail: async (job, reason) => {
      const body = { number: job.number, lease: job.lease, reason };
      const given = call({ url: originOf(job), method: "POST", path: FAILURE_PATH, body });
      await given.finally(() => letGo(job));
    },
  };
}
