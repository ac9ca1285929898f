import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  DecimalError,
  formatPrice,
  formatQuantity,
  formatUsdc,
  parsePrice,
  parseQuantity,
  parseUsdc,
} from "../../../sequencer/market/decimal.ts";
import {
  findInstrument,
  InstrumentError,
  instrumentName,
  parseInstrument,
} from "../../../sequencer/market/instrument.ts";
import { orderIdText, parseOrderId } from "../../../sequencer/protocol/orderId.ts";

const market = { underlying: "ETH", tickSize: 100_000, lotsPerContract: 100 };
const christmas = Date.UTC(2026, 11, 25, 8) / 1000;

/** Name, isCall, strike in ticks, seconds after 08:00. */
const names: readonly (readonly [string, boolean, number, number])[] = [
  ["ETH-20261225-3000-C", true, 30_000, 0],
  ["ETH-20261225-3000.5-P", false, 30_005, 0],
  ["ETH-20261225-0-P", false, 0, 0],
  ["ETH-20261225-F", true, 0, 0],
  ["ETH-20261225T1630-3000-C", true, 30_000, 8.5 * 3600],
  ["ETH-20261225T080007-3000-C", true, 30_000, 7],
];

test("names and series determine each other", () => {
  for (const [name, isCall, strike, offset] of names) {
    const terms = { isCall, strike, expiry: christmas + offset };
    assert.equal(instrumentName(terms, market), name);
    assert.deepEqual(parseInstrument(name, market), terms);
    assert.deepEqual(parseInstrument(name.toLowerCase(), market), terms);
  }
});

test("any series survives its name", () => {
  const series = fc.record({
    isCall: fc.boolean(),
    strike: fc.integer({ min: 0, max: 2 ** 24 - 1 }),
    expiry: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  });
  fc.assert(
    fc.property(series, (terms) => {
      assert.deepEqual(parseInstrument(instrumentName(terms, market), market), { ...terms });
    }),
  );
});

test("a name that is wrong says where", () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["BTC-20261225-3000-C", /`BTC-20261225-3000-C`: it must begin with `ETH-`/],
    ["ETH", /expiry must be YYYYMMDD/],
    ["ETH-25DEC26-3000-C", /Got `25DEC26`/],
    ["ETH-20260230-3000-C", /no such date: `20260230`/],
    ["ETH-20261325-3000-C", /no such date/],
    ["ETH-20261225T2500-3000-C", /no such date/],
    ["ETH-20261225-3000", /a strike and `C` or `P`/],
    ["ETH-20261225-3000-X", /a strike and `C` or `P`/],
    ["ETH-20261225-3000.05-C", /multiple of the tick 0.1/],
    ["ETH-20261225--5-C", /a strike and/],
  ];
  for (const [name, words] of wrong) {
    assert.throws(() => parseInstrument(name, market), words, name);
    assert.throws(() => parseInstrument(name, market), InstrumentError, name);
  }
});

test("the newest listing of a name is found, and near ones are offered", () => {
  const terms = { isCall: true, strike: 30_000, expiry: christmas };
  const series = [
    { ...terms, generation: 1, slot: 0 },
    { ...terms, generation: 4, slot: 2 },
    { ...terms, strike: 31_000, generation: 9, slot: 3 },
  ];
  assert.equal(findInstrument("ETH-20261225-3000-C", market, series).slot, 2);
  const missing = () => findInstrument("ETH-20261225-9-C", market, series);
  assert.throws(missing, /listed are `ETH-20261225-3000-C`/);
});

test("decimals are exact or refused", () => {
  assert.equal(parsePrice("350.1", market), 3501);
  assert.equal(parsePrice("-0.3", market), -3);
  assert.equal(Object.is(parsePrice("-0", market), 0), true);
  assert.equal(parseQuantity("0.29", market), 29);
  assert.equal(parseUsdc("1000000.000001"), 1_000_000_000_001);
  assert.equal(formatUsdc(-1), "-0.000001");
  assert.equal(formatPrice(-3505, market), "-350.5");
  assert.equal(formatQuantity(100, market), "1");
  for (const text of ["", ".5", "1.", "1e3", "0x10", "1,5", " ", "1 2", "∞", "--1"]) {
    assert.throws(() => parseUsdc(text), DecimalError, text);
  }
  assert.throws(() => parseUsdc("0.0000001"), /`amount` must be a multiple of 0.000001/);
  assert.throws(() => parsePrice("0.05", market), /multiple of the tick 0.1. Got `0.05`/);
  assert.throws(() => parseQuantity("0.001", market), /`quantity` must be a multiple of 0.01/);
  assert.throws(() => parseUsdc("999999999999"), DecimalError);
});

test("amounts survive their text", () => {
  fc.assert(
    fc.property(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), (amount) => {
      assert.equal(parseUsdc(formatUsdc(amount)), amount);
    }),
  );
});

test("order ids survive their text, and nothing else is one", () => {
  const order = { book: 12, isSell: false, price: -35, seq: 1042 };
  assert.equal(orderIdText(order), "12-B--35-1042");
  assert.deepEqual(parseOrderId("12-B--35-1042"), order);
  const wrong = ["", "12-B-35", "12-X-35-1", "4096-B-1-1", "1-S-9000000-1", "1-S-1-0", "01-B-1-1"];
  for (const text of [...wrong, "1-B--0-1"]) assert.equal(parseOrderId(text), undefined, text);
});
