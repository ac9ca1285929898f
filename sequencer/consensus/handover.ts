/**
 * Where one sitting of validators ends and the next begins, as a file that anybody can check: the
 * log's last record in the old sitting, and a final block that ends with it. The record shows by
 * its hash which term it is of, so that the next sitting's terms, which are its records' epochs, go
 * on above.
 */
import {
  assertContinues,
  decodeJson,
  encodeJson,
  LogCorruptionError,
  type LogRecord,
} from "../batch/log.ts";
import { FormatError, readObject } from "../protocol/shape.ts";
import type { Block, LogPlace } from "./block.ts";
import type { BlockCertificate } from "./certificate.ts";
import { readSitting, type Sitting } from "./evidence.ts";
import { readBlock, readBlockCertificate } from "./message.ts";
import type { Verify } from "./signing.ts";
import { createValidatorSet } from "./validatorSet.ts";
import { finalFault } from "./verification.ts";

export interface Handover {
  /** The one that has ended. */
  readonly sitting: Sitting;
  readonly block: Block;
  readonly certificate: BlockCertificate;
  /** The block's last, or that of the newest block before it that has records. */
  readonly record: LogRecord;
}

/** What a sitting begins with. */
export interface Beginning extends LogPlace {
  /** Of the last record. */
  readonly term: number;
}

/** Reads the shape only. Throws {@link FormatError}. */
export function decodeHandover(text: string): Handover {
  let value: unknown;
  try {
    value = decodeJson(text);
  } catch {
    throw new FormatError("a handover must be JSON: it may have been cut off");
  }
  const { sitting, block, certificate, record } = readObject(value);
  return {
    sitting: readSitting(sitting),
    block: readBlock(block),
    certificate: readBlockCertificate(certificate),
    record: readObject(record) as unknown as LogRecord,
  };
}

export function encodeHandover({ sitting, block, certificate, record }: Handover): string {
  return encodeJson({ sitting, block, certificate, record });
}

/**
 * What the handover proves, to whoever believes its validators: that a quorum of them made the log
 * final up to there. Throws {@link FormatError} where it does not.
 */
export function beginningOf(
  { sitting, block, certificate, record }: Handover,
  { domain, epoch, verify }: { domain: bigint; epoch: number; verify: Verify },
): Beginning {
  const fail = (reason: string): never => {
    throw new FormatError(`the handover does not begin this sitting: ${reason}`);
  };
  if (sitting.epoch >= epoch) fail(`it is of epoch ${sitting.epoch}, and this one is ${epoch}`);
  const validators = createValidatorSet({ domain, ...sitting });
  const fault = finalFault({ validators, termBefore: 0, verify }, block, certificate);
  if (fault !== undefined) fail(fault);
  const { position, epoch: term, previous, hash } = record;
  try {
    assertContinues(record, { position, epoch: term, hash: previous });
  } catch (error) {
    if (error instanceof LogCorruptionError) fail(error.message);
    throw error;
  }
  const isLast = position === block.to - 1 && hash === block.logHash;
  if (!isLast || term > block.view.term) fail("its record is not the last of its block");
  return { to: block.to, logHash: block.logHash, root: block.root, term };
}
