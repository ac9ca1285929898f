/** An entry that no honest sequencer would write: validators refuse, the sequencer has a bug. */
export class InvalidEntryError extends Error {
  override name = "InvalidEntryError";
}

/** Throws {@link InvalidEntryError} with `reason` unless `condition` holds. */
export function requireEntry(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new InvalidEntryError(reason);
}
