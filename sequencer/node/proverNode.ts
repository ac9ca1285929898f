/** Puts a prover together: proving keys, and the line to the sequencer's jobs. */
import type { Logger } from "../ports.ts";
import { createJobClient } from "../prover/jobClient.ts";
import { createProver } from "../prover/prover.ts";
import { runProver } from "../roles/prover.ts";
import type { ProverFile } from "./config.ts";

export async function runProverNode(
  file: ProverFile,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const prover = createProver({ keys: file.keys, logger });
  const jobs = createJobClient(file.jobs);
  logger.info("prover started", { jobs: file.jobs.url });
  try {
    await runProver({ jobs, prover, logger }, signal);
  } finally {
    await prover.stop();
  }
}
