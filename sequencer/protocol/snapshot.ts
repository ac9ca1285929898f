/**
 * The risk snapshot: for every slot the terms of a series, its mark and 17 scenario changes, signed
 * by an oracle quorum.
 */

import { CodecRangeError, pack, packMany } from "./codec.ts";
import { CHANGE_BITS, CHANGE_OFFSET, MARK_BITS, MARKS_PER_WORD, SCENARIOS } from "./constants.ts";
import { type PublicKey, type Signature, verify } from "./eddsa.ts";
import { hashVector, poseidon } from "./hash.ts";
import { layoutBits, SERIES_TERMS } from "./layout.ts";
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

/** Changes in a slot's first word: 20 + 1 + 9 * 21 = 210 bits. */
const FIRST_CHANGES = Math.ceil(SCENARIOS / 2);

/** Two words a slot: `mark | final | changes 0..8`, then `terms | changes 9..16`. */
export function slotRiskWords(risk: SlotRisk): [bigint, bigint] {
  if (risk.changes.length !== SCENARIOS) {
    throw new CodecRangeError("changes", risk.changes.length, SCENARIOS);
  }
  if (!Number.isSafeInteger(risk.mark) || risk.mark < 0 || risk.mark >= 2 ** MARK_BITS) {
    throw new CodecRangeError("mark", risk.mark, MARK_BITS);
  }
  const encoded = risk.changes.map((change) => change + CHANGE_OFFSET);
  const [first = 0n] = packMany(encoded.slice(0, FIRST_CHANGES), CHANGE_BITS, FIRST_CHANGES);
  const [second = 0n] = packMany(encoded.slice(FIRST_CHANGES), CHANGE_BITS, FIRST_CHANGES);
  const head = BigInt(risk.mark) + (risk.isFinal ? 1n << BigInt(MARK_BITS) : 0n);
  const terms = termsWord(risk.terms);
  return [
    head + (first << BigInt(MARK_BITS + 1)),
    terms + (second << BigInt(layoutBits(SERIES_TERMS))),
  ];
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
