/** From a batch that has ended to its roots and public words. */
import { BATCH_KINDS } from "../protocol/constants.ts";
import { hashVector } from "../protocol/hash.ts";
import { HEADER, type HeaderField } from "../protocol/layout.ts";
import { markWords } from "../protocol/snapshot.ts";
import { privateRoot, type Roots, stateRoot } from "../protocol/state.ts";
import type { MemoryState } from "../state/memoryState.ts";
import type { BatchRun } from "./batchRun.ts";
import type { OpenEntry } from "./log.ts";
import type { CircuitInputs, SealedBatch } from "./sealedBatch.ts";

/** All of a batch but the roots that it led from and to. */
export interface EndedBatch {
  readonly entry: OpenEntry;
  /** Behind the header's. */
  readonly words: readonly bigint[];
  readonly inputs: CircuitInputs;
}

/** The public words behind the header of a batch that has just ended in `state`. */
export function ownWords(state: MemoryState, run: BatchRun): bigint[] {
  // The marks as the batch began with them: settlement never changes a mark.
  const marks = markWords(state.series().map(({ mark }) => mark));
  return [...marks, ...run.stepWords()];
}

/** What the hashes of a batch come to. */
export interface BatchHashes {
  readonly rootBefore: bigint;
  readonly rootAfter: bigint;
  readonly privateRoot: bigint;
  readonly commitment: bigint;
}

interface Deployed {
  readonly oracleSet: bigint;
  readonly domain: bigint;
}

/** `roots`: of the state as the batch left it. */
export function hashBatch(
  ended: Pick<EndedBatch, "entry" | "words">,
  { roots, rootBefore, ...deployed }: Deployed & { roots: Roots; rootBefore: bigint },
): BatchHashes {
  const header = { rootBefore, rootAfter: stateRoot(roots), privateRoot: privateRoot(roots) };
  return { ...header, commitment: hashVector(publicWords(ended, header, deployed)) };
}

export function sealBatch(
  ended: EndedBatch,
  { commitment, ...header }: BatchHashes,
  deployed: Deployed,
): SealedBatch {
  const { number, kind } = ended.entry;
  const { rootBefore, rootAfter } = header;
  const words = publicWords(ended, header, deployed);
  return { number, kind, rootBefore, rootAfter, words, commitment, inputs: ended.inputs };
}

function publicWords(
  { entry, words }: Pick<EndedBatch, "entry" | "words">,
  { rootBefore, rootAfter, privateRoot }: Omit<BatchHashes, "commitment">,
  { oracleSet, domain }: Deployed,
): bigint[] {
  const { number, time, snapshot, kind } = entry;
  const header: Record<HeaderField, bigint> = {
    kind: BigInt(BATCH_KINDS[kind]),
    number: BigInt(number),
    time: BigInt(time),
    rootBefore,
    rootAfter,
    oracleSet,
    domain,
    snapshotTime: BigInt(snapshot.time),
    privateRoot,
  };
  return [...HEADER.map((name) => header[name]), ...words];
}
