/** A record that breaks the rules, as far as toys have any, and a follower that refuses it. */
import type { LogFollower } from "../../sequencer/ports.ts";
import { RefusalError } from "../../sequencer/roles/refusal.ts";

export const UNRULY = { type: "seal", number: 0, root: 0n } as const;

export function ruled(follower: LogFollower): LogFollower {
  return {
    ...follower,
    follow: async function* (from, signal) {
      for await (const record of follower.follow(from, signal)) {
        const { position, epoch, entry } = record;
        if (entry.type === "seal" && entry.root === UNRULY.root) {
          throw new RefusalError(position, "it breaks the rules", { epoch });
        }
        yield record;
      }
    },
  };
}
