/** A prover's machine: the real role; its proofs are toys that hold for one batch's words alone. */
import { publicSignals } from "../../../sequencer/batch/publicInputs.ts";
import type { ProofWords } from "../../../sequencer/batch/sealedBatch.ts";
import type { Logger, Prover } from "../../../sequencer/ports.ts";
import type { ProofJob } from "../../../sequencer/prover/jobMessages.ts";
import { runProver } from "../../../sequencer/roles/prover.ts";
import type { Chance } from "../random.ts";
import type { Ask } from "./dialling.ts";
import { sleep } from "./logWire.ts";
import type { Machine } from "./virtualTime.ts";

export interface ProverNodeOptions {
  readonly machine: Machine;
  readonly ask: Ask;
  readonly chance: Chance;
  readonly logger: Logger;
}

const PROOF_MS_MAX = 400;
const IDLE_MS = 100;

/** From the public signals, which is all that verifying knows. */
function toyProof(signals: readonly bigint[]): ProofWords {
  const [commitment = 0n, gamma = 0n, evaluation = 0n] = signals;
  return [commitment, gamma, evaluation, 0n, 0n, 0n, 0n, 0n];
}

export function toyProofOf(words: readonly bigint[]): ProofWords {
  return toyProof(publicSignals(words));
}

export const proofVerifier: Pick<Prover, "verify"> = {
  verify: async (_circuit, signals, proof) =>
    toyProof(signals).every((word, at) => word === proof[at]),
};

export function startProver(options: ProverNodeOptions): void {
  const { machine, ask, chance, logger } = options;
  const jobs = {
    next: async () => {
      const job = await ask<ProofJob | undefined>("job");
      if (job === undefined) await sleep(IDLE_MS);
      return job;
    },
    answer: async ({ number }: ProofJob, proof: ProofWords) =>
      ask<void>("proven", { number, proof }),
    fail: async () => undefined,
  };
  const prover: Prover = {
    ...proofVerifier,
    prove: async (_circuit, { commitment, gamma, evaluation }) => {
      await sleep(chance.pick(PROOF_MS_MAX));
      const signals = [commitment, gamma, evaluation].map((text) => BigInt(String(text)));
      return { proof: toyProof(signals), seconds: 0 };
    },
  };
  machine.boot(() => void runProver({ jobs, prover, logger }, new AbortController().signal));
}
