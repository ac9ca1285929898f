/**
 * Runs a validator over the logs of one leader after another. What the leader before wrote and
 * nobody made final is cut off where the next one goes on: the validator then begins again from its
 * store.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { RefusalError, Validator, ValidatorPorts } from "../roles/validator.ts";
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
  /** Until the signal aborts, or a record is refused that the others have made final. */
  run(first: Validator, signal: AbortSignal): Promise<string | undefined>;
}

/** Between two looks at whether a leader has been replaced (ms). */
const LOOK_MS = 20;

interface Following {
  readonly options: LeaderFollowingOptions;
  cutTo: number | undefined;
  stop: AbortController;
  refused: RefusalError | undefined;
}

export function createLeaderFollowing(options: LeaderFollowingOptions): LeaderFollowing {
  const following: Following = {
    ...{ options, cutTo: undefined, stop: new AbortController(), refused: undefined },
  };
  options.moving.onCutOff((to) => {
    following.cutTo = Math.min(following.cutTo ?? to, to);
    following.stop.abort();
  });
  return {
    mayRefuse: (refusal) => {
      if (options.moving.isFinal(refusal.position)) return true;
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
    const reason = await validator.run(AbortSignal.any([signal, following.stop.signal]));
    if (reason !== undefined || signal.aborted) return reason;
    if (following.refused !== undefined) {
      await otherLog(moving, following.refused.position, signal);
      following.refused = undefined;
    }
    validator = await begunAgain(following);
    moving.cut(validator.place());
  }
}

async function begunAgain(following: Following): Promise<Validator> {
  const { store, moving, open } = following.options;
  const { cutTo } = following;
  following.cutTo = undefined;
  following.stop = new AbortController();
  if (cutTo !== undefined && cutTo < store.log.head().position) {
    moving.cutting(cutTo);
    await store.truncate(cutTo);
  }
  return open();
}

/** Resolves when the record is replaced, or there to stay. */
async function otherLog(
  moving: MovingSequencer,
  position: number,
  signal: AbortSignal,
): Promise<void> {
  const term = moving.term();
  moving.refused();
  while (!signal.aborted && moving.term() === term && !moving.isFinal(position)) {
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
}
