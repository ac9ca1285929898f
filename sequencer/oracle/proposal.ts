/**
 * How oracles come to one snapshot: one proposes the market data as integers, the others compare
 * them with what they see themselves, all compute the same risk matrix from them and sign it.
 */
import { z } from "zod";
import { STRIKE_BITS, TIME_BITS } from "../protocol/constants.ts";
import { sign } from "../protocol/eddsa.ts";
import type { SlotRisk } from "../protocol/snapshot.ts";
import { type OracleSignature, type Snapshot, snapshotHash } from "../protocol/snapshot.ts";
import { type Feed, isExpired, type Market, type SeriesTerms } from "./feed.ts";
import {
  BPS,
  buildRiskMatrix,
  IV_BPS_MAX,
  type RiskParameters,
  type SlotMarket,
} from "./riskMatrix.ts";

/** JSON-safe. `time` in unix ms; one entry for each slot, null where no series is listed. */
export interface Proposal {
  readonly time: number;
  readonly slots: readonly (SlotMarket | null)[];
}

const ticks = z
  .int()
  .min(0)
  .max(2 ** STRIKE_BITS - 1);
const proposalSchema = z.strictObject({
  time: z
    .int()
    .min(0)
    .max(2 ** TIME_BITS - 1),
  slots: z.array(
    z.nullable(
      z.strictObject({
        isCall: z.boolean(),
        strikeTicks: ticks,
        forwardTicks: ticks,
        ivBps: z.int().min(0).max(IV_BPS_MAX),
        timeToExpiryMs: z.int(),
        settlementTicks: ticks.optional(),
      }),
    ),
  ),
});

/** A proposal from another oracle. Throws zod's error, which names the wrong field. */
export function proposalFromJson(value: unknown): Proposal {
  return proposalSchema.parse(value);
}

/** What this oracle would sign at `now` (unix ms). */
export async function propose(
  feed: Feed,
  table: readonly SeriesTerms[],
  now: number,
): Promise<Proposal> {
  const market = await feed.read(now, table);
  return { time: now, slots: table.map((terms, slot) => slotMarket(terms, slot, market, now)) };
}

function slotMarket(
  terms: SeriesTerms,
  slot: number,
  market: Market,
  now: number,
): SlotMarket | null {
  if (terms.status !== "listed") return null;
  const settlement = isExpired(terms, now) ? market.settlementTicks.get(terms.expiry) : undefined;
  const forward = market.forwardTicks.get(terms.expiry) ?? settlement;
  const iv = market.ivBps[slot];
  if (forward === undefined || iv === undefined) {
    throw new Error(`The feed has no market for slot \`${slot}\`, expiry \`${terms.expiry}\`.`);
  }
  return {
    isCall: terms.isCall,
    strikeTicks: terms.strike,
    forwardTicks: forward,
    ivBps: iv,
    timeToExpiryMs: terms.expiry * 1000 - now,
    ...(settlement === undefined ? {} : { settlementTicks: settlement }),
  };
}

/** How far another's proposal may be from one's own view. Times in ms. */
export interface Tolerance {
  readonly ageMs: number;
  readonly aheadMs: number;
  /** Relative differences, in 1/10,000 of one's own value. */
  readonly forwardBps: number;
  readonly volatilityBps: number;
  readonly settlementBps: number;
}

export const DEFAULT_TOLERANCE: Tolerance = {
  ageMs: 10_000,
  aheadMs: 2_000,
  forwardBps: 100,
  volatilityBps: 1500,
  settlementBps: 50,
};

/** What a signer knows itself: its clock, the series table, and its feed's market of that time. */
export interface OwnView {
  readonly now: number;
  readonly table: readonly SeriesTerms[];
  readonly market: Market;
}

/** Why this oracle does not sign, or undefined where it does. */
export function checkProposal(
  proposal: Proposal,
  ownView: OwnView,
  tolerance: Tolerance,
): string | undefined {
  const { now, table } = ownView;
  const age = now - proposal.time;
  if (age > tolerance.ageMs) return `stale: \`${age}\` ms old, at most ${tolerance.ageMs}`;
  if (-age > tolerance.aheadMs) return `\`${-age}\` ms ahead, at most ${tolerance.aheadMs}`;
  if (proposal.slots.length !== table.length) {
    return `\`${proposal.slots.length}\` slots, not the table's ${table.length}`;
  }
  for (const [index, terms] of table.entries()) {
    const slot = proposal.slots[index] ?? null;
    const reason =
      checkTerms(slot, terms, proposal.time) ??
      (slot === null ? undefined : checkMarket({ slot, index, terms, ownView, tolerance }));
    if (reason !== undefined) return `slot ${index}: ${reason}`;
  }
  return undefined;
}

function checkTerms(slot: SlotMarket | null, terms: SeriesTerms, time: number): string | undefined {
  const isListed = terms.status === "listed";
  if (slot === null) return isListed ? "missing though listed" : undefined;
  if (!isListed) return "not listed";
  if (slot.isCall !== terms.isCall) return "call and put confused";
  if (slot.strikeTicks !== terms.strike) {
    return `strike \`${slot.strikeTicks}\`, not the table's ${terms.strike}`;
  }
  if (slot.timeToExpiryMs !== terms.expiry * 1000 - time) {
    return `time to expiry \`${slot.timeToExpiryMs}\` does not follow from the table`;
  }
  if (slot.settlementTicks !== undefined && !isExpired(terms, time)) {
    return "settled before its expiry";
  }
  return undefined;
}

function checkMarket(options: {
  slot: SlotMarket;
  index: number;
  terms: SeriesTerms;
  ownView: OwnView;
  tolerance: Tolerance;
}): string | undefined {
  const { slot, index, terms, tolerance } = options;
  const { forwardTicks, ivBps, settlementTicks } = options.ownView.market;
  const settlement = settlementTicks.get(terms.expiry);
  if (slot.settlementTicks !== undefined) {
    // The mark is the payoff at this price: neither forward nor volatility matters any more.
    return deviation("settlement", slot.settlementTicks, settlement, tolerance.settlementBps);
  }
  const forward = forwardTicks.get(terms.expiry) ?? settlement;
  return (
    deviation("forward", slot.forwardTicks, forward, tolerance.forwardBps) ??
    deviation("volatility", slot.ivBps, ivBps[index], tolerance.volatilityBps)
  );
}

function deviation(
  name: string,
  value: number,
  own: number | undefined,
  maxBps: number,
): string | undefined {
  if (own === undefined) return `no ${name} of one's own to compare with`;
  if (Math.abs(value - own) * BPS <= own * maxBps) return undefined;
  return `${name} \`${value}\` is more than ${maxBps} bps from ${own}`;
}

/** The risk matrix of a proposal: the same integers at every oracle. */
export function proposalToSlots(proposal: Proposal, parameters: RiskParameters): SlotRisk[] {
  return buildRiskMatrix({ slots: proposal.slots, parameters });
}

/** Signs time and risk matrix for one deployment (`domain`). `signerIndex`: place in the set. */
export function signSnapshot(
  secret: bigint,
  signerIndex: number,
  domain: bigint,
  snapshot: Omit<Snapshot, "signatures">,
): OracleSignature {
  return { signer: signerIndex, ...sign(secret, snapshotHash(domain, snapshot)) };
}

/** Puts signatures in the order that a batch needs; of a signer that signed twice, the first. */
export function assembleSnapshot(options: {
  proposal: Proposal;
  parameters: RiskParameters;
  signatures: readonly OracleSignature[];
}): Snapshot {
  const { proposal, parameters, signatures } = options;
  const bySigner = new Map<number, OracleSignature>();
  for (const signature of signatures) {
    if (!bySigner.has(signature.signer)) bySigner.set(signature.signer, signature);
  }
  const ordered = [...bySigner.values()].sort((a, b) => a.signer - b.signer);
  const slots = proposalToSlots(proposal, parameters);
  return { time: proposal.time, slots, signatures: ordered };
}
