/** Casting and counting votes, and what certificates move: the tip, finality and the term. */
import { compareViews } from "./block.ts";
import {
  type BlockCertificate,
  certificateOf,
  type Nullification,
  nullificationOf,
  tipOf,
} from "./certificate.ts";
import type { Message } from "./message.ts";
import {
  BACKOFF_MAX,
  type Draft,
  INDEXES_AHEAD,
  INDEXES_BEHIND,
  isVoter,
  startTimer,
  viewKey,
  writable,
} from "./state.ts";
import { leaderOf } from "./validatorSet.ts";
import { isSameVote, offenceOf, type SignedVote, type Vote, voteDigest } from "./vote.ts";

/** Signs a vote and counts it. The caller keeps it among its own and sends it. */
export function castVote(draft: Draft, vote: Vote): SignedVote {
  const { validators, self, sign } = draft.config;
  const signature = sign(voteDigest(validators.session, vote));
  draft.isVoting = true;
  return { ...vote, validator: self, signature };
}

export function broadcast(draft: Draft, message: Message): void {
  draft.effects.push({ type: "broadcast", message });
}

/** Votes to end the term, once. From then on nothing else is voted for in it. */
export function giveUp(draft: Draft): void {
  if (!isVoter(draft)) return;
  const { term, tip } = draft;
  const vote = castVote(draft, { kind: "nullify", term, view: tip.view, block: tip.block });
  const message = { type: "vote", vote, certificate: tip.certificate } as const;
  draft.own = { ...draft.own, nullify: message };
  broadcast(draft, message);
  addVote(draft, vote);
}

/** Counts a vote whose signature is good. One that its validator must not have cast is evidence. */
export function addVote(draft: Draft, vote: SignedVote): void {
  if (!isKept(draft, vote)) return;
  const key = voteKey(vote, vote.validator);
  const earlier = draft.votes.get(key);
  if (earlier !== undefined) {
    if (!isSameVote(earlier, vote)) accuse(draft, earlier, vote);
    return;
  }
  writable(draft, "votes").set(key, vote);
  if (vote.kind !== "notarize") findBrokenPromise(draft, vote);
  if (vote.kind === "nullify") countNullify(draft);
  else countBlock(draft, vote);
}

function accuse(draft: Draft, first: SignedVote, second: SignedVote): void {
  if (offenceOf(first, second) === undefined) return;
  draft.effects.push({ type: "evidence", evidence: { first, second } });
  const leader = leaderOf(draft.config.validators, draft.term);
  if (second.validator === leader && second.term === draft.term) giveUp(draft);
}

function findBrokenPromise(draft: Draft, vote: SignedVote): void {
  draft.votes.forEach((other) => {
    if (other.validator !== vote.validator || other.kind === vote.kind) return;
    if (offenceOf(other, vote) !== undefined) accuse(draft, other, vote);
  });
}

function countBlock(draft: Draft, { kind, view, block }: SignedVote): void {
  if (kind === "nullify") return;
  const newest = kind === "notarize" ? draft.tip : draft.finalized;
  if (compareViews(view, newest.view) <= 0) return;
  const votes = votesLike(draft, { kind, term: view.term, view }).filter(
    (vote) => vote.block === block,
  );
  if (votes.length < draft.config.validators.quorum) return;
  takeCertificate(draft, certificateOf(kind, votes));
}

function countNullify(draft: Draft): void {
  const votes = nullifyVotes(draft);
  if (votes.length < draft.config.validators.quorum) return;
  takeNullification(draft, nullificationOf(votes, draft.tip));
}

/** Votes to end the term that this validator is in. */
export function nullifyVotes(draft: Draft): SignedVote[] {
  return votesLike(draft, { kind: "nullify", term: draft.term, view: draft.tip.view });
}

function votesLike(draft: Draft, place: Pick<Vote, "kind" | "term" | "view">): SignedVote[] {
  const { members } = draft.config.validators;
  const votes = members.map((_, validator) => draft.votes.get(voteKey(place, validator)));
  return votes.filter((vote) => vote !== undefined);
}

/** Takes a certificate that has no fault; an old one changes nothing. */
export function takeCertificate(draft: Draft, certificate: BlockCertificate): void {
  const { kind, view } = certificate;
  if (compareViews(view, draft.tip.view) > 0) {
    draft.tip = tipOf(certificate);
    // A quorum votes there, so the term is open, whatever was missed on the way.
    if (view.term > draft.term) enterTerm(draft, view.term, null);
  }
  if (kind !== "finalize" || compareViews(view, draft.finalized.view) <= 0) return;
  draft.finalized = tipOf(certificate);
  draft.isMoving = true;
  if (view.term !== draft.term) return;
  draft.isFruitful = true;
  startTimer(draft, "term", timeoutOf(draft));
}

/** Takes a nullification that has no fault: the next term begins, and the others hear of it. */
export function takeNullification(draft: Draft, nullification: Nullification): void {
  const { certificate } = nullification.tip;
  if (certificate !== null) takeCertificate(draft, certificate);
  if (nullification.term < draft.term) return;
  broadcast(draft, { type: "certificate", certificate: nullification });
  enterTerm(draft, nullification.term + 1, nullification);
}

function enterTerm(draft: Draft, term: number, opening: Nullification | null): void {
  const { backoff, isFruitful } = draft;
  draft.backoff = isFruitful ? Math.max(0, backoff - 1) : Math.min(BACKOFF_MAX, backoff + 1);
  draft.isFruitful = false;
  draft.isHeartbeatDue = false;
  draft.term = term;
  draft.opening = opening;
  startTimer(draft, "term", timeoutOf(draft));
  // Votes that came before the term did.
  countNullify(draft);
}

export function timeoutOf({ config, backoff }: Pick<Draft, "config" | "backoff">): number {
  return config.timing.termMs * 2 ** backoff;
}

/** Whether a vote is near enough to be kept: what one validator can fill is bounded. */
export function isKept(draft: Draft, { kind, term, view }: Vote): boolean {
  if (kind === "nullify") return Math.abs(term - draft.term) <= 1;
  const { tip } = draft;
  if (view.term === tip.view.term) {
    const ahead = view.index - tip.view.index;
    return ahead >= -INDEXES_BEHIND && ahead <= INDEXES_AHEAD;
  }
  const isNear = Math.abs(view.term - draft.term) <= 1 && view.index < INDEXES_AHEAD;
  return isNear && view.term > tip.view.term;
}

function voteKey({ kind, term, view }: Pick<Vote, "kind" | "term" | "view">, validator: number) {
  return `${kind}/${kind === "nullify" ? term : viewKey(view)}/${validator}`;
}
