// Numbers in ranges: what every other template leans on.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { runs } from "../property/runs.ts";
import { accepts, assertPinned, assertRejects } from "../support/cheat.ts";
import { loadGadget } from "../support/gadget.ts";

const file = "gadgets/Range.circom";

test("C7 InRange proves: 0 <= in < 2^bits, at every edge", async () => {
  for (const bits of [1, 8, 106, 252]) {
    const gadget = await loadGadget({ file, main: `InRange(${bits})` });
    const limit = 2n ** BigInt(bits);
    for (const value of [0n, 1n, limit - 1n]) assertPinned(gadget, { in: value });
    for (const value of [limit, limit + 1n, R - 1n, R - limit, (R - 1n) / 2n]) {
      if (value < limit) continue;
      assert.equal(accepts(gadget, { in: value }), false, `${value} has not ${bits} bits`);
    }
  }
});

test("C7 IsNonNegative proves: out = 1 exactly if in >= 0, nothing outside +-2^bits", async () => {
  for (const bits of [4, 63, 251]) {
    const gadget = await loadGadget({ file, main: `IsNonNegative(${bits})` });
    const limit = 2n ** BigInt(bits);
    for (const value of [0n, 1n, limit - 1n, -1n, -limit + 1n, -limit]) {
      const witness = assertPinned(gadget, { in: value });
      assert.equal(gadget.read(witness, "out"), value >= 0n ? 1n : 0n, `sign of ${value}`);
    }
    if (bits === 251) continue;
    for (const value of [limit, limit + 1n, -limit - 1n, (R - 1n) / 2n]) {
      assertRejects(gadget, { in: value }, `${value}`);
    }
  }
});

test("C7 FitsWithin proves: out = 1 exactly if -2^bits <= in < 2^bits", async () => {
  for (const bits of [4, 21, 51]) {
    const gadget = await loadGadget({ file, main: `FitsWithin(${bits})` });
    const limit = 2n ** BigInt(bits);
    const far = 7n * limit;
    for (const value of [0n, 1n, -1n, limit - 1n, -limit, limit, -limit - 1n, far - 1n, 1n - far]) {
      const fits = value >= -limit && value < limit;
      const witness = assertPinned(gadget, { in: value });
      assert.equal(gadget.read(witness, "out"), fits ? 1n : 0n, `${value} in ${bits} bits`);
    }
    for (const value of [far, -9n * limit - 1n, (R - 1n) / 2n]) {
      assertRejects(gadget, { in: value }, `${value}`);
    }
  }
});

test("C7 Minimum proves: out = the smaller of two numbers; a forged one is refused", async () => {
  const gadget = await loadGadget({ file, main: "Minimum(8)" });
  const edges = [0, 1, 128, 254, 255];
  for (const a of edges) {
    for (const b of edges) {
      const witness = assertPinned(gadget, { a, b });
      assert.equal(gadget.read(witness, "out"), BigInt(Math.min(a, b)));
    }
  }
  assertRejects(gadget, { a: 0, b: 256 }, "a difference of 2^bits");
  assertRejects(gadget, { a: R - 1n, b: 256 }, "p - 1 as a number");
});

test("C7 IsBoolean proves: in is 0 or 1", async () => {
  const gadget = await loadGadget({ file, main: "IsBoolean()" });
  for (const value of [0, 1]) assert.ok(accepts(gadget, { in: value }));
  for (const value of [2n, R - 1n, R / 2n + 1n]) assertRejects(gadget, { in: value });
});

const time = "gadgets/Time.circom";

test("WholeSeconds proves: seconds = floor(milliseconds / 1000), below 2^48 ms", async () => {
  const gadget = await loadGadget({ file: time, main: "WholeSeconds()" });
  for (const value of [0, 1, 999, 1000, 1001, 1_800_000_000_000, 2 ** 48 - 1]) {
    const witness = assertPinned(gadget, { milliseconds: value });
    assert.equal(gadget.read(witness, "seconds"), BigInt(Math.floor(value / 1000)));
  }
  for (const value of [2n ** 48n, R - 1n]) assertRejects(gadget, { milliseconds: value });
});

test("WholeSeconds proves: no other number of seconds goes through", async () => {
  const gadget = await loadGadget({ file: time, main: "WholeSeconds()", freeHints: true });
  const inverse = 2n ** 252n; // far outside every range
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.bigInt({ min: -3n, max: 3n }), (number, off) => {
      const milliseconds = BigInt(number) % 2n ** 48n;
      const seconds = milliseconds / 1000n;
      for (const hint of [seconds + off, (milliseconds * modularInverse(1000n)) % R, inverse]) {
        const isTrue = hint === seconds;
        assert.equal(accepts(gadget, { milliseconds, hint_seconds: hint }), isTrue, `${hint}`);
      }
    }),
    runs(50),
  );
});

/** By Fermat's little theorem. */
function modularInverse(number: bigint): bigint {
  let [result, base, exponent] = [1n, number % R, R - 2n];
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % R;
    base = (base * base) % R;
  }
  return result;
}
