import assert from "node:assert/strict";
import { test } from "node:test";
import { endingOf } from "../../../sequencer/bots/botLoop.ts";
import {
  BOT_KINDS,
  FlagError,
  makerSettings,
  NUMBER_FLAGS,
  numbersOf,
  quotedOf,
} from "../../../sequencer/bots/botSettings.ts";
import { createPacing } from "../../../sequencer/bots/pacing.ts";
import { withoutOwn } from "../../../sequencer/bots/picture.ts";
import { openVenueView } from "../../../sequencer/bots/venueView.ts";
import type { Exchange } from "../../../sequencer/client/exchange.ts";
import { KeyFileError, keyFileText, parseKeyFile } from "../../../sequencer/client/keyFile.ts";

test("defaults are within their bounds; what is out of them is refused, and by name", () => {
  for (const kind of BOT_KINDS) {
    const numbers = numbersOf(kind, {});
    for (const [name, { min, max }] of Object.entries(NUMBER_FLAGS)) {
      const value = numbers[name as keyof typeof numbers];
      assert.ok(value >= min && value <= max, name);
    }
  }
  assert.equal(numbersOf("maker", { lots: "7" }).lots, 7);
  const refused = (given: Parameters<typeof numbersOf>[1], pattern: RegExp) =>
    assert.throws(
      () => numbersOf("taker", given),
      (error) => {
        return error instanceof FlagError && pattern.test(error.message);
      },
    );
  refused({ lots: "0" }, /--lots must be an integer from 1 to 1048576. Got `0`/);
  refused({ lots: "1.5" }, /an integer/);
  refused({ lots: "" }, /Got ``/);
  refused({ lots: "many" }, /Got `many`/);
  refused({ "per-minute": "Infinity" }, /a number from 0.01 to 6000/);
  refused({ skew: "0.5" }, /--skew is not for `taker`, but for: maker/);
  refused({ "messages-per-second": "101" }, /from 0.1 to 100/);
  assert.equal(quotedOf("forwards"), "forwards");
  assert.throws(() => quotedOf("calls"), /all, options, forwards. Got `calls`/);
});

test("a maker's units are the venue's", () => {
  const sizes = { tickSize: 100_000, lotsPerContract: 100 };
  const settings = makerSettings(numbersOf("maker", { "vega-max": "2" }), "all", sizes);
  assert.equal(settings.spreadVol, 0.01);
  // 2 USDC for a point are 200 for 1 of volatility, of 0.001 USDC for a tick of one lot.
  assert.equal(settings.vegaMax, 200_000);
});

test("a bot stops at its loss limit and where it is liquidated, not before", () => {
  assert.equal(endingOf({ isLocked: false, equity: 51 }, 100, 50), undefined);
  assert.equal(endingOf({ isLocked: false, equity: 50 }, 100, 50), "loss");
  assert.equal(endingOf({ isLocked: false, equity: null }, 100, 50), undefined);
  assert.equal(endingOf({ isLocked: false, equity: 0 }, undefined, 50), undefined);
  assert.equal(endingOf({ isLocked: true, equity: null }, undefined, 50), "locked");
});

test("messages are paced, all of a package or none", () => {
  let now = 0;
  const pacing = createPacing({ perSecond: 2, burst: 5 }, () => now);
  assert.equal(pacing.available(), 5);
  assert.ok(pacing.take(4));
  assert.ok(!pacing.take(2));
  now = 500;
  assert.ok(pacing.take(2));
  now = 1000;
  assert.equal(pacing.available(), 1);
  now = 100_000;
  assert.equal(pacing.available(), 5);
  now = 0;
  assert.equal(pacing.available(), 5, "a clock that is set back gives and takes nothing");
});

test("bots wait while proofs are behind, where they are told to", async () => {
  const [sealed, at] = [7, { proven: 5 }];
  const exchange = {
    info: async () => ({ shape: {} }),
    status: async () => ({ sealed, ...at }),
  } as unknown as Exchange;
  const view = await openVenueView({ exchange, now: () => 0 });
  assert.equal(await view.isCongested(2), true);
  assert.equal(await view.isCongested(3), false);
  assert.equal(await view.isCongested(0), false);
  at.proven = 6;
  assert.equal(await view.isCongested(2), false);
});

test("own orders are not seen in the books", () => {
  const levels = [
    { price: 10, lots: 5 },
    { price: 9, lots: 7 },
  ];
  const own = [
    { price: 10, lots: 5 },
    { price: 9, lots: 3 },
    { price: 9, lots: 1 },
  ];
  assert.deepEqual(withoutOwn(levels, own), [{ price: 9, lots: 3 }]);
  assert.deepEqual(withoutOwn(levels, []), levels);
});

const FILE = {
  ...({ chainId: 31337, rollup: `0x${"ab".repeat(20)}`, account: 5 } as const),
  keys: [
    { index: 0, secret: 255n },
    { index: 3, secret: 2n ** 250n },
  ],
};

test("key files are read as they were written; what is none is refused without being told", () => {
  assert.deepEqual(parseKeyFile(keyFileText(FILE)), FILE);
  const bad = (change: object, pattern: RegExp): void => {
    const text = JSON.stringify({ ...JSON.parse(keyFileText(FILE)), ...change });
    assert.throws(
      () => parseKeyFile(text),
      (error) => {
        assert.ok(error instanceof KeyFileError && !error.message.includes("5ec"));
        return pattern.test(error.message);
      },
    );
  };
  bad({ chainId: 0 }, /chainId/);
  bad({ rollup: "0x12" }, /rollup/);
  bad({ account: -1 }, /account/);
  bad({ keys: [] }, /1 to 4 keys/);
  bad({ keys: "0x5ec" }, /1 to 4 keys/);
  bad({ keys: [{ index: 4, secret: "0x5ec" }] }, /index/);
  bad({ keys: [{ index: 0, secret: "5ec" }] }, /secret/);
  bad({ keys: [null] }, /index/);
  bad({ keys: [1, 1].map((index) => ({ index, secret: "0x5ec" })) }, /different indices/);
  assert.throws(
    () => parseKeyFile('{"secret": "0x5ec'),
    (error) => {
      return error instanceof KeyFileError && !error.message.includes("5ec");
    },
  );
});
