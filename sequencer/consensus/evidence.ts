/**
 * Evidence that anybody can check with nothing but the file: who signed what excludes each other.
 *
 * | kind | what it holds | guilty |
 * | --- | --- | --- |
 * | `receipts` | two receipts of one key, of two logs (protocol/evidence.ts) | their signer |
 * | `block` | a receipt, and a final block of another log | the receipt's signer |
 * | `votes` | two votes of one validator that no honest one casts (vote.ts) | the validator |
 *
 * Only finalize certificates stand against receipts: a block that is merely notarized, or voted for
 * by some, may lose its place to another without anybody's fault. And a certificate counts only of
 * the validators that the reader knows, for anybody can make up four keys that certify anything.
 */

import { decodeJson } from "../batch/log.ts";
import {
  checkReceipts,
  EVIDENCE_BYTES_MAX,
  type EvidenceRules,
  evidenceText,
  type HistoryPart,
  historyFault,
  type LogPlace,
  notProven,
  readDomain,
  readHistoryPart,
  readSignedPlace,
  readTwoReceipts,
  type SignedPlace,
  signerOf,
  type TwoReceipts,
  type Verdict,
  verdictOn,
} from "../protocol/evidence.ts";
import { FormatError, readCount, readList, readMatching, readObject } from "../protocol/shape.ts";
import type { Block } from "./block.ts";
import type { BlockCertificate } from "./certificate.ts";
import { readBlock, readBlockCertificate, readVote } from "./message.ts";
import { verifySignature } from "./signing.ts";
import { createValidatorSet, VALIDATORS_MAX, type ValidatorSet } from "./validatorSet.ts";
import { checkEvidence as checkVotes, finalFault } from "./verification.ts";
import type { SignedVote } from "./vote.ts";

/** Whom a session consisted of; with the domain, what its votes are bound to. */
export interface Sitting {
  readonly epoch: number;
  readonly members: readonly string[];
}

/**
 * A receipt of a log that is not the certified one. `link` and `records` are of the log of
 * whichever statement is about the later position.
 */
export interface ReceiptAndBlock extends HistoryPart {
  readonly kind: "block";
  readonly domain: bigint;
  readonly receipt: SignedPlace;
  readonly sitting: Sitting;
  readonly block: Block;
  readonly certificate: BlockCertificate;
}

export interface TwoVotes {
  readonly kind: "votes";
  readonly domain: bigint;
  readonly sitting: Sitting;
  readonly first: SignedVote;
  readonly second: SignedVote;
}

export type Evidence = TwoReceipts | ReceiptAndBlock | TwoVotes;

/** Who is guilty of what, or why the evidence proves nothing. */
export function checkEvidence(evidence: Evidence, rules: EvidenceRules): Verdict {
  if (evidence.domain !== rules.domain) return notProven("it is of another deployment");
  switch (evidence.kind) {
    case "receipts":
      return checkReceipts(evidence, rules);
    case "block":
      return checkBlock(evidence, rules);
    case "votes":
      return checkTwoVotes(evidence, rules);
  }
}

function checkTwoVotes(evidence: TwoVotes, rules: EvidenceRules): Verdict {
  const { first, second } = evidence;
  const validators = sittingOf(evidence);
  if (typeof validators === "string") return notProven(validators);
  const offence = checkVotes({ validators, verify: verifySignature }, { first, second });
  if (offence === undefined) return notProven("an honest validator may cast both votes");
  return verdictOn(validators.members[first.validator]!, offence, rules.validators);
}

function checkBlock(evidence: ReceiptAndBlock, rules: EvidenceRules): Verdict {
  const { domain, receipt, block } = evidence;
  const fault = certificateFault(evidence, rules);
  if (fault !== undefined) return notProven(fault);
  const head: LogPlace = { position: block.to - 1, hash: block.logHash };
  const isLater = receipt.position > head.position;
  const [first, second] = isLater ? [head, receipt] : [receipt, head];
  const difference = historyFault(first, second, evidence);
  if (difference !== undefined) return notProven(difference);
  const signer = signerOf(domain, receipt);
  if (signer === undefined) return notProven("the receipt is not signed");
  const signers = [...rules.sequencers, ...rules.validators];
  return verdictOn(signer, "a receipt against the certified log", signers);
}

/** Why the block is not final, as far as the reader can know. */
function certificateFault(evidence: ReceiptAndBlock, rules: EvidenceRules): string | undefined {
  const { sitting, block, certificate } = evidence;
  const isKnown = sitting.members.every((member) => rules.validators.includes(member));
  if (!isKnown || sitting.members.length !== rules.validators.length) {
    return "its sitting is not of the known validators";
  }
  const validators = sittingOf(evidence);
  if (typeof validators === "string") return validators;
  const checks = { validators, termBefore: 0, verify: verifySignature };
  const fault = finalFault(checks, block, certificate);
  if (fault !== undefined) return fault;
  return block.to > 0 ? undefined : "the block is of an empty log";
}

function sittingOf({ domain, sitting }: ReceiptAndBlock | TwoVotes): ValidatorSet | string {
  try {
    return createValidatorSet({ domain, ...sitting });
  } catch (error) {
    if (error instanceof RangeError) return `nobody votes in its sitting: ${error.message}`;
    throw error;
  }
}

/** The evidence as a file: the same text for the same evidence. */
export function encodeEvidence(evidence: Evidence): string {
  return evidenceText(readEvidence(evidence));
}

/** Checks the shape only. Throws {@link FormatError}. */
export function decodeEvidence(text: string): Evidence {
  if (text.length > EVIDENCE_BYTES_MAX) {
    throw new FormatError(`\`${text.length}\` characters; at most ${EVIDENCE_BYTES_MAX}`);
  }
  let value: unknown;
  try {
    value = decodeJson(text);
  } catch {
    throw new FormatError("the text is not JSON: it may have been cut off");
  }
  return readEvidence(value);
}

function readEvidence(value: unknown): Evidence {
  const fields = readObject(value);
  const { kind } = fields;
  if (kind === "receipts") return readTwoReceipts(fields);
  if (kind !== "block" && kind !== "votes") {
    throw new FormatError(`evidence is not of kind \`${String(kind).slice(0, 80)}\``);
  }
  const where = { domain: readDomain(fields.domain), sitting: readSitting(fields.sitting) };
  if (kind === "votes") {
    return { kind, ...where, first: readVote(fields.first), second: readVote(fields.second) };
  }
  return {
    ...{ kind, domain: where.domain, receipt: readSignedPlace(fields.receipt) },
    ...{ sitting: where.sitting, block: readBlock(fields.block) },
    certificate: readBlockCertificate(fields.certificate),
    ...readHistoryPart(fields),
  };
}

/** Throws {@link FormatError}. */
export function readSitting(value: unknown): Sitting {
  const { epoch, members } = readObject(value);
  const list = readList(members, VALIDATORS_MAX);
  const addresses = list.map((member) => readMatching(member, /^0x[0-9a-f]{40}$/));
  return { epoch: readCount(epoch), members: addresses };
}
