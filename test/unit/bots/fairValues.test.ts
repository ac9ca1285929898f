import assert from "node:assert/strict";
import { test } from "node:test";
import { exposureOf, fairValues, smileOf } from "../../../sequencer/bots/fairValues.ts";
import { smileFault } from "../../../sequencer/pricing/svi.ts";
import { chain, EXPIRY, FORWARD, listed, NOW, pictureOf } from "./listed.ts";

test("the smile through the marks gives them back, without arbitrage", () => {
  const series = chain();
  const values = fairValues(pictureOf(series));
  for (const { slot, mark, name } of series) {
    const value = values.get(slot)!;
    assert.ok(Math.abs(value.price - mark) <= 2, `${name}: ${value.price} for a mark of ${mark}`);
    assert.equal(value.forward, FORWARD);
  }
  assert.deepEqual(values.get(0), { price: FORWARD, delta: 1, vega: 0, forward: FORWARD });
  assert.equal(smileFault(smileOf(series, FORWARD, 7 / 365)!), undefined);
});

test("a single mark that is off is pulled back to the others' smile", () => {
  const series = chain().map((each) =>
    each.slot === 5 ? { ...each, mark: each.mark + 60 } : each,
  );
  const value = fairValues(pictureOf(series)).get(6)!;
  const [exact] = chain().filter(({ slot }) => slot === 6);
  assert.ok(Math.abs(value.price - exact!.mark) < 60, `${value.price}`);
});

test("calls and puts of one strike differ as the forward says", () => {
  const values = fairValues(pictureOf(chain()));
  for (const call of [1, 3, 5, 7, 9]) {
    const [c, p] = [values.get(call)!, values.get(call + 1)!];
    const strike = 23_000 + 500 * (call - 1);
    assert.ok(Math.abs(c.price - p.price - (FORWARD - strike)) < 1e-6);
    assert.ok(Math.abs(c.delta - p.delta - 1) < 1e-9);
    assert.ok(c.vega > 0 && Math.abs(c.vega - p.vega) < 1e-6);
  }
});

test("what tells no forward, has no volatility or no time left has no value", () => {
  const alone = listed({ slot: 3, isCall: true, strike: 26_000, mark: 100 });
  assert.equal(fairValues(pictureOf([alone])).size, 0);
  const expired = chain().map((each) => ({ ...each, expiry: NOW / 1000 }));
  assert.equal(fairValues(pictureOf(expired)).size, 0);
  const worthless = chain().map((each) => (each.strike === 0 ? each : { ...each, mark: 0 }));
  assert.deepEqual([...fairValues(pictureOf(worthless)).keys()], [0]);
});

test("two expiries have a smile each; exposures add up, settled slots count for nothing", () => {
  const later = chain([24_000, 25_000, 26_000]).map((each) => {
    return { ...each, slot: each.slot + 20, expiry: EXPIRY + 30 * 86_400 };
  });
  const values = fairValues(pictureOf([...chain(), ...later]));
  assert.equal(values.size, 11 + 7);
  const positions = new Array<number>(64).fill(0);
  [positions[0], positions[5], positions[6], positions[40]] = [10, 20, -20, 99];
  const { delta, vega } = exposureOf(positions, values);
  assert.ok(Math.abs(delta - 30) < 1e-6, "10 forwards and 20 synthetic ones");
  assert.ok(Math.abs(vega) < 1e-6);
});
