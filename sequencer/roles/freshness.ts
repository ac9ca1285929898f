/**
 * When margin calls may be acted on. After a restart, and after a silence of the oracles, the first
 * snapshot alone is not trusted with anybody's positions: a second one must confirm it.
 */

export interface Freshness {
  /** A snapshot of this time (unix ms) has become the newest one. */
  note(snapshotTime: number): void;
  /** Whether positions may be liquidated by the snapshot of this time, at `now`. */
  allows(snapshotTime: number, now: number): boolean;
}

/** `startedAt` and `gapMs` in (unix) ms: a longer pause between snapshots is a silence. */
export function createFreshness({
  startedAt,
  gapMs,
}: {
  startedAt: number;
  gapMs: number;
}): Freshness {
  let newest: number | undefined;
  /** The first of the snapshots that may be acted on, once there is one. */
  let confirmed: number | undefined;

  function note(time: number): void {
    if (time <= startedAt || (newest !== undefined && time <= newest)) return;
    const isFollowing = newest !== undefined && time - newest <= gapMs;
    if (!isFollowing) confirmed = undefined;
    else confirmed ??= time;
    newest = time;
  }

  function allows(time: number, now: number): boolean {
    if (newest === undefined || confirmed === undefined) return false;
    return time >= confirmed && now - newest <= gapMs;
  }

  return { note, allows };
}
