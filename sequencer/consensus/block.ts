/** What is agreed on: a chain of blocks, each a range of the order log and the root it leads to. */
import { hash } from "node:crypto";
import { concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";

/** Records of one block. */
export const BLOCK_RECORDS_MAX = 2 ** 16;

/** A leader's turn to propose one block. Views are ordered by term, then by index. */
export interface View {
  /** Counts on over sittings, from 1; the genesis block's is that before its sitting's first. */
  readonly term: number;
  /** Counts the blocks of the term, from 0. */
  readonly index: number;
}

export interface Block {
  readonly height: number;
  readonly view: View;
  /** Hash of the block before (64 hex digits); the genesis block names the session. */
  readonly parent: string;
  /** Log positions `from` to `to - 1`; equal in a block that only says that the leader is alive. */
  readonly from: number;
  readonly to: number;
  /** Hash of record `to - 1`: the log's head. */
  readonly logHash: string;
  /**
   * State root at the last seal up to record `to - 1`, which executing the records must have led
   * to. What came after that seal is bound by `logHash`: nobody hashes the state between seals.
   */
  readonly root: bigint;
}

export type LogPlace = Pick<Block, "to" | "logHash" | "root">;

/**
 * Where a session begins: what layer one or the session before has made final. `term` is the newest
 * that a record up to there is of: terms go on after it, so that no record's is ambiguous.
 */
export function genesisBlock(session: string, { to, logHash, root }: LogPlace, term = 0): Block {
  const view = { term, index: 0 };
  return { height: 0, view, parent: session, from: to, to, logHash, root };
}

const MAGIC = utf8ToBytes("straddle block 1");

export function blockHash(block: Block): string {
  const { height, view, parent, from, to, logHash, root } = block;
  const numbers = new Uint8Array(40);
  const words = new DataView(numbers.buffer);
  for (const [place, value] of [height, view.term, view.index, from, to].entries()) {
    words.setBigUint64(8 * place, BigInt(value));
  }
  const rootBytes = hexToBytes(root.toString(16).padStart(64, "0"));
  const parts = [MAGIC, numbers, hexToBytes(parent), hexToBytes(logHash), rootBytes];
  return hash("sha256", concatBytes(...parts), "hex");
}

/** Negative when `a` is before `b`, 0 when they are the same view. */
export function compareViews(a: View, b: View): number {
  return a.term - b.term || a.index - b.index;
}

/** Why `block` cannot follow `parent`, from their headers alone. */
export function brokenLink(parent: Block, block: Block): string | undefined {
  const { height, from, to, logHash, root } = block;
  if (height !== parent.height + 1) return "its height is not the next";
  if (from !== parent.to) return "its records do not begin where the parent's end";
  if (to < from) return "its records end before they begin";
  if (to - from > BLOCK_RECORDS_MAX) return `it has more than ${BLOCK_RECORDS_MAX} records`;
  if (to > from) return undefined;
  const isSame = logHash === parent.logHash && root === parent.root;
  return isSame ? undefined : "it has no records but another head or root";
}
