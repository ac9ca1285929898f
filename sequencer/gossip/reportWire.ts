/** What members tell the sequencer, as it is written. */
import { decodeMessage, encodeMessage as encodeConsensus } from "../consensus/message.ts";
import type { FinalBlock, MemberReport } from "../ports.ts";
import { encodeMessage, GossipProtocolError, isCount, parseObject } from "./wire.ts";

export const REPORT_PROTOCOL = "/straddle/report/1";
/** A block and a certificate by sixteen, with room. */
export const REPORT_FRAME_BYTES_MAX = 32 * 2 ** 10;
const REASON_LENGTH_MAX = 1000;

export function encodeReport({ halted, final, ...report }: MemberReport): Uint8Array {
  return encodeMessage({
    ...report,
    final: final === null ? null : textsOf(final),
    halted: halted === null ? null : halted.slice(0, REASON_LENGTH_MAX),
  });
}

/** As two consensus messages, which have a reader that checks every field. */
function textsOf({ block, certificate }: FinalBlock) {
  const text = (message: Parameters<typeof encodeConsensus>[0]): string =>
    new TextDecoder().decode(encodeConsensus(message));
  return {
    blocks: text({ type: "blocks", blocks: [block] }),
    certificate: text({ type: "certificate", certificate }),
  };
}

/** Checks the shape only. Throws {@link GossipProtocolError} or MessageFormatError. */
export function parseReport(bytes: Uint8Array): MemberReport {
  const { term, position, final, halted } = parseObject(bytes);
  const isReason = typeof halted === "string" && halted.length <= REASON_LENGTH_MAX;
  if (!isCount(term) || !isCount(position) || (halted !== null && !isReason)) {
    throw new GossipProtocolError("expected a report of a member");
  }
  const reason = halted as string | null;
  return { term, position, halted: reason, final: final === null ? null : readFinal(final) };
}

function readFinal(value: unknown): FinalBlock {
  const { blocks, certificate } = (value ?? {}) as Record<string, unknown>;
  const read = (text: unknown) => decodeMessage(new TextEncoder().encode(String(text)));
  const [first, second] = [read(blocks), read(certificate)];
  const block = first.type === "blocks" ? first.blocks[0] : undefined;
  const proof = second.type === "certificate" ? second.certificate : undefined;
  if (block === undefined || proof === undefined || proof.kind === "nullify") {
    throw new GossipProtocolError("expected a block and what makes it final");
  }
  return { block, certificate: proof };
}
