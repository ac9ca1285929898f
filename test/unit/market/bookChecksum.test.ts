import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { bookChecksum, checksumText, crc32 } from "../../../sequencer/market/bookChecksum.ts";

test("the checksum is CRC-32, as zlib has it", () => {
  assert.equal(crc32("123456789"), 0xcbf43926, "the check value of the standard");
  assert.equal(crc32(""), 0);
  const ascii = fc.string({ unit: "grapheme-ascii", maxLength: 300 });
  fc.assert(fc.property(ascii, (text) => crc32(text) === zlibCrc32(text)));
});

test("ten levels a side count, asks first, in ticks and lots", () => {
  const level = (price: number, lots: number) => ({ price, lots, orders: 1 });
  const bids = Array.from({ length: 12 }, (_, at) => level(100 - at, at + 1));
  const asks = [level(101, 7), level(-5, 2)];
  const text = checksumText(bids, asks);
  assert.ok(text.startsWith("101:7|-5:2|100:1|99:2|"));
  assert.ok(text.endsWith("|91:10"));
  assert.equal(bookChecksum(bids, asks), crc32(text));
  assert.equal(bookChecksum(bids.slice(0, 10), asks), bookChecksum(bids, asks));
  assert.notEqual(bookChecksum(bids.slice(1), asks), bookChecksum(bids, asks));
  assert.equal(bookChecksum([], []), 0);
});
