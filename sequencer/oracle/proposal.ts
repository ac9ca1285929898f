/**
 * What one oracle proposes to the others: forwards, smiles and averages as integers. From them
 * every signer computes the same volatility of each slot and the same risk matrix.
 */
import { z } from "zod";
import { SECONDS_BITS, SLOTS_MAX, STRIKE_BITS, TIME_BITS } from "../protocol/constants.ts";
import { sign } from "../protocol/eddsa.ts";
import {
  NO_TERMS,
  type OracleSignature,
  type SlotRisk,
  type Snapshot,
  snapshotHash,
  type Terms,
} from "../protocol/snapshot.ts";
import { type Outcome, refuse } from "./rejects.ts";
import {
  buildRiskMatrix,
  IV_BPS_MAX,
  MILLITICKS,
  type RiskParameters,
  type SlotMarket,
} from "./riskMatrix.ts";
import { type ScaledSmile, smileIvBps } from "./surface.ts";

/**
 * The market of an expiry (unix seconds), prices in ticks. Before the expiry a smile where there is
 * one, and `averageMilliticks` within the settlement window where the average so far is known; from
 * the expiry on `settlementTicks` where that is known, until then `forwardTicks` is the index.
 */
export interface ProposedExpiry {
  readonly expiry: number;
  readonly forwardTicks: number;
  readonly smile?: ScaledSmile | undefined;
  readonly averageMilliticks?: number | undefined;
  readonly settlementTicks?: number | undefined;
}

/** `ivBps` where the expiry is ahead, has no smile and the option a strike. */
export interface ProposedSlot {
  readonly isCall: boolean;
  readonly strikeTicks: number;
  readonly expiry: number;
  readonly ivBps?: number | undefined;
}

/**
 * JSON-safe. `time` in unix ms; expiries ascending, one for each that a slot has; one slot for each
 * of the table, null where no series is listed.
 */
export interface Proposal {
  readonly time: number;
  readonly expiries: readonly ProposedExpiry[];
  readonly slots: readonly (ProposedSlot | null)[];
}

const ticks = z
  .int()
  .min(0)
  .max(2 ** STRIKE_BITS - 1);
const seconds = z
  .int()
  .min(0)
  .max(2 ** SECONDS_BITS - 1);
const scaled = z.int();
const proposalSchema = z.strictObject({
  time: z
    .int()
    .min(0)
    .max(2 ** TIME_BITS - 1),
  expiries: z
    .array(
      z.strictObject({
        expiry: seconds,
        forwardTicks: ticks.min(1),
        smile: z
          .strictObject({ a: scaled, b: scaled, rho: scaled, m: scaled, sigma: scaled })
          .optional(),
        averageMilliticks: z
          .int()
          .min(1)
          .max(2 ** STRIKE_BITS * MILLITICKS)
          .optional(),
        settlementTicks: ticks.min(1).optional(),
      }),
    )
    .max(SLOTS_MAX),
  slots: z
    .array(
      z.nullable(
        z.strictObject({
          isCall: z.boolean(),
          strikeTicks: ticks,
          expiry: seconds,
          ivBps: z.int().min(1).max(IV_BPS_MAX).optional(),
        }),
      ),
    )
    .max(SLOTS_MAX),
});

/** A proposal from another oracle; what is refused is named by its field. */
export function proposalFromJson(value: unknown): Outcome<Proposal> {
  const { data, error } = proposalSchema.safeParse(value);
  if (error !== undefined) return refuse("malformed", z.prettifyError(error));
  const reason = incoherence(data);
  return reason === undefined ? { value: data } : refuse("malformed", reason);
}

/** Fields that contradict each other. */
function incoherence({ time, expiries, slots }: Proposal): string | undefined {
  const byExpiry = new Map(expiries.map((expiry) => [expiry.expiry, expiry]));
  const used = new Set(slots.map((slot) => slot?.expiry));
  for (const [index, market] of expiries.entries()) {
    const { expiry, smile, averageMilliticks, settlementTicks } = market;
    if (expiry <= (expiries[index - 1]?.expiry ?? -1)) return `expiries are out of order`;
    if (!used.has(expiry)) return `no slot has the expiry \`${expiry}\``;
    const isAhead = expiry * 1000 > time;
    if (isAhead && settlementTicks !== undefined) return `\`${expiry}\` is settled before its time`;
    if (!isAhead && (smile !== undefined || averageMilliticks !== undefined)) {
      return `\`${expiry}\` has passed and has a smile or an average`;
    }
  }
  for (const [index, slot] of slots.entries()) {
    if (slot === null) continue;
    const market = byExpiry.get(slot.expiry);
    if (market === undefined) return `slot \`${index}\` has an expiry that is not described`;
    const isAhead = slot.expiry * 1000 > time;
    const needsIv = isAhead && slot.strikeTicks > 0 && market.smile === undefined;
    if (needsIv !== (slot.ivBps !== undefined)) {
      return `slot \`${index}\` ${needsIv ? "lacks a" : "needs no"} volatility`;
    }
  }
  return undefined;
}

/** What the matrix is computed from, by slot. The proposal must be coherent. */
export function slotMarkets(
  { time, expiries, slots }: Proposal,
  { settlementWindowMs, disputeDelayMs }: RiskParameters,
): (SlotMarket | null)[] {
  const byExpiry = new Map(expiries.map((expiry) => [expiry.expiry, expiry]));
  return slots.map((slot): SlotMarket | null => {
    if (slot === null) return null;
    const { isCall, strikeTicks, expiry } = slot;
    const market = byExpiry.get(expiry) as ProposedExpiry;
    const timeToExpiryMs = expiry * 1000 - time;
    const isInWindow = timeToExpiryMs > 0 && timeToExpiryMs < settlementWindowMs;
    return {
      isCall,
      strikeTicks,
      forwardTicks: market.forwardTicks,
      ivBps: ivOf(slot, market, time),
      timeToExpiryMs,
      averageMilliticks: isInWindow ? market.averageMilliticks : undefined,
      settlementTicks: market.settlementTicks,
      isDisputable: -timeToExpiryMs < disputeDelayMs,
    };
  });
}

/** 0 where there is no option left whose value a volatility could change. */
function ivOf(slot: ProposedSlot, market: ProposedExpiry, timeMs: number): number {
  if (slot.ivBps !== undefined) return slot.ivBps;
  const { strikeTicks: strike, expiry } = slot;
  const { smile, forwardTicks: forward } = market;
  if (smile === undefined || strike === 0) return 0;
  return smileIvBps({ smile, strike, forward, expiry, timeMs });
}

/**
 * The risk matrix of a proposal: the same integers at every oracle. What is signed names the series
 * that it prices, since the table that oracles read is the operator's word.
 */
export function proposalToSlots(proposal: Proposal, parameters: RiskParameters): SlotRisk[] {
  const matrix = buildRiskMatrix({ slots: slotMarkets(proposal, parameters), parameters });
  return matrix.map((price, index) => ({
    ...price,
    terms: termsOf(proposal.slots[index] ?? null),
  }));
}

function termsOf(slot: ProposedSlot | null): Terms {
  if (slot === null) return NO_TERMS;
  const { isCall, strikeTicks: strike, expiry } = slot;
  return { isCall, strike, expiry };
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
