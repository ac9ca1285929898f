/**
 * Receipts that a trader holds: the newest is what it has seen of the log, and two that cannot be
 * of one log convict their signer.
 */
import {
  type LogHashes,
  type SignedPlace,
  signerOf,
  type TwoReceipts,
} from "../protocol/evidence.ts";

/** Two receipts, or a receipt and the node's own signed answer, are of two logs. Keep the file. */
export class TwoHistoriesError extends Error {
  override name = "TwoHistoriesError";
  readonly evidence: TwoReceipts;
  constructor(evidence: TwoReceipts) {
    const { position, hash } = evidence.first;
    const what = `log position \`${position}\` was signed as \`${hash}\` and as something else`;
    super(`${what}: the sequencer has told two histories. This proves it to anybody.`);
    this.evidence = evidence;
  }
}

export interface ReceiptBook {
  /** Throws {@link TwoHistoriesError}: both signatures must have been checked. */
  keep(place: SignedPlace): void;
  newest(): SignedPlace | undefined;
  /** Ascending by position. */
  all(): readonly SignedPlace[];
}

export interface ReceiptBookOptions {
  readonly domain: bigint;
  /** Places that are remembered; the oldest go first. */
  readonly placesMax?: number;
  /** From earlier runs. */
  readonly saved?: readonly SignedPlace[];
  /** Called for each new one, for whoever keeps them in a file. */
  readonly onKept?: (place: SignedPlace) => void;
}

export const PLACES_MAX = 10_000;

export function createReceiptBook(options: ReceiptBookOptions): ReceiptBook {
  const { domain, placesMax = PLACES_MAX, saved = [], onKept } = options;
  const places = new Map<number, SignedPlace>();
  let newest: SignedPlace | undefined;

  const remember = (place: SignedPlace): boolean => {
    const known = places.get(place.position);
    if (known !== undefined) {
      if (known.hash === place.hash) return false;
      throw new TwoHistoriesError(ofOnePosition(domain, known, place));
    }
    places.set(place.position, place);
    if (newest === undefined || place.position > newest.position) newest = place;
    const [oldest] = places.keys();
    if (places.size > placesMax) places.delete(oldest!);
    return true;
  };

  for (const place of saved) remember(place);
  return {
    keep: ({ position, hash, signature }) => {
      const place = { position, hash, signature };
      try {
        if (remember(place)) onKept?.(place);
      } catch (error) {
        // What proves a lie must outlive the program that was told it.
        if (error instanceof TwoHistoriesError) onKept?.(place);
        throw error;
      }
    },
    newest: () => newest,
    all: () => [...places.values()].sort((a, b) => a.position - b.position),
  };
}

function ofOnePosition(domain: bigint, first: SignedPlace, second: SignedPlace): TwoReceipts {
  return { kind: "receipts", domain, first, second, link: second.hash, records: [] };
}

/** What became of own receipts in the log that a node shows. */
export interface Comparison {
  readonly domain: bigint;
  readonly compared: number;
  /** Positions that the node's log does not reach: acknowledged, and gone. */
  readonly missing: readonly number[];
  readonly evidence: TwoReceipts | null;
}

/** Receipts' positions that are asked for at once. */
const ASKED_MAX = 1_000;

/**
 * Compares own receipts with the log that the node shows to everybody. Where they differ, the node
 * is asked for that position alone, so that its signature is about it: then nothing else is needed.
 */
export async function compareWithLog(
  { domain, receipts }: { readonly domain: bigint; readonly receipts: readonly SignedPlace[] },
  fetchLog: (from: number, limit: number) => Promise<LogHashes>,
): Promise<Comparison> {
  const missing: number[] = [];
  let shown: LogHashes | undefined;
  for (const receipt of receipts) {
    const { position } = receipt;
    if (shown === undefined || position >= shown.from + shown.hashes.length) {
      shown = await fetchLog(position, rangeOf(receipts, position));
    }
    const hash = shown.hashes[position - shown.from];
    if (hash === undefined) missing.push(position);
    else if (hash !== receipt.hash) {
      const evidence = await signedDifference(domain, receipt, fetchLog);
      if (evidence !== null) return { domain, compared: receipts.length, missing, evidence };
    }
  }
  return { domain, compared: receipts.length, missing, evidence: null };
}

/** As far as the receipts from here on reach. */
function rangeOf(receipts: readonly SignedPlace[], from: number): number {
  const last = receipts.findLast(({ position }) => position < from + ASKED_MAX)!;
  return last.position - from + 1;
}

async function signedDifference(
  domain: bigint,
  receipt: SignedPlace,
  fetchLog: (from: number, limit: number) => Promise<LogHashes>,
): Promise<TwoReceipts | null> {
  const { position } = receipt;
  const { hashes, signature } = await fetchLog(position, 1);
  const [hash] = hashes;
  if (hash === undefined || hash === receipt.hash || signature === null) return null;
  const other = { position, hash, signature };
  const signer = signerOf(domain, other);
  if (signer === undefined || signer !== signerOf(domain, receipt)) return null;
  return ofOnePosition(domain, receipt, other);
}
