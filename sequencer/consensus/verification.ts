/** What must hold of a message before the state machine may see it. */
import { type Block, blockHash, compareViews } from "./block.ts";
import { type BlockCertificate, type Nullification, type Tip, votesOf } from "./certificate.ts";
import type { Message, Proposal, VoteMessage } from "./message.ts";
import type { Verify } from "./signing.ts";
import { leaderOf, type ValidatorSet } from "./validatorSet.ts";
import { type Offence, offenceOf, type SignedVote, voteDigest } from "./vote.ts";

export interface VerificationRules {
  readonly validators: ValidatorSet;
  /** Hash of the session's first block, which has no certificate. */
  readonly genesis: string;
  /** The first block's term, in which nobody votes. */
  readonly termBefore: number;
  readonly verify: Verify;
}

export function rulesOf(
  validators: ValidatorSet,
  genesis: Block,
  verify: Verify,
): VerificationRules {
  return { validators, genesis: blockHash(genesis), termBefore: genesis.view.term, verify };
}

/** Two votes of one validator that no honest one casts. */
export interface Evidence {
  readonly first: SignedVote;
  readonly second: SignedVote;
}

type SigningRules = Pick<VerificationRules, "validators" | "verify">;

/** What the evidence proves of its validator; undefined when it proves nothing. Needs no state. */
export function checkEvidence(
  rules: SigningRules,
  { first, second }: Evidence,
): Offence | undefined {
  if (first.validator !== second.validator) return undefined;
  if (!isSigned(rules, first) || !isSigned(rules, second)) return undefined;
  return offenceOf(first, second);
}

/** Why a message must be dropped. Whoever sent it is faulty: honest ones check first. */
export function faultOf(rules: VerificationRules, message: Message): string | undefined {
  switch (message.type) {
    case "proposal":
      return proposalFault(rules, message);
    case "vote":
      return voteFault(rules, message);
    case "certificate":
      return certificateFault(rules, message.certificate);
    case "request":
    case "blocks":
      // Blocks are taken by the hash that was asked for.
      return undefined;
  }
}

/** Why the certificate does not make this very block final. */
export function finalFault(
  rules: Omit<VerificationRules, "genesis">,
  block: Block,
  certificate: BlockCertificate,
): string | undefined {
  if (certificate.kind !== "finalize") return "a notarized block may yet be replaced";
  const isOfBlock = certificate.block === blockHash(block);
  if (!isOfBlock || compareViews(certificate.view, block.view) !== 0) {
    return "the certificate is of another block";
  }
  return certificateFault({ ...rules, genesis: rules.validators.session }, certificate);
}

function proposalFault(rules: VerificationRules, proposal: Proposal): string | undefined {
  const { block, vote, reason } = proposal;
  const { term, index } = block.view;
  if (term <= rules.termBefore) return "it proposes in no term";
  if (vote.validator !== leaderOf(rules.validators, term)) return "it is not from the leader";
  const isOwn = vote.kind === "notarize" && vote.block === blockHash(block);
  if (!isOwn || compareViews(vote.view, block.view) !== 0 || vote.term !== term) {
    return "the leader's vote is for something else";
  }
  if (!isSigned(rules, vote)) return "the leader's vote is not signed by it";
  if (reason !== null) {
    const fault = certificateFault(rules, reason);
    if (fault !== undefined) return fault;
  }
  return isReason(rules, block.parent, { term, index }, reason) ? undefined : "nothing permits it";
}

/** Whether `reason` lets a block with `parent` stand at the view. */
function isReason(
  { genesis, termBefore }: VerificationRules,
  parent: string,
  { term, index }: { term: number; index: number },
  reason: Proposal["reason"],
): boolean {
  if (reason === null) return term === termBefore + 1 && index === 0 && parent === genesis;
  if (reason.kind === "nullify") {
    return index === 0 && reason.term === term - 1 && reason.tip.block === parent;
  }
  const isBefore = compareViews(reason.view, { term, index: index - 1 }) === 0;
  return index > 0 && isBefore && reason.block === parent;
}

function voteFault(
  rules: VerificationRules,
  { vote, certificate }: VoteMessage,
): string | undefined {
  const { term, view, block } = vote;
  if (vote.kind === "nullify") {
    if (term <= rules.termBefore || view.term > term)
      return "it gives up another term than that of its tip";
    const fault = tipFault(rules, { view, block, certificate });
    if (fault !== undefined) return fault;
  } else if (term <= rules.termBefore || view.term !== term || certificate !== null) {
    return "a vote for a block has its term and nothing else";
  }
  return isSigned(rules, vote) ? undefined : "the vote is not signed by its validator";
}

function certificateFault(
  rules: VerificationRules,
  certificate: BlockCertificate | Nullification,
): string | undefined {
  const votes = votesOf(certificate);
  const validators = new Set(votes.map(({ validator }) => validator));
  if (validators.size !== votes.length) return "a validator stands twice in a certificate";
  if (votes.length < rules.validators.quorum) return "a certificate lacks a quorum";
  const fault =
    certificate.kind === "nullify"
      ? nullificationFault(rules, certificate)
      : certificate.view.term <= rules.termBefore && "the first block has no certificate";
  if (fault) return fault;
  return votes.every((vote) => isSigned(rules, vote)) ? undefined : "a certificate is forged";
}

function nullificationFault(rules: VerificationRules, nullification: Nullification) {
  const { term, votes, tip } = nullification;
  if (term <= rules.termBefore || tip.view.term > term) return "its tip is of a later term";
  if (votes.some(({ view }) => compareViews(view, tip.view) > 0)) return "a vote knows a newer tip";
  return tipFault(rules, tip);
}

function tipFault(rules: VerificationRules, { view, block, certificate }: Tip) {
  if (certificate === null) {
    const isFirst = view.term === rules.termBefore && view.index === 0;
    return isFirst && block === rules.genesis ? undefined : "its tip has no certificate";
  }
  const isSame = certificate.block === block && compareViews(certificate.view, view) === 0;
  return isSame ? certificateFault(rules, certificate) : "its tip has another block's certificate";
}

function isSigned({ validators, verify }: SigningRules, vote: SignedVote) {
  const member = validators.members[vote.validator];
  if (member === undefined) return false;
  return verify(member, voteDigest(validators.session, vote), vote.signature);
}
