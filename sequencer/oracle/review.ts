/** Holds another oracle's proposal against one's own. */
import { isExpired, isQuotable, type SeriesTerms } from "./feed.ts";
import { type Proposal, type ProposedExpiry, type ProposedSlot, slotMarkets } from "./proposal.ts";
import { type OracleReject, reject } from "./rejects.ts";
import { BPS, type RiskParameters } from "./riskMatrix.ts";
import { smilesFault } from "./surface.ts";

/** How far another's proposal may be from one's own. Times in ms. */
export interface Tolerance {
  readonly ageMs: number;
  readonly aheadMs: number;
  /** Relative differences, in 1/10,000 of one's own value. */
  readonly forwardBps: number;
  readonly volatilityBps: number;
  readonly settlementBps: number;
}

/** Averages over half an hour differ less between honest oracles than prices of the moment. */
export const DEFAULT_TOLERANCE: Tolerance = {
  ageMs: 10_000,
  aheadMs: 2000,
  forwardBps: 100,
  volatilityBps: 1500,
  settlementBps: 20,
};

/** Whether a proposal's time allows to look at it at all. */
export function checkAge(
  { time }: Proposal,
  now: number,
  tolerance: Tolerance,
): OracleReject | undefined {
  const age = now - time;
  if (age > tolerance.ageMs) {
    return reject("proposalStale", `\`${age}\` ms, at most ${tolerance.ageMs}`);
  }
  if (-age > tolerance.aheadMs) {
    return reject("proposalAhead", `\`${-age}\` ms, at most ${tolerance.aheadMs}`);
  }
  return undefined;
}

/** What a signer knows itself. */
export interface OwnView {
  readonly table: readonly SeriesTerms[];
  /** What it would have proposed at the same time. */
  readonly proposal: Proposal;
  /** Settlement prices by expiry that a quorum has signed. */
  readonly signed: (expiry: number) => number | undefined;
}

/** Why this oracle does not sign, or undefined where it does. Both proposals are coherent. */
export function checkProposal(
  proposal: Proposal,
  own: OwnView,
  rules: { readonly tolerance: Tolerance; readonly parameters: RiskParameters },
): OracleReject | undefined {
  const { table } = own;
  if (proposal.slots.length !== table.length) {
    const detail = `\`${proposal.slots.length}\` slots, not the table's ${table.length}`;
    return reject("tableDiffers", detail);
  }
  for (const [index, terms] of table.entries()) {
    const fault = termsFault(proposal.slots[index] ?? null, terms);
    if (fault !== undefined) return reject("tableDiffers", `slot ${index}: ${fault}`);
  }
  for (const market of proposal.expiries) {
    const mine = own.proposal.expiries.find(({ expiry }) => expiry === market.expiry);
    const fault = expiryFault(market, mine, { proposal, own, ...rules });
    if (fault !== undefined) return fault;
  }
  return volatilityFault(proposal, own, rules) ?? smileFaultOf(proposal);
}

function termsFault(slot: ProposedSlot | null, terms: SeriesTerms): string | undefined {
  if (slot === null) return terms.status === "listed" ? "missing though listed" : undefined;
  if (!isQuotable(terms)) return "neither listed nor announced";
  if (slot.isCall !== terms.isCall) return "call and put confused";
  if (slot.strikeTicks !== terms.strike) {
    return `strike \`${slot.strikeTicks}\`, not the table's ${terms.strike}`;
  }
  if (slot.expiry !== terms.expiry) {
    return `expiry \`${slot.expiry}\`, not the table's ${terms.expiry}`;
  }
  return undefined;
}

function smileFaultOf({ time, expiries, slots }: Proposal): OracleReject | undefined {
  const smiles = expiries.flatMap(({ expiry, smile, forwardTicks }) => {
    if (smile === undefined) return [];
    const ks = slots
      .filter((slot) => slot?.expiry === expiry && slot.strikeTicks > 0)
      .map((slot) => Math.log((slot as ProposedSlot).strikeTicks / forwardTicks));
    return [{ expiry, smile, low: Math.min(...ks), high: Math.max(...ks) }];
  });
  return smilesFault(smiles, time);
}

function expiryFault(
  market: ProposedExpiry,
  mine: ProposedExpiry | undefined,
  context: {
    proposal: Proposal;
    own: OwnView;
    tolerance: Tolerance;
    parameters: RiskParameters;
  },
): OracleReject | undefined {
  const { proposal, own, tolerance, parameters } = context;
  const { expiry, settlementTicks, averageMilliticks, forwardTicks } = market;
  const of = `expiry ${expiry}`;
  const { settlementBps } = tolerance;
  // Once final, a price that a quorum has signed is the price.
  const signed = own.signed(expiry);
  const isFinal = proposal.time >= expiry * 1000 + parameters.disputeDelayMs;
  if (signed !== undefined && isFinal && settlementTicks !== signed) {
    return reject("settlementDiffers", `${of}: \`${settlementTicks}\`, signed was ${signed}`);
  }
  const settlement = deviation(settlementTicks, mine?.settlementTicks, settlementBps);
  if (settlement !== undefined) return reject("settlementDiffers", `${of}: ${settlement}`);
  if (settlementTicks !== undefined) return undefined;
  const average = deviation(averageMilliticks, mine?.averageMilliticks, settlementBps);
  if (average !== undefined) return reject("averageDiffers", `${of}: ${average}`);
  const forward = deviation(forwardTicks, mine?.forwardTicks, tolerance.forwardBps);
  return forward === undefined ? undefined : reject("forwardDiffers", `${of}: ${forward}`);
}

/** Compares what the slots' volatilities come to, be it by a smile or one by one. */
function volatilityFault(
  proposal: Proposal,
  own: OwnView,
  rules: { readonly tolerance: Tolerance; readonly parameters: RiskParameters },
): OracleReject | undefined {
  const { tolerance, parameters } = rules;
  const mine = slotMarkets(own.proposal, parameters);
  for (const [index, slot] of slotMarkets(proposal, parameters).entries()) {
    if (slot === null || slot.strikeTicks === 0) continue;
    const expiry = proposal.slots[index]?.expiry as number;
    if (isExpired({ expiry }, proposal.time)) continue;
    const fault = deviation(slot.ivBps, mine[index]?.ivBps, tolerance.volatilityBps);
    if (fault !== undefined) return reject("volatilityDiffers", `slot ${index}: ${fault}`);
  }
  return undefined;
}

/** What is wrong with a value by one's own; both missing is agreement, one missing is not. */
function deviation(
  value: number | undefined,
  own: number | undefined,
  maxBps: number,
): string | undefined {
  if (value === own) return undefined;
  if (value === undefined) return `none, but ${own} is known here`;
  if (own === undefined) return `\`${value}\`, and none of one's own to compare with`;
  if (Math.abs(value - own) * BPS <= own * maxBps) return undefined;
  return `\`${value}\` is more than ${maxBps} bps from ${own}`;
}
