/** Validators with toy signatures whose words can be put into anybody's mouth. */
import { bytesToHex } from "@noble/hashes/utils.js";
import {
  type Block,
  blockHash,
  genesisBlock,
  type View,
} from "../../../sequencer/consensus/block.ts";
import {
  type BlockCertificate,
  certificateOf,
  type Nullification,
  nullificationOf,
  type Tip,
} from "../../../sequencer/consensus/certificate.ts";
import type { Message, Proposal } from "../../../sequencer/consensus/message.ts";
import { type Memory, type Step, start, step } from "../../../sequencer/consensus/simplex.ts";
import type {
  ConsensusConfig,
  ConsensusEffect,
  ConsensusEvent,
  ConsensusState,
} from "../../../sequencer/consensus/state.ts";
import { createValidatorSet, leaderOf } from "../../../sequencer/consensus/validatorSet.ts";
import { type SignedVote, type VoteKind, voteDigest } from "../../../sequencer/consensus/vote.ts";

export const members = Array.from({ length: 4 }, (_, i) => `0x${`${i + 1}`.padStart(40, "0")}`);
export const validators = createValidatorSet({ domain: 5n, epoch: 1, members });
export const genesis = genesisBlock(validators.session, {
  ...{ to: 10, logHash: "ab".repeat(32), root: 77n },
});
export const genesisTip: Tip = {
  ...{ view: genesis.view, block: blockHash(genesis), certificate: null },
};
export const timing = { termMs: 100, heartbeatMs: 20, resendMs: 50 };

export function toySignature(validator: number, digest: Uint8Array): string {
  return `0x${`${validator}`.padStart(2, "0")}${bytesToHex(digest)}${"0".repeat(64)}`;
}

export const rules = {
  ...{ validators, genesis: blockHash(genesis), termBefore: 0 },
  verify: (member: string, digest: Uint8Array, signature: string) =>
    signature === toySignature(members.indexOf(member), digest),
};

export function voteBy(
  validator: number,
  kind: VoteKind,
  place: { term: number; view: View; block: string },
): SignedVote {
  const vote = { kind, ...place };
  const signature = toySignature(validator, voteDigest(validators.session, vote));
  return { ...vote, validator, signature };
}

export function voteFor(validator: number, kind: "notarize" | "finalize", block: Block) {
  return voteBy(validator, kind, {
    term: block.view.term,
    view: block.view,
    block: blockHash(block),
  });
}

export function voteMessage(
  vote: SignedVote,
  certificate: BlockCertificate | null = null,
): Message {
  return { type: "vote", vote, certificate };
}

export function certify(kind: "notarize" | "finalize", block: Block): BlockCertificate {
  return certificateOf(
    kind,
    [0, 1, 2].map((validator) => voteFor(validator, kind, block)),
  );
}

export function nullify(term: number, tip: Tip): Nullification {
  const place = { term, view: tip.view, block: tip.block };
  return nullificationOf(
    [0, 1, 2].map((validator) => voteBy(validator, "nullify", place)),
    tip,
  );
}

/** A block with one record that `salt` makes different. */
export function child(parent: Block, view: View, salt = 1): Block {
  const place = { from: parent.to, to: parent.to + 1, root: parent.root + BigInt(salt) };
  const logHash = salt.toString(16).padStart(64, "0");
  return { height: parent.height + 1, view, parent: blockHash(parent), ...place, logHash };
}

export function proposalOf(block: Block, reason: Proposal["reason"] = null): Proposal {
  const vote = voteFor(leaderOf(validators, block.view.term), "notarize", block);
  return { type: "proposal", block, vote, reason };
}

export interface Seat {
  state(): ConsensusState;
  happen(event: ConsensusEvent): readonly ConsensusEffect[];
  receive(from: number, message: Message): readonly ConsensusEffect[];
  executed(block: Block, root?: bigint | null): readonly ConsensusEffect[];
  fire(name: "term" | "heartbeat" | "resend"): readonly ConsensusEffect[];
}

/** One validator that events are handed to. `first` receives the effects of its beginning. */
export function seat(
  self: number,
  memory: Memory = {},
  first: ConsensusEffect[] = [],
  change: Partial<ConsensusConfig> = {},
): Seat {
  const sign = (digest: Uint8Array): string => toySignature(self, digest);
  const config: ConsensusConfig = { validators, self, sign, genesis, timing, ...change };
  let current: Step = start(config, memory);
  first.push(...current.effects);
  const happen = (event: ConsensusEvent): readonly ConsensusEffect[] => {
    current = step(current.state, event);
    return current.effects;
  };
  return {
    state: () => current.state,
    happen,
    receive: (from, message) => happen({ type: "received", from, message }),
    executed: (block, root = block.root) =>
      happen({ type: "executed", block: blockHash(block), root }),
    fire: (name) => happen({ type: "timer", name, id: current.state.timers[name] }),
  };
}

/** Votes among the effects: kinds in their order. */
export function votesIn(effects: readonly ConsensusEffect[]): VoteKind[] {
  return effects.flatMap((effect) => {
    if (effect.type !== "broadcast") return [];
    const { message } = effect;
    return message.type === "vote" || message.type === "proposal" ? [message.vote.kind] : [];
  });
}

export function ofType<T extends ConsensusEffect["type"]>(
  effects: readonly ConsensusEffect[],
  type: T,
): Extract<ConsensusEffect, { type: T }>[] {
  return effects.filter((effect) => effect.type === type) as Extract<
    ConsensusEffect,
    { type: T }
  >[];
}
