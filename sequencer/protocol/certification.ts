/** How far the validators agree on the log, as a node tells it. */

/** Validators of `count` whose word decides: `ceil(2n / 3)`, as ValidatorRegistry.sol counts. */
export function quorumOf(count: number): number {
  return Math.floor((2 * count + 2) / 3);
}

/** Of why a validator refuses or votes no more, as it tells others; the rest is cut off. */
export const REASON_LENGTH_MAX = 1_000;

/** What one member of the validator set last reported; null before its first report. */
export interface MemberStatus {
  readonly validator: `0x${string}`;
  readonly term: number | null;
  /** Records that it has executed, how many of them are final there, and how many it lacks. */
  readonly position: number | null;
  readonly certified: number | null;
  readonly lag: number | null;
  readonly reportAgeMs: number | null;
  /** Why it votes no more, or null. */
  readonly halted: string | null;
}

export interface CertificationStatus {
  /** Records before this position are in a final block. */
  readonly position: number;
  /** Blocks up to it. */
  readonly height: number;
  /** The term that enough members report to believe it, and its leader. */
  readonly term: number;
  readonly leader: `0x${string}` | null;
  readonly members: readonly MemberStatus[];
}
