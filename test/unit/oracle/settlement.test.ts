// The settlement price: a time-weighted average of samples, through gaps, restarts and disputes.
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import type { IndexSample } from "../../../sequencer/oracle/feed.ts";
import {
  createSettlementBook,
  type SettlementRecord,
} from "../../../sequencer/oracle/settlement.ts";
import {
  createSettlementFile,
  SettlementFileError,
} from "../../../sequencer/oracle/settlementFile.ts";
import {
  DEFAULT_GAP_RULES,
  timeWeightedAverage,
} from "../../../sequencer/oracle/timeWeightedAverage.ts";

const MINUTE = 60_000;
const WINDOW = 30 * MINUTE;
const EXPIRY = 1_800_000_000;
const END = EXPIRY * 1000;
const BEGIN = END - WINDOW;
const rules = { windowMs: WINDOW, disputeDelayMs: 120_000 };

/** Every four seconds from just before the window to its end. */
function samplesOf(price: (time: number) => number): IndexSample[] {
  const count = (WINDOW + 8000) / 4000 + 1;
  return Array.from({ length: count }, (_, step) => {
    const time = BEGIN - 8000 + step * 4000;
    return { time, ticks: price(time) };
  });
}

const stepped = samplesOf((time) => (time < BEGIN + 10 * MINUTE ? 1950 : 1975));

function averageOf(samples: readonly IndexSample[], from = BEGIN, to = END) {
  return timeWeightedAverage(samples, from, to, DEFAULT_GAP_RULES);
}

test("1950 for 10 of 30 minutes, then 1975 for 20, is 1966.67", () => {
  const { value } = averageOf(stepped);
  assert.equal((value as number).toFixed(2), "1966.67");
});

test("a sample counts for the time until the next one", () => {
  const uneven = [
    { time: BEGIN - 1000, ticks: 100 },
    { time: BEGIN + 10_000, ticks: 200 },
    { time: BEGIN + 15_000, ticks: 400 },
    { time: BEGIN + 20_000, ticks: 9999 },
  ];
  // 10 s at 100, 5 s at 200, 5 s at 400; what comes at the end or later does not count.
  assert.equal(averageOf(uneven, BEGIN, BEGIN + 20_000).value, 200);
});

test("gaps are carried forward up to a tenth of the window", () => {
  const without = (from: number, to: number) =>
    stepped.filter(({ time }) => time < BEGIN + from || time >= BEGIN + to);
  // Three minutes at 1950 are carried over the step: 12 and a bit at 1950.
  const tolerated = averageOf(without(9 * MINUTE, 12 * MINUTE - 8000)).value as number;
  assert.ok(Math.abs(tolerated - (1950 * 12 + 1975 * 18) / 30) < 0.2, `${tolerated}`);
  for (const [name, samples] of [
    ["in the middle", without(9 * MINUTE, 13 * MINUTE)],
    ["at the beginning", without(-MINUTE, 4 * MINUTE)],
    ["at the end", without(26 * MINUTE, WINDOW + MINUTE)],
    [
      "in two parts",
      without(5 * MINUTE, 7 * MINUTE).filter(
        ({ time }) => time < BEGIN + 20 * MINUTE || time >= BEGIN + 22 * MINUTE,
      ),
    ],
    ["everywhere", stepped.filter((_, index) => index % 10 === 0)],
    ["and nothing else", []],
  ] as const) {
    assert.equal(averageOf(samples).refused?.name, "settlementGaps", name);
  }
  const late = averageOf(without(-MINUTE, 2 * MINUTE)).value as number;
  assert.ok(Math.abs(late - 1966.67) < 0.01, "the first sample counts back to the beginning");
});

function bookWith(samples: readonly IndexSample[], options = {}) {
  const book = createSettlementBook({ rules, ...options });
  for (const sample of samples) book.observe(sample, [EXPIRY]);
  return book;
}

test("the average so far and the settlement price, from the samples that an oracle took", () => {
  const book = bookWith(stepped);
  assert.equal(book.average(EXPIRY, BEGIN + 10 * MINUTE).value, 1_950_000);
  assert.equal(book.average(EXPIRY, BEGIN + 20 * MINUTE).value, 1_962_500);
  assert.equal(book.average(EXPIRY, END + MINUTE).value, 1_966_667);
  assert.equal(book.settlement(EXPIRY).value, 1967);
  assert.equal(book.average(EXPIRY, BEGIN).refused?.name, "settlementGaps");
  assert.equal(book.settlement(EXPIRY + 86_400).refused?.name, "settlementGaps");
});

test("samples outside of windows, too close to one another or impossible are not taken", () => {
  const records: SettlementRecord[] = [];
  const store = { load: () => [], append: (record: SettlementRecord) => void records.push(record) };
  const book = createSettlementBook({ rules, store });
  const offered = [
    [BEGIN - 41_000, 1950],
    [BEGIN - 40_000, 1950],
    [BEGIN - 39_000, 1951],
    [BEGIN - 50_000, 1952],
    [BEGIN, Number.NaN],
    [BEGIN, 1953],
    [END + 1, 1954],
  ] as const;
  for (const [time, ticks] of offered) book.observe({ time, ticks }, [EXPIRY]);
  const taken = records.map((record) => "sample" in record && record.sample.ticks);
  assert.deepEqual(taken, [1950, 1953]);
});

test("what a feed remembers helps where the own samples do not suffice, and only there", () => {
  const history = (from: number, to: number) => averageOf(stepped, from, to);
  const restarted = stepped.filter(({ time }) => time >= BEGIN + 15 * MINUTE);
  assert.equal(bookWith(restarted).settlement(EXPIRY).refused?.name, "settlementGaps");
  assert.equal(bookWith(restarted, { history }).settlement(EXPIRY).value, 1967);
  const constant = samplesOf(() => 1900);
  assert.equal(bookWith(constant, { history }).settlement(EXPIRY).value, 1900);
});

test("a quorum's price is everybody's: the newest until it is final, then for good", () => {
  const book = bookWith(stepped);
  const expiry = EXPIRY;
  book.adopt({ expiry, ticks: 1966, time: END + 3000 });
  assert.equal(book.settlement(EXPIRY).value, 1966);
  book.adopt({ expiry, ticks: 1968, time: END + 2000 });
  assert.equal(book.settlement(EXPIRY).value, 1966, "an older one");
  book.adopt({ expiry, ticks: 1968, time: END + 6000 });
  assert.equal(book.settlement(EXPIRY).value, 1968);
  book.adopt({ expiry, ticks: 1970, time: END + 120_000 });
  assert.equal(book.settlement(EXPIRY).value, 1968, "it has become final");
  const blind = createSettlementBook({ rules });
  blind.adopt({ expiry, ticks: 1970, time: END + 500_000 });
  assert.equal(blind.settlement(EXPIRY).value, 1970, "one that knows nothing takes what is final");
});

const folder = mkdtempSync(path.join(tmpdir(), "straddle-settlement-"));
after(() => rmSync(folder, { recursive: true }));

test("a restart in the window loses no sample, and none of what was signed", () => {
  const file = path.join(folder, "restart.jsonl");
  const open = () => createSettlementFile(file, END);
  const half = Math.floor(stepped.length / 2);
  const first = createSettlementBook({ rules, store: open() });
  for (const sample of stepped.slice(0, half)) first.observe(sample, [EXPIRY]);
  // A crash in the middle of a record.
  appendFileSync(file, '{"sample":{"time":18');
  const second = createSettlementBook({ rules, store: open() });
  for (const sample of stepped.slice(half)) second.observe(sample, [EXPIRY]);
  assert.equal(second.average(EXPIRY, END).value, 1_966_667);
  second.adopt({ expiry: EXPIRY, ticks: 1966, time: END + 3000 });
  const third = createSettlementBook({ rules, store: open() });
  assert.equal(third.settlement(EXPIRY).value, 1966);
  assert.equal(third.signed(EXPIRY)?.time, END + 3000);
});

test("what is too old is dropped from the file, and damage is named", () => {
  const file = path.join(folder, "old.jsonl");
  const store = createSettlementFile(file, END);
  assert.deepEqual(store.load(), []);
  store.append({ sample: { time: END - 86_400_001, ticks: 1 } });
  store.append({ sample: { time: END - 1, ticks: 2 } });
  store.append({ settlement: { expiry: EXPIRY - 399 * 86_400, ticks: 3, time: 4 } });
  store.append({ settlement: { expiry: EXPIRY - 401 * 86_400, ticks: 5, time: 6 } });
  assert.equal(createSettlementFile(file, END).load().length, 2);
  const kept = readFileSync(file, "utf8");
  assert.equal(kept.split("\n").length, 3);
  for (const damage of ["garbage", '{"sample":{"time":1,"ticks":-1}}', "{}"]) {
    writeFileSync(file, `${damage}\n${kept}`);
    assert.throws(
      () => createSettlementFile(file, END).load(),
      (error) => error instanceof SettlementFileError && /damaged in line `1`/.test(error.message),
    );
  }
});
