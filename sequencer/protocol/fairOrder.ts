/** What a deployment fixes of the rule by which messages are put in order. All in ms. */
export interface FairOrder {
  /**
   * Length of a round: inside one, cancels and post-only orders go first, then all other orders as
   * they arrived. 0: no rounds, everything goes as it arrives.
   */
  readonly roundMs: number;
  /** How much later than it arrived an order counts that may take. 0 where there are no rounds. */
  readonly bumpMs: number;
}

export const ROUND_MS_MAX = 1_000;
export const BUMP_MS_MAX = 1_000;

/** First come, first served. */
export const FIRST_COME: FairOrder = { roundMs: 0, bumpMs: 0 };

/** What nodes use where their deployment says nothing else. */
export const DEFAULT_FAIR_ORDER: FairOrder = { roundMs: 2, bumpMs: 0 };
