/**
 * The corrupted validators, guided by one mind that knows all their keys and all that they hear.
 * They propose several blocks for one view to different validators, vote for everything, finalize
 * what they gave up, keep certificates back, replay old messages, or just hold their peace.
 */
import {
  type Block,
  blockHash,
  compareViews,
  type View,
} from "../../../sequencer/consensus/block.ts";
import {
  type BlockCertificate,
  certificateOf,
  type Nullification,
  nullificationOf,
  type Tip,
  tipOf,
} from "../../../sequencer/consensus/certificate.ts";
import type { Message, Proposal } from "../../../sequencer/consensus/message.ts";
import { leaderOf } from "../../../sequencer/consensus/validatorSet.ts";
import { faultOf, type VerificationRules } from "../../../sequencer/consensus/verification.ts";
import { type SignedVote, type Vote, voteDigest } from "../../../sequencer/consensus/vote.ts";
import type { Chance } from "../random.ts";
import type { Schedule } from "./schedule.ts";
import { type ToyLog, WITHHELD } from "./toyLog.ts";

export type Mode = "silent" | "liar" | "nuller" | "replayer";

export interface CabalOptions {
  readonly members: ReadonlyMap<number, Mode>;
  readonly rules: VerificationRules;
  readonly genesis: Block;
  readonly schedule: Schedule;
  readonly chance: Chance;
  readonly log: ToyLog;
  /** Percent of their blocks with a wrong root, or with records that nobody can get. */
  readonly badBlocks: number;
  sign(validator: number, digest: Uint8Array): string;
  send(from: number, to: number, message: Message): void;
}

export interface Cabal {
  receive(member: number, message: Message): void;
}

const MEMORY = 60;
/** Times that the liars take up one vote. */
const LIES_MAX = 8;
const DELAY_MS_MAX = 12;

export function createCabal(options: CabalOptions): Cabal {
  const { members, rules, genesis, schedule, chance, log } = options;
  const { validators } = rules;
  const honest = validators.members.map((_, index) => index).filter((i) => !members.has(i));
  const liars = [...members].filter(([, mode]) => mode === "liar").map(([index]) => index);
  const pool = new Map<string, Map<number, SignedVote>>();
  const blocks = new Map<string, Block>([[blockHash(genesis), genesis]]);
  const beginning: Tip = { view: genesis.view, block: blockHash(genesis), certificate: null };
  const tips = new Map<string, Tip>([["0/0", beginning]]);
  /** Honest validators that a version of a block is meant for. */
  const audiences = new Map<string, ReadonlySet<number>>();
  const heard: Message[] = [];
  const done = new Map<string, number>();

  const atMost = (times: number, what: string): boolean => {
    const count = (done.get(what) ?? 0) + 1;
    done.set(what, count);
    return count <= times;
  };
  const once = (what: string): boolean => atMost(1, what);
  const some = (percent: number): number[] => honest.filter(() => chance.happens(percent));
  /** Mostly those who are to believe in the block. */
  const believers = (block: string): readonly number[] => {
    const audience = audiences.get(block);
    if (audience === undefined || audience.size === honest.length) return honest;
    return honest.filter((index) => chance.happens(audience.has(index) ? 90 : 10));
  };

  function spread(from: number, message: Message, to: readonly number[]): void {
    schedule.after(chance.pick(DELAY_MS_MAX), () => {
      for (const receiver of to) options.send(from, receiver, message);
    });
  }

  function signed(member: number, vote: Vote): SignedVote {
    const signature = options.sign(member, voteDigest(validators.session, vote));
    return { ...vote, validator: member, signature };
  }

  /** Adds a vote to what is known, and what the liars can make of it. */
  function gather(vote: SignedVote): void {
    const { kind, term, view, block } = vote;
    const key = kind === "nullify" ? `nullify ${term}` : `${kind} ${block}`;
    const votes = pool.get(key) ?? new Map<number, SignedVote>();
    pool.set(key, votes.set(vote.validator, vote));
    if (!members.has(vote.validator) && atMost(LIES_MAX, key)) {
      for (const liar of liars) lie(liar, { kind, term, view, block });
    }
    if (votes.size < validators.quorum) return;
    if (kind === "nullify") endTerm(term, [...votes.values()]);
    else certify(kind, [...votes.values()]);
  }

  /** A liar's vote for what somebody else voted for, whatever it has signed before. */
  function lie(liar: number, vote: Vote): void {
    if (vote.kind === "nullify") {
      giveUp(liar, vote.term);
      return;
    }
    const kinds = chance.happens(50) ? (["notarize", "finalize"] as const) : [vote.kind];
    for (const kind of kinds) {
      const own = signed(liar, { ...vote, kind });
      spread(liar, { type: "vote", vote: own, certificate: null }, believers(vote.block));
      gather(own);
    }
  }

  function giveUp(member: number, term: number): void {
    const known = [...tips.values()].filter(({ view }) => view.term <= term);
    const { view, block, certificate } = chance.one(known.slice(-4));
    const vote = signed(member, { kind: "nullify", term, view, block });
    spread(member, { type: "vote", vote, certificate }, some(80));
    gather(vote);
  }

  function certify(kind: "notarize" | "finalize", votes: readonly SignedVote[]): void {
    const certificate = certificateOf(kind, votes.slice(0, validators.quorum));
    learn(certificate);
    if (!once(`certificate ${kind} ${certificate.block}`) || liars.length === 0) return;
    // Kept back for a while, from some for ever.
    const wait = chance.happens(30) ? 2_000 : 30;
    schedule.after(chance.pick(wait), () =>
      spread(chance.one(liars), { type: "certificate", certificate }, some(40)),
    );
  }

  function learn(certificate: BlockCertificate): void {
    const { view, block } = certificate;
    tips.set(`${view.term}/${view.index} ${block}`, tipOf(certificate));
    const leader = leaderOf(validators, view.term);
    if (!liars.includes(leader) || !once(`propose after ${block}`)) return;
    propose(leader, { term: view.term, index: view.index + 1 }, certificate);
  }

  function endTerm(term: number, votes: readonly SignedVote[]): void {
    const chosen = votes.slice(0, validators.quorum);
    const newest = chosen
      .map(({ view }) => view)
      .sort(compareViews)
      .at(-1)!;
    const known = [...tips.values()].filter(({ view }) => view.term <= term);
    const isCheating = chance.happens(40);
    // An older tip than was named would undo what is final: nobody may take it.
    const tip = isCheating
      ? chance.one(known)
      : known.find(({ view }) => compareViews(view, newest) >= 0);
    if (tip === undefined) return;
    openTerm(nullificationOf(chosen, tip));
  }

  function openTerm(nullification: Nullification): void {
    const term = nullification.term + 1;
    const leader = leaderOf(validators, term);
    if (!liars.includes(leader) || !once(`open ${term}`)) return;
    propose(leader, { term, index: 0 }, nullification);
  }

  /** Different blocks for one view, each to some. */
  function propose(leader: number, view: View, reason: Proposal["reason"]): void {
    const parent = reason === null ? beginning : reason.kind === "nullify" ? reason.tip : reason;
    const base = blocks.get(parent.block);
    if (base === undefined) return;
    // Now and then like an honest leader, or its blocks would hardly ever become final.
    const versions = chance.happens(60) ? 1 : 2 + chance.pick(2);
    const assigned = new Map(honest.map((index) => [index, chance.pick(versions)]));
    for (let version = 0; version < versions; version++) {
      const block = forge(base, view, parent.block, version);
      const hash = blockHash(block);
      blocks.set(hash, block);
      const vote = signed(leader, { kind: "notarize", term: view.term, view, block: hash });
      audiences.set(hash, new Set(honest.filter((index) => assigned.get(index) === version)));
      spread(leader, { type: "proposal", block, vote, reason }, believers(hash));
      gather(vote);
      for (const liar of liars) lie(liar, vote);
    }
  }

  function forge(base: Block, view: View, parent: string, version: number): Block {
    const isWithheld = chance.happens(options.badBlocks / 2);
    const salt = `${isWithheld ? WITHHELD : "cabal"} ${version} ${schedule.now()}`;
    const place = log.grow(base, 1 + chance.pick(3), salt);
    const root = chance.happens(options.badBlocks) ? place.root + 1n : place.root;
    return { height: base.height + 1, view, parent, from: base.to, ...place, root };
  }

  const isOurs = (term: number): boolean => members.has(leaderOf(validators, term));

  function hear(message: Message): void {
    if (faultOf(rules, message) !== undefined) return;
    heard.push(message);
    if (heard.length > MEMORY) heard.shift();
    if (message.type === "proposal") {
      blocks.set(message.vote.block, message.block);
      hearCertificate(message.reason);
      gather(message.vote);
    }
    if (message.type === "vote") {
      hearCertificate(message.certificate);
      gather(message.vote);
    }
    if (message.type === "certificate") hearCertificate(message.certificate);
  }

  function hearCertificate(certificate: BlockCertificate | Nullification | null): void {
    if (certificate === null) return;
    if (certificate.kind === "nullify") openTerm(certificate);
    else learn(certificate);
  }

  function receive(member: number, message: Message): void {
    const mode = members.get(member);
    if (mode === undefined || mode === "silent") return;
    hear(message);
    if (mode === "replayer" && heard.length > 0) {
      spread(member, chance.one(heard), [chance.one(honest)]);
    }
    if (mode === "replayer" || message.type !== "proposal") return;
    const { term } = message.block.view;
    if (mode === "liar" && (chance.happens(80) || isOurs(term))) return;
    if (once(`give up ${member} ${term}`)) giveUp(member, term);
  }

  if (liars.includes(leaderOf(validators, 1))) {
    propose(leaderOf(validators, 1), { term: 1, index: 0 }, null);
  }
  return { receive };
}
