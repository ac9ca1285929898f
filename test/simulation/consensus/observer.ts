/** Sees everything and remembers what must never be. */
import { type Block, blockHash } from "../../../sequencer/consensus/block.ts";
import { votesOf } from "../../../sequencer/consensus/certificate.ts";
import type { Message } from "../../../sequencer/consensus/message.ts";
import type { ConsensusState } from "../../../sequencer/consensus/state.ts";
import {
  checkEvidence,
  type Evidence,
  type VerificationRules,
} from "../../../sequencer/consensus/verification.ts";
import { type Offence, offenceOf, type SignedVote } from "../../../sequencer/consensus/vote.ts";
import { rootOf } from "./toyLog.ts";

export interface Observer {
  /** What went wrong, in words; a sound run has none. */
  readonly violations: readonly string[];
  readonly evidence: number;
  readonly heightMax: number;
  /** Of the greatest height. */
  readonly newest: Block;
  readonly termMax: number;
  /** Everything final, in one word. */
  digest(): string;
  stepped(validator: number, state: ConsensusState): void;
  sent(validator: number, message: Message): void;
  delivered(validator: number, block: Block): void;
  adopted(validator: number, block: Block): void;
  accused(validator: number, evidence: Evidence): void;
  halted(validator: number, reason: string): void;
}

export interface ObserverOptions {
  readonly rules: Omit<VerificationRules, "genesis">;
  readonly genesis: Block;
  /** Behind the block that reaches it none with records may become final. */
  readonly end?: number | undefined;
  /** Validators that may be proven guilty. */
  readonly corrupted: ReadonlySet<number>;
}

/** Votes that left an honest validator: one for each place, and what promises are checked by. */
interface VoteRecord {
  readonly byPlace: Map<string, SignedVote>;
  readonly nullified: SignedVote[];
  finalized?: SignedVote;
}

export function createObserver({ rules, genesis, corrupted, end }: ObserverOptions): Observer {
  const violations: string[] = [];
  /** Final blocks by height, whoever delivered first. */
  const final = new Map<number, string>([[0, blockHash(genesis)]]);
  const heads = new Map<number, Block>();
  const records = new Map<number, VoteRecord>();
  let newest = genesis;
  let [evidenceCount, heightMax, termMax] = [0, 0, 0];

  function see(validator: number, block: Block): void {
    const hash = blockHash(block);
    const { height } = block;
    const known = final.get(height);
    if (known === undefined) final.set(height, hash);
    else if (known !== hash) violations.push(`two blocks are final at height ${height}`);
    const isRight = block.to === 0 ? true : block.root === rootOf(block.logHash);
    if (!isRight) violations.push(`a wrong root is final at height ${height}`);
    const isLate = block.to > block.from && block.from >= (end ?? Number.POSITIVE_INFINITY);
    if (isLate) violations.push(`records from ${block.from} on are final after the end`);
    heads.set(validator, block);
    if (height > heightMax) newest = block;
    heightMax = Math.max(heightMax, height);
  }

  function delivered(validator: number, block: Block): void {
    const head = heads.get(validator) ?? genesis;
    const isNext = block.height === head.height + 1 && block.parent === blockHash(head);
    if (!isNext) violations.push(`${validator} delivered ${block.height} after ${head.height}`);
    see(validator, block);
  }

  function sent(validator: number, message: Message): void {
    if (corrupted.has(validator)) return;
    const record = records.get(validator) ?? { byPlace: new Map(), nullified: [] };
    records.set(validator, record);
    for (const vote of ownVotes(validator, message)) {
      const offence = offenceAgainst(record, vote);
      if (offence !== undefined) violations.push(`${validator}: ${offence} at term ${vote.term}`);
    }
  }

  return {
    violations,
    get evidence() {
      return evidenceCount;
    },
    get heightMax() {
      return heightMax;
    },
    get newest() {
      return newest;
    },
    get termMax() {
      return termMax;
    },
    digest: () => [...final].map(([height, hash]) => `${height}:${hash.slice(0, 12)}`).join(" "),
    stepped: (_validator, state) => {
      termMax = Math.max(termMax, state.term);
    },
    sent,
    delivered,
    adopted: see,
    accused: (validator, evidence) => {
      evidenceCount += 1;
      const guilty = evidence.first.validator;
      if (checkEvidence(rules, evidence) === undefined) {
        violations.push(`${validator} has evidence that proves nothing`);
      }
      if (!corrupted.has(guilty)) violations.push(`honest ${guilty} is proven guilty`);
    },
    halted: (validator, reason) => violations.push(`${validator} halted: ${reason}`),
  };
}

/** What a vote breaks of those before it, which it joins. */
function offenceAgainst(record: VoteRecord, vote: SignedVote): Offence | undefined {
  const { kind, term, view } = vote;
  const place = `${kind} ${kind === "nullify" ? term : `${view.term} ${view.index}`}`;
  const earlier = record.byPlace.get(place);
  const others = kind === "finalize" ? record.nullified : [record.finalized];
  for (const other of kind === "notarize" ? [earlier] : [earlier, ...others]) {
    const offence = other && offenceOf(other, vote);
    if (offence !== undefined) return offence;
  }
  if (earlier !== undefined) return undefined;
  record.byPlace.set(place, vote);
  if (kind === "nullify") record.nullified.push(vote);
  if (kind === "finalize") record.finalized = vote;
  return undefined;
}

function ownVotes(validator: number, message: Message): SignedVote[] {
  if (message.type === "proposal" || message.type === "vote") {
    return message.vote.validator === validator ? [message.vote] : [];
  }
  if (message.type !== "certificate") return [];
  return votesOf(message.certificate).filter((vote) => vote.validator === validator);
}
