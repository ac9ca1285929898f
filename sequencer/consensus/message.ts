/** The five messages between validators, and how they are written. */
import { decodeJson, encodeJson } from "../batch/log.ts";
import {
  type Fields,
  FormatError,
  readCount,
  readHash,
  readList,
  readObject,
  readSignature,
} from "../protocol/shape.ts";
import type { Block, View } from "./block.ts";
import type { BlockCertificate, MemberSignature, Nullification, Tip } from "./certificate.ts";
import { VALIDATORS_MAX } from "./validatorSet.ts";
import type { SignedVote } from "./vote.ts";

/** A leader's block with its own vote for it, and what lets it stand where it stands. */
export interface Proposal {
  readonly type: "proposal";
  readonly block: Block;
  readonly vote: SignedVote;
  /** The parent's certificate; for the first block of a later term, the end of the term before. */
  readonly reason: BlockCertificate | Nullification | null;
}

export interface VoteMessage {
  readonly type: "vote";
  readonly vote: SignedVote;
  /** With a nullify vote: proof of the block that it names. */
  readonly certificate: BlockCertificate | null;
}

export interface CertificateMessage {
  readonly type: "certificate";
  readonly certificate: BlockCertificate | Nullification;
}

/** Asks for a block and those before it. */
export interface BlockRequest {
  readonly type: "request";
  readonly block: string;
}

/** Blocks from the one asked for downwards, each the parent of the one before it. */
export interface BlocksMessage {
  readonly type: "blocks";
  readonly blocks: readonly Block[];
}

export type Message = Proposal | VoteMessage | CertificateMessage | BlockRequest | BlocksMessage;

/** Blocks of one answer. */
export const ANSWER_BLOCKS_MAX = 64;
/** The longest is a proposal with a nullification by sixteen, or an answer with 64 blocks. */
export const MESSAGE_BYTES_MAX = 64 * 2 ** 10;

export function encodeMessage(message: Message): Uint8Array {
  return new TextEncoder().encode(encodeJson(message));
}

/** Checks the shape only: {@link faultOf} checks signatures. Throws {@link FormatError}. */
export function decodeMessage(bytes: Uint8Array): Message {
  if (bytes.length > MESSAGE_BYTES_MAX) {
    throw new FormatError(`\`${bytes.length}\` bytes; at most ${MESSAGE_BYTES_MAX}`);
  }
  let value: unknown;
  try {
    value = decodeJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new FormatError("the message is not JSON");
  }
  return readMessage(readObject(value));
}

function readMessage(value: Fields): Message {
  const { type } = value;
  switch (type) {
    case "proposal": {
      const reason = value.reason === null ? null : readCertificate(value.reason);
      return { type, block: readBlock(value.block), vote: readVote(value.vote), reason };
    }
    case "vote": {
      const certificate = orNull(value.certificate, readBlockCertificate);
      return { type, vote: readVote(value.vote), certificate };
    }
    case "certificate":
      return { type, certificate: readCertificate(value.certificate) };
    case "request":
      return { type, block: readHash(value.block) };
    case "blocks":
      return { type, blocks: readList(value.blocks, ANSWER_BLOCKS_MAX).map(readBlock) };
    default:
      throw new FormatError(`\`type\` is \`${String(type)}\`; there are five types`);
  }
}

function readCertificate(value: unknown): BlockCertificate | Nullification {
  const fields = readObject(value);
  return fields.kind === "nullify" ? readNullification(fields) : readBlockCertificate(fields);
}

export function readBlockCertificate(value: unknown): BlockCertificate {
  const { kind, view, block, signatures } = readObject(value);
  if (kind !== "notarize" && kind !== "finalize") {
    throw new FormatError(`a block's certificate is not of kind \`${String(kind)}\``);
  }
  const list = readList(signatures, VALIDATORS_MAX).map(readMemberSignature);
  return { kind, view: readView(view), block: readHash(block), signatures: list };
}

function readNullification({ term, votes, tip }: Fields): Nullification {
  const list = readList(votes, VALIDATORS_MAX).map((vote) => {
    const { view, block } = readObject(vote);
    return { ...readMemberSignature(vote), view: readView(view), block: readHash(block) };
  });
  return { kind: "nullify", term: readCount(term), votes: list, tip: readTip(tip) };
}

function readTip(value: unknown): Tip {
  const { view, block, certificate } = readObject(value);
  const proof = orNull(certificate, readBlockCertificate);
  return { view: readView(view), block: readHash(block), certificate: proof };
}

export function readVote(value: unknown): SignedVote {
  const { kind, term, view, block } = readObject(value);
  if (kind !== "notarize" && kind !== "nullify" && kind !== "finalize") {
    throw new FormatError(`a vote is not of kind \`${String(kind)}\``);
  }
  const place = { view: readView(view), block: readHash(block) };
  return { kind, term: readCount(term), ...place, ...readMemberSignature(value) };
}

function readMemberSignature(value: unknown): MemberSignature {
  const { validator, signature } = readObject(value);
  return { validator: readCount(validator), signature: readSignature(signature) };
}

export function readBlock(value: unknown): Block {
  const { height, view, parent, from, to, logHash, root } = readObject(value);
  if (typeof root !== "bigint" || root < 0n || root >= 2n ** 256n) {
    throw new FormatError("`root` must be an integer of 256 bits");
  }
  const place = { from: readCount(from), to: readCount(to), logHash: readHash(logHash), root };
  return { height: readCount(height), view: readView(view), parent: readHash(parent), ...place };
}

function readView(value: unknown): View {
  const { term, index } = readObject(value);
  return { term: readCount(term), index: readCount(index) };
}

function orNull<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null ? null : read(value);
}
