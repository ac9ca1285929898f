/** The state of one validator, what goes in and what comes out. Nothing here does anything. */
import type { Block, LogPlace, View } from "./block.ts";
import type { BlockCertificate, Nullification, Tip } from "./certificate.ts";
import type { LayeredMap } from "./layeredMap.ts";
import type { Message, Proposal, VoteMessage } from "./message.ts";
import type { ValidatorSet } from "./validatorSet.ts";
import type { Evidence } from "./verification.ts";
import type { SignedVote } from "./vote.ts";

/** Milliseconds. */
export interface Timing {
  /** How long a term may go without a newly finalized block; doubled by {@link BACKOFF_MAX}. */
  readonly termMs: number;
  /** A leader without orders shows after so long that it is there; well below `termMs`. */
  readonly heartbeatMs: number;
  /** After so long without a finalized block a validator repeats what it last said. */
  readonly resendMs: number;
}

export interface ConsensusConfig {
  readonly validators: ValidatorSet;
  /** This validator's place in the set. */
  readonly self: number;
  /** Of a vote's digest; a function, see `Signer`. */
  readonly sign: (digest: Uint8Array) => string;
  readonly genesis: Block;
  /**
   * Where the sitting ends, if it has been told: the block that reaches this position is the last
   * with records, and what comes after only makes it final. The next sitting begins there.
   */
  readonly end?: number | undefined;
  readonly timing: Timing;
}

/** Failed terms that make the timeout longer, each doubling it. */
export const BACKOFF_MAX = 6;
/** Notarized blocks that wait to be finalized before the leader proposes no more. */
export const PIPELINE_MAX = 16;
/** Finalized blocks that are kept to answer others; older ones are read from the store. */
export const RECENT_BLOCKS_MAX = 64;
/** Further behind than this, blocks are not fetched one by one. */
export const LAG_BLOCKS_MAX = 1024;
/** Votes are kept for indexes so far ahead and behind of what is notarized. */
export const INDEXES_AHEAD = 64;
export const INDEXES_BEHIND = 16;

export type TimerName = "term" | "heartbeat" | "resend";

/** Newest own words: older ones are never needed, since views and terms only grow. */
export interface OwnVotes {
  readonly proposal?: Proposal;
  readonly notarize?: SignedVote;
  readonly finalize?: SignedVote;
  /** With the proof that it was cast with. */
  readonly nullify?: VoteMessage;
}

/** All that must survive a crash, in one piece: some kB, replaced at each vote. */
export interface Durable {
  readonly term: number;
  readonly own: OwnVotes;
  readonly tip: Tip;
  readonly finalized: Tip;
  readonly opening: Nullification | null;
  /** Headers that were not delivered before the step. */
  readonly blocks: readonly Block[];
}

/** What the leader's own log has reached since it began to lead `term`. */
export interface Growth extends LogPlace {
  readonly term: number;
}

/** By key; only the step that has copied it writes to it. */
type Kept<V extends NonNullable<unknown>> = Omit<LayeredMap<string, V>, "set" | "delete">;

export interface ConsensusState {
  readonly config: ConsensusConfig;
  readonly term: number;
  /** Doublings of the timeout. */
  readonly backoff: number;
  /** Whether a block has been finalized since the term began. */
  readonly isFruitful: boolean;
  /** Whether one has been since `resend` last fired. */
  readonly isMoving: boolean;
  /** Newest notarized block that is known. */
  readonly tip: Tip;
  /** Newest finalized block that is known. */
  readonly finalized: Tip;
  /** Newest block handed over. */
  readonly delivered: Block;
  readonly deliveredHash: string;
  /** What ended the term before this one; null where it is not known or there is none. */
  readonly opening: Nullification | null;
  readonly own: OwnVotes;
  /** By kind, view (or term) and validator. */
  readonly votes: Kept<SignedVote>;
  /** Verified proposals: hash of the leader's first block by view. */
  readonly proposals: Kept<string>;
  readonly blocks: Kept<Block>;
  /** Whether executing a block has led to its root. */
  readonly verdicts: Kept<boolean>;
  /** Blocks that were asked for: to be executed, and of others. */
  readonly executing: string | null;
  readonly requested: string | null;
  /** Term that this validator has been told to lead. */
  readonly leading: number;
  readonly growth: Growth | null;
  readonly isHeartbeatDue: boolean;
  /** Number of the newest start of each timer: older ones no longer count. */
  readonly timers: Readonly<Record<TimerName, number>>;
  /** Why this validator says nothing more. */
  readonly halted: string | null;
}

export type ConsensusEvent =
  /** A message without fault ({@link faultOf}), from the connection of validator `from`. */
  | { readonly type: "received"; readonly from: number; readonly message: Message }
  | { readonly type: "timer"; readonly name: TimerName; readonly id: number }
  /** Root after executing the block; null where its records break the log or the rules. */
  | { readonly type: "executed"; readonly block: string; readonly root: bigint | null }
  /** The leader's log is durable and executed up to here. */
  | { readonly type: "grew"; readonly growth: Growth }
  /** The own log reaches a finalized block and agrees with it (answer to `synchronize`). */
  | { readonly type: "adopted"; readonly block: Block; readonly certificate: BlockCertificate }
  /** The term's leader shows another log here than to others, or this one cannot lead it. */
  | { readonly type: "resigned"; readonly term: number }
  /** The own log has been cut off: what was executed from `to` on must be executed again. */
  | { readonly type: "rewound"; readonly to: number };

/**
 * To be carried out in order: nothing after a `persist` that others hear of may be begun before it
 * is durable. Log records of a block must be durable before `executed` says that it is good.
 */
export type ConsensusEffect =
  | { readonly type: "persist"; readonly durable: Durable }
  | { readonly type: "broadcast"; readonly message: Message }
  | { readonly type: "send"; readonly to: number; readonly message: Message }
  /** Starts the timer, or starts it anew. */
  | {
      readonly type: "startTimer";
      readonly name: TimerName;
      readonly id: number;
      readonly ms: number;
    }
  /**
   * Say by `executed` which root the own log has where the block ends, once it reaches that far.
   * Nothing is rolled back: another log's block has no root here.
   */
  | { readonly type: "execute"; readonly block: Block }
  /** Lead: tell by `grew` how far the own log goes beyond `base`, now and whenever it grows. */
  | { readonly type: "lead"; readonly term: number; readonly base: Block }
  /** Final: durable with the next `persist`. `certificate` is its own or a successor's. */
  | { readonly type: "deliver"; readonly block: Block; readonly certificate: BlockCertificate }
  /** Send `to` this delivered block and those before it, as far as they are still stored. */
  | { readonly type: "answer"; readonly to: number; readonly block: string }
  | { readonly type: "evidence"; readonly evidence: Evidence }
  /** Too far behind: get the log up to this block's end, compare, then say `adopted`. */
  | { readonly type: "synchronize"; readonly block: Block; readonly certificate: BlockCertificate }
  /** Somebody must look: this validator contradicts a quorum, or two quorums each other. */
  | { readonly type: "halt"; readonly reason: string };

/** What a step works on: a copy that it may change, and what it has to say. */
export type Draft = { -readonly [K in keyof ConsensusState]: ConsensusState[K] } & {
  /** Where the step began; null in the first one. */
  readonly before: ConsensusState | null;
  readonly copied: Set<MapName>;
  readonly effects: ConsensusEffect[];
  isVoting: boolean;
};

type MapName = "votes" | "proposals" | "blocks" | "verdicts";
type MapOf<N extends MapName> =
  ConsensusState[N] extends Kept<infer V extends NonNullable<unknown>>
    ? LayeredMap<string, V>
    : never;

export function draftOf(state: ConsensusState, before: ConsensusState | null): Draft {
  return { ...state, before, copied: new Set(), effects: [], isVoting: false };
}

/** A map of the draft to write to: copied first, since the state before the step shares it. */
export function writable<N extends MapName>(draft: Draft, name: N): MapOf<N> {
  if (!draft.copied.has(name)) {
    draft.copied.add(name);
    Object.assign(draft, { [name]: draft[name].copy() });
  }
  return draft[name] as unknown as MapOf<N>;
}

export function viewKey({ term, index }: View): string {
  return `${term}/${index}`;
}

/** The view that comes next: after the tip in its term, or the first of a term without blocks. */
export function currentView({ tip, term }: Pick<ConsensusState, "tip" | "term">): View {
  return { term, index: tip.view.term === term ? tip.view.index + 1 : 0 };
}

/** The newest notarized block that is known, where it is here. */
export function tipBlock({
  tip,
  delivered,
  deliveredHash,
  blocks,
}: Pick<ConsensusState, "tip" | "delivered" | "deliveredHash" | "blocks">): Block | undefined {
  return tip.block === deliveredHash ? delivered : blocks.get(tip.block);
}

/** Whether this validator still votes in its term. */
export function isVoter({ own, term }: Pick<ConsensusState, "own" | "term">): boolean {
  return (own.nullify?.vote.term ?? 0) < term;
}

export function startTimer(draft: Draft, name: TimerName, ms: number): void {
  const id = draft.timers[name] + 1;
  draft.timers = { ...draft.timers, [name]: id };
  draft.effects.push({ type: "startTimer", name, id, ms });
}
