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
  const prover = createProver({ keys: file.keys, rapidsnark: file.rapidsnark, logger });
  const jobs = createJobClient(file.jobs);
  logger.info("prover started", { jobs: file.jobs.url });
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  // A proof under way cannot be interrupted and is not waited for: its job goes to another prover
  // as soon as this process, and with it the connection that holds the lease, is gone.
  await Promise.race([runProver({ jobs, prover, logger }, signal), stopped]);
}
