import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Chance, takeOf, waitOf } from "../../../sequencer/bots/randomFlow.ts";
import { createChance } from "../../simulation/random.ts";
import { level, listed } from "./listed.ts";

const SETTINGS = { lots: 10, positionMax: 100, slippagePpm: 50_000, slippageTicks: 5 };
const series = [listed({ slot: 0, mark: 500, bids: [level(490, 4)], asks: [level(510, 40)] })];

/** From 0 to 1, as a seed determines. */
function drawn(seed: number): Chance {
  const { pick } = createChance(seed);
  return () => pick(2 ** 30) / 2 ** 30;
}

/** Answers what it is given, in turn. */
function chances(...values: number[]): Chance {
  return () => values.shift()!;
}

test("it meets the best level of a random book, as many lots as chance and book have", () => {
  const order = { book: 0, name: "S0" };
  const take = (...values: number[]) => takeOf({ series }, [0], chances(...values), SETTINGS);
  assert.deepEqual(take(0, 0.2, 0.55), { ...order, isSell: false, price: 510, lots: 6 });
  assert.deepEqual(take(0, 0.7, 0.95), { ...order, isSell: true, price: 490, lots: 4 });
  assert.equal(takeOf({ series: [] }, [], chances(0), SETTINGS), undefined);
  const far = [{ ...series[0]!, asks: [level(526, 4)] }];
  assert.equal(takeOf({ series: far }, [0], chances(0, 0.2, 0), SETTINGS), undefined);
  const empty = [{ ...series[0]!, asks: [] }];
  assert.equal(takeOf({ series: empty }, [0], chances(0, 0.2, 0), SETTINGS), undefined);
});

test("positions are pulled back and never pass their limit", () => {
  const chance = drawn(7);
  let position = 0;
  let furthest = 0;
  for (let count = 0; count < 20_000; count++) {
    const order = takeOf({ series }, [position], chance, SETTINGS);
    if (order === undefined) continue;
    position += order.isSell ? -order.lots : order.lots;
    furthest = Math.max(furthest, Math.abs(position));
  }
  assert.ok(furthest <= 100 && furthest > 20, `${furthest}`);
  fc.assert(
    fc.property(fc.integer({ min: -100, max: 100 }), fc.nat(2 ** 31), (held, seed) => {
      const order = takeOf({ series }, [held], drawn(seed), SETTINGS);
      if (order === undefined) return;
      assert.ok(Math.abs(held + (order.isSell ? -order.lots : order.lots)) <= 100);
    }),
  );
});

test("waits are those of a Poisson process", () => {
  const chance = drawn(3);
  const waits = Array.from({ length: 20_000 }, () => waitOf(chance, 30));
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
  assert.ok(Math.abs(mean - 2000) < 60, `${mean}`);
  assert.equal(
    waitOf(() => 0, 30),
    0,
  );
});
