// Signers with sources of their own: what a minority of sources, or a signer, says moves no margin.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Feed, Market, Quote, SeriesTerms } from "../../../sequencer/oracle/feed.ts";
import { createMarketSources, defaultLimits } from "../../../sequencer/oracle/marketView.ts";
import {
  type Proposal,
  type ProposedExpiry,
  proposalToSlots,
  slotMarkets,
} from "../../../sequencer/oracle/proposal.ts";
import { ORACLE_REJECTS } from "../../../sequencer/oracle/rejects.ts";
import { DEFAULT_TOLERANCE } from "../../../sequencer/oracle/review.ts";
import {
  buildRiskMatrix,
  DEFAULT_RISK_PARAMETERS as parameters,
  type SlotMarket,
} from "../../../sequencer/oracle/riskMatrix.ts";
import { createSettlementBook } from "../../../sequencer/oracle/settlement.ts";
import { createSigner, type Signer } from "../../../sequencer/oracle/signer.ts";
import { createSimulatedFeed } from "../../../sequencer/oracle/simulatedFeed.ts";
import { publicKeyOf, verify } from "../../../sequencer/protocol/eddsa.ts";
import { type Snapshot, snapshotHash } from "../../../sequencer/protocol/snapshot.ts";

const NOW = 1_800_000_000_000;
const day = NOW / 1000 + 86_400;
const soon = NOW / 1000 + 900;
const past = NOW / 1000 - 30;
const DOMAIN = 99n;
const table: SeriesTerms[] = [
  { status: "listed", isCall: true, strike: 25_000, expiry: day },
  { status: "listed", isCall: false, strike: 22_500, expiry: day },
  { status: "listed", isCall: true, strike: 0, expiry: day },
  { status: "listed", isCall: false, strike: 27_500, expiry: soon },
  { status: "listed", isCall: true, strike: 20_000, expiry: past },
  { status: "empty", isCall: false, strike: 0, expiry: 0 },
];
const honest = createSimulatedFeed({ seed: 5, startMs: NOW - 7_200_000 });
const { settlementWindowMs: windowMs, disputeDelayMs } = parameters;

function signerOf(feeds: readonly Feed[], index = 0, slots = table): Signer {
  const sources = createMarketSources(feeds, { ...defaultLimits(feeds.length), answerMs: 50 });
  const rules = { windowMs, disputeDelayMs };
  return createSigner({
    sources,
    book: createSettlementBook({ rules, history: sources.average }),
    readTable: async () => slots,
    parameters,
    key: { secret: BigInt(index + 1), index, domain: DOMAIN },
  });
}

async function proposalOf(signer: Signer, now = NOW): Promise<Proposal> {
  const { value, refused } = await signer.propose(now);
  assert.ok(value !== undefined, refused?.reason);
  return value;
}

type Corruption = (market: Market, value: number) => Market;

const withPrices = (market: Market, change: (price: number) => number): Market => ({
  ...market,
  indexTicks: change(market.indexTicks as number),
  forwardTicks: new Map([...market.forwardTicks].map(([key, price]) => [key, change(price)])),
});
const withQuotes = (market: Market, change: (quote: Quote, at: number) => Quote): Market => ({
  ...market,
  quotes: market.quotes.map(change),
});

/** What one source may do; `value` is any number from 0 to 1. */
const corruptions: Readonly<Record<string, Corruption>> = {
  zero: (market) => withPrices(market, () => 0),
  negative: (market) => withPrices(market, (price) => -price),
  notANumber: (market) => withPrices(market, () => Number.NaN),
  scaled: (market, value) => withPrices(market, (price) => price * (0.2 + 3 * value)),
  decimals: (market, value) => withPrices(market, (price) => price * 10 ** Math.round(18 * value)),
  stale: (market, value) =>
    withPrices({ ...market, time: market.time - 60_001 }, (price) => price * (1 + value / 100)),
  ahead: (market) => withPrices({ ...market, time: market.time + 1e6 }, (price) => price * 1.004),
  volatile: (market, value) =>
    withQuotes(market, (quote) => ({ ...quote, ivBps: (quote.ivBps as number) * 3 * value })),
  crossed: (market) => withQuotes(market, (quote) => ({ ...quote, bid: 9, ask: 8, ivBps: 9000 })),
  spike: (market, value) =>
    withQuotes(market, (quote, at) =>
      at % 3 === 0 ? { ...quote, ivBps: 1_000_000 * value } : quote,
    ),
  silent: (market) => ({ ...market, forwardTicks: new Map(), quotes: [], indexTicks: undefined }),
  doubled: (market) => ({ ...market, quotes: [...market.quotes, ...market.quotes] }),
  invented: (market, value) => ({
    ...market,
    quotes: [
      ...market.quotes,
      ...market.quotes.map((q) => ({ ...q, strike: q.strike + 7, ivBps: 1 + value })),
    ],
  }),
  broken: () => {
    throw new Error("no answer");
  },
};

interface Lie {
  readonly kind: string;
  readonly value: number;
}

/** Lies differently at each reading. */
function corruptFeed(name: string, lies: readonly Lie[]): Feed {
  let turn = 0;
  return {
    name,
    read: (nowMs, terms) => {
      const { kind, value } = lies[turn++ % lies.length] as Lie;
      const market = honest.read(nowMs, terms) as Market;
      return (corruptions[kind] as Corruption)(market, value);
    },
    history: (from, to) =>
      (honest.history?.(from, to) ?? []).map(({ time, ticks }) => ({ time, ticks: ticks * 2 })),
  };
}

const anyLie = fc.record({
  kind: fc.constantFrom(...Object.keys(corruptions)),
  value: fc.double({ min: 0, max: 1, noNaN: true }),
});
const anyLies = fc.array(anyLie, { minLength: 1, maxLength: 4 });

for (const [bad, count] of [
  [1, 3],
  [2, 5],
] as const) {
  test(`${bad} corrupt of ${count} sources never change a signed number`, async () => {
    const others = Array.from({ length: count - bad }, (_, index): Feed => {
      return { ...honest, name: `honest ${index}` };
    });
    const property = fc.asyncProperty(
      fc.array(anyLies, { minLength: bad, maxLength: bad }),
      async (lies) => {
        const liars = lies.map((lie, index) => corruptFeed(`corrupt ${index}`, lie));
        const tested = signerOf([...liars, ...others]);
        const reference = signerOf([honest], 1);
        for (const now of [NOW, NOW + 3000, NOW + 6000]) {
          const proposal = await proposalOf(tested, now);
          assert.deepEqual(proposal, await proposalOf(reference, now));
          const review = await reference.review(proposal, now);
          assert.ok("signature" in review);
        }
      },
    );
    await fc.assert(property, { numRuns: 25 });
  });
}

test("when most sources are corrupt there is no proposal, with the reason", async () => {
  const liars = ["a", "b"].map((name) => corruptFeed(name, [{ kind: "zero", value: 0 }]));
  const { refused } = await signerOf([...liars, honest]).propose(NOW);
  assert.equal(refused?.name, "tooFewSources");
  const apart = ["a", "b"].map((name, i) => corruptFeed(name, [{ kind: "scaled", value: i }]));
  const split = await signerOf([...apart, honest]).propose(NOW);
  assert.equal(split.refused?.name, "sourcesDisagree");
});

test("a sudden move of all sources is confirmed before it is proposed", async () => {
  let factor = 1;
  const moving: Feed = {
    name: "moving",
    read: (now, terms) => withPrices(honest.read(now, terms) as Market, (price) => price * factor),
  };
  const signer = signerOf([moving]);
  const before = await signer.propose(NOW);
  assert.ok(before.value !== undefined);
  factor = 0.9;
  const outcomes: (string | undefined)[] = [];
  for (let round = 1; round <= 4; round++) {
    outcomes.push((await signer.propose(NOW + 3000 * round)).refused?.name);
  }
  assert.deepEqual(outcomes, ["jump", "jump", undefined, undefined]);
});

test("proposals of several times at once do not confirm a jump", async () => {
  let factor = 1;
  const moving: Feed = {
    name: "moving",
    read: (now, terms) => withPrices(honest.read(now, terms) as Market, (price) => price * factor),
  };
  const signer = signerOf([moving]);
  const mine = await proposalOf(signer);
  factor = 0.9;
  const codeAt = async (time: number, now: number) => {
    const review = await signer.review({ ...mine, time }, now);
    return "code" in review ? review.code : undefined;
  };
  const jump = ORACLE_REJECTS.jump.code;
  const now = NOW + 5000;
  for (const age of [4000, 3000, 2000, 1000]) {
    assert.equal(await codeAt(now - age, now), jump, `proposal ${age} ms old`);
  }
  // Seen in two more rounds of its own clock, the new level counts: the old one is refused.
  assert.equal(await codeAt(now + 1000, now + 1000), jump);
  assert.equal(await codeAt(now + 2000, now + 2000), ORACLE_REJECTS.forwardDiffers.code);
});

/** Prices at the edges of what the tolerance allows, by a slot's own view. */
function edges(slot: SlotMarket): readonly number[] {
  const { forwardBps, volatilityBps, settlementBps } = DEFAULT_TOLERANCE;
  const by = (value: number, bps: number, sign: number) =>
    Math.round(value * (1 + (sign * bps) / 10_000));
  const marks: number[] = [];
  for (const f of [-1, 1]) {
    for (const v of [-1, 1]) {
      for (const a of [-1, 1]) {
        const other = {
          ...slot,
          forwardTicks: by(slot.forwardTicks, forwardBps, f),
          ivBps: by(slot.ivBps, volatilityBps, v),
          averageMilliticks: slot.averageMilliticks && by(slot.averageMilliticks, settlementBps, a),
          settlementTicks: slot.settlementTicks && by(slot.settlementTicks, settlementBps, a),
        };
        marks.push(buildRiskMatrix({ slots: [other], parameters })[0]?.mark as number);
      }
    }
  }
  return marks;
}

test("a corrupt proposer gets no signature for marks beyond the tolerance", async () => {
  const signer = signerOf([honest]);
  const mine = await proposalOf(signer);
  const slots = slotMarkets(mine, parameters);
  const near = fc.double({ min: 0.97, max: 1.03, noNaN: true });
  const field = fc.oneof(
    fc.constant(1),
    fc.constant(1),
    near,
    fc.double({ min: 0, max: 20, noNaN: true }),
  );
  const anyChange = fc.record({ forward: field, level: field, average: field, settlement: field });
  let signed = 0;
  let refused = 0;
  const property = fc.asyncProperty(anyChange, fc.nat(2), async (change, which) => {
    const expiries = mine.expiries.map((market, index): ProposedExpiry => {
      if (index !== which) return market;
      const by = (value: number | undefined, factor: number) => value && Math.round(value * factor);
      const { smile } = market;
      const other = smile && { ...smile, a: by(smile.a, change.level) as number };
      return {
        ...market,
        forwardTicks: by(market.forwardTicks, change.forward) as number,
        smile: other && { ...other, b: by(smile.b, change.level) as number },
        averageMilliticks: by(market.averageMilliticks, change.average),
        settlementTicks: by(market.settlementTicks, change.settlement),
      };
    });
    const proposal = JSON.parse(JSON.stringify({ ...mine, expiries }));
    const review = await signer.review(proposal, NOW);
    if (!("signature" in review)) {
      refused++;
      assert.ok(Object.values(ORACLE_REJECTS).some(({ code }) => code === review.code));
      return;
    }
    signed++;
    for (const [index, { mark }] of proposalToSlots(proposal, parameters).entries()) {
      const slot = slots[index];
      if (!slot) continue;
      const marks = edges(slot);
      const isWithin = mark >= Math.min(...marks) - 1 && mark <= Math.max(...marks) + 1;
      assert.ok(isWithin, `slot ${index}: ${mark} not in ${marks}`);
    }
  });
  await fc.assert(property, { numRuns: 300 });
  assert.ok(signed > 10 && refused > 10, `${signed} signed, ${refused} refused`);
});

test("what is signed is the matrix that every signer computes from the proposal", async () => {
  const [first, second] = [signerOf([honest], 0), signerOf([honest], 1)];
  const proposal = await proposalOf(first);
  const snapshot = first.assemble(JSON.parse(JSON.stringify(proposal)), []);
  const hash = snapshotHash(DOMAIN, snapshot);
  for (const [index, signer] of [first, second].entries()) {
    const review = await signer.review(proposal, NOW);
    assert.ok("signature" in review);
    assert.equal(review.signature.signer, index);
    assert.ok(verify(publicKeyOf(BigInt(index + 1)), hash, review.signature));
  }
  assert.throws(() => first.assemble({}, []), /not a well-formed proposal/);
  const malformed = await second.review({ ...proposal, time: -1 }, NOW);
  assert.equal("code" in malformed && malformed.code, ORACLE_REJECTS.malformed.code);
  const old = await second.review(proposal, NOW + 10_001);
  assert.equal("code" in old && old.code, ORACLE_REJECTS.proposalStale.code);
});

test("a settlement price that a quorum signed is repeated by all, to the tick", async () => {
  const signers = [signerOf([honest], 0), signerOf([honest], 1)] as const;
  const proposal = await proposalOf(signers[0]);
  const [settled, ...rest] = proposal.expiries as [ProposedExpiry, ...ProposedExpiry[]];
  const ticks = (settled.settlementTicks as number) + 2;
  const agreed = { ...proposal, expiries: [{ ...settled, settlementTicks: ticks }, ...rest] };
  const snapshot: Snapshot = signers[0].assemble(agreed, []);
  // Nothing is adopted from a proposal that the snapshot was not made of.
  signers[1].accept(proposal, snapshot);
  signers[1].accept({ ...agreed, time: NOW + 1 }, snapshot);
  assert.equal((await proposalOf(signers[1])).expiries[0]?.settlementTicks, ticks - 2);
  signers[1].accept(agreed, snapshot);
  assert.equal((await proposalOf(signers[1])).expiries[0]?.settlementTicks, ticks);
  const late = NOW + disputeDelayMs;
  const other = await proposalOf(signers[0], late);
  const review = await signers[1].review(other, late);
  assert.equal("code" in review && review.code, ORACLE_REJECTS.settlementDiffers.code);
  signers[0].accept(agreed, snapshot);
  const same = await proposalOf(signers[0], late);
  assert.equal(same.expiries[0]?.settlementTicks, ticks);
  assert.ok("signature" in (await signers[1].review(same, late)));
  assert.equal(signers[0].assemble(same, []).slots[4]?.isFinal, true);
});

test("samples feed the average where a feed remembers nothing", async () => {
  const { history: _, ...forgetful } = honest;
  const signer = signerOf([forgetful]);
  const begin = soon * 1000 - windowMs;
  const withoutSamples = await proposalOf(signer);
  assert.equal(withoutSamples.expiries[1]?.averageMilliticks, undefined);
  for (let time = begin - 4000; time < NOW; time += 4000) await signer.sample(time);
  const sampled = (await proposalOf(signer)).expiries[1]?.averageMilliticks as number;
  const exact = (await proposalOf(signerOf([honest]))).expiries[1]?.averageMilliticks as number;
  assert.ok(Math.abs(sampled - exact) < 2000, `${sampled}, ${exact}`);
});

const later = NOW / 1000 + 3 * 86_400;
const announced: SeriesTerms = { status: "announced", isCall: true, strike: 26_000, expiry: later };
const withAnnounced = [...table.slice(0, 5), announced];

test("what is announced is priced as if it were listed, by those who know of it", async () => {
  const [first, second] = [signerOf([honest], 0, withAnnounced), signerOf([honest])];
  const proposal = await proposalOf(first);
  const listed = table.with(5, { ...announced, status: "listed" });
  assert.deepEqual(proposal, await proposalOf(signerOf([honest], 0, listed)));
  assert.equal(proposal.slots[5]?.strikeTicks, announced.strike);
  for (const signer of [first, signerOf([honest], 1, listed)]) {
    assert.ok("signature" in (await signer.review(proposal, NOW)));
  }
  const review = await second.review(proposal, NOW);
  assert.equal("code" in review && review.code, ORACLE_REJECTS.tableDiffers.code);
  assert.match("reason" in review ? review.reason : "", /slot 5: neither listed nor announced/);
});

test("what is only announced may be left out, which who has it signs too", async () => {
  const signer = signerOf([honest], 0, withAnnounced);
  const { value } = await signer.propose(NOW, true);
  assert.deepEqual(value, await proposalOf(signerOf([honest])));
  assert.ok("signature" in (await signer.review(value, NOW)));
  const other = { ...announced, strike: 27_000 };
  const review = await signerOf([honest], 1, [...table.slice(0, 5), other]).review(
    await proposalOf(signer),
    NOW,
  );
  assert.equal("code" in review && review.code, ORACLE_REJECTS.tableDiffers.code);
});

test("what is announced and cannot be priced keeps nothing else from its price", async () => {
  const without = await proposalOf(signerOf([honest]));
  const blind = (change: (market: Market) => Market): Feed => ({
    ...honest,
    read: (now, terms) => change(honest.read(now, terms) as Market),
  });
  const noForward = blind((market) => {
    const forwards = [...market.forwardTicks].filter(([expiry]) => expiry !== later);
    return { ...market, forwardTicks: new Map(forwards) };
  });
  const noVolatility = blind((market) => {
    return { ...market, quotes: market.quotes.filter(({ expiry }) => expiry !== later) };
  });
  for (const feed of [noForward, noVolatility]) {
    assert.deepEqual(await proposalOf(signerOf([feed], 0, withAnnounced)), without);
    const listed = table.with(5, { ...announced, status: "listed" });
    assert.ok((await signerOf([feed], 0, listed).propose(NOW)).refused, "a listed one is a must");
  }
  const expired = table.with(5, { ...announced, expiry: past });
  assert.deepEqual(await proposalOf(signerOf([honest], 0, expired)), without);
});

test("one announced expiry without a forward keeps no other from being listed", async () => {
  const second = { ...announced, expiry: later + 86_400 };
  const feed: Feed = {
    ...honest,
    read: (now, terms) => {
      const market = honest.read(now, terms) as Market;
      const forwards = [...market.forwardTicks].filter(([expiry]) => expiry !== later);
      return { ...market, forwardTicks: new Map(forwards) };
    },
  };
  const slots = [...withAnnounced, second];
  const proposal = await proposalOf(signerOf([feed], 0, slots));
  assert.equal(proposal.slots[5], null);
  assert.equal(proposal.slots[6]?.expiry, second.expiry);
});
