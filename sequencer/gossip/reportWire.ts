/** What members tell the sequencer, as it is written. */
import { readBlock, readBlockCertificate } from "../consensus/message.ts";
import type { FinalBlock, MemberReport } from "../ports.ts";
import { REASON_LENGTH_MAX } from "../protocol/certification.ts";
import { readObject } from "../protocol/shape.ts";
import { encodeMessage, GossipProtocolError, isCount, parseObject } from "./wire.ts";

export const REPORT_PROTOCOL = "/straddle/report/1";
/** A block and a certificate by sixteen, with room. */
export const REPORT_FRAME_BYTES_MAX = 32 * 2 ** 10;

export function encodeReport({ halted, ...report }: MemberReport): Uint8Array {
  return encodeMessage({ ...report, halted: halted?.slice(0, REASON_LENGTH_MAX) ?? null });
}

/** Checks the shape only. Throws {@link GossipProtocolError} or FormatError. */
export function parseReport(bytes: Uint8Array): MemberReport {
  const { term, position, final, halted } = parseObject(bytes);
  const isReason = typeof halted === "string" && halted.length <= REASON_LENGTH_MAX;
  if (!isCount(term) || !isCount(position) || (halted !== null && !isReason)) {
    throw new GossipProtocolError("expected a report of a member");
  }
  const reason = halted as string | null;
  return { term, position, halted: reason, final: final === null ? null : readFinal(final) };
}

/** Blocks and certificates are read as in consensus messages, which checks every field. */
function readFinal(value: unknown): FinalBlock {
  const { block, certificate } = readObject(value);
  return { block: readBlock(block), certificate: readBlockCertificate(certificate) };
}
