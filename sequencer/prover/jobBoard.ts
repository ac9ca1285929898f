/**
 * Which batches need a proof, and who is at work on them. All that lasts is in the batch store: a
 * job is a sealed batch without a proof, leased to one prover for a time and to another when that
 * time passes or the prover goes away.
 */
import { randomUUID } from "node:crypto";
import type { ProofWords, SealedBatch } from "../batch/sealedBatch.ts";
import type { BatchStore, Logger } from "../ports.ts";
import type { ProofJob } from "./jobMessages.ts";

export interface JobBoardOptions {
  readonly batches: Pick<BatchStore, "sealed" | "inputs" | "proof" | "putProof">;
  /** Number of the first batch that needs a proof: layer one has those before. */
  readonly from: () => number;
  /** Whether the proof holds for the batch; asked before it is stored. */
  readonly verify: (batch: SealedBatch, proof: ProofWords) => Promise<boolean>;
  /** Called once for each batch, after its proof is durable. */
  readonly onProof: (number: number) => void;
  readonly leaseMs: number;
  readonly logger: Logger;
}

export type AnswerVerdict = "stored" | "alreadyProven" | "unknownBatch" | "proofInvalid";

/** A job whose inputs are JSON as the store has it: they are large, and nobody reads them here. */
export interface LeasedJob extends Omit<ProofJob, "inputs"> {
  readonly inputs: string;
}

export interface JobBoard {
  /** Leases the first batch that nobody is at work on. */
  take(): Promise<LeasedJob | undefined>;
  isLeased(number: number, lease: string): boolean;
  release(number: number, lease: string, reason: string): void;
  answer(number: number, proof: ProofWords): Promise<AnswerVerdict>;
  /** Runs `wake` whenever a job may have become free; gives the way to end that. */
  watch(wake: () => void): () => void;
  /** Tells the watchers that a batch was sealed. */
  notify(): void;
}

/** Batches in work at the same time. */
const LEASES_MAX = 256;

interface Lease {
  readonly id: string;
  readonly until: number;
}

export function createJobBoard(options: JobBoardOptions): JobBoard {
  const { batches, leaseMs, logger } = options;
  const leases = new Map<number, Lease>();
  const watchers = new Set<() => void>();
  /** Every batch from `from` up to `first` has a proof. */
  let proven = { from: 0, first: 0 };
  let turn: Promise<unknown> = Promise.resolve();

  /** One at a time, so that no batch is chosen twice and no proof stored twice. */
  function inTurn<T>(run: () => Promise<T>): Promise<T> {
    const result = turn.then(run);
    turn = result.catch(() => undefined);
    return result;
  }

  const notify = (): void => {
    for (const wake of [...watchers]) wake();
  };

  /** Goes on where it was the last time, unless layer one is not in what was looked through. */
  async function firstWithoutProof(): Promise<number> {
    const from = options.from();
    if (from < proven.from || from > proven.first) proven = { from, first: from };
    while ((await batches.proof(proven.first)) !== undefined) proven.first += 1;
    return proven.first;
  }

  async function take(): Promise<LeasedJob | undefined> {
    const batch = await findFree(batches, leases, await firstWithoutProof());
    if (batch === undefined) return undefined;
    const { number, kind, words, commitment } = batch;
    const inputs = (await batches.inputs(number)) ?? "{}";
    const lease = randomUUID();
    leases.set(number, { id: lease, until: performance.now() + leaseMs });
    // Whoever waits while all batches are leased must hear of a lease that runs out.
    setTimeout(notify, leaseMs + 1).unref();
    logger.debug("proof job handed out", { number, lease });
    return { number, lease, kind, circuit: kind, inputs, words, commitment };
  }

  async function store(number: number, proof: ProofWords): Promise<AnswerVerdict> {
    // The first proof stays: a second is as good, but the first may be on its way to layer one.
    if ((await batches.proof(number)) !== undefined) return "alreadyProven";
    await batches.putProof(number, proof);
    leases.delete(number);
    options.onProof(number);
    return "stored";
  }

  async function answer(number: number, proof: ProofWords): Promise<AnswerVerdict> {
    const batch = await batches.sealed(number);
    if (batch === undefined) return "unknownBatch";
    if ((await batches.proof(number)) !== undefined) return "alreadyProven";
    if (await options.verify(batch, proof)) return inTurn(() => store(number, proof));
    logger.error("a prover sent a proof that does not hold", { number });
    return "proofInvalid";
  }

  const isLeased = (number: number, lease: string): boolean => leases.get(number)?.id === lease;

  return {
    take: () => inTurn(take),
    isLeased,
    release: (number, lease, reason) => {
      if (!isLeased(number, lease)) return;
      leases.delete(number);
      logger.warn("proof job given back", { number, lease, reason });
      notify();
    },
    answer,
    watch: (wake) => {
      watchers.add(wake);
      return () => watchers.delete(wake);
    },
    notify,
  };
}

/** The first batch from `first` on that has neither a proof nor a lease. */
async function findFree(
  batches: JobBoardOptions["batches"],
  leases: ReadonlyMap<number, Lease>,
  first: number,
): Promise<SealedBatch | undefined> {
  for (let number = first; number < first + LEASES_MAX; number++) {
    const lease = leases.get(number);
    if (lease !== undefined && lease.until > performance.now()) continue;
    if ((await batches.proof(number)) === undefined) return batches.sealed(number);
  }
  return undefined;
}
