/**
 * Why market data, or another oracle's proposal, is refused. Codes below 20 speak of one reading or
 * quote, those of 20 to 39 of the market as a whole, those from 40 on of a proposal.
 */
export const ORACLE_REJECTS = {
  notFinite: { code: 1, text: "not a finite number" },
  notPositive: { code: 2, text: "zero or negative" },
  outOfRange: { code: 3, text: "outside of what the market can express" },
  stale: { code: 4, text: "older than the staleness limit" },
  fromFuture: { code: 5, text: "dated ahead of the clock" },
  decimalsChanged: { code: 6, text: "a power of ten away from the last accepted value" },
  crossed: { code: 7, text: "bid above ask" },
  duplicateStrike: { code: 8, text: "quoted twice by one source" },
  expiredStrike: { code: 9, text: "expired" },
  outsideBounds: { code: 10, text: "a price that no volatility gives" },
  noAnswer: { code: 11, text: "the source does not answer" },
  tooFewSources: { code: 20, text: "fewer live sources than needed" },
  sourcesDisagree: { code: 21, text: "no sufficient number of sources agrees" },
  jump: { code: 22, text: "beyond the jump limit and not yet confirmed" },
  missingForward: { code: 23, text: "no forward for a listed expiry" },
  missingVolatility: { code: 24, text: "no volatility for a listed series" },
  butterflyArbitrage: { code: 25, text: "a butterfly with a negative price" },
  calendarArbitrage: { code: 26, text: "less total variance at the later expiry" },
  settlementGaps: { code: 27, text: "too little of the settlement window was seen" },
  malformed: { code: 40, text: "not a well-formed proposal" },
  proposalStale: { code: 41, text: "an old proposal" },
  proposalAhead: { code: 42, text: "a proposal from the future" },
  tableDiffers: { code: 43, text: "another series table" },
  forwardDiffers: { code: 44, text: "another forward" },
  volatilityDiffers: { code: 45, text: "another volatility" },
  averageDiffers: { code: 46, text: "another average in the settlement window" },
  settlementDiffers: { code: 47, text: "another settlement price" },
} as const;

export type OracleRejectName = keyof typeof ORACLE_REJECTS;

/** `reason` names what was refused, with its value in backticks. */
export interface OracleReject {
  readonly name: OracleRejectName;
  readonly code: number;
  readonly reason: string;
}

/** A reject whose reason begins with its text: `zero or negative: index \`0\``. */
export function reject(name: OracleRejectName, detail: string): OracleReject {
  const { code, text } = ORACLE_REJECTS[name];
  return { name, code, reason: `${text}: ${detail}` };
}

/** A value, or why there is none. */
export type Outcome<T> =
  | { readonly value: T; readonly refused?: undefined }
  | { readonly refused: OracleReject; readonly value?: undefined };

export function refuse(name: OracleRejectName, detail: string): { refused: OracleReject } {
  return { refused: reject(name, detail) };
}
