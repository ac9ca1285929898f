/**
 * A member's part where the sequencer moves with the leader: whose sequencer is followed, and, when
 * this member leads, that its own one goes on where the certified log ends. A leader that cannot
 * sequence gives its term up, so that the next one need not be waited for.
 */
import type { Block, LogPlace } from "../consensus/block.ts";
import type { LeadLine, LogEnd, Logger } from "../ports.ts";
import type { Moving } from "./certifiedBlocks.ts";
import type { Certifier, Scheduler } from "./certifier.ts";
import type { ExecutedLog, ExecutedPlace } from "./executedLog.ts";
import { messageOf } from "./loop.ts";

/** How long the own sequencer may take to begin its turn (ms). */
const BEGIN_MS_MAX = 5_000;
/** Between two looks at whether the own log is ready for the turn (ms). */
const LOOK_MS = 20;

export interface LeadershipOptions {
  /** This member's place in the set. */
  readonly self: number;
  readonly line: LeadLine;
  readonly log: Pick<ExecutedLog, "head" | "placeAt">;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** The newest final place here. */
  final(): LogPlace;
  /** Whose sequencer is followed from now on. */
  moveTo(leader: number): void;
  /** Whether that sequencer is a source of the log. */
  trust(isTrusted: boolean): void;
  want(target: LogEnd): void;
  /** Cuts the own log off. */
  cutOff(to: number): void;
  resign: Certifier["resign"];
}

export interface Leadership extends Moving {
  stop(): void;
}

/** This member's turn, from the step that began it. */
interface Turn {
  readonly term: number;
  readonly base: Block;
  hasBegun: boolean;
}

interface Parts {
  readonly options: LeadershipOptions;
  turn: Turn | undefined;
  /** The wait for the own sequencer to begin. */
  cancelLate: () => void;
}

export function createLeadership(options: LeadershipOptions): Leadership {
  const parts: Parts = { options, turn: undefined, cancelLate: () => undefined };
  const { self, line } = options;
  line.onChange(() => watchLine(parts));
  return {
    onTerm: (_term, leader) => {
      endTurn(parts);
      line.finalized(options.final());
      options.trust(true);
      options.moveTo(leader);
    },
    onLead: (term, base) => {
      endTurn(parts);
      const turn: Turn = { term, base, hasBegun: false };
      parts.turn = turn;
      options.logger.info("this member leads: its sequencer writes", { self, term, from: base.to });
      const late = (): void => {
        if (parts.turn === turn && !turn.hasBegun) giveUp(parts, "its sequencer does not begin");
      };
      parts.cancelLate = options.scheduler.after(BEGIN_MS_MAX, late);
      void prepare(parts, turn);
    },
    onGivenUp: () => endTurn(parts),
    onStale: (to, isLeaderWrong) => {
      if (isLeaderWrong) options.trust(false);
      options.cutOff(to);
    },
    stop: () => endTurn(parts),
  };
}

function endTurn(parts: Parts): void {
  parts.cancelLate();
  if (parts.turn === undefined) return;
  parts.turn = undefined;
  parts.options.line.follow();
}

function giveUp(parts: Parts, reason: string): void {
  const { turn, options } = parts;
  if (turn === undefined) return;
  options.logger.warn("this member cannot lead and gives its term up", { term: turn.term, reason });
  endTurn(parts);
  options.resign(turn.term);
}

/**
 * The turn begins where the own log ends: what is missing is fetched, what is too much cut off.
 * Looks again until it does, or the turn is over.
 */
async function prepare(parts: Parts, turn: Turn): Promise<void> {
  const { log, final, want, cutOff, line, scheduler } = parts.options;
  if (parts.turn !== turn) return;
  const { to, logHash } = turn.base;
  let place: ExecutedPlace | undefined;
  try {
    place = await log.placeAt(final(), to);
  } catch (error) {
    if (parts.turn === turn) giveUp(parts, messageOf(error));
    return;
  }
  if (parts.turn !== turn) return;
  const isThere = place?.logHash === logHash;
  if (isThere && log.head().to === to) {
    line.lead({ term: turn.term, to, logHash });
    return;
  }
  if (isThere) cutOff(to);
  else {
    if (place !== undefined) cutOff(final().to);
    want({ to, logHash });
  }
  scheduler.after(LOOK_MS, () => void prepare(parts, turn));
}

function watchLine(parts: Parts): void {
  const { turn, options } = parts;
  if (turn === undefined) return;
  const isLeading = options.line.leading() === turn.term;
  if (isLeading) turn.hasBegun = true;
  else if (turn.hasBegun) giveUp(parts, "its sequencer has ended");
}
