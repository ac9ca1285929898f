/** What a member with toys for records has in place of a validator. */
import type { LeaderFollowing } from "../../sequencer/node/leaderFollowing.ts";
import type { Member } from "../../sequencer/node/member.ts";
import { RefusalError } from "../../sequencer/roles/refusal.ts";
import type { Validator } from "../../sequencer/roles/validator.ts";
import type { Store } from "../../sequencer/store/store.ts";
import { placeOf, replicate } from "./committee.ts";
import { ruled } from "./unruly.ts";

/** A record's root is what its seal says. */
export async function openToyValidator(
  member: Member,
  store: Store,
  mayRefuse: LeaderFollowing["mayRefuse"],
): Promise<Validator> {
  const follower = ruled(member.follower);
  const place = await placeOf(store);
  let executed: Member["executed"] = () => undefined;
  return {
    place: () => place,
    onExecuted: (listener) => {
      executed = listener;
    },
    progress: () => ({ position: store.log.head().position, attested: 0 }),
    run: async (signal) => {
      try {
        await replicate({ follower, executed }, store, place.root, signal);
      } catch (error) {
        if (!(error instanceof RefusalError)) throw error;
        if (mayRefuse(error)) return error.message;
      }
      return undefined;
    },
  };
}
