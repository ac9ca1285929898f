import assert from "node:assert/strict";
import { test } from "node:test";
import type { Market, SeriesTerms } from "../../../sequencer/oracle/feed.ts";
import {
  assembleSnapshot,
  checkProposal,
  DEFAULT_TOLERANCE,
  type Proposal,
  proposalFromJson,
  proposalToSlots,
  propose,
  signSnapshot,
} from "../../../sequencer/oracle/proposal.ts";
import { DEFAULT_RISK_PARAMETERS, type SlotMarket } from "../../../sequencer/oracle/riskMatrix.ts";
import { createSimulatedFeed } from "../../../sequencer/oracle/simulatedFeed.ts";
import { snapshotFromJson, snapshotToJson } from "../../../sequencer/oracle/snapshotJson.ts";
import { publicKeyOf, secretFromSeed } from "../../../sequencer/protocol/eddsa.ts";
import { isQuorumSigned } from "../../../sequencer/protocol/snapshot.ts";

const NOW = 1_800_000_100_000;
const parameters = DEFAULT_RISK_PARAMETERS;
const table: readonly SeriesTerms[] = [
  { status: "listed", isCall: true, strike: 25_000, expiry: NOW / 1000 + 86_400 },
  { status: "listed", isCall: false, strike: 24_000, expiry: NOW / 1000 - 60 },
  { status: "empty", isCall: false, strike: 0, expiry: 0 },
  { status: "settled", isCall: true, strike: 24_000, expiry: NOW / 1000 - 86_400 },
];
const feed = createSimulatedFeed({ seed: 3, startMs: NOW - 3_600_000 });
const market = (await feed.read(NOW, table)) as Market;
const proposal = await propose(feed, table, NOW);

function changed(slot: number, change: Partial<SlotMarket> | null): Proposal {
  const slots = proposal.slots.map((old, index) => {
    if (index !== slot) return old;
    return change === null ? null : ({ ...old, ...change } as SlotMarket);
  });
  return { time: proposal.time, slots };
}

const [first, expired] = proposal.slots as [SlotMarket, SlotMarket];
const moved = (value: number, bps: number) => value + Math.floor((value * bps) / 10_000);
const settlement = expired.settlementTicks as number;
const { forwardBps, volatilityBps, settlementBps, ageMs, aheadMs } = DEFAULT_TOLERANCE;

// [what is proposed, at which time it is checked, the reason to refuse it].
const checks: readonly (readonly [string, Proposal, number, RegExp | undefined])[] = [
  ["equal", proposal, NOW, undefined],
  ["as old as allowed", proposal, NOW + ageMs, undefined],
  ["stale", proposal, NOW + ageMs + 1, /^stale: `10001` ms old/],
  ["as early as allowed", proposal, NOW - aheadMs, undefined],
  ["future", proposal, NOW - aheadMs - 1, /^`2001` ms ahead/],
  ["near", changed(0, { forwardTicks: moved(first.forwardTicks, forwardBps) }), NOW, undefined],
  ["jump", changed(0, { forwardTicks: moved(first.forwardTicks, 101) }), NOW, /slot 0: forward/],
  ["near iv", changed(0, { ivBps: moved(first.ivBps, volatilityBps) }), NOW, undefined],
  ["iv jump", changed(0, { ivBps: moved(first.ivBps, -1510) }), NOW, /slot 0: volatility/],
  ["other kind", changed(0, { isCall: false }), NOW, /call and put/],
  ["other strike", changed(0, { strikeTicks: 25_001 }), NOW, /strike `25001`/],
  ["other expiry", changed(0, { timeToExpiryMs: 1 }), NOW, /time to expiry `1`/],
  ["missing", changed(0, null), NOW, /slot 0: missing though listed/],
  ["unlisted", changed(2, first), NOW, /slot 2: not listed/],
  ["settled again", changed(3, first), NOW, /slot 3: not listed/],
  ["early end", changed(0, { settlementTicks: 25_000 }), NOW, /settled before its expiry/],
  ["near end", changed(1, { settlementTicks: moved(settlement, settlementBps) }), NOW, undefined],
  ["far end", changed(1, { settlementTicks: moved(settlement, 60) }), NOW, /slot 1: settlement/],
  ["short", { ...proposal, slots: proposal.slots.slice(1) }, NOW, /`3` slots/],
];

test("an oracle signs what it sees itself and refuses the rest", () => {
  for (const [name, proposed, now, expected] of checks) {
    const reason = checkProposal(proposed, { now, table, market }, DEFAULT_TOLERANCE);
    if (expected === undefined) assert.equal(reason, undefined, name);
    else assert.match(reason ?? "signed", expected, name);
  }
});

test("a proposal survives JSON; malformed ones do not", () => {
  assert.deepEqual(proposalFromJson(JSON.parse(JSON.stringify(proposal))), proposal);
  const bad = { ...proposal, slots: [{ ...first, ivBps: 0.5 }] };
  assert.throws(() => proposalFromJson(bad), /ivBps/);
  assert.throws(() => proposalFromJson({ ...proposal, time: "now" }), /time/);
});

test("expired slots become final payoffs, empty and settled ones nothing", () => {
  const slots = proposalToSlots(proposal, parameters);
  const told = slots.map(({ isFinal, mark }) => [isFinal, mark > 0]);
  const payoff = Math.max(24_000 - settlement, 0);
  assert.deepEqual(told, [
    [false, true],
    [true, payoff > 0],
    [false, false],
    [false, false],
  ]);
  assert.equal(slots[1]?.mark, payoff);
});

test("a feed without a market for a listed slot is named", async () => {
  const empty: Market = {
    time: NOW,
    forwardTicks: new Map(),
    ivBps: [],
    settlementTicks: new Map(),
  };
  await assert.rejects(propose({ read: () => empty }, table, NOW), /no market for slot `0`/);
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
