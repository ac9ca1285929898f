// A minority of sources, whatever it says, moves nothing; each kind of fault has its code.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Consensus,
  type ConsensusLimits,
  createConsensus,
  median,
} from "../../../sequencer/oracle/consensus.ts";
import { defaultLimits } from "../../../sequencer/oracle/marketView.ts";
import { ORACLE_REJECTS, type OracleRejectName } from "../../../sequencer/oracle/rejects.ts";

const NOW = 1_800_000_000_000;
const limitsOf = (sources: number): ConsensusLimits => defaultLimits(sources).price;

/** Readings of sources that all speak of the present. */
function readings(values: readonly number[], time = NOW) {
  return values.map((value, index) => ({ source: `s${index}`, time, value }));
}

function readAt(consensus: Consensus, values: readonly number[], nowMs = NOW, time = nowMs) {
  return consensus.read("index", readings(values, time), values.length, nowMs);
}

test("codes are unique", () => {
  const codes = Object.values(ORACLE_REJECTS).map(({ code }) => code);
  assert.equal(new Set(codes).size, codes.length);
});

test("the median, of an even number of values the middle two's mean", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
});

/** What a corrupt source may say, and the code of its exclusion; none where it is only clamped. */
const corrupt: readonly (readonly [string, number, number, OracleRejectName | undefined])[] = [
  ["zero", 0, NOW, "notPositive"],
  ["negative", -2500, NOW, "notPositive"],
  ["not a number", Number.NaN, NOW, "notFinite"],
  ["infinite", Number.POSITIVE_INFINITY, NOW, "notFinite"],
  ["too large", 2 ** 24, NOW, "outOfRange"],
  ["stale", 20_000, NOW - 15_001, "stale"],
  ["without a time", 20_000, Number.NaN, "stale"],
  ["of the future", 20_000, NOW + 5001, "fromFuture"],
  ["with another decimal point", 250_000, NOW, "decimalsChanged"],
  ["in wei", 2.5e4 * 1e-18, NOW, "decimalsChanged"],
  ["double", 50_000, NOW, undefined],
  ["a little high", 25_100, NOW, undefined],
];

test("one corrupt source of three, or two of five, never moves the result", () => {
  for (const [name, value, time, code] of corrupt) {
    for (const [bad, count] of [
      [1, 3],
      [2, 5],
    ] as const) {
      const consensus = createConsensus(limitsOf(count));
      const honest = new Array<number>(count).fill(25_000);
      assert.equal(readAt(consensus, honest, NOW - 3000).value, 25_000);
      const said = readings(honest).map((reading, index) =>
        index < bad ? { ...reading, value, time } : reading,
      );
      const result = consensus.read("index", said, count, NOW);
      assert.equal(result.value, 25_000, `${name}, ${bad} of ${count}`);
      const codes = result.excluded.map(({ reject }) => reject.name);
      assert.deepEqual(codes, code === undefined ? [] : new Array(bad).fill(code), name);
    }
  }
});

test("with honest sources apart, a minority moves the median only between them", () => {
  const property = fc.property(
    fc.array(fc.double({ min: 24_900, max: 25_100, noNaN: true }), { minLength: 3, maxLength: 3 }),
    fc.array(fc.oneof(fc.double(), fc.double({ min: 24_000, max: 26_000 })), {
      minLength: 2,
      maxLength: 2,
    }),
    (honest, lies) => {
      const consensus = createConsensus(limitsOf(5));
      const { value } = readAt(consensus, [...lies, ...honest]);
      assert.ok(value !== undefined);
      assert.ok(value >= Math.min(...honest) && value <= Math.max(...honest), `${value}`);
    },
  );
  fc.assert(property, { numRuns: 2000 });
});

test("Deribit's mean of clamped sources moves by the band's part of one source at most", () => {
  const limits = { ...limitsOf(3), combine: "mean" } as const;
  for (const [lie, expected] of [
    [1_000_000, 25_000 + 125 / 3],
    [1, 25_000 - 125 / 3],
    [25_060, 25_020],
  ] as const) {
    const { value } = readAt(createConsensus(limits), [25_000, lie, 25_000]);
    assert.ok(Math.abs((value as number) - expected) < 1e-6, `${lie}: ${value}`);
  }
});

test("too few live sources, and live ones that do not agree, are refused", () => {
  const one = createConsensus(limitsOf(3)).read("index", readings([25_000]), 3, NOW);
  assert.equal(one.refused?.name, "tooFewSources");
  assert.match(one.refused?.reason ?? "", /index has `1`, at least 2/);
  const none = createConsensus(limitsOf(1)).read("index", [], 1, NOW);
  assert.equal(none.refused?.name, "tooFewSources");
  // One of three is silent and one corrupt: nobody knows which of the two is right.
  const two = createConsensus(limitsOf(3)).read("index", readings([25_000, 26_000]), 3, NOW);
  assert.equal(two.refused?.name, "sourcesDisagree");
  assert.match(two.refused?.reason ?? "", /s0 `25000`, s1 `26000`/);
});

test("a jump counts when most of all sources say so, round after round", () => {
  const consensus = createConsensus(limitsOf(3));
  const at = (second: number, ...values: number[]) => {
    const time = NOW + second * 1000;
    return readAt(consensus, values, time);
  };
  assert.equal(at(0, 25_000, 25_000, 25_000).value, 25_000);
  assert.equal(at(3, 26_200, 26_200, 26_200).value, 26_200, "4.8 % is no jump");
  const first = at(6, 28_000, 28_010, 28_000);
  assert.equal(first.refused?.name, "jump");
  assert.match(first.refused?.reason ?? "", /`28000` after 26200, .* confirmed 1 of 3 times/);
  assert.equal(at(6.5, 28_000, 28_010, 28_000).refused?.name, "jump");
  assert.match(at(7, 28_000, 28_000, 28_000).refused?.reason ?? "", /confirmed 2 of 3/);
  assert.equal(at(7.9, 28_000, 28_000, 28_000).refused?.name, "jump", "too soon for a round");
  assert.equal(at(8, 28_000, 28_000, 28_000).value, 28_000);
  assert.equal(at(9, 28_000, 28_000, 28_000).value, 28_000);
});

test("rounds are the local clock's, whatever times others name", () => {
  const consensus = createConsensus(limitsOf(1));
  assert.equal(readAt(consensus, [25_000]).value, 25_000);
  const at = (nowMs: number, localMs: number) =>
    consensus.read("index", readings([30_000], nowMs), 1, nowMs, localMs);
  const local = NOW + 10_000;
  for (const second of [1, 2, 3, 4, 5]) {
    const { refused } = at(NOW + second * 1000, local);
    assert.match(refused?.reason ?? "", /confirmed 1 of 3/, `proposal of second ${second}`);
  }
  assert.match(at(NOW, local + 1000).refused?.reason ?? "", /confirmed 2 of 3/);
  assert.equal(at(NOW, local + 1999).refused?.name, "jump", "too soon for a round");
  assert.equal(at(NOW, local + 2000).value, 30_000);
});

test("a jump that goes back, changes its level or loses its backing begins anew", () => {
  const consensus = createConsensus(limitsOf(3));
  const at = (second: number, ...values: number[]) =>
    readAt(consensus, values, NOW + second * 1000);
  at(0, 25_000, 25_000, 25_000);
  at(1, 30_000, 30_000, 30_000);
  at(2, 30_000, 30_000, 30_000);
  assert.equal(at(3, 25_000, 25_000, 25_000).value, 25_000);
  assert.match(at(4, 30_000, 30_000, 30_000).refused?.reason ?? "", /confirmed 1 of 3/);
  assert.match(at(5, 40_000, 40_000, 40_000).refused?.reason ?? "", /confirmed 1 of 3/);
  // Two of five sources that jump together are no majority of all, even if they are most of the
  // live.
  const five = createConsensus({ ...limitsOf(5), sourcesMin: 2 });
  five.read("index", readings([25_000, 25_000, 25_000, 25_000, 25_000]), 5, NOW);
  for (let round = 1; round < 20; round++) {
    const time = NOW + round * 1000;
    const jumped = five.read("index", readings([30_000, 30_000, 25_000], time), 5, time);
    assert.equal(jumped.refused?.name, "jump", `round ${round}`);
  }
});

test("what was accepted long ago does not bind, and times may go back a little", () => {
  const consensus = createConsensus(limitsOf(1));
  assert.equal(readAt(consensus, [25_000]).value, 25_000);
  assert.equal(readAt(consensus, [25_500], NOW - 2000, NOW - 2000).value, 25_500);
  assert.equal(readAt(consensus, [50_000], NOW + 599_000).refused?.name, "jump");
  assert.equal(readAt(consensus, [50_000], NOW + 600_001).value, 50_000);
});

test("keys are measured apart", () => {
  const consensus = createConsensus(limitsOf(1));
  assert.equal(readAt(consensus, [25_000]).value, 25_000);
  const other = consensus.read("forward 1", readings([50_000]), 1, NOW);
  assert.equal(other.value, 50_000);
});
