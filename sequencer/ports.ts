/** What roles need from the outside world: interfaces only. Adapters implement them. */
import type { LogEntry, LogRecord } from "./batch/log.ts";
import type { CircuitInputs, ProofWords, SealedBatch } from "./batch/sealedBatch.ts";
import type { LedgerOperation } from "./engine/records.ts";
import type { LayerOneStatus } from "./exchangeService.ts";
import type { OracleSignature, Snapshot } from "./protocol/snapshot.ts";

/** Unix ms. Injected so that tests and simulations own the time. */
export interface Clock {
  now(): number;
}

/** One line of structured log: a message and its context. */
export interface Logger {
  debug(message: string, context?: Record<string, unknown>): void;
  info(message: string, context?: Record<string, unknown>): void;
  warn(message: string, context?: Record<string, unknown>): void;
  error(message: string, context?: Record<string, unknown>): void;
}

/** The durable order log. Reading verifies links and hashes; LogCorruptionError stops the node. */
export interface Log {
  /** Position of the next record and the hash of the last one. */
  head(): { readonly position: number; readonly hash: string };
  /** Resolves once the records are durable. Concurrent calls are grouped into one write. */
  append(entries: readonly LogEntry[]): Promise<readonly LogRecord[]>;
  /** Records from `from` on, in order, up to the head at the time of the call. */
  read(from: number): AsyncIterable<LogRecord>;
  close(): Promise<void>;
}

/** State at a sealed batch, so that a restart needs only the log's tail. */
export interface Checkpoint {
  /** Position of the first record after the checkpoint. */
  readonly position: number;
  readonly hash: string;
  readonly batchNumber: number;
  readonly time: number;
  readonly root: bigint;
  /** `exportState()` of the memory state. */
  readonly state: unknown;
  /** What else the role keeps (queue positions, ids); JSON-safe. */
  readonly extra: unknown;
}

export interface CheckpointStore {
  save(checkpoint: Checkpoint): Promise<void>;
  latest(): Promise<Checkpoint | undefined>;
}

/** Sealed batches on their way: sealed -> proven -> anchored. Durable, ordered by number. */
export interface BatchStore {
  putSealed(batch: SealedBatch): Promise<void>;
  sealed(number: number): Promise<SealedBatch | undefined>;
  putProof(number: number, proof: ProofWords): Promise<void>;
  proof(number: number): Promise<ProofWords | undefined>;
  /** Batches above `number` that are sealed, ascending. */
  sealedAfter(number: number): AsyncIterable<SealedBatch>;
  /** Forgets inputs (not words and proofs) of batches up to `number`: they are anchored. */
  prune(number: number): Promise<void>;
}

/** An entry of the layer-one queue as its event tells it. */
export interface QueuedOperation {
  readonly queueId: number;
  /** Unix ms: the marks of the batch that serves it must not be older. Of closes; else 0. */
  readonly pricedFrom: number;
  readonly operation: Extract<
    LedgerOperation,
    { kind: "deposit" | "registerKey" | "forcedWithdraw" | "forcedCancelAll" | "forcedClose" }
  >;
}

export interface AnchoredBatch {
  readonly number: number;
  readonly root: bigint;
  readonly transaction: string;
}

/** Small durable things by name. */
export interface DurableValues {
  get(name: string): Promise<unknown>;
  /** Resolves when the value is durable. */
  set(name: string, value: unknown): Promise<void>;
  delete(name: string): Promise<void>;
}

/** The base chain as the sequencer and validators see it. */
export interface SettlementLayer {
  domain(): Promise<bigint>;
  anchored(): Promise<{ readonly number: number; readonly root: bigint }>;
  /** Queue entries from `fromQueueId` on, confirmed ones only. */
  queued(fromQueueId: number): Promise<readonly QueuedOperation[]>;
  /**
   * Sends the batch; resolves when it is mined. Never two transactions for one batch. Without
   * attestations layer one takes it only if there are no validators, or a day of their silence.
   */
  submitBatch(
    batch: SealedBatch,
    proof: ProofWords,
    attestations?: readonly Attestation[],
  ): Promise<AnchoredBatch>;
  /** Calldata of an anchored batch, as the transaction carried it. */
  batchData(number: number): Promise<{ words: readonly bigint[]; proof: ProofWords } | undefined>;
  report(): LayerOneStatus;
}

export interface ProofResult {
  readonly proof: ProofWords;
  readonly seconds: number;
}

/** Groth16 by snarkjs. `circuit` is `trade`, `ledger` or `exit`. */
export interface Prover {
  prove(circuit: string, inputs: CircuitInputs, signal?: AbortSignal): Promise<ProofResult>;
  verify(circuit: string, publicSignals: readonly bigint[], proof: ProofWords): Promise<boolean>;
}

/** A validator's word on a batch: secp256k1 over the attestation digest. */
export interface Attestation {
  readonly validator: string;
  readonly number: number;
  readonly root: string;
  /** Hash of the public words, and of the log at the seal: 64 hex digits. */
  readonly wordsHash: string;
  readonly logHash: string;
  readonly signature: string;
}

/** Why a validator refuses to go on. */
export interface Refusal {
  readonly validator: string;
  readonly position: number;
  readonly reason: string;
}

/** The sequencer's end of the validator network (libp2p direct streams). */
export interface LogServer {
  /** Addresses with peer id, to be dialled. */
  addresses(): readonly string[];
  peers(): readonly string[];
  onAttestation(handler: (attestation: Attestation) => void): void;
  onRefusal(handler: (refusal: Refusal) => void): void;
  /** Tells followers that the log has grown, or that a batch has been proven. */
  announce(position: number): void;
  announceProof(number: number): void;
  stop(): Promise<void>;
}

/** What a follower asks of the server. */
export interface LogSource {
  record(from: number): AsyncIterable<LogRecord>;
  proofOf(number: number): Promise<{ words: readonly bigint[]; proof: ProofWords } | undefined>;
}

/** A validator's end: follows the log from a position; reconnects by itself. */
export interface LogFollower {
  /** Records from `from` on, without end, until the signal aborts. */
  follow(from: number, signal: AbortSignal): AsyncIterable<LogRecord>;
  /** Proofs as they are announced, from batch `from` on, in order. */
  proofs(
    from: number,
    signal: AbortSignal,
  ): AsyncIterable<{ number: number; words: readonly bigint[]; proof: ProofWords }>;
  attest(attestation: Attestation): Promise<void>;
  refuse(refusal: Refusal): Promise<void>;
  stop(): Promise<void>;
}

/** Why an oracle does not propose or sign; the codes are those of `oracle/rejects.ts`. */
export interface OracleRefusal {
  readonly code: number;
  readonly reason: string;
}

/** What an oracle says of another's proposal. */
export type Review = { readonly signature: OracleSignature } | OracleRefusal;

/** Where the sequencer gets quorum-signed snapshots. */
export interface SnapshotSource {
  /** The newest one with a full quorum; asks for one if needed. Throws when there is none. */
  latest(): Promise<Snapshot>;
}
