// The terminal's board of tickers: who looks is told once a beat, and never of what is older.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createTickerBoard, type Ticker } from "../../sequencer/web/state/tickers.ts";

const ticker = (instrument_name: string, timestamp: number, best_bid_price: number): Ticker =>
  ({ instrument_name, timestamp, best_bid_price }) as Ticker;

test("many changes between two beats are one, and only of what has changed", () => {
  const beats: (() => void)[] = [];
  const board = createTickerBoard((paint) => void beats.push(paint));
  const told: string[] = [];
  board.follow("A", () => told.push("A"));
  const leave = board.follow("B", () => told.push("B"));
  for (const price of [1, 2, 3]) board.put(ticker("A", 10 + price, price));
  assert.equal(board.get("A")?.best_bid_price, 3);
  assert.deepEqual([beats.length, told], [1, []]);
  beats.shift()?.();
  assert.deepEqual(told, ["A"]);
  board.put(ticker("B", 5, 7));
  beats.shift()?.();
  assert.deepEqual(told, ["A", "B"]);
  leave();
  board.put(ticker("B", 6, 8));
  assert.equal(beats.length, 0, "no beat for what nobody looks at");
  assert.equal(board.get("B")?.best_bid_price, 8);
});

test("one of two who look goes, and the other is still told", () => {
  const beats: (() => void)[] = [];
  const board = createTickerBoard((paint) => void beats.push(paint));
  const told: string[] = [];
  const leave = board.follow("A", () => told.push("first"));
  board.follow("A", () => told.push("second"));
  leave();
  leave();
  board.put(ticker("A", 1, 1));
  beats.shift()?.();
  assert.deepEqual(told, ["second"]);
});

test("what comes late over another connection is not put back", () => {
  const board = createTickerBoard(() => undefined);
  board.put(ticker("A", 20, 2));
  board.put(ticker("A", 19, 1));
  assert.equal(board.get("A")?.best_bid_price, 2);
  // Changes of one millisecond come in their order.
  board.put(ticker("A", 20, 3));
  assert.equal(board.get("A")?.best_bid_price, 3);
});
