/** Quorums of votes: what any validator, or anybody with the set of validators, can check. */
import type { View } from "./block.ts";
import type { SignedVote, Vote, VoteKind } from "./vote.ts";

export interface MemberSignature {
  readonly validator: number;
  readonly signature: string;
}

/** A quorum notarized, or finalized, `block` at `view`. */
export interface BlockCertificate {
  readonly kind: "notarize" | "finalize";
  readonly view: View;
  readonly block: string;
  readonly signatures: readonly MemberSignature[];
}

/**
 * A quorum gave up `term`. None of them finalizes anything after the newest view among their votes
 * up to the end of the term; `tip` proves a block notarized at that view or later.
 */
export interface Nullification {
  readonly kind: "nullify";
  readonly term: number;
  readonly votes: readonly (MemberSignature & Pick<Vote, "view" | "block">)[];
  readonly tip: Tip;
}

/** A notarized block. Only the genesis block has no certificate. */
export interface Tip {
  readonly view: View;
  readonly block: string;
  readonly certificate: BlockCertificate | null;
}

export function certificateOf(
  kind: BlockCertificate["kind"],
  votes: readonly SignedVote[],
): BlockCertificate {
  const { view, block } = votes[0]!;
  return { kind, view, block, signatures: votes.map(signatureOf) };
}

export function nullificationOf(votes: readonly SignedVote[], tip: Tip): Nullification {
  const entries = votes.map((vote) => ({
    ...signatureOf(vote),
    view: vote.view,
    block: vote.block,
  }));
  return { kind: "nullify", term: votes[0]!.term, votes: entries, tip };
}

/** Whether the certificate makes the block of this hash final by itself, not by a successor. */
export function isFinalizedBy(block: string, certificate: BlockCertificate): boolean {
  return certificate.kind === "finalize" && certificate.block === block;
}

export function tipOf(certificate: BlockCertificate): Tip {
  return { view: certificate.view, block: certificate.block, certificate };
}

/** The votes that a certificate stands for, each with its signature. */
export function votesOf(certificate: BlockCertificate | Nullification): SignedVote[] {
  if (certificate.kind === "nullify") {
    const { term, votes } = certificate;
    return votes.map((vote) => ({ kind: "nullify" as VoteKind, term, ...vote }));
  }
  const { kind, view, block } = certificate;
  return certificate.signatures.map((signature) => ({
    ...{ kind, term: view.term, view, block },
    ...signature,
  }));
}

function signatureOf({ validator, signature }: SignedVote): MemberSignature {
  return { validator, signature };
}
