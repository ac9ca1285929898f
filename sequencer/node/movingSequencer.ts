/** Puts together what a member needs where the sequencer moves with the leader. */
import type { Block, LogPlace } from "../consensus/block.ts";
import { createLeadLine } from "../gossip/leadLine.ts";
import type { MemberMesh } from "../gossip/memberNetwork.ts";
import { createMovingFollower, type MovingFollower } from "../gossip/movingFollower.ts";
import type { LeadLine, LogFollower, Logger } from "../ports.ts";
import type { Moving } from "../roles/certifiedBlocks.ts";
import type { Certifier } from "../roles/certifier.ts";
import type { ExecutedLog, ExecutedPlace } from "../roles/executedLog.ts";
import { createLeadership, type Leadership } from "../roles/leadership.ts";
import type { Replication } from "../roles/replication.ts";
import type { Store } from "../store/store.ts";
import { realScheduler } from "./systemClock.ts";

export interface MovingOptions {
  readonly self: number;
  readonly mesh: MemberMesh;
  readonly sequencer: string | readonly string[];
  readonly genesis: Block;
  readonly store: { readonly log: Pick<Store["log"], "head" | "read"> };
  readonly logger: Logger;
}

/** What the certifier and the log of this member are reached by. */
interface Attached {
  readonly log: ExecutedLog;
  readonly replication: Replication;
  certifier(): Certifier;
}

export interface MovingSequencer {
  readonly follower: LogFollower;
  /** Told when another sequencer is followed. */
  onMove(listener: (leader: number) => void): void;
  attach(attached: Attached): Moving;
  finalized(block: Block): void;
  /**
   * Told that the own log must end at `to`: whoever executes it stops, cuts it off, begins again
   * from the store, and says so by `cutting` and `cut`.
   */
  onCutOff(listener: (to: number) => void): void;
  cutting(to: number): void;
  cut(place: ExecutedPlace): void;
  /**
   * The log of the term's leader breaks the rules here: the term must end, and until it does the
   * log is taken from other members alone, as far as a quorum vouches for it.
   */
  refused(term: number): void;
  /** Whether the record at the position is final. */
  isFinal(position: number): boolean;
  term(): number;
  stop(): Promise<void>;
}

/** Undefined where one sequencer stays. */
export async function openMoving(options: MovingOptions): Promise<MovingSequencer | undefined> {
  const { self, mesh, sequencer, genesis, store, logger } = options;
  if (typeof sequencer === "string") return undefined;
  const { node } = mesh;
  const follower = await createMovingFollower({ node, servers: sequencer, logger });
  const source = { record: (from: number) => store.log.read(from) };
  const line = createLeadLine({ node, server: sequencer[self]!, source, logger });
  return createMoving({ self, follower, line, genesis, logger });
}

/** With the lines to the sequencers given. */
export function createMoving(options: {
  readonly self: number;
  readonly follower: MovingFollower;
  readonly line: LeadLine;
  readonly genesis: Block;
  readonly logger: Logger;
}): MovingSequencer {
  const { self, follower, line, genesis, logger } = options;
  const moves = new Set<(leader: number) => void>();
  let cutOff: (to: number) => void = () => undefined;
  let attached: Attached | undefined;
  let leadership: Leadership | undefined;
  const final = (): LogPlace => attached?.certifier().progress().final?.block ?? genesis;
  return {
    follower,
    onMove: (listener) => void moves.add(listener),
    attach: (parts) => {
      attached = parts;
      leadership = createLeadership({
        ...{ self, line, log: parts.log, scheduler: realScheduler, logger, final },
        moveTo: (leader) => {
          follower.moveTo(leader);
          for (const listener of moves) listener(leader);
        },
        trust: parts.replication.trust,
        want: parts.replication.want,
        cutOff: (to) => cutOff(to),
        resign: (term) => parts.certifier().resign(term),
      });
      return leadership;
    },
    finalized: ({ to, logHash }) => line.finalized({ to, logHash }),
    onCutOff: (listener) => {
      cutOff = listener;
    },
    cutting: (to) => attached?.log.cutting(to),
    cut: (place) => {
      attached?.replication.forget();
      attached?.certifier().rewound(place);
    },
    refused: (term) => {
      // First: the term may end at once, and the next one's leader is a source.
      attached?.replication.trust(false);
      attached?.certifier().resign(term);
    },
    isFinal: (position) => position < final().to,
    term: () => attached?.certifier().progress().term ?? 0,
    stop: async () => {
      leadership?.stop();
      await line.stop();
    },
  };
}
