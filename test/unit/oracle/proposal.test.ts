import assert from "node:assert/strict";
import { test } from "node:test";
import type { SeriesTerms } from "../../../sequencer/oracle/feed.ts";
import {
  createMarketSources,
  type MarketView,
  type VolatilityPoint,
} from "../../../sequencer/oracle/marketView.ts";
import {
  assembleSnapshot,
  type Proposal,
  type ProposedExpiry,
  type ProposedSlot,
  proposalFromJson,
  proposalToSlots,
  signSnapshot,
  slotMarkets,
} from "../../../sequencer/oracle/proposal.ts";
import { propose } from "../../../sequencer/oracle/propose.ts";
import type { OracleRejectName } from "../../../sequencer/oracle/rejects.ts";
import { checkAge, checkProposal, DEFAULT_TOLERANCE } from "../../../sequencer/oracle/review.ts";
import { DEFAULT_RISK_PARAMETERS } from "../../../sequencer/oracle/riskMatrix.ts";
import { createSettlementBook } from "../../../sequencer/oracle/settlement.ts";
import { createSimulatedFeed } from "../../../sequencer/oracle/simulatedFeed.ts";
import { snapshotFromJson, snapshotToJson } from "../../../sequencer/oracle/snapshotJson.ts";
import { scaleSmile, smileIvBps } from "../../../sequencer/oracle/surface.ts";
import { MS_PER_YEAR } from "../../../sequencer/pricing/black76.ts";
import { publicKeyOf, secretFromSeed } from "../../../sequencer/protocol/eddsa.ts";
import { isQuorumSigned } from "../../../sequencer/protocol/snapshot.ts";

const NOW = 1_800_000_100_000;
const MINUTE = 60_000;
const parameters = DEFAULT_RISK_PARAMETERS;
const { settlementWindowMs: windowMs, disputeDelayMs } = parameters;
const day = NOW / 1000 + 86_400;
const soon = NOW / 1000 + 600;
const past = NOW / 1000 - 60;
const table: readonly SeriesTerms[] = [
  { status: "listed", isCall: true, strike: 25_000, expiry: day },
  { status: "listed", isCall: false, strike: 24_000, expiry: past },
  { status: "empty", isCall: false, strike: 0, expiry: 0 },
  { status: "settled", isCall: true, strike: 24_000, expiry: NOW / 1000 - 86_400 },
  { status: "listed", isCall: true, strike: 0, expiry: day },
  { status: "listed", isCall: false, strike: 25_000, expiry: soon },
];
const sources = createMarketSources([createSimulatedFeed({ seed: 3, startMs: NOW - 3_600_000 })]);
const rules = { windowMs, disputeDelayMs };
const book = createSettlementBook({ rules, history: sources.average });
const view = await sources.read(NOW, table);

function proposeBy(changes: Partial<MarketView>, settlements = book) {
  return propose({ view: { ...view, ...changes }, book: settlements, table, parameters });
}

const proposal = proposeBy({}).value?.proposal as Proposal;
const [settled, averaged, smiling] = proposal.expiries as [
  ProposedExpiry,
  ProposedExpiry,
  ProposedExpiry,
];

test("a proposal tells forwards, smiles, averages and settlement prices as integers", () => {
  assert.deepEqual(
    proposal.expiries.map(({ expiry }) => expiry),
    [past, soon, day],
  );
  const fields = (expiry: ProposedExpiry) => Object.keys(expiry).sort().join(" ");
  assert.equal(fields(settled), "expiry forwardTicks settlementTicks");
  assert.equal(fields(averaged), "averageMilliticks expiry forwardTicks smile");
  assert.equal(fields(smiling), "expiry forwardTicks smile");
  for (const slot of proposal.slots) assert.equal(slot?.ivBps, undefined);
  const numbers = JSON.stringify(proposal).match(/-?\d[\d.e+-]*/g) ?? [];
  assert.ok(numbers.length > 20 && numbers.every((text) => Number.isSafeInteger(Number(text))));
});

function withExpiry(expiry: number, change: Partial<ProposedExpiry>): Proposal {
  const expiries = proposal.expiries.map((old) =>
    old.expiry === expiry ? { ...old, ...change } : old,
  );
  return { ...proposal, expiries };
}

function withSlot(index: number, change: Partial<ProposedSlot> | null): Proposal {
  const slots = proposal.slots.map((old, slot) => {
    if (slot !== index) return old;
    return change === null ? null : ({ ...old, ...change } as ProposedSlot);
  });
  return { ...proposal, slots };
}

const moved = (value: number, bps: number) => value + Math.floor((value * bps) / 10_000);
const { forwardBps, settlementBps, ageMs, aheadMs } = DEFAULT_TOLERANCE;
const settlement = settled.settlementTicks as number;
const average = averaged.averageMilliticks as number;
const smile = smiling.smile as NonNullable<ProposedExpiry["smile"]>;
/** Volatility by a factor is total variance by its square, in a and b. */
const louder = (factor: number) => {
  const square = factor * factor;
  return { ...smile, a: Math.round(smile.a * square), b: Math.round(smile.b * square) };
};

/** Agrees with the smile at the listed strike, and has wings that no market can have. */
function steep(): typeof smile {
  const { forwardTicks, expiry } = smiling;
  const strike = 25_000;
  const iv = smileIvBps({ smile, strike, forward: forwardTicks, expiry, timeMs: NOW }) / 10_000;
  const half = (iv * iv * (86_400_000 / MS_PER_YEAR)) / 2;
  const m = Math.log(strike / forwardTicks);
  return scaleSmile({ a: half, b: 3, rho: 0, m, sigma: half / 3 });
}

// [what is proposed, the reason to refuse it].
const checks: readonly (readonly [string, Proposal, OracleRejectName | undefined])[] = [
  ["equal", proposal, undefined],
  ["near", withExpiry(day, { forwardTicks: moved(smiling.forwardTicks, forwardBps) }), undefined],
  ["jump", withExpiry(day, { forwardTicks: moved(smiling.forwardTicks, 101) }), "forwardDiffers"],
  ["fall", withExpiry(day, { forwardTicks: moved(smiling.forwardTicks, -102) }), "forwardDiffers"],
  ["near iv", withExpiry(day, { smile: louder(1.14) }), undefined],
  ["iv jump", withExpiry(day, { smile: louder(1.16) }), "volatilityDiffers"],
  ["iv fall", withExpiry(day, { smile: louder(0.84) }), "volatilityDiffers"],
  ["arbitrage", withExpiry(day, { smile: steep() }), "butterflyArbitrage"],
  ["other kind", withSlot(0, { isCall: false }), "tableDiffers"],
  ["other strike", withSlot(0, { strikeTicks: 25_001 }), "tableDiffers"],
  ["other expiry", withSlot(0, { expiry: soon }), "tableDiffers"],
  ["missing", withSlot(0, null), "tableDiffers"],
  ["unlisted", withSlot(2, proposal.slots[0] as ProposedSlot), "tableDiffers"],
  ["settled again", withSlot(3, proposal.slots[0] as ProposedSlot), "tableDiffers"],
  ["short", { ...proposal, slots: proposal.slots.slice(1) }, "tableDiffers"],
  [
    "near average",
    withExpiry(soon, { averageMilliticks: moved(average, settlementBps) }),
    undefined,
  ],
  ["far average", withExpiry(soon, { averageMilliticks: moved(average, 21) }), "averageDiffers"],
  ["no average", withExpiry(soon, { averageMilliticks: undefined }), "averageDiffers"],
  ["near end", withExpiry(past, { settlementTicks: moved(settlement, settlementBps) }), undefined],
  ["far end", withExpiry(past, { settlementTicks: moved(settlement, 21) }), "settlementDiffers"],
  ["no end", withExpiry(past, { settlementTicks: undefined }), "settlementDiffers"],
];

const nothingSigned = () => undefined;
const own = { table, proposal, signed: nothingSigned };
const tolerance = DEFAULT_TOLERANCE;

test("an oracle signs what it sees itself and refuses the rest", () => {
  for (const [name, proposed, expected] of checks) {
    const fault = checkProposal(proposed, own, { tolerance, parameters });
    assert.equal(fault?.name, expected, `${name}: ${fault?.reason}`);
  }
});

test("what is not known here is not signed", () => {
  const blind = { ...own, proposal: withExpiry(past, { settlementTicks: undefined }) };
  const fault = checkProposal(proposal, blind, { tolerance, parameters });
  assert.match(fault?.reason ?? "", /another settlement price: .* none of one's own/);
});

test("a final price is the signed one, exactly; before that it may still be corrected", () => {
  const other = withExpiry(past, { settlementTicks: settlement + 1 });
  const signed = { ...own, signed: () => settlement };
  assert.equal(checkProposal(other, signed, { tolerance, parameters }), undefined);
  const late = { tolerance, parameters: { ...parameters, disputeDelayMs: 60_000 } };
  assert.equal(checkProposal(other, signed, late)?.name, "settlementDiffers");
  assert.equal(checkProposal(proposal, signed, late), undefined);
});

test("old proposals and those of the future are not looked at", () => {
  const ages: readonly (readonly [number, OracleRejectName | undefined])[] = [
    [ageMs, undefined],
    [ageMs + 1, "proposalStale"],
    [-aheadMs, undefined],
    [-aheadMs - 1, "proposalAhead"],
  ];
  for (const [age, expected] of ages) {
    assert.equal(checkAge(proposal, NOW + age, tolerance)?.name, expected, `${age}`);
  }
});

const first = proposal.slots[0] as ProposedSlot;
const malformed: readonly (readonly [string, unknown, RegExp])[] = [
  ["nothing", null, /malformed|well-formed/],
  ["time", { ...proposal, time: "now" }, /time/],
  ["half a tick", withExpiry(day, { forwardTicks: 0.5 }), /forwardTicks/],
  ["forward 0", withExpiry(day, { forwardTicks: 0 }), /forwardTicks/],
  ["beyond", withExpiry(day, { forwardTicks: 2 ** 24 }), /forwardTicks/],
  ["smile with fractions", withExpiry(day, { smile: { ...smile, a: 0.1 } }), /smile\.a/],
  ["unknown field", { ...proposal, extra: 1 }, /extra/],
  ["order", { ...proposal, expiries: proposal.expiries.toReversed() }, /out of order/],
  ["twice", { ...proposal, expiries: [settled, settled, averaged, smiling] }, /out of order/],
  [
    "unused",
    { ...proposal, expiries: [...proposal.expiries, { ...smiling, expiry: day + 1 }] },
    /no slot/,
  ],
  ["undescribed", { ...proposal, expiries: [settled, averaged] }, /slot `0` .* not described/],
  ["early end", withExpiry(day, { settlementTicks: 25_000 }), /settled before its time/],
  ["late smile", withExpiry(past, { smile }), /has passed/],
  ["late average", withExpiry(past, { averageMilliticks: 1 }), /has passed/],
  ["no volatility", withExpiry(day, { smile: undefined }), /slot `0` lacks a volatility/],
  ["two volatilities", withSlot(0, { ...first, ivBps: 6500 }), /slot `0` needs no volatility/],
  ["a forward's volatility", withSlot(4, { ivBps: 6500 }), /slot `4` needs no volatility/],
  ["too many slots", { ...proposal, slots: new Array(65).fill(null) }, /slots/],
];

test("a proposal survives JSON; malformed and incoherent ones do not", () => {
  const read = proposalFromJson(JSON.parse(JSON.stringify(proposal)));
  assert.deepEqual(read, { value: proposal });
  for (const [name, value, expected] of malformed) {
    const { refused } = proposalFromJson(value);
    assert.equal(refused?.name, "malformed", name);
    assert.match(refused?.reason ?? "", expected, name);
  }
});

test("the payoff is the mark at once, final when it can no longer be disputed", () => {
  const at = (time: number) => {
    const moved = { ...proposal, time, expiries: [settled, averaged, smiling] };
    return proposalToSlots(moved, parameters)[1];
  };
  const payoff = Math.max(24_000 - settlement, 0);
  const terms = { isCall: false, strike: 24_000, expiry: past };
  const changes = new Array<number>(17).fill(0);
  assert.deepEqual(at(NOW), { terms, mark: payoff, isFinal: false, changes });
  assert.equal(at(past * 1000 + disputeDelayMs - 1)?.isFinal, false);
  assert.deepEqual(at(past * 1000 + disputeDelayMs), {
    terms,
    mark: payoff,
    isFinal: true,
    changes,
  });
});

test("every slot names the series that it prices", () => {
  const slots = proposalToSlots(proposal, parameters);
  assert.ok(proposal.slots.includes(null));
  for (const [index, slot] of proposal.slots.entries()) {
    const { isCall = false, strikeTicks: strike = 0, expiry = 0 } = slot ?? {};
    assert.deepEqual(slots[index]?.terms, { isCall, strike, expiry });
  }
});

test("empty and settled slots have nothing; a forward has no volatility", () => {
  const slots = proposalToSlots(proposal, parameters);
  assert.deepEqual(
    slots.map(({ mark }) => mark > 0),
    [true, settlement < 24_000, false, false, true, true],
  );
  const markets = slotMarkets(proposal, parameters);
  assert.equal(markets[4]?.ivBps, 0);
  assert.equal(markets[0]?.averageMilliticks, undefined);
  assert.equal(markets[5]?.averageMilliticks, average);
  assert.equal(slots[4]?.mark, smiling.forwardTicks);
});

test("what cannot be priced is refused by name", () => {
  const unknown = { refused: { name: "jump", code: 22, reason: "jump" } } as const;
  const cases: readonly (readonly [string, Partial<MarketView>, OracleRejectName])[] = [
    ["no forward", { forwards: new Map() }, "missingForward"],
    ["unconfirmed", { forwards: new Map([...view.forwards, [day, unknown]]) }, "jump"],
    ["no quotes", { points: new Map() }, "missingVolatility"],
  ];
  for (const [name, changes, expected] of cases) {
    assert.equal(proposeBy(changes).refused?.name, expected, name);
  }
});

test("without a settlement price the slot follows the index and stays open", () => {
  const blind = createSettlementBook({ rules });
  const open = proposeBy({}, blind).value?.proposal as Proposal;
  const index = Math.round(view.index.value as number);
  assert.deepEqual(open.expiries[0], { expiry: past, forwardTicks: index });
  const slot = proposalToSlots(open, parameters)[1];
  assert.equal(slot?.isFinal, false);
  assert.equal(slot?.mark, Math.max(24_000 - index, 0));
  assert.ok((slot?.changes[12] as number) > 0, "a put still gains when the price falls");
  assert.equal(open.expiries[1]?.averageMilliticks, undefined);
  const dark = { refused: { name: "jump", code: 22, reason: "" } } as const;
  assert.equal(proposeBy({ index: dark }, blind).refused?.name, "jump");
});

test("slots speak for themselves where an expiry has too few quotes", () => {
  const nearest = (a: VolatilityPoint, b: VolatilityPoint) =>
    Math.abs(a.strike - 25_000) - Math.abs(b.strike - 25_000);
  const points = new Map(
    [...view.points].map(([expiry, list]) => {
      const few = list.toSorted(nearest).slice(0, 4);
      return [expiry, few.sort((a, b) => a.strike - b.strike)];
    }),
  );
  const bare = proposeBy({ points }).value?.proposal as Proposal;
  assert.ok(bare.expiries.every((market) => market.smile === undefined));
  assert.deepEqual(proposalFromJson(bare), { value: bare });
  const ivs = slotMarkets(bare, parameters).map((market) => market?.ivBps);
  const bySmile = slotMarkets(proposal, parameters).map((market) => market?.ivBps);
  for (const slot of [0, 5]) {
    assert.ok(Math.abs((ivs[slot] as number) - (bySmile[slot] as number)) < 100, `${ivs}`);
  }
  assert.equal(checkProposal(bare, own, { tolerance, parameters }), undefined);
});

test("the window's average is that of the last half hour's elapsed part", () => {
  assert.equal(averaged.expiry * 1000 - NOW, 10 * MINUTE);
  const exact = sources.average(soon * 1000 - windowMs, NOW).value as number;
  assert.equal(average, Math.round(exact * 1000));
});

const secrets = [1, 2, 3].map((byte) => secretFromSeed(new Uint8Array(32).fill(byte)));
const oracles = secrets.map(publicKeyOf);
const domain = 12345n;
const body = { time: NOW, slots: proposalToSlots(proposal, parameters) };
const signatures = secrets.map((secret, index) => signSnapshot(secret, index, domain, body));

test("two of three oracles make a quorum, in whatever order they answer, through JSON too", () => {
  const [one, two, three] = signatures as [never, never, never];
  const assembled = assembleSnapshot({ proposal, parameters, signatures: [three, one, three] });
  assert.deepEqual(
    assembled.signatures.map(({ signer }) => signer),
    [0, 2],
  );
  const snapshot = snapshotFromJson(JSON.parse(JSON.stringify(snapshotToJson(assembled))));
  assert.deepEqual(snapshot, assembled);
  assert.ok(isQuorumSigned({ domain, snapshot, oracles, quorum: 2 }));
  assert.ok(!isQuorumSigned({ domain, snapshot, oracles, quorum: 3 }));
  assert.ok(!isQuorumSigned({ domain: domain + 1n, snapshot, oracles, quorum: 2 }));
  const [slot, ...rest] = snapshot.slots as [(typeof snapshot.slots)[number]];
  const forged = { ...snapshot, slots: [{ ...slot, mark: slot.mark + 1 }, ...rest] };
  assert.ok(!isQuorumSigned({ domain, snapshot: forged, oracles, quorum: 2 }));
  const lonely = assembleSnapshot({ proposal, parameters, signatures: [two, two] });
  assert.ok(!isQuorumSigned({ domain, snapshot: lonely, oracles, quorum: 2 }));
});

test("snapshots in JSON are checked field by field", () => {
  const json = snapshotToJson(assembleSnapshot({ proposal, parameters, signatures }));
  const [slot] = json.slots as [(typeof json.slots)[number]];
  const [signature] = json.signatures as [(typeof json.signatures)[number]];
  const decimal = { ...signature, s: BigInt(signature.s).toString() };
  const accepted = snapshotFromJson({ ...json, signatures: [decimal] });
  assert.equal(accepted.signatures[0]?.s, BigInt(signature.s));
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [{ ...json, time: -1 }, /time/],
    [{ ...json, slots: [{ ...slot, mark: 2 ** 20 }] }, /mark/],
    [{ ...json, slots: [{ ...slot, changes: slot.changes.slice(1) }] }, /changes/],
    [{ ...json, slots: [{ ...slot, changes: slot.changes.map(() => -(2 ** 20)) }] }, /changes/],
    [{ ...json, signatures: [{ ...signature, s: "0xg" }] }, /decimal or 0x/],
    [{ ...json, signatures: [{ ...signature, r8x: `0x${"f".repeat(64)}` }] }, /modulus/],
    [{ ...json, signatures: [{ ...signature, signer: 1.5 }] }, /signer/],
    [{ ...json, extra: 1 }, /extra/],
  ];
  for (const [value, expected] of refused) assert.throws(() => snapshotFromJson(value), expected);
});
