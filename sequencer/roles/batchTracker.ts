/** How far each sealed batch has come: sequenced, certified, proven, anchored. */
import { isDeepStrictEqual } from "node:util";
import type { BatchStatus, Hex, Stage, StageInfo } from "../exchangeService.ts";
import type { Attestation, ValidatorSet } from "../ports.ts";
import { quorumOf } from "../protocol/certification.ts";
import type { BatchKind } from "../protocol/constants.ts";

/** What attestations say that cannot be true if the batch is. */
const CONTRADICTIONS = {
  root: "its root is another",
  words: "its words are others",
  log: "its log is another",
} as const;

/** Whether an attestation did not count because it is of another state or another log. */
export function isContradiction(reason: string): boolean {
  return Object.values<string>(CONTRADICTIONS).includes(reason);
}

/** Batches that a node keeps for questions. */
export const BATCHES_KEPT = 5000;

/** Anchored batches that a reorg may take again: what anchoring them needs, signatures, is kept. */
export const REORG_BATCHES = 256;

/** A batch as it was sealed. `logPosition` and `logHash` are those of its seal. */
export interface TrackedBatch {
  readonly number: number;
  readonly kind: BatchKind;
  readonly time: number;
  readonly root: bigint;
  readonly wordsHash: string;
  readonly logPosition: number;
  readonly logHash: string;
  /** Of the record that ended it, known to the tracker; that of the seal where nothing is said. */
  readonly endPosition?: number;
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
  /** The batch has ended with the record at `position`; the next record is of the next batch. */
  ended(number: number, position: number): void;
  /** All of these return the batches whose stage has changed. */
  sealed(batch: TrackedBatch): BatchStatus[];
  /**
   * From now on a batch is certified when a final block contains its seal: validators agree on the
   * log. Before this, when enough of them have attested it.
   */
  agree(): void;
  /** Records before `position` are final. */
  certified(position: number): BatchStatus[];
  /** Root of the last batch sealed before the position, where that is still kept. */
  rootAt(position: number): bigint | undefined;
  /** Why an attestation does not count, or the batches that it moved. */
  attested(attestation: Attestation): BatchStatus[] | string;
  /** An earlier process has counted it; today it counts while its validator does. */
  restored(attestation: Attestation): void;
  proven(number: number): BatchStatus[];
  anchored(number: number, transaction?: Hex): BatchStatus[];
  /** Layer one's newest batch is `number` again: a reorg took those after it. */
  unanchored(number: number): BatchStatus[];
  /** From now on these count, and nobody else. */
  certifiedBy(set: ValidatorSet): BatchStatus[];
  /** Addresses that count now, in lower case. */
  members(): ReadonlySet<string>;
  progress(): Progress;
  isProven(number: number): boolean;
  /** Whether two thirds of the validators signed this very batch, which is what layer one asks. */
  isCertified(number: number): boolean;
  /** Signatures on this very batch; forgotten when no reorg can take it from layer one. */
  attestations(number: number): readonly Attestation[];
  status(number: number): BatchStatus | undefined;
  /** Descending from `from`, or from the newest. */
  statuses(from: number | null, limit: number): BatchStatus[];
  /** Of a record in the log. A seal is of the batch that it seals. */
  stageAt(logPosition: number): StageInfo | undefined;
  memory(kept: number): BatchMemory;
}

interface Tracked {
  /** In lower case. */
  validators: ReadonlySet<string>;
  quorum: number;
  readonly batches: Map<number, TrackedBatch>;
  /** Where batches have ended that are not sealed, ascending. */
  readonly ends: Map<number, number>;
  readonly transactions: Map<number, Hex>;
  /** The newest batch that each validator attested: it vouches for all before it. */
  readonly attested: Map<string, number>;
  /** Of batches that a certificate may be asked for: the validators' words, by their addresses. */
  readonly signed: Map<number, Map<string, Attestation>>;
  readonly proofs: Set<number>;
  readonly announced: Map<number, Stage>;
  /** Where validators agree on the log: what is final, and the newest batch in it. */
  agreement: { position: number; batch: number } | undefined;
  sealed: number;
  proven: number;
  anchored: number;
}

/**
 * `anchored`: newest batch on layer one. `validators`: addresses that count, any case, until layer
 * one has told who they are.
 */
export function createBatchTracker(options: {
  validators: readonly string[];
  anchored: number;
  memory?: BatchMemory | undefined;
}): BatchTracker {
  const { memory, anchored } = options;
  const tracked: Tracked = {
    validators: membersOf(options.validators),
    quorum: quorumOf(options.validators.length),
    batches: new Map(memory?.batches.map((batch) => [batch.number, batch])),
    ends: new Map(),
    transactions: new Map(memory?.transactions),
    attested: new Map(),
    signed: new Map(),
    proofs: new Set(),
    announced: new Map(),
    agreement: undefined,
    sealed: memory?.batches.at(-1)?.number ?? 0,
    proven: anchored,
    anchored,
  };
  changes(tracked);
  return {
    ended: (number, position) => void tracked.ends.set(number, position),
    sealed: (batch) => {
      const endPosition = tracked.ends.get(batch.number) ?? batch.logPosition;
      tracked.ends.delete(batch.number);
      tracked.batches.set(batch.number, { ...batch, endPosition });
      tracked.sealed = Math.max(tracked.sealed, batch.number);
      advanceAgreement(tracked);
      forget(tracked);
      return changes(tracked);
    },
    agree: () => {
      tracked.agreement = { position: 0, batch: tracked.anchored };
    },
    certified: (position) => {
      if (tracked.agreement === undefined) return [];
      tracked.agreement.position = Math.max(tracked.agreement.position, position);
      advanceAgreement(tracked);
      return changes(tracked);
    },
    rootAt: (position) => rootAt(tracked, position),
    attested: (attestation) => {
      const isKnown = tracked.validators.has(attestation.validator.toLowerCase());
      return isKnown ? addAttestation(tracked, attestation) : "the validator is not known";
    },
    restored: (attestation) => void addAttestation(tracked, attestation),
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
    certifiedBy: ({ members, quorum }) => {
      const validators = membersOf(members);
      if (quorum === tracked.quorum && isDeepStrictEqual(validators, tracked.validators)) return [];
      tracked.validators = validators;
      tracked.quorum = quorum;
      return changes(tracked);
    },
    members: () => tracked.validators,
    progress: () => progressOf(tracked),
    isProven: (number) => number <= tracked.proven || tracked.proofs.has(number),
    isCertified: (number) => attestationsOf(tracked, number).length >= tracked.quorum,
    attestations: (number) => attestationsOf(tracked, number),
    status: (number) => statusOf(tracked, number),
    statuses: (from, limit) => listStatuses(tracked, from ?? tracked.sealed, limit),
    stageAt: (logPosition) => findStage(tracked, logPosition),
    memory: (kept) => {
      const batches = [...tracked.batches.values()].slice(-kept);
      const first = batches[0]?.number ?? 0;
      const transactions = [...tracked.transactions].filter(([number]) => number >= first);
      return { batches, transactions };
    },
  };
}

function membersOf(addresses: readonly string[]): ReadonlySet<string> {
  return new Set(addresses.map((address) => address.toLowerCase()));
}

function addAttestation(tracked: Tracked, attestation: Attestation): BatchStatus[] | string {
  const validator = attestation.validator.toLowerCase();
  const batch = tracked.batches.get(attestation.number);
  if (batch === undefined) return "the batch is not known";
  if (BigInt(attestation.root) !== batch.root) return CONTRADICTIONS.root;
  if (attestation.wordsHash !== batch.wordsHash) return CONTRADICTIONS.words;
  if (attestation.logHash !== batch.logHash) return CONTRADICTIONS.log;
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
  if (tracked.agreement !== undefined) return Math.max(tracked.agreement.batch, tracked.anchored);
  const needed = tracked.quorum;
  if (needed === 0) return tracked.sealed;
  const newest = attestedByMembers(tracked).sort((a, b) => b - a);
  return Math.max(newest[needed - 1] ?? 0, tracked.anchored);
}

/** The newest batch of each validator that counts today. */
function attestedByMembers({ attested, validators }: Tracked): number[] {
  return [...attested].flatMap(([validator, newest]) => (validators.has(validator) ? newest : []));
}

function keepsSignatures({ anchored }: Tracked, number: number): boolean {
  return number > anchored - REORG_BATCHES;
}

function attestationsOf(tracked: Tracked, number: number): readonly Attestation[] {
  const { signed, validators } = tracked;
  const words = [...(signed.get(number) ?? [])];
  return words.flatMap(([validator, word]) => (validators.has(validator) ? [word] : []));
}

function advanceAgreement({ agreement, anchored, batches }: Tracked): void {
  if (agreement === undefined) return;
  agreement.batch = Math.max(agreement.batch, anchored);
  for (;;) {
    const next = batches.get(agreement.batch + 1);
    if (next === undefined || next.logPosition >= agreement.position) return;
    agreement.batch += 1;
  }
}

function rootAt({ batches, sealed }: Tracked, position: number): bigint | undefined {
  for (let number = sealed; ; number--) {
    const batch = batches.get(number);
    if (batch === undefined || batch.logPosition < position) return batch?.root;
  }
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
  const { wordsHash: _, logHash: __, endPosition: ___, ...shown } = batch;
  const vouching = attestedByMembers(tracked).filter((newest) => newest >= number);
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

function findStage(tracked: Tracked, logPosition: number): StageInfo | undefined {
  const batches = [...tracked.batches.values()];
  let low = 0;
  let high = batches.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (endOf(batches[middle]!) < logPosition) low = middle + 1;
    else high = middle;
  }
  // The seal stands among the records of the next batch.
  if (batches[low - 1]?.logPosition === logPosition) low -= 1;
  const batch = batches[low];
  if (batch === undefined) {
    const stage = stageOfRecord(tracked, logPosition);
    const batchNumber = unsealedAt(tracked, logPosition);
    return { logPosition, batchNumber, isSealed: false, stage, transaction: null };
  }
  // Before the first batch that is still kept, nothing tells where a batch began.
  if (low === 0 && batch.number > 1) return undefined;
  return {
    logPosition,
    batchNumber: batch.number,
    isSealed: true,
    stage: stageOfRecord(tracked, logPosition, batch.number),
    transaction: tracked.transactions.get(batch.number) ?? null,
  };
}

const endOf = ({ endPosition, logPosition }: TrackedBatch): number => endPosition ?? logPosition;

/** The batch of a record behind all that are sealed. */
function unsealedAt({ sealed, ends }: Tracked, logPosition: number): number {
  let number = sealed + 1;
  for (const [ended, position] of ends) if (position < logPosition) number = ended + 1;
  return number;
}

/** A record may be final before its batch is, or is even sealed. */
function stageOfRecord(tracked: Tracked, logPosition: number, batch?: number): Stage {
  const stage = batch === undefined ? "sequenced" : stageOf(tracked, batch);
  const isFinal = logPosition < (tracked.agreement?.position ?? 0);
  return stage === "sequenced" && isFinal ? "certified" : stage;
}

function forget(tracked: Tracked): void {
  for (const number of tracked.batches.keys()) {
    if (tracked.batches.size <= BATCHES_KEPT) return;
    tracked.batches.delete(number);
    tracked.announced.delete(number);
    tracked.transactions.delete(number);
  }
}
