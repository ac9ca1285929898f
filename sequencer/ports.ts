/** What roles need from the outside world: interfaces only. Adapters implement them. */
import type { DraftTaker } from "./batch/keeper.ts";
import type { LogEntry, LogHead, LogRecord } from "./batch/log.ts";
import type { CircuitInputs, ProofWords, SealedBatch } from "./batch/sealedBatch.ts";
import type { Block, LogPlace } from "./consensus/block.ts";
import type { BlockCertificate } from "./consensus/certificate.ts";
import type { Message } from "./consensus/message.ts";
import type { Durable } from "./consensus/state.ts";
import type { Evidence } from "./consensus/verification.ts";
import type { LedgerOperation } from "./engine/records.ts";
import type { BatchKind } from "./protocol/constants.ts";
import type { PublicKey, Signature } from "./protocol/eddsa.ts";
import type { LedgerProof } from "./protocol/ledgerProof.ts";
import type { OracleSignature, Snapshot } from "./protocol/snapshot.ts";
import type { LayerOneStatus, LogPolicy } from "./protocol/status.ts";
import type { ExportedChange, ExportedState, Row } from "./state/exportedState.ts";

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
  /** Of the durable records. */
  head(): LogHead;
  /**
   * Resolves once the records are durable by the policy. Concurrent calls are grouped into one
   * write. After the first failure every append is refused, and the node must stop.
   */
  append(entries: readonly LogEntry[]): Promise<readonly LogRecord[]>;
  /** Likewise, with records of another's log. LogCorruptionError: they do not continue this one. */
  copy(records: readonly LogRecord[]): Promise<void>;
  /** Records from `from` on, in order, up to the head at the time of the call. */
  read(from: number): AsyncIterable<LogRecord>;
  /** What an acknowledgement is worth. */
  policy(): LogPolicy;
  /** Aborted, with the error, by the first failure: nothing is acknowledged after it. */
  readonly failure: AbortSignal;
  close(): Promise<void>;
}

/** State at a sealed batch, so that a restart needs only the log's tail. */
export interface Checkpoint {
  /** The log's head there. */
  readonly position: number;
  readonly epoch: number;
  readonly hash: string;
  readonly batchNumber: number;
  readonly time: number;
  readonly root: bigint;
  /** Where the log has ended the batch at `position` and seals it behind. */
  readonly unsealed?: { readonly kind: BatchKind; readonly rootBefore: bigint } | undefined;
  readonly state: ExportedState;
  /** What else the role keeps (queue positions, ids), also in rows, which ascend; JSON-safe. */
  readonly extra: unknown;
  readonly ownRows?: readonly Row<unknown>[] | undefined;
}

/** The same as it is saved: by what has changed. A row that has gone is null. */
export interface CheckpointChange extends Omit<Checkpoint, "state"> {
  /** Position of the checkpoint that `change` goes on from; 0: the empty state. */
  readonly since: number;
  readonly change: ExportedChange;
}

export interface CheckpointStore {
  /**
   * Saves do not overlap. Throws RangeError where no checkpoint stands at `since`; 0 is always
   * right, and drops whatever is there.
   */
  save(checkpoint: CheckpointChange): Promise<void>;
  latest(): Promise<Checkpoint | undefined>;
}

/** Sealed batches on their way: sealed -> proven -> anchored. Durable, ordered by number. */
export interface BatchStore {
  /** `inputs`: JSON of the circuit's inputs, where somebody is to prove the batch. */
  putSealed(batch: SealedBatch, inputs?: string): Promise<void>;
  /** Without the inputs, which are many times as large. */
  sealed(number: number): Promise<SealedBatch | undefined>;
  /** As they were given; undefined: never, or forgotten. */
  inputs(number: number): Promise<string | undefined>;
  putProof(number: number, proof: ProofWords): Promise<void>;
  proof(number: number): Promise<ProofWords | undefined>;
  /** Batches above `number` that are sealed, ascending; without inputs. */
  sealedAfter(number: number): AsyncIterable<SealedBatch>;
  /** Forgets inputs (not words and proofs) of batches up to `number`: they are anchored. */
  prune(number: number): Promise<void>;
  /** One of each validator for each batch. */
  putAttestation(attestation: Attestation): Promise<void>;
  /** In the order of the batches. */
  attestations(): AsyncIterable<Attestation>;
  /** Forgets those on batches up to `number`. */
  pruneAttestations(number: number): Promise<void>;
}

/**
 * Follows the state for whoever runs batches: roots, inputs of circuits, proofs of accounts. All
 * calls throw or reject where it has failed.
 */
export interface InputDesk extends DraftTaker {
  /** Resolves when {@link DraftTaker.hashes} no longer waits for those of this batch. */
  hasHashes(number: number): Promise<void>;
  /** JSON of the inputs of a batch that was taken. To be asked once for each. */
  inputs(number: number): Promise<string>;
  /** At the end of the last batch taken; null before the first. Throws BusyError: too many ask. */
  ledgerProof(account: number): Promise<LedgerProof | null>;
  stop(): Promise<void>;
}

/** What `verify` is asked. */
export interface SignatureClaim {
  readonly key: PublicKey;
  readonly message: bigint;
  readonly signature: Signature;
}

/** Looks at signatures before the door does: what holds is remembered for it, and no more. */
export interface SignatureDesk {
  /** Calls `done`, once, in the order of the calls; at once where nobody else could look at it. */
  ahead(claim: SignatureClaim, done: () => void): void;
  /** Calls all that wait, whether looked at or not. */
  flush(): void;
  stop(): Promise<void>;
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

/** A close that the ledger has executed. */
export interface ServedClose {
  readonly queueId: number;
  /** Unix ms: of the marks of the batch that serves it. */
  readonly snapshotTime: number;
  /** As far as is known, layer one has that batch. */
  readonly isAnchored: boolean;
}

export interface AnchoredBatch {
  readonly number: number;
  readonly root: bigint;
  readonly transaction: string;
}

/** The validators of layer one. */
export interface ValidatorSet {
  readonly members: readonly string[];
  /** Signatures that a certificate needs. */
  readonly quorum: number;
}

/** Small durable things by name. */
export interface DurableValues {
  get(name: string): Promise<unknown>;
  /** Resolves when the value is durable. */
  set(name: string, value: unknown): Promise<void>;
  delete(name: string): Promise<void>;
}

/** What the sequencer keeps for accounts besides the log. Each promise: until it is durable. */
export interface AccountStore {
  /** At the start. */
  load(): AsyncIterable<readonly [account: number, value: unknown]>;
  /** Replaces the account's value. */
  save(account: number, value: unknown): Promise<void>;
  delete(account: number): Promise<void>;
}

/** A batch with what layer one asks of it. */
export interface SubmittedBatch {
  readonly batch: SealedBatch;
  readonly proof: ProofWords;
  readonly attestations: readonly Attestation[];
}

/** The base chain as the sequencer and validators see it. */
export interface SettlementLayer {
  domain(): Promise<bigint>;
  anchored(): Promise<{ readonly number: number; readonly root: bigint }>;
  /**
   * Queue entries from `fromQueueId` on, confirmed ones only. `served`: closes below it that were
   * executed; where layer one has moved one behind its marks, the client stops.
   */
  queued(fromQueueId: number, served?: readonly ServedClose[]): Promise<readonly QueuedOperation[]>;
  /**
   * Sends the batch; resolves when it is mined. Never two transactions for one batch. Without
   * attestations layer one takes it only if there are no validators, or a day of their silence.
   */
  submitBatch(
    batch: SealedBatch,
    proof: ProofWords,
    attestations?: readonly Attestation[],
  ): Promise<AnchoredBatch>;
  /**
   * The same of batches that follow one another, in as few transactions as layer one and the
   * configuration allow. Resolves with the first ones that are anchored: one at least, and seldom
   * all of many. Absent: layer one takes batches one by one.
   */
  submitBatches?(batches: readonly SubmittedBatch[]): Promise<readonly AnchoredBatch[]>;
  /** As many as `submitBatches` takes at once: to offer it more is to read them in vain. */
  readonly batchesTogether?: number;
  /** Who certifies batches, at the newest confirmed block; undefined where nobody does. */
  validators(): Promise<ValidatorSet | undefined>;
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
  /** Of the record that it refuses, and the hash of the log before it: 64 hex digits. */
  readonly position: number;
  readonly logHash: string;
  readonly reason: string;
  /** Secp256k1 over the refusal's digest: whoever speaks for a validator can pause trading. */
  readonly signature: string;
}

/** The sequencer's end of the validator network (libp2p direct streams). */
export interface LogServer {
  /** Addresses with peer id, to be dialled. */
  addresses(): readonly string[];
  peers(): readonly string[];
  onAttestation(handler: (attestation: Attestation) => void): void;
  onRefusal(handler: (refusal: Refusal) => void): void;
  /** `peer`: the peer id of the connection, which is all that is known of who reports. */
  onReport(handler: (peer: string, report: MemberReport) => void): void;
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
  attest(attestation: Attestation, signal: AbortSignal): Promise<void>;
  refuse(refusal: Refusal): Promise<void>;
  stop(): Promise<void>;
}

/** A block that a quorum of members has finalized, by itself or by a successor. */
export interface FinalBlock {
  readonly block: Block;
  readonly certificate: BlockCertificate;
}

/** What a member of the validator set must not forget. */
export interface CertificationStore {
  load(): Promise<{ readonly durable?: Durable; readonly delivered?: FinalBlock }>;
  /** All of it or nothing; resolves when it is durable. Blocks in the order of their delivery. */
  save(change: {
    readonly durable?: Durable | undefined;
    readonly delivered: readonly FinalBlock[];
  }): Promise<void>;
  /** A delivered block, by its hash; only the newest are kept. */
  block(hash: string): Promise<Block | undefined>;
  /** Keeps what proves that a member lied: one piece for each member and offence. */
  accuse(evidence: Evidence): Promise<void>;
}

/** Direct streams between the members of the validator set, which are known by their places. */
export interface MemberNetwork {
  /** Sends to each, as far as there is a connection: what is lost is not repeated. */
  send(to: readonly number[], message: Message): void;
  /**
   * `take` is given what comes, in the order of each sender, and returns what is wrong with it: its
   * sender is then cut off for a while.
   */
  onMessage(take: (from: number, message: Message) => string | undefined): void;
  /** Members that can be sent to now. */
  connected(): readonly number[];
  /** Records `from` to `to - 1` of a member's log, as far as it has them; nothing is checked. */
  records(
    member: number,
    range: { readonly from: number; readonly to: number },
    signal: AbortSignal,
  ): AsyncIterable<LogRecord>;
  /** Cuts a member off for a while: it has broken the protocol. */
  punish(member: number, reason: string): void;
  stop(): Promise<void>;
}

/** What a member tells the sequencer, again and again. */
export interface MemberReport {
  readonly term: number;
  /** Records of the log that are executed and durable there. */
  readonly position: number;
  /** The newest block that is final there; null before the first. */
  readonly final: FinalBlock | null;
  /** Why it votes no more. */
  readonly halted: string | null;
}

/** Up to where a log goes: position of the next record, hash of the last one. */
export type LogEnd = Pick<LogPlace, "to" | "logHash">;

/** A member leads a term: its sequencer is to write from there on. */
export interface Turn extends LogEnd {
  readonly term: number;
}

/** A member's line to the sequencer that is its own. */
export interface LeadLine {
  /** What is final has grown: a sequencer that waits for its turn may have it. */
  finalized(end: LogEnd): void;
  /** Ends the turn before, if any. Records up to the turn's place are sent first. */
  lead(turn: Turn): void;
  /** Another member leads. */
  follow(): void;
  /** Term in which the sequencer says that it writes. */
  leading(): number | undefined;
  /** Told whenever that changes. */
  onChange(listener: () => void): void;
  stop(): Promise<void>;
}

/** The sequencer's end of that line, from the member's call until it breaks or a turn is over. */
export interface LeadSession {
  /** What the member knew to be final when it called. */
  readonly final: LogEnd;
  /** Hash of the member's record before `position`, which is at most the final one. */
  hashAt(position: number): Promise<string>;
  /** Records from `from` on, and at last the turn to write after them. */
  follow(from: number): AsyncIterable<LogRecord | Turn>;
  /** Tells the member that the log is being written in its turn. */
  leading(term: number): void;
  /** Aborted at the end. */
  readonly over: AbortSignal;
}

export interface LeadDesk {
  /** The member's next call. Rejects when the signal aborts. */
  session(signal: AbortSignal): Promise<LeadSession>;
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
