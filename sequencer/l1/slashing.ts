/** Evidence as the validator registry takes it. */
import { type Hex, stringToHex } from "viem";
import type { TwoVotes } from "../consensus/evidence.ts";
import { type SignedVote, VOTE_KIND_CODES } from "../consensus/vote.ts";
import { SLASHING_LIMITS, type TwoReceipts } from "../protocol/evidence.ts";

/** Whether one transaction can carry it. Anybody can check what is longer, but not layer one. */
export function fitsLayerOne({ records }: TwoReceipts): boolean {
  const bytes = records.reduce((sum, { entry }) => sum + Buffer.byteLength(entry), 0);
  return records.length <= SLASHING_LIMITS.records && bytes <= SLASHING_LIMITS.bytes;
}

/** What `slashReceipts` is called with. */
export function slashReceiptsArgs({ first, second, link, records }: TwoReceipts) {
  return [
    {
      position: BigInt(first.position),
      hash: bytes32(first.hash),
      signature: first.signature as Hex,
      link: bytes32(link),
      records: records.map(({ epoch, entry }) => ({
        epoch: BigInt(epoch),
        entry: stringToHex(entry),
      })),
      laterSignature: second.signature as Hex,
    },
  ] as const;
}

/** What `slashVotes` is called with. */
export function slashVotesArgs({ sitting, first, second }: TwoVotes) {
  const members = sitting.members.map((member) => member as Hex);
  const named = { epoch: BigInt(sitting.epoch), members };
  return [named, voteArgs(first), voteArgs(second)] as const;
}

function voteArgs({ kind, term, view, block, signature }: SignedVote) {
  return {
    kind: VOTE_KIND_CODES[kind],
    term: BigInt(term),
    viewTerm: BigInt(view.term),
    viewIndex: BigInt(view.index),
    blockHash: bytes32(block),
    signature: signature as Hex,
  };
}

function bytes32(hash: string): Hex {
  return `0x${hash}`;
}
