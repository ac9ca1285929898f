/** Makes a proposal of an oracle's own view of the market. */
import { roundHalfAway } from "../pricing/deterministicMath.ts";
import { isExpired, isQuotable, quotableExpiries, type SeriesTerms } from "./feed.ts";
import type { MarketView } from "./marketView.ts";
import type { Proposal, ProposedExpiry, ProposedSlot } from "./proposal.ts";
import { type OracleReject, type Outcome, refuse } from "./rejects.ts";
import type { RiskParameters } from "./riskMatrix.ts";
import type { SettlementBook } from "./settlement.ts";
import { type ExpiryPoints, fitSmiles, pointIvBps } from "./surface.ts";

/** A proposal, and what had to be repaired or left out for it. */
export interface Proposed {
  readonly proposal: Proposal;
  readonly repairs: readonly OracleReject[];
}

interface ProposeOptions {
  readonly view: MarketView;
  readonly book: SettlementBook;
  readonly table: readonly SeriesTerms[];
  readonly parameters: RiskParameters;
}

const NOTHING = { status: "empty", isCall: false, strike: 0, expiry: 0 } as const;

/**
 * What this oracle would sign at the view's time. Refused where a listed series cannot be priced:
 * no forward, no volatility, quotes with arbitrage, or a price that has not been confirmed. What is
 * announced only is left out where it cannot be.
 */
export function propose(options: ProposeOptions): Outcome<Proposed> {
  const { table } = options;
  const whole = proposeWhole({ ...options, table: table.map((terms) => sifted(options, terms)) });
  if (whole.refused === undefined || !table.some(isAnnounced)) return whole;
  const listed = proposeWhole({ ...options, table: listedOnly(table) });
  if (listed.refused !== undefined) return listed;
  const { proposal, repairs } = listed.value;
  return { value: { proposal, repairs: [...repairs, whole.refused] } };
}

/** The table without what is announced. */
export function listedOnly(table: readonly SeriesTerms[]): SeriesTerms[] {
  return table.map((terms) => (isAnnounced(terms) ? NOTHING : terms));
}

function isAnnounced({ status }: SeriesTerms): boolean {
  return status === "announced";
}

/** One expiry without a forward keeps none of the others from being listed. */
function sifted({ view, book, parameters }: ProposeOptions, terms: SeriesTerms): SeriesTerms {
  const { expiry } = terms;
  if (!isAnnounced(terms)) return terms;
  if (isExpired(terms, view.time)) return NOTHING;
  const { refused } = liveMarket(expiry, view, book, parameters);
  return refused === undefined ? terms : NOTHING;
}

function proposeWhole({ view, book, table, parameters }: ProposeOptions): Outcome<Proposed> {
  const markets: ProposedExpiry[] = [];
  for (const expiry of quotableExpiries(table)) {
    const market = isExpired({ expiry }, view.time)
      ? expiredMarket(expiry, view, book)
      : liveMarket(expiry, view, book, parameters);
    if (market.refused !== undefined) return market;
    markets.push(market.value);
  }
  const quoted = markets
    .filter((market) => !isExpired(market, view.time))
    .map(({ expiry, forwardTicks }): ExpiryPoints => {
      return { expiry, forward: forwardTicks, points: view.points.get(expiry) ?? [] };
    });
  const fitted = fitSmiles(quoted, view.time);
  if (fitted.refused !== undefined) return fitted;
  const smiles = new Map(fitted.value.smiles.map(({ expiry, smile }) => [expiry, smile]));
  const expiries = markets.map((market) => {
    const smile = smiles.get(market.expiry);
    return smile === undefined ? market : { ...market, smile };
  });
  const points = new Map(
    quoted.filter(({ expiry }) => !smiles.has(expiry)).map((quotes) => [quotes.expiry, quotes]),
  );
  const slots: (ProposedSlot | null)[] = [];
  for (const terms of table) {
    const slot = proposeSlot(terms, points.get(terms.expiry));
    if (slot.refused !== undefined) return slot;
    slots.push(slot.value);
  }
  const proposal = { time: view.time, expiries, slots };
  return { value: { proposal, repairs: fitted.value.repairs } };
}

/** `points`: given where the slot has to speak for itself. */
function proposeSlot(
  terms: SeriesTerms,
  points: ExpiryPoints | undefined,
): Outcome<ProposedSlot | null> {
  const { status, isCall, strike, expiry } = terms;
  if (!isQuotable({ status })) return { value: null };
  const slot = { isCall, strikeTicks: strike, expiry };
  if (points === undefined || strike === 0) return { value: slot };
  const iv = pointIvBps(points, strike);
  return iv.refused === undefined ? { value: { ...slot, ivBps: iv.value } } : iv;
}

function liveMarket(
  expiry: number,
  view: MarketView,
  book: SettlementBook,
  { settlementWindowMs }: RiskParameters,
): Outcome<ProposedExpiry> {
  const forward = view.forwards.get(expiry) ?? refuse("missingForward", `expiry \`${expiry}\``);
  if (forward.refused !== undefined) return forward;
  const market = { expiry, forwardTicks: toTicks(forward.value) };
  if (expiry * 1000 - view.time >= settlementWindowMs) return { value: market };
  // Without an average of its own an oracle prices on the forward, and signs with those who do.
  const { value: averageMilliticks } = book.average(expiry, view.time);
  return { value: averageMilliticks === undefined ? market : { ...market, averageMilliticks } };
}

/** While no settlement price is known the slot follows the index and stays open. */
function expiredMarket(
  expiry: number,
  view: MarketView,
  book: SettlementBook,
): Outcome<ProposedExpiry> {
  const { value: settlementTicks } = book.settlement(expiry);
  if (settlementTicks !== undefined) {
    return { value: { expiry, forwardTicks: settlementTicks, settlementTicks } };
  }
  if (view.index.refused !== undefined) return view.index;
  return { value: { expiry, forwardTicks: toTicks(view.index.value) } };
}

function toTicks(price: number): number {
  return Math.max(roundHalfAway(price), 1);
}
