/** The five messages between validators, and how they are written. */
import { decodeJson, encodeJson } from "../batch/log.ts";
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
/** Terms, indexes, heights and positions: far beyond any use, and exact in every language. */
const COUNT_MAX = 2 ** 48;

/** The bytes are not a message. */
export class MessageFormatError extends Error {
  override name = "MessageFormatError";
}

export function encodeMessage(message: Message): Uint8Array {
  return new TextEncoder().encode(encodeJson(message));
}

/** Checks the shape only: {@link faultOf} checks signatures. Throws {@link MessageFormatError}. */
export function decodeMessage(bytes: Uint8Array): Message {
  if (bytes.length > MESSAGE_BYTES_MAX) {
    throw new MessageFormatError(`\`${bytes.length}\` bytes; at most ${MESSAGE_BYTES_MAX}`);
  }
  let value: unknown;
  try {
    value = decodeJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new MessageFormatError("the message is not JSON");
  }
  return readMessage(recordOf(value, "message"));
}

type Fields = Record<string, unknown>;

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
      return { type, block: hash(value.block) };
    case "blocks":
      return { type, blocks: listOf(value.blocks, ANSWER_BLOCKS_MAX).map(readBlock) };
    default:
      throw new MessageFormatError(`\`type\` is \`${String(type)}\`; there are five types`);
  }
}

function readCertificate(value: unknown): BlockCertificate | Nullification {
  const fields = recordOf(value, "certificate");
  return fields.kind === "nullify" ? readNullification(fields) : readBlockCertificate(fields);
}

export function readBlockCertificate(value: unknown): BlockCertificate {
  const { kind, view, block, signatures } = recordOf(value, "certificate");
  if (kind !== "notarize" && kind !== "finalize") {
    throw new MessageFormatError(`a block's certificate is not of kind \`${String(kind)}\``);
  }
  const list = listOf(signatures, VALIDATORS_MAX).map(readSignature);
  return { kind, view: readView(view), block: hash(block), signatures: list };
}

function readNullification({ term, votes, tip }: Fields): Nullification {
  const list = listOf(votes, VALIDATORS_MAX).map((vote) => {
    const { view, block } = recordOf(vote, "vote");
    return { ...readSignature(vote), view: readView(view), block: hash(block) };
  });
  return { kind: "nullify", term: count(term), votes: list, tip: readTip(tip) };
}

function readTip(value: unknown): Tip {
  const { view, block, certificate } = recordOf(value, "tip");
  const proof = orNull(certificate, readBlockCertificate);
  return { view: readView(view), block: hash(block), certificate: proof };
}

export function readVote(value: unknown): SignedVote {
  const { kind, term, view, block } = recordOf(value, "vote");
  if (kind !== "notarize" && kind !== "nullify" && kind !== "finalize") {
    throw new MessageFormatError(`a vote is not of kind \`${String(kind)}\``);
  }
  const place = { view: readView(view), block: hash(block) };
  return { kind, term: count(term), ...place, ...readSignature(value) };
}

function readSignature(value: unknown): MemberSignature {
  const { validator, signature } = recordOf(value, "signature");
  return { validator: count(validator), signature: matching(signature, /^0x[0-9a-f]{130}$/) };
}

export function readBlock(value: unknown): Block {
  const { height, view, parent, from, to, logHash, root } = recordOf(value, "block");
  if (typeof root !== "bigint" || root < 0n || root >= 2n ** 256n) {
    throw new MessageFormatError("`root` must be an integer of 256 bits");
  }
  const place = { from: count(from), to: count(to), logHash: hash(logHash), root };
  return { height: count(height), view: readView(view), parent: hash(parent), ...place };
}

function readView(value: unknown): View {
  const { term, index } = recordOf(value, "view");
  return { term: count(term), index: count(index) };
}

function recordOf(value: unknown, name: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new MessageFormatError(`the ${name} must be an object`);
}

export function listOf(value: unknown, lengthMax: number): unknown[] {
  if (Array.isArray(value) && value.length <= lengthMax) return value;
  throw new MessageFormatError(`expected a list of at most ${lengthMax}`);
}

function orNull<T>(value: unknown, read: (value: unknown) => T): T | null {
  return value === null ? null : read(value);
}

function count(value: unknown): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= COUNT_MAX) {
    return value as number;
  }
  throw new MessageFormatError(`\`${String(value)}\` must be an integer from 0 to 2^48`);
}

function hash(value: unknown): string {
  return matching(value, /^[0-9a-f]{64}$/);
}

export function matching(value: unknown, pattern: RegExp): string {
  if (typeof value === "string" && pattern.test(value)) return value;
  throw new MessageFormatError(`\`${String(value).slice(0, 140)}\` must match ${pattern}`);
}
