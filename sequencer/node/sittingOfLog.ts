/**
 * Which sitting of validators a store's log was certified by, where the sequencer moves with the
 * leader. A sitting begins at the log's first record, with terms from 1 on, and what it has not
 * made final is cut off: another one would so take all that stands in the log.
 */
import type { Store } from "../store/store.ts";
import { ConfigError } from "./config.ts";

const NAME = "sitting";

/** Throws ConfigError where the log is another sitting's. An empty one is anybody's. */
export async function holdToSitting(
  { log, values }: Pick<Store, "log" | "values">,
  session: string,
): Promise<void> {
  const known = await values.get(NAME);
  if (known === session) return;
  if (known !== undefined && log.head().position > 0) {
    throw new ConfigError(
      "`certification` has another `epoch`, or other validators, than this node's log was " +
        "certified by. Where the sequencer moves with the leader that would cut off the whole " +
        "log: go on with those of before",
    );
  }
  await values.set(NAME, session);
}
