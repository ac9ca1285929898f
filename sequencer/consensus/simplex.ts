/**
 * Certification: Simplex with stable leaders, as a pure function of state and event.
 *
 * Sources: B. Y. Chan and R. Pass, "Simplex Consensus: A Simple and Fast Consensus Protocol" (TCC
 * 2023, eprint 2023/463), and the prose specification of Commonware's `simplex`, from which the
 * separate notarize and nullify votes, fetching on demand, and the rule that a nullification covers
 * the rest of a leader's term are taken. `n >= 3f + 1`, a quorum is `ceil(2n / 3)` votes by count.
 *
 * A view is (term, index), ordered by term first. One leader, `(term - 1) mod n`, proposes a block
 * for each index of its term, each on the one before. A validator
 *
 *  N  notarizes at most one block at a view, in ascending views, once it has executed it with the
 *     stated root: of the leader's first proposal at the view after its tip, whose parent is
 *     notarized at the view before (index > 0), or is the tip of a nullification of the term
 *     before (index 0). The tip is the newest notarized block that it knows.
 *  F  finalizes its tip, in the term that it is in, once it has executed it.
 *  G  gives up a term with one nullify vote that names its tip and proves it, when: no block was
 *     finalized for the term's timeout, the leader proposed a bad block or two for one view, it
 *     shows another log than it proposed or one that breaks the rules, the leader itself gave up,
 *     or f + 1 others did. From then on it neither notarizes nor finalizes in that term
 *     or before.
 *  T  enters term t + 1 by a nullification of t: a quorum of nullify votes with a notarized block
 *     at least as new as every tip they name; or by a certificate of a block of that term.
 *  D  delivers a block once it or a successor has a quorum of finalize votes and it has been
 *     executed here with its root.
 *  E  notarizes no records after the block that reaches the sitting's end, where it has been told
 *     one: blocks without records go on, so that the last one with records becomes final.
 *  P  makes every vote durable before it leaves. Of its votes only the newest of each kind matters,
 *     since views and terms only grow: the newest three, the tip and the blocks above the last
 *     delivered are all that is kept, in one record.
 *
 * Why it is safe with at most f liars. Two quorums share an honest validator, so by N one block at
 * most is notarized at a view. Let `b` be finalized at `v = (t, i)`. Any block notarized at a later
 * view descends from `b`: within the term by induction over N. In a later term u, follow the first
 * block's parent `h`, the tip of a nullification of u - 1: were `h` before `v`, a quorum would have
 * named tips before `v` and promised to finalize nothing from there to the end of term u - 1 >= t;
 * one honest member of it finalized `b`, before (then its tip was at least `v`, by F) or after
 * (which G forbids): a contradiction. So `h` is at `v` or later, and descends from `b`.
 *
 * Why a sitting that ends has one end: a block with records after it would need a quorum, and so
 * the vote of an honest member that was told the end, which E forbids where a quorum has been told.
 * All final blocks from there on have the place of the last one with records.
 *
 * What differs from the paper: a nullify vote speaks for all views from the voter's tip to the end
 * of the term, so that one certificate replaces the chain of dummy blocks; blocks are executed
 * before both votes; timeouts double with each term that finalizes nothing and halve, a step at a
 * time, with each that does.
 */
import { type Block, blockHash, brokenLink, compareViews } from "./block.ts";
import { type BlockCertificate, isFinalizedBy } from "./certificate.ts";
import {
  answerRequest,
  candidateOf,
  deliverNext,
  executeNext,
  isGood,
  requestMissing,
  takeBlocks,
} from "./chain.ts";
import { LayeredMap } from "./layeredMap.ts";
import type { Proposal, VoteMessage } from "./message.ts";
import { closeDraft } from "./retention.ts";
import {
  type ConsensusConfig,
  type ConsensusEffect,
  type ConsensusEvent,
  type ConsensusState,
  currentView,
  type Draft,
  type Durable,
  draftOf,
  isVoter,
  PIPELINE_MAX,
  startTimer,
  tipBlock,
  viewKey,
  writable,
} from "./state.ts";
import { leaderOf } from "./validatorSet.ts";
import {
  addVote,
  broadcast,
  castVote,
  giveUp,
  isKept,
  nullifyVotes,
  takeCertificate,
  takeNullification,
  timeoutOf,
} from "./voting.ts";

export interface Step {
  readonly state: ConsensusState;
  readonly effects: readonly ConsensusEffect[];
}

/** What a validator that was here before begins with. */
export interface Memory {
  /** The newest that was made durable. Without it, one that has voted must not come back. */
  readonly durable?: Durable;
  /** The newest block that was delivered and is applied, with what it was delivered with. */
  readonly delivered?: { readonly block: Block; readonly certificate: BlockCertificate };
}

/** Actions of one step: each votes, delivers or asks for what was not before. */
const ACTIONS_MAX = 10_000;

/** The first step: begins, or goes on after a crash. */
export function start(config: ConsensusConfig, { durable, delivered }: Memory = {}): Step {
  const genesis = { view: config.genesis.view, block: blockHash(config.genesis) };
  const beginning = { ...genesis, certificate: null };
  const last = delivered?.block ?? config.genesis;
  const state: ConsensusState = {
    config,
    term: durable?.term ?? config.genesis.view.term + 1,
    ...{ backoff: 0, isFruitful: false, isMoving: false },
    ...{ tip: durable?.tip ?? beginning, finalized: durable?.finalized ?? beginning },
    ...{ delivered: last, deliveredHash: blockHash(last) },
    ...{ opening: durable?.opening ?? null, own: durable?.own ?? {} },
    votes: new LayeredMap(),
    proposals: new LayeredMap(),
    verdicts: new LayeredMap(),
    blocks: new LayeredMap(new Map(durable?.blocks.map((block) => [blockHash(block), block]))),
    ...{ executing: null, requested: null, leading: 0, growth: null, isHeartbeatDue: false },
    ...{ timers: { term: 0, heartbeat: 0, resend: 0 }, halted: null },
  };
  const draft = draftOf(state, null);
  startTimer(draft, "term", timeoutOf(draft));
  startTimer(draft, "resend", config.timing.resendMs);
  if (delivered !== undefined) takeCertificate(draft, delivered.certificate);
  const { notarize, finalize, nullify } = draft.own;
  for (const vote of [notarize, finalize, nullify?.vote]) {
    if (vote !== undefined) addVote(draft, vote);
  }
  return finish(draft);
}

/** One event. Depends on nothing else and changes nothing: the same again gives the same again. */
export function step(state: ConsensusState, event: ConsensusEvent): Step {
  if (state.halted !== null) return { state, effects: [] };
  const draft = draftOf(state, state);
  take(draft, event);
  return finish(draft, event.type === "received" ? event.from : undefined);
}

function finish(draft: Draft, from?: number): Step {
  for (let actions = 0; draft.halted === null && act(draft); actions++) {
    if (actions > ACTIONS_MAX) throw new Error("the consensus step does not come to an end");
  }
  if (draft.halted === null) requestMissing(draft, from);
  return closeDraft(draft);
}

function take(draft: Draft, event: ConsensusEvent): void {
  switch (event.type) {
    case "received":
      takeMessage(draft, event);
      break;
    case "timer":
      if (draft.timers[event.name] === event.id) takeTimer(draft, event.name);
      break;
    case "executed": {
      const block = draft.blocks.get(event.block);
      if (draft.executing === event.block) draft.executing = null;
      if (block !== undefined)
        writable(draft, "verdicts").set(event.block, block.root === event.root);
      break;
    }
    case "grew":
      draft.growth = event.growth;
      break;
    case "adopted":
      adopt(draft, event.block, event.certificate);
      break;
    case "resigned":
      if (event.term === draft.term) giveUp(draft);
      break;
    case "rewound":
      rewind(draft, event.to);
      break;
  }
}

function takeMessage(draft: Draft, event: ConsensusEvent & { type: "received" }): void {
  const { from, message } = event;
  switch (message.type) {
    case "proposal":
      takeProposal(draft, message);
      break;
    case "vote":
      takeVote(draft, from, message);
      break;
    case "certificate":
      if (message.certificate.kind !== "nullify") takeCertificate(draft, message.certificate);
      else takeNullification(draft, message.certificate);
      break;
    case "request":
      answerRequest(draft, from, message.block);
      break;
    case "blocks":
      takeBlocks(draft, message);
      break;
  }
}

function takeProposal(draft: Draft, { block, vote, reason }: Proposal): void {
  if (reason?.kind === "nullify") takeNullification(draft, reason);
  else if (reason !== null) takeCertificate(draft, reason);
  const key = viewKey(block.view);
  if (isKept(draft, vote) && !draft.proposals.has(key)) {
    writable(draft, "proposals").set(key, vote.block);
    writable(draft, "blocks").set(vote.block, block);
  }
  addVote(draft, vote);
}

function takeVote(draft: Draft, from: number, { vote, certificate }: VoteMessage): void {
  if (certificate !== null) takeCertificate(draft, certificate);
  if (vote.kind === "nullify" && vote.term < draft.term && vote.validator === from) {
    help(draft, from, vote.term);
  }
  addVote(draft, vote);
}

/** Shows somebody who is stuck in `term` the way out of it. */
function help(draft: Draft, to: number, term: number): void {
  const { opening, tip } = draft;
  const certificate = tip.view.term > term ? tip.certificate : opening;
  if (certificate === null) return;
  draft.effects.push({ type: "send", to, message: { type: "certificate", certificate } });
}

function takeTimer(draft: Draft, name: "term" | "heartbeat" | "resend"): void {
  if (name === "term") giveUp(draft);
  if (name === "heartbeat") draft.isHeartbeatDue = true;
  if (name !== "resend") return;
  if (!draft.isMoving || !isVoter(draft)) repeat(draft);
  if (draft.requested !== null) broadcast(draft, { type: "request", block: draft.requested });
  // A block that was dropped for want of its records is asked for again.
  draft.executing = null;
  draft.isMoving = false;
  startTimer(draft, "resend", draft.config.timing.resendMs);
}

/** Says again what others may have missed: messages get lost. */
function repeat(draft: Draft): void {
  const { finalized, tip, opening, own } = draft;
  const certificates = [finalized.certificate, tip.certificate, opening];
  const isNews = tip.block !== finalized.block;
  for (const [place, certificate] of certificates.entries()) {
    if (certificate === null || (place === 1 && !isNews)) continue;
    if (place === 2 && tip.view.term === draft.term) continue;
    broadcast(draft, { type: "certificate", certificate });
  }
  const isOpen = (view: Block["view"]): boolean => compareViews(view, finalized.view) > 0;
  if (own.proposal !== undefined && isOpen(own.proposal.block.view)) broadcast(draft, own.proposal);
  for (const vote of [own.notarize, own.finalize]) {
    if (vote === undefined || !isOpen(vote.view)) continue;
    broadcast(draft, { type: "vote", vote, certificate: null });
  }
  if (own.nullify?.vote.term === draft.term) broadcast(draft, own.nullify);
}

function adopt(draft: Draft, block: Block, certificate: BlockCertificate): void {
  const hash = blockHash(block);
  if (!isFinalizedBy(hash, certificate) || block.height <= draft.delivered.height) return;
  draft.delivered = block;
  draft.deliveredHash = hash;
  writable(draft, "blocks").set(hash, block);
  writable(draft, "verdicts").set(hash, true);
  takeCertificate(draft, certificate);
}

/** Verdicts say that the own log holds a block's records: no longer, of those from `to` on. */
function rewind(draft: Draft, to: number): void {
  draft.blocks.forEach((block, hash) => {
    if (block.to > to) writable(draft, "verdicts").delete(hash);
  });
  draft.executing = null;
  draft.growth = null;
}

/** Does the first thing that is due; false when nothing is. */
function act(draft: Draft): boolean {
  return (
    joinRetreat(draft) ||
    deliverNext(draft) ||
    executeNext(draft) ||
    notarize(draft) ||
    finalize(draft) ||
    lead(draft)
  );
}

function joinRetreat(draft: Draft): boolean {
  if (!isVoter(draft)) return false;
  const { validators } = draft.config;
  const votes = nullifyVotes(draft);
  const leader = leaderOf(validators, draft.term);
  const hasLeader = votes.some(({ validator }) => validator === leader);
  if (votes.length <= validators.faultsMax && !hasLeader) return false;
  giveUp(draft);
  return true;
}

function notarize(draft: Draft): boolean {
  const candidate = candidateOf(draft);
  if (candidate === undefined || !mayNotarize(draft) || !isGood(draft, candidate.hash))
    return false;
  const { hash, block } = candidate;
  if (block.to > block.from && hasEnded(draft, block.from)) return false;
  const { view } = block;
  const vote = castVote(draft, { kind: "notarize", term: view.term, view, block: hash });
  draft.own = { ...draft.own, notarize: vote };
  broadcast(draft, { type: "vote", vote, certificate: null });
  addVote(draft, vote);
  return true;
}

/** Whether records from this position on are the next sitting's. */
function hasEnded({ config: { end } }: Draft, position: number): boolean {
  return end !== undefined && position >= end;
}

/** One notarize vote at a view, in ascending views. */
function mayNotarize(draft: Draft): boolean {
  const last = draft.own.notarize?.view;
  return isVoter(draft) && (last === undefined || compareViews(currentView(draft), last) > 0);
}

function finalize(draft: Draft): boolean {
  const { tip, term, own } = draft;
  const last = own.finalize?.view;
  const isNew = last === undefined || compareViews(tip.view, last) > 0;
  if (!isVoter(draft) || tip.view.term !== term || !isNew) return false;
  if (!isGood(draft, tip.block)) return false;
  const vote = castVote(draft, { kind: "finalize", term, view: tip.view, block: tip.block });
  draft.own = { ...draft.own, finalize: vote };
  broadcast(draft, { type: "vote", vote, certificate: null });
  addVote(draft, vote);
  return true;
}

/** The leader's part: to be told where to go on from, and to propose when there is something. */
function lead(draft: Draft): boolean {
  const { config, term, tip, growth } = draft;
  if (leaderOf(config.validators, term) !== config.self || !mayNotarize(draft)) return false;
  const base = tipBlock(draft);
  if (base === undefined || !isGood(draft, tip.block)) return false;
  if (base.height - draft.delivered.height > PIPELINE_MAX) return false;
  if (draft.leading !== term) {
    draft.leading = term;
    draft.growth = null;
    draft.effects.push({ type: "lead", term, base });
    startTimer(draft, "heartbeat", config.timing.heartbeatMs);
    return true;
  }
  const hasMore = growth !== null && growth.term === term && growth.to > base.to;
  const hasGrown = hasMore && !hasEnded(draft, base.to);
  if (!hasGrown && !draft.isHeartbeatDue) return false;
  return propose(draft, base, hasGrown ? growth : base);
}

function propose(
  draft: Draft,
  base: Block,
  { to, logHash, root }: Pick<Block, "to" | "logHash" | "root">,
): boolean {
  const view = currentView(draft);
  const reason = reasonFor(draft);
  const isFirst = view.index === 0 && view.term === draft.config.genesis.view.term + 1;
  if (reason === null && !isFirst) return false;
  const place = { height: base.height + 1, view, parent: draft.tip.block };
  const block = { ...place, from: base.to, to, logHash, root };
  const fault = brokenLink(base, block);
  if (fault !== undefined) throw new RangeError(`the log grew to a block that is wrong: ${fault}`);
  const hash = blockHash(block);
  const vote = castVote(draft, { kind: "notarize", term: view.term, view, block: hash });
  const proposal = { type: "proposal", block, vote, reason } as const;
  draft.own = { ...draft.own, proposal, notarize: vote };
  writable(draft, "blocks").set(hash, block);
  writable(draft, "verdicts").set(hash, true);
  writable(draft, "proposals").set(viewKey(view), hash);
  draft.isHeartbeatDue = false;
  broadcast(draft, proposal);
  startTimer(draft, "heartbeat", draft.config.timing.heartbeatMs);
  addVote(draft, vote);
  return true;
}

function reasonFor({ tip, opening, term }: Draft): Proposal["reason"] {
  if (tip.view.term === term) return tip.certificate;
  // The newest tip known: any is allowed that is at least as new as those in the votes.
  return opening && { ...opening, tip };
}
