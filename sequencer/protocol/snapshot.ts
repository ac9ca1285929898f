/**
 * The risk snapshot: for every slot the terms of a series, its mark and 17 scenario changes, signed
 * by an oracle quorum.
 */

import { CodecRangeError, pack, packMany } from "./codec.ts";
import {
  CHANGE_BITS,
  CHANGE_LANE_BITS,
  CHANGE_LANES_PER_WORD,
  CHANGE_OFFSET,
  MARK_BITS,
  MARKS_PER_WORD,
  SCENARIOS,
} from "./constants.ts";
import { type PublicKey, type Signature, verify } from "./eddsa.ts";
import { hashVector, poseidon } from "./hash.ts";
import { SERIES_TERMS, SLOT_HEAD } from "./layout.ts";
import type { Series } from "./state.ts";

/** What is priced: `strike` in ticks, `expiry` in unix seconds. */
export type Terms = Readonly<Pick<Series, "isCall" | "strike" | "expiry">>;

/** Of a slot in which the oracles know no series. */
export const NO_TERMS: Terms = { isCall: false, strike: 0, expiry: 0 };

/** `mark` in ticks; `changes` in ticks, signed; `isFinal`: the mark is the payoff at expiry. */
export interface SlotPrice {
  readonly mark: number;
  readonly isFinal: boolean;
  readonly changes: readonly number[];
}

export interface SlotRisk extends SlotPrice {
  readonly terms: Terms;
}

export interface OracleSignature extends Signature {
  /** Place of the signer in the oracle set. */
  readonly signer: number;
}

/** `time` in unix ms; signatures ordered by signer, no signer twice. */
export interface Snapshot {
  readonly time: number;
  readonly slots: readonly SlotRisk[];
  readonly signatures: readonly OracleSignature[];
}

/** The part of a snapshot that margins are computed from. */
export interface Prices {
  readonly slots: readonly SlotPrice[];
}

/** The words of a slot: its head (layout `slotHead`), then its changes, 5 lanes to a word. */
export function slotRiskWords({ terms, mark, isFinal, changes }: SlotRisk): bigint[] {
  if (changes.length !== SCENARIOS) {
    throw new CodecRangeError("changes", changes.length, SCENARIOS);
  }
  const flags = { isFinal: isFinal ? 1 : 0, isCall: terms.isCall ? 1 : 0 };
  const head = pack(SLOT_HEAD, { ...terms, ...flags, mark });
  return [head, ...packMany(changes.map(laneOf), CHANGE_LANE_BITS, CHANGE_LANES_PER_WORD)];
}

/** A change as it stands in its lane. */
function laneOf(change: number): number {
  const lane = change + CHANGE_OFFSET;
  if (!Number.isSafeInteger(lane) || lane <= 0 || lane >= 2 ** CHANGE_BITS) {
    throw new CodecRangeError("change", lane, CHANGE_BITS);
  }
  return lane;
}

/** Layout `seriesTerms`. */
export function termsWord({ isCall, strike, expiry }: Terms): bigint {
  return pack(SERIES_TERMS, { isCall: isCall ? 1 : 0, strike, expiry });
}

/** What oracles sign: `Poseidon(domain, time, hashVector(words of all slots))`. */
export function snapshotHash(domain: bigint, snapshot: Omit<Snapshot, "signatures">): bigint {
  const matrix = hashVector(snapshot.slots.flatMap(slotRiskWords));
  return poseidon([domain, BigInt(snapshot.time), matrix]);
}

/** The hash by which layer one knows the oracle set. */
export function oracleSetHash(oracles: readonly PublicKey[]): bigint {
  return hashVector(oracles.flatMap(({ x, y }) => [x, y]));
}

/** Whether `quorum` different oracles signed, in order. Never throws on malformed signatures. */
export function isQuorumSigned(options: {
  domain: bigint;
  snapshot: Snapshot;
  oracles: readonly PublicKey[];
  quorum: number;
}): boolean {
  const { domain, snapshot, oracles, quorum } = options;
  if (snapshot.signatures.length < quorum) return false;
  const hash = snapshotHash(domain, snapshot);
  let previous = -1;
  for (const signature of snapshot.signatures) {
    const key = oracles[signature.signer];
    if (key === undefined || signature.signer <= previous) return false;
    if (!verify(key, hash, signature)) return false;
    previous = signature.signer;
  }
  return true;
}

/** Public words of the marks, 12 to a word. */
export function markWords(marks: readonly number[]): bigint[] {
  return packMany(marks, MARK_BITS, MARKS_PER_WORD);
}
