/**
 * Runs a validator over the logs of one leader after another. What the leader before wrote and
 * nobody made final is cut off where the next one goes on: the validator then begins again from its
 * store.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { RefusalError } from "../roles/refusal.ts";
import type { Validator, ValidatorPorts } from "../roles/validator.ts";
import type { Store } from "../store/store.ts";
import type { Member } from "./member.ts";
import type { MovingSequencer } from "./movingSequencer.ts";

export interface LeaderFollowingOptions {
  /** Restores a validator from the store. */
  open(): Promise<Validator>;
  readonly store: Pick<Store, "log" | "truncate">;
  readonly member: Pick<Member, "executed">;
  readonly moving: MovingSequencer;
}

export interface LeaderFollowing {
  /** Of every validator that is run. */
  readonly mayRefuse: NonNullable<ValidatorPorts["mayRefuse"]>;
  /** Until the signal aborts, or a record is refused that a quorum of the others has executed. */
  run(first: Validator, signal: AbortSignal): Promise<string | undefined>;
}

/** Between two looks at whether a leader has been replaced (ms). */
const LOOK_MS = 20;

interface Following {
  readonly options: LeaderFollowingOptions;
  cutTo: number | undefined;
  /** Where the log is being cut off just now, until the validator has begun again. */
  cutting: number | undefined;
  stop: AbortController;
  refused: RefusalError | undefined;
  /** The term in which the validator that runs has begun to read. */
  since: number;
  /** The term whose leader's word counts no more: all records are such as a quorum vouches for. */
  doubted: number | undefined;
}

export function createLeaderFollowing(options: LeaderFollowingOptions): LeaderFollowing {
  const following: Following = {
    ...{ options, cutTo: undefined, stop: new AbortController(), refused: undefined },
    ...{ cutting: undefined, since: 0, doubted: undefined },
  };
  const { moving } = options;
  moving.onCutOff((to) => {
    // Who asks has seen the log as it was before: to begin again twice would take the term's time.
    if (following.cutting !== undefined && to >= following.cutting) return;
    following.cutTo = Math.min(following.cutTo ?? to, to);
    following.stop.abort();
  });
  return {
    mayRefuse: (refusal) => {
      const isVouchedFor = refusal.epoch !== undefined && following.doubted === moving.term();
      if (isVouchedFor || moving.isFinal(refusal.position)) return true;
      following.refused = refusal;
      return false;
    },
    run: (first, signal) => run(following, first, signal),
  };
}

async function run(following: Following, first: Validator, signal: AbortSignal) {
  const { member, moving } = following.options;
  let validator = first;
  for (;;) {
    validator.onExecuted(member.executed);
    following.since = moving.term();
    const reason = await validator.run(AbortSignal.any([signal, following.stop.signal]));
    if (reason !== undefined || signal.aborted) return reason;
    if (following.refused !== undefined) await doubt(following, following.refused, signal);
    following.refused = undefined;
    validator = await begunAgain(following);
    following.cutting = undefined;
    moving.cut(validator.place());
  }
}

async function begunAgain(following: Following): Promise<Validator> {
  const { store, moving, open } = following.options;
  const { cutTo } = following;
  following.cutTo = undefined;
  following.stop = new AbortController();
  if (cutTo !== undefined && cutTo < store.log.head().position) {
    following.cutting = cutTo;
    moving.cutting(cutTo);
    await store.truncate(cutTo);
  }
  return open();
}

/**
 * The leader that has shown such a record is no source any more. Whether it was this term's leader
 * is certain of a record of the term, or when there has been no other since the first was read;
 * else the one of now has perhaps shown nothing yet, and is heard first.
 */
async function doubt(
  following: Following,
  { position, epoch }: RefusalError,
  signal: AbortSignal,
): Promise<void> {
  const { moving } = following.options;
  const term = moving.term();
  if (following.since !== term && epoch !== term) return;
  following.doubted = term;
  moving.refused(term);
  // What is refused besides records the leader alone tells, and would tell again.
  if (epoch !== undefined) return;
  const isOver = (): boolean =>
    signal.aborted || following.stop.signal.aborted || moving.isFinal(position);
  while (moving.term() === term && !isOver()) {
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}
