/** How far each sealed batch has come: sequenced, certified, proven, anchored. */
import type { BatchStatus, Hex, Stage, StageInfo } from "../exchangeService.ts";
import type { Attestation } from "../ports.ts";
import type { BatchKind } from "../protocol/constants.ts";

/** Batches that a node keeps for questions. */
export const BATCHES_KEPT = 5000;

/** Anchored batches whose signatures are kept: a reorg may make them necessary again. */
const SIGNED_KEPT = 256;

/** A batch as it was sealed. `logPosition` and `logHash` are those of its seal. */
export interface TrackedBatch {
  readonly number: number;
  readonly kind: BatchKind;
  readonly time: number;
  readonly root: bigint;
  readonly wordsHash: string;
  readonly logPosition: number;
  readonly logHash: string;
}

/** What a restart must know again; JSON-safe but for bigints. */
export interface BatchMemory {
  readonly batches: readonly TrackedBatch[];
  readonly transactions: readonly (readonly [number: number, transaction: Hex])[];
}

/** Newest number at each stage, without gaps below it. */
export interface Progress {
  readonly sealed: number;
  readonly certified: number;
  readonly proven: number;
  readonly anchored: number;
}

export interface BatchTracker {
  /** All of these return the batches whose stage has changed. */
  sealed(batch: TrackedBatch): BatchStatus[];
  /** Why an attestation does not count, or the batches that it moved. */
  attested(attestation: Attestation): BatchStatus[] | string;
  proven(number: number): BatchStatus[];
  anchored(number: number, transaction?: Hex): BatchStatus[];
  /** Layer one's newest batch is `number` again: a reorg took those after it. */
  unanchored(number: number): BatchStatus[];
  progress(): Progress;
  isProven(number: number): boolean;
  /** Whether two thirds of the validators signed this very batch, which is what layer one asks. */
  isCertified(number: number): boolean;
  /** Signatures on this very batch; forgotten when no reorg can take it from layer one. */
  attestations(number: number): readonly Attestation[];
  status(number: number): BatchStatus | undefined;
  /** Descending from `from`, or from the newest. */
  statuses(from: number | null, limit: number): BatchStatus[];
  /** Of a record in the log; `openBatch` where its batch is not sealed yet. */
  stageAt(logPosition: number, openBatch: number): StageInfo | undefined;
  memory(kept: number): BatchMemory;
}

interface Tracked {
  readonly validators: readonly string[];
  readonly batches: Map<number, TrackedBatch>;
  readonly transactions: Map<number, Hex>;
  /** The newest batch that each validator attested: it vouches for all before it. */
  readonly attested: Map<string, number>;
  /** Of batches that a certificate may be asked for: the validators' words, by their addresses. */
  readonly signed: Map<number, Map<string, Attestation>>;
  readonly proofs: Set<number>;
  readonly announced: Map<number, Stage>;
  sealed: number;
  proven: number;
  anchored: number;
}

/** `anchored`: newest batch on layer one. `validators`: addresses that count, any case. */
export function createBatchTracker(options: {
  validators: readonly string[];
  anchored: number;
  memory?: BatchMemory | undefined;
}): BatchTracker {
  const { memory, anchored } = options;
  const tracked: Tracked = {
    validators: options.validators.map((address) => address.toLowerCase()),
    batches: new Map(memory?.batches.map((batch) => [batch.number, batch])),
    transactions: new Map(memory?.transactions),
    attested: new Map(),
    signed: new Map(),
    proofs: new Set(),
    announced: new Map(),
    sealed: memory?.batches.at(-1)?.number ?? 0,
    proven: anchored,
    anchored,
  };
  changes(tracked);
  return {
    sealed: (batch) => {
      tracked.batches.set(batch.number, batch);
      tracked.sealed = Math.max(tracked.sealed, batch.number);
      forget(tracked);
      return changes(tracked);
    },
    attested: (attestation) => addAttestation(tracked, attestation),
    proven: (number) => {
      tracked.proofs.add(number);
      advanceProven(tracked);
      return changes(tracked);
    },
    anchored: (number, transaction) => {
      if (transaction !== undefined) tracked.transactions.set(number, transaction);
      tracked.anchored = Math.max(tracked.anchored, number);
      tracked.proven = Math.max(tracked.proven, number);
      advanceProven(tracked);
      for (const known of tracked.signed.keys()) {
        if (!keepsSignatures(tracked, known)) tracked.signed.delete(known);
      }
      return changes(tracked);
    },
    unanchored: (number) => {
      for (const later of tracked.batches.keys()) {
        if (later <= number || later > tracked.anchored) continue;
        tracked.transactions.delete(later);
        tracked.announced.delete(later);
      }
      tracked.anchored = Math.min(tracked.anchored, number);
      return changes(tracked);
    },
    progress: () => progressOf(tracked),
    isProven: (number) => number <= tracked.proven || tracked.proofs.has(number),
    isCertified: (number) => attestationsOf(tracked, number).length >= quorumOf(tracked),
    attestations: (number) => attestationsOf(tracked, number),
    status: (number) => statusOf(tracked, number),
    statuses: (from, limit) => listStatuses(tracked, from ?? tracked.sealed, limit),
    stageAt: (logPosition, openBatch) => findStage(tracked, logPosition, openBatch),
    memory: (kept) => {
      const batches = [...tracked.batches.values()].slice(-kept);
      const first = batches[0]?.number ?? 0;
      const transactions = [...tracked.transactions].filter(([number]) => number >= first);
      return { batches, transactions };
    },
  };
}

function addAttestation(tracked: Tracked, attestation: Attestation): BatchStatus[] | string {
  const validator = attestation.validator.toLowerCase();
  if (!tracked.validators.includes(validator)) return "the validator is not known";
  const batch = tracked.batches.get(attestation.number);
  if (batch === undefined) return "the batch is not known";
  if (BigInt(attestation.root) !== batch.root) return "its root is another";
  if (attestation.wordsHash !== batch.wordsHash) return "its words are others";
  if (attestation.logHash !== batch.logHash) return "its log is another";
  const before = tracked.attested.get(validator) ?? 0;
  tracked.attested.set(validator, Math.max(before, attestation.number));
  if (keepsSignatures(tracked, attestation.number)) {
    const words = tracked.signed.get(attestation.number) ?? new Map<string, Attestation>();
    tracked.signed.set(attestation.number, words.set(validator, attestation));
  }
  return changes(tracked);
}

/** The newest batch that at least two thirds of the validators vouch for. */
function certifiedOf(tracked: Tracked): number {
  const needed = quorumOf(tracked);
  if (needed === 0) return tracked.sealed;
  const newest = [...tracked.attested.values()].sort((a, b) => b - a);
  return Math.max(newest[needed - 1] ?? 0, tracked.anchored);
}

/** As on layer one. */
function quorumOf({ validators }: Tracked): number {
  return Math.ceil((validators.length * 2) / 3);
}

function keepsSignatures({ anchored }: Tracked, number: number): boolean {
  return number > anchored - SIGNED_KEPT;
}

function attestationsOf(tracked: Tracked, number: number): readonly Attestation[] {
  return [...(tracked.signed.get(number)?.values() ?? [])];
}

function advanceProven(tracked: Tracked): void {
  while (tracked.proofs.delete(tracked.proven + 1)) tracked.proven += 1;
}

function progressOf(tracked: Tracked): Progress {
  const { sealed, proven, anchored } = tracked;
  return { sealed, certified: certifiedOf(tracked), proven, anchored };
}

function stageOf(tracked: Tracked, number: number): Stage {
  if (number <= tracked.anchored) return "anchored";
  if (number > certifiedOf(tracked)) return "sequenced";
  const isProven = number <= tracked.proven || tracked.proofs.has(number);
  return isProven ? "proven" : "certified";
}

function statusOf(tracked: Tracked, number: number): BatchStatus | undefined {
  const batch = tracked.batches.get(number);
  if (batch === undefined) return undefined;
  const { wordsHash: _, logHash: __, ...shown } = batch;
  const vouching = [...tracked.attested.values()].filter((newest) => newest >= number);
  return {
    ...shown,
    stage: stageOf(tracked, number),
    attestations: vouching.length,
    transaction: tracked.transactions.get(number) ?? null,
  };
}

function listStatuses(tracked: Tracked, from: number, limit: number): BatchStatus[] {
  const statuses: BatchStatus[] = [];
  for (let number = Math.min(from, tracked.sealed); statuses.length < limit; number--) {
    const status = statusOf(tracked, number);
    if (status === undefined) break;
    statuses.push(status);
  }
  return statuses;
}

/** Batches whose stage is not the one last returned; `sealed` itself is a change. */
function changes(tracked: Tracked): BatchStatus[] {
  const changed: BatchStatus[] = [];
  for (const number of tracked.batches.keys()) {
    if (tracked.announced.get(number) === "anchored") continue;
    const stage = stageOf(tracked, number);
    if (tracked.announced.get(number) === stage) continue;
    tracked.announced.set(number, stage);
    const status = statusOf(tracked, number);
    if (status !== undefined) changed.push(status);
  }
  return changed;
}

function findStage(
  tracked: Tracked,
  logPosition: number,
  openBatch: number,
): StageInfo | undefined {
  const batches = [...tracked.batches.values()];
  let low = 0;
  let high = batches.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (batches[middle]!.logPosition < logPosition) low = middle + 1;
    else high = middle;
  }
  const batch = batches[low];
  if (batch === undefined) {
    const open = { isSealed: false, stage: "sequenced", transaction: null } as const;
    return { logPosition, batchNumber: openBatch, ...open };
  }
  // Before the first batch that is still kept, nothing tells where a batch began.
  if (low === 0 && batch.number > 1) return undefined;
  return {
    logPosition,
    batchNumber: batch.number,
    isSealed: true,
    stage: stageOf(tracked, batch.number),
    transaction: tracked.transactions.get(batch.number) ?? null,
  };
}

function forget(tracked: Tracked): void {
  for (const number of tracked.batches.keys()) {
    if (tracked.batches.size <= BATCHES_KEPT) return;
    tracked.batches.delete(number);
    tracked.announced.delete(number);
    tracked.transactions.delete(number);
  }
}
