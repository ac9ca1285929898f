/** An oracle's business end: proposes, reviews, signs, and remembers what was settled. */
import type { Review } from "../ports.ts";
import type { OracleSignature, SlotRisk, Snapshot } from "../protocol/snapshot.ts";
import { listedExpiries, type SeriesTerms } from "./feed.ts";
import type { Issue, MarketSources } from "./marketView.ts";
import {
  assembleSnapshot,
  type Proposal,
  proposalFromJson,
  proposalToSlots,
  signSnapshot,
} from "./proposal.ts";
import { listedOnly, type Proposed, propose } from "./propose.ts";
import type { OracleReject, Outcome } from "./rejects.ts";
import { checkAge, checkProposal, DEFAULT_TOLERANCE, type Tolerance } from "./review.ts";
import { BPS, type RiskParameters } from "./riskMatrix.ts";
import type { SettlementBook } from "./settlement.ts";

export interface SignerOptions {
  readonly sources: MarketSources;
  readonly book: SettlementBook;
  readonly readTable: () => Promise<readonly SeriesTerms[]>;
  readonly parameters: RiskParameters;
  readonly tolerance?: Tolerance;
  readonly key: { readonly secret: bigint; readonly index: number; readonly domain: bigint };
  /** Hears what sources said that does not count, and which quotes were repaired. */
  readonly onIssues?: (issues: readonly Issue[]) => void;
}

export interface Signer {
  propose(now: number, isListedOnly?: boolean): Promise<Outcome<Proposal>>;
  review(value: unknown, now: number): Promise<Review>;
  assemble(proposal: unknown, signatures: readonly OracleSignature[]): Snapshot;
  /** A quorum has signed this snapshot, said to be of this proposal: settlements are adopted. */
  accept(value: unknown, snapshot: Snapshot): void;
  /** Samples the index for the settlement average; to be called every few seconds. */
  sample(now: number): Promise<void>;
}

/** The series table is read after the proposal's time is taken: it has every listing before. */
export function createSigner(options: SignerOptions): Signer {
  const { sources, book, readTable, parameters, key } = options;
  const { tolerance = DEFAULT_TOLERANCE, onIssues } = options;
  const { secret, index, domain } = key;

  /** A proposer reviews its own proposal; what it says of one time and table it says once. */
  let last: { now: number; table: string; proposed: Promise<Outcome<Proposed>> } | undefined;

  /** `now` may be another's word; `localNow` is the own clock's. */
  function proposeAt(
    now: number,
    table: readonly SeriesTerms[],
    localNow: number,
  ): Promise<Outcome<Proposed>> {
    const key = JSON.stringify(table);
    if (last?.now !== now || last.table !== key) {
      last = { now, table: key, proposed: makeProposal(now, table, localNow) };
    }
    return last.proposed;
  }

  async function makeProposal(
    now: number,
    table: readonly SeriesTerms[],
    localNow: number,
  ): Promise<Outcome<Proposed>> {
    const view = await sources.read(now, table, localNow);
    const proposed = propose({ view, book, table, parameters });
    const repairs = proposed.value?.repairs.map((reject) => ({ source: "repaired", reject })) ?? [];
    const issues = [...view.issues, ...repairs];
    if (issues.length > 0) onIssues?.(issues);
    return proposed;
  }

  async function check(proposal: Proposal, now: number): Promise<OracleReject | undefined> {
    const aged = checkAge(proposal, now, tolerance);
    if (aged !== undefined) return aged;
    const table = await readTable();
    const own = await proposeAt(proposal.time, table, now);
    if (own.refused !== undefined) return own.refused;
    const signed = (expiry: number) => book.signed(expiry)?.ticks;
    const view = { table, proposal: own.value.proposal, signed };
    return checkProposal(proposal, view, { tolerance, parameters });
  }

  /** Another price can give the same matrix, where all payoffs are 0. */
  function isCredible(expiry: number, ticks: number): boolean {
    const { value: own } = book.settlement(expiry);
    return own === undefined || Math.abs(ticks - own) * BPS <= own * tolerance.settlementBps;
  }

  return {
    propose: async (now, isListedOnly = false) => {
      const table = await readTable();
      const proposed = await proposeAt(now, isListedOnly ? listedOnly(table) : table, now);
      return proposed.refused === undefined ? { value: proposed.value.proposal } : proposed;
    },
    review: async (value, now) => {
      const read = proposalFromJson(value);
      const refused = read.refused ?? (await check(read.value, now));
      if (refused !== undefined) return { code: refused.code, reason: refused.reason };
      const proposal = read.value as Proposal;
      const snapshot = { time: proposal.time, slots: proposalToSlots(proposal, parameters) };
      return { signature: signSnapshot(secret, index, domain, snapshot) };
    },
    assemble: (value, signatures) =>
      assembleSnapshot({ proposal: valid(value), parameters, signatures }),
    accept: (value, snapshot) => {
      const { value: proposal } = proposalFromJson(value);
      if (proposal === undefined || proposal.time !== snapshot.time) return;
      // The quorum signed the matrix; only a proposal that gives the same one speaks for it.
      const told = JSON.stringify(proposalToSlots(proposal, parameters).map(toFields));
      if (told !== JSON.stringify(snapshot.slots.map(toFields))) return;
      last = undefined;
      for (const { expiry, settlementTicks: ticks } of proposal.expiries) {
        if (ticks !== undefined && isCredible(expiry, ticks)) {
          book.adopt({ expiry, ticks, time: proposal.time });
        }
      }
    },
    sample: async (now) => {
      const expiries = listedExpiries(await readTable());
      const { index } = await sources.read(now, []);
      if (index.value === undefined) return;
      last = undefined;
      book.observe({ time: now, ticks: index.value }, expiries);
    },
  };
}

function valid(value: unknown): Proposal {
  const { value: proposal, refused } = proposalFromJson(value);
  if (refused === undefined) return proposal;
  throw new TypeError(refused.reason);
}

/** In one order, whatever the order of an object's fields. */
function toFields({ terms: { isCall, strike, expiry }, mark, isFinal, changes }: SlotRisk) {
  return [isCall, strike, expiry, mark, isFinal, changes];
}
