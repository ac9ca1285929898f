/** The prover: takes a job, proves it, answers, and begins again. It keeps nothing. */

import { publicInputs } from "../batch/publicInputs.ts";
import type { CircuitInputs, ProofWords, SealedBatch } from "../batch/sealedBatch.ts";
import type { Logger, Prover } from "../ports.ts";
import { messageOf, pause } from "./loop.ts";

/** A batch to be proven, as `prover/jobServer.ts` hands it out. */
export interface Job extends Pick<SealedBatch, "number" | "kind" | "words" | "commitment"> {
  readonly circuit: string;
  readonly inputs: CircuitInputs;
}

/** The way to the sequencer's jobs; see `prover/jobClient.ts`. */
export interface Jobs<J extends Job> {
  /** The next job, or undefined when there was none for a while. Throws when out of reach. */
  next(signal: AbortSignal): Promise<J | undefined>;
  answer(job: J, proof: ProofWords): Promise<void>;
  /** Gives the job back, so that another prover may try. */
  fail(job: J, reason: string): Promise<void>;
}

/** Doubles from failure to failure (ms). */
const BACKOFF_MS_MIN = 250;
const BACKOFF_MS_MAX = 10_000;

/** Tries to bring a finished proof to a sequencer that is away. */
const DELIVERIES_MAX = 20;

/** Runs until the signal aborts. No failure ends it: jobs are the sequencer's, and wait there. */
export async function runProver<J extends Job>(
  { jobs, prover, logger }: { jobs: Jobs<J>; prover: Prover; logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      const job = await jobs.next(signal);
      if (job !== undefined) await work(job, { jobs, prover, logger }, signal);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      logger.warn("no job done", { error: messageOf(error), failures });
      await pause(Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** failures), signal);
    }
  }
}

async function work<J extends Job>(
  job: J,
  { jobs, prover, logger }: { jobs: Jobs<J>; prover: Prover; logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  const { number, circuit } = job;
  logger.info("proving", { number, circuit });
  try {
    const { proof, seconds } = await prover.prove(circuit, proofInputs(job), signal);
    await deliver(() => jobs.answer(job, proof), logger, signal);
    logger.info("proved", { number, circuit, seconds });
  } catch (error) {
    if (!signal.aborted) logger.error("proof failed", { number, error: messageOf(error) });
    await jobs.fail(job, messageOf(error)).catch(() => undefined);
    throw error;
  }
}

/** The circuit's inputs, with the three that bind the public words. */
function proofInputs({ inputs, words }: Job): CircuitInputs {
  const { commitment, gamma, evaluation } = publicInputs(words);
  const binding = { commitment, gamma, evaluation };
  const signals = Object.entries(binding).map(([name, value]) => [name, String(value)]);
  return { ...inputs, ...Object.fromEntries(signals) };
}

/** A proof has cost seconds of all cores: a sequencer that restarts meanwhile still gets it. */
async function deliver(
  answer: () => Promise<void>,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await answer();
      return;
    } catch (error) {
      // An answer with a status is the server's last word; anything else was the way to it.
      const isRefused = error instanceof Error && "status" in error;
      if (isRefused || tries === DELIVERIES_MAX || signal.aborted) throw error;
      logger.warn("the proof could not be delivered", { error: messageOf(error), tries });
      await pause(BACKOFF_MS_MIN * 2 ** Math.min(tries, 5), signal);
    }
  }
}
