/**
 * Which sitting of validators a store's log was certified by, where the sequencer moves with the
 * leader. What a sitting has not made final is cut off: one that begins at the log's first record
 * would so take all that stands in it, and one that begins where another has ended must not be left
 * with what that one never finished.
 */
import type { Beginning } from "../consensus/handover.ts";
import type { Log } from "../ports.ts";
import type { Store } from "../store/store.ts";
import { ConfigError } from "./config.ts";

const NAME = "sitting";
/** Position up to which the log was another sitting's, and final. */
const FROM = "sitting/from";

/** The sitting that a node is configured for. */
export interface OwnSitting {
  readonly session: string;
  /** Absent: it begins at the first record. */
  readonly beginning?: Beginning | undefined;
}

/**
 * Of a sequencer: its log keeps no more than its own member has as final. Throws ConfigError where
 * the log is another sitting's, and this one does not begin where that has ended.
 */
export async function holdToSitting(
  store: Pick<Store, "log" | "values">,
  own: OwnSitting,
): Promise<void> {
  await sittingBefore(store, own);
  await store.values.set(NAME, own.session);
}

/**
 * Of a member, which then holds nothing but what was final in the sitting before: up to the new
 * one's beginning where its log leads there, else as far as it knows for sure. Throws likewise.
 */
export async function enterSitting(
  store: Pick<Store, "log" | "values" | "truncate" | "certification">,
  own: OwnSitting,
): Promise<void> {
  const { log, values, certification, truncate } = store;
  const before = await sittingBefore(store, own);
  if (before !== undefined) {
    const { delivered } = await certification(before).load();
    const from = ((await values.get(FROM)) as number | undefined) ?? 0;
    const final = Math.max(from, delivered?.block.to ?? 0);
    const to = own.beginning?.to ?? 0;
    if (final > to) {
      throw new ConfigError(
        `\`certification.handover\` ends at \`${to}\`, but \`${final}\` records are final here`,
      );
    }
    const kept = (await leadsTo(log, own.beginning)) ? to : final;
    if (log.head().position > kept) await truncate(kept);
    await values.set(FROM, kept);
  }
  await values.set(NAME, own.session);
}

/** What became final last may not have been written down as such before the node ended. */
async function leadsTo(log: Pick<Log, "head" | "read">, place?: Beginning): Promise<boolean> {
  if (place === undefined || log.head().position < place.to) return false;
  for await (const { hash } of log.read(place.to - 1)) return hash === place.logHash;
  return false;
}

/** The sitting whose log this was until now. */
async function sittingBefore(
  { log, values }: Pick<Store, "log" | "values">,
  { session, beginning }: OwnSitting,
): Promise<string | undefined> {
  const known = (await values.get(NAME)) as string | undefined;
  if (known === undefined || known === session || log.head().position === 0) return undefined;
  if (beginning !== undefined) return known;
  throw new ConfigError(
    "`certification` has another `epoch`, or other validators, than this node's log was " +
      "certified by. Where the sequencer moves with the leader that would cut off the whole log: " +
      "go on with those of before, or name in `handover` the file with which they have ended",
  );
}
