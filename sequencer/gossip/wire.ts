/** What the validator network speaks: protocol names, limits and the shapes of messages. */
import { decodeJson, encodeJson, type LogRecord } from "../batch/log.ts";
import type { ProofWords } from "../batch/sealedBatch.ts";
import type { Attestation, Refusal } from "../ports.ts";
import { REASON_LENGTH_MAX } from "../protocol/certification.ts";

export const LOG_PROTOCOL = "/straddle/log/1";
export const PROOFS_PROTOCOL = "/straddle/proofs/1";
export const ATTEST_PROTOCOL = "/straddle/attest/1";

/** A record with a full snapshot takes some tens of kB, the words of the largest batch some MB. */
export const STREAM_FRAME_BYTES_MAX = 8 * 2 ** 20;
/** Requests, attestations and refusals. */
export const REQUEST_FRAME_BYTES_MAX = 16 * 2 ** 10;

/** The other side did not keep to the protocol. */
export class GossipProtocolError extends Error {
  override name = "GossipProtocolError";
}

/** The proof of a batch, with the words that it is for. */
export interface ProofMessage {
  readonly number: number;
  readonly words: readonly bigint[];
  readonly proof: ProofWords;
}

export type AttestMessage =
  | { readonly kind: "attestation"; readonly attestation: Attestation }
  | { readonly kind: "refusal"; readonly refusal: Refusal };

export function encodeMessage(message: unknown): Uint8Array {
  return new TextEncoder().encode(encodeJson(message));
}

/** Where a follower wants to begin. */
export function parseStart(bytes: Uint8Array): number {
  const { from } = parseObject(bytes);
  if (!isCount(from)) throw new GossipProtocolError("`from` must be a non-negative integer");
  return from;
}

/**
 * Checks the position only: whoever follows the log verifies links, hashes and contents. What else
 * was sent with the record is not kept: no hash covers it, and who holds records would hold it too.
 */
export function parseRecord(bytes: Uint8Array, position: number): LogRecord {
  return readRecord(parseObject(bytes), position);
}

export function readRecord(record: Record<string, unknown>, position: number): LogRecord {
  if (record.position !== position || typeof record.entry !== "object") {
    throw new GossipProtocolError(`expected the record of position \`${position}\``);
  }
  const { epoch, previous, hash, entry } = record;
  return { position, epoch, previous, hash, entry } as LogRecord;
}

export function parseProof(bytes: Uint8Array, expected: number): ProofMessage {
  const { number, words, proof } = parseObject(bytes);
  if (number !== expected || !isWords(words) || !isWords(proof) || proof.length !== 8) {
    throw new GossipProtocolError(`expected the proof of batch \`${expected}\``);
  }
  return { number, words, proof: proof as unknown as ProofWords };
}

export function parseAttestMessage(bytes: Uint8Array): AttestMessage {
  const message = parseObject(bytes);
  const { attestation, refusal } = message;
  if (isObject(attestation) && isAttestation(attestation)) {
    const { validator, number, root, wordsHash, logHash, signature } = attestation;
    return {
      kind: "attestation",
      attestation: { validator, number, root, wordsHash, logHash, signature },
    };
  }
  if (isObject(refusal) && isRefusal(refusal)) {
    const { validator, position, logHash, reason, signature } = refusal;
    return { kind: "refusal", refusal: { validator, position, logHash, reason, signature } };
  }
  throw new GossipProtocolError("expected an attestation or a refusal");
}

function isAttestation(value: Record<string, unknown>): value is Attestation & typeof value {
  const { validator, number, root, wordsHash, logHash, signature } = value;
  const texts = [validator, root, wordsHash, logHash, signature];
  return isCount(number) && texts.every((text) => typeof text === "string");
}

function isRefusal(value: Record<string, unknown>): value is Refusal & typeof value {
  const { validator, position, logHash, reason, signature } = value;
  const texts = [validator, logHash, signature];
  const isReason = typeof reason === "string" && reason.length <= REASON_LENGTH_MAX;
  return isReason && isCount(position) && texts.every((text) => typeof text === "string");
}

export function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = decodeJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new GossipProtocolError("the message is not JSON");
  }
  if (!isObject(value)) throw new GossipProtocolError("the message is not an object");
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isWords(value: unknown): value is bigint[] {
  return Array.isArray(value) && value.every((word) => typeof word === "bigint");
}
