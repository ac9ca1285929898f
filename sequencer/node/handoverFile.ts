/** The file that a sitting's validators leave at its end, and from which the next one begins. */
import { readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { blockHash } from "../consensus/block.ts";
import { isFinalizedBy } from "../consensus/certificate.ts";
import type { Sitting } from "../consensus/evidence.ts";
import {
  type Beginning,
  beginningOf,
  decodeHandover,
  encodeHandover,
} from "../consensus/handover.ts";
import type { Verify } from "../consensus/signing.ts";
import type { FinalBlock, Log, Logger } from "../ports.ts";
import { FormatError } from "../protocol/shape.ts";
import { messageOf } from "../roles/loop.ts";
import { ConfigError } from "./config.ts";

export const HANDOVER_FILE = "handover.json";

/**
 * Without a file a sitting begins at the log's first record. Throws ConfigError where the file does
 * not prove where it begins.
 */
export function readHandover(
  file: string | undefined,
  sitting: { readonly domain: bigint; readonly epoch: number; readonly verify: Verify },
): Beginning | undefined {
  if (file === undefined) return undefined;
  try {
    return beginningOf(decodeHandover(readFileSync(path.resolve(file), "utf8")), sitting);
  } catch (error) {
    const isOfFile = error instanceof FormatError || error instanceof RangeError;
    if (!isOfFile && (error as NodeJS.ErrnoException).code === undefined) throw error;
    throw new ConfigError(`\`certification.handover\` \`${file}\`: ${messageOf(error)}`);
  }
}

export interface HandoverOptions {
  readonly sitting: Sitting;
  /** Position from which on no records are the sitting's. */
  readonly end: number;
  readonly log: Pick<Log, "read">;
  readonly directory: string;
  readonly logger: Logger;
}

/** Told of final blocks; writes the file at the first that shows the end. */
export function createHandoverWriter(options: HandoverOptions): (final: FinalBlock) => void {
  const { end, logger } = options;
  let isDone = false;
  return (final) => {
    const { block, certificate } = final;
    if (isDone || block.to < end) return;
    if (block.from >= end && block.to > block.from) {
      isDone = true;
      logger.error("the others went on behind `until`: choose a later one", { end, block });
      return;
    }
    if (!isFinalizedBy(blockHash(block), certificate)) return;
    isDone = true;
    write(options, final).then(
      (file) => logger.info("the sitting has ended: the next one begins from", { file }),
      (error: unknown) => {
        isDone = false;
        logger.warn("the handover could not be written", { error: messageOf(error) });
      },
    );
  };
}

async function write(
  { sitting, log, directory }: HandoverOptions,
  { block, certificate }: FinalBlock,
): Promise<string> {
  for await (const record of log.read(block.to - 1)) {
    const text = encodeHandover({ sitting, block, certificate, record });
    const file = path.join(directory, HANDOVER_FILE);
    await writeFile(`${file}.new`, `${text}\n`, { flush: true });
    await rename(`${file}.new`, file);
    return file;
  }
  throw new RangeError(`the log does not reach \`${block.to}\``);
}
