/** The three votes, the bytes that are signed for them, and which pairs of them prove a lie. */
import { hash } from "node:crypto";
import { concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";
import { compareViews, type View } from "./block.ts";

export type VoteKind = "notarize" | "nullify" | "finalize";

/**
 * `notarize` and `finalize`: of `block` at `view`, whose term is `term`.
 * `nullify`: gives up `term`; `view` and `block` are the newest notarized that the voter knows, and
 * it promises to finalize nothing after `view` up to the end of `term`.
 */
export interface Vote {
  readonly kind: VoteKind;
  readonly term: number;
  readonly view: View;
  readonly block: string;
}

export interface SignedVote extends Vote {
  /** Place in the set of validators. */
  readonly validator: number;
  /** 65 bytes r, s, v in hex. */
  readonly signature: string;
}

const MAGIC = utf8ToBytes("straddle vote 1");
/** As signed, and places in the registry's `VoteKind`. */
export const VOTE_KIND_CODES: Readonly<Record<VoteKind, number>> = {
  notarize: 1,
  nullify: 2,
  finalize: 3,
};

/**
 * What is signed: sha256 of 15 bytes of name, the session (32), kind (1), term, view's term and
 * index (8 each, big-endian) and block (32). The session binds it to deployment and validators.
 */
export function voteDigest(session: string, { kind, term, view, block }: Vote): Uint8Array {
  const numbers = new Uint8Array(25);
  const words = new DataView(numbers.buffer);
  words.setUint8(0, VOTE_KIND_CODES[kind]);
  for (const [place, value] of [term, view.term, view.index].entries()) {
    words.setBigUint64(1 + 8 * place, BigInt(value));
  }
  const bytes = concatBytes(MAGIC, hexToBytes(session), numbers, hexToBytes(block));
  return hash("sha256", bytes, "buffer");
}

export function isSameVote(a: Vote, b: Vote): boolean {
  const isSamePlace = a.kind === b.kind && a.term === b.term && compareViews(a.view, b.view) === 0;
  return isSamePlace && a.block === b.block;
}

export type Offence = "two notarized" | "two finalized" | "two nullified" | "promise broken";

/** What one validator that signed both has done; undefined for votes that honest ones may cast. */
export function offenceOf(a: Vote, b: Vote): Offence | undefined {
  if (isSameVote(a, b)) return undefined;
  if (a.kind === b.kind) {
    if (a.kind === "nullify") return a.term === b.term ? "two nullified" : undefined;
    if (compareViews(a.view, b.view) !== 0) return undefined;
    return a.kind === "notarize" ? "two notarized" : "two finalized";
  }
  const nullify = [a, b].find(({ kind }) => kind === "nullify");
  const finalize = [a, b].find(({ kind }) => kind === "finalize");
  if (nullify === undefined || finalize === undefined) return undefined;
  const isCovered = compareViews(finalize.view, nullify.view) > 0 && finalize.term <= nullify.term;
  return isCovered ? "promise broken" : undefined;
}
