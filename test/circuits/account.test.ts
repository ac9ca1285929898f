// Leaves of accounts before and after a batch, and what is in them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cashQuotient, effectiveRisk, scenarioValues } from "../../sequencer/engine/risk.ts";
import {
  POSITION_STRIDE_BITS,
  POSITIONS_PER_WORD,
  FIELD_MODULUS as R,
  SCENARIOS,
} from "../../sequencer/protocol/constants.ts";
import { accountLeaf, emptySeries } from "../../sequencer/protocol/state.ts";
import { accepts, assertPinned, assertRejects, readAll, wrapped } from "../support/cheat.ts";
import { loadGadget } from "../support/gadget.ts";
import { laneWords } from "../support/lanes.ts";
import { slotRisk } from "../support/market.ts";

const UNIT = 1000;
const account = { owner: 77n, cash: -5, positions: [3, -4] };
/** What one more in the next place of a word counts for in a position's own. */
const LANE = 2n ** BigInt(POSITION_STRIDE_BITS);

test("AccountLeaf proves: leaf = hashVector(owner, cash, positions), cash in range", async () => {
  const gadget = await loadGadget({ file: "state/Account.circom", main: "AccountLeaf(2)" });
  const witness = assertPinned(gadget, account);
  assert.equal(gadget.read(witness, "leaf"), accountLeaf(account));
  const limit = 2n ** 52n;
  for (const cash of [limit - 1n, -limit]) assert.ok(accepts(gadget, { ...account, cash }));
  for (const cash of [limit, -limit - 1n]) assertRejects(gadget, { ...account, cash });
});

test("PositionsInRange proves: -2^22 <= positions[m] < 2^22", async () => {
  const gadget = await loadGadget({ file: "state/Account.circom", main: "PositionsInRange(2)" });
  const edge = 2n ** 22n;
  for (const lots of [edge - 1n, -edge]) assertPinned(gadget, { positions: [0n, lots] });
  for (const lots of [edge, -edge - 1n, LANE, -LANE]) {
    assertRejects(gadget, { positions: [0n, lots] }, `${lots} lots`);
  }
});

test("AccountOpened proves 1: leaf as AccountLeaf says", async () => {
  const gadget = await loadGadget({
    file: "state/Account.circom",
    main: `AccountOpened(2, 1, ${UNIT})`,
  });
  const risk = { mark: [1, 2], changes: [[3], [4]] };
  const witness = assertPinned(gadget, { ...account, ...risk });
  assert.equal(gadget.read(witness, "leaf"), accountLeaf(account));
  assertRejects(gadget, { ...account, cash: 2n ** 52n, ...risk });
});

test("AccountOpened proves 2: headroom[s] = 4 cash + unit * what positions are worth", async () => {
  const main = `AccountOpened(2, ${SCENARIOS}, ${UNIT})`;
  const gadget = await loadGadget({ file: "state/Account.circom", main });
  const slots = [slotRisk(200, 80), slotRisk(7, -30)];
  const terms = { isCall: true, strike: 9, expiry: 100 };
  const table = slots.map(() => ({ ...emptySeries(), status: "listed" as const, ...terms }));
  const effective = effectiveRisk(table, { slots });
  const mark = slots.map((slot) => slot.mark);
  const changes = slots.map((slot) => laneWords(slot.changes));
  const witness = gadget.witness({ ...account, mark, changes });
  const rooms = scenarioValues(account, effective).map((value) =>
    wrapped(4 * -5 + UNIT * value, R),
  );
  assert.deepEqual(readAll(gadget, witness, "headroom", SCENARIOS + 1), rooms);
});

const lotTicks = {
  file: "state/Account.circom",
  main: `HeadroomLotTicks(1, ${UNIT})`,
};
const CASH_EDGE = 2n ** 52n;
const cashes = [0n, 1n, -1n, 249n, 250n, -250n, -251n, 999n, 1000n, CASH_EDGE - 1n, -CASH_EDGE];
/** X_s of two scenarios. */
const VALUES = [7n, -9n];

function floor(dividend: bigint, divisor: bigint): bigint {
  const rest = ((dividend % divisor) + divisor) % divisor;
  return (dividend - rest) / divisor;
}

function lotTicksOf(cash: bigint) {
  const unit = BigInt(UNIT);
  return { cash, headroom: VALUES.map((value) => wrapped(4n * cash + unit * value, R)) };
}

test("HeadroomLotTicks proves 1: rounded down, and five times what is rounded off", async () => {
  const gadget = await loadGadget(lotTicks);
  const unit = BigInt(UNIT);
  for (const cash of cashes) {
    const witness = assertPinned(gadget, lotTicksOf(cash));
    const quotient = floor(4n * cash, unit);
    const rooms = VALUES.map((value) => wrapped(quotient + value, R));
    assert.deepEqual(readAll(gadget, witness, "out", 2), rooms);
    assert.equal(quotient, BigInt(cashQuotient(Number(cash), UNIT)), "the engine's quotient");
    const excess = floor(5n * (4n * cash - unit * quotient), unit);
    assert.equal(gadget.read(witness, "excess"), excess);
  }
});

test("HeadroomLotTicks proves 1: no other quotient and no other excess are taken", async () => {
  const gadget = await loadGadget({ ...lotTicks, freeHints: true });
  const unit = BigInt(UNIT);
  const shift = floor(4n * CASH_EDGE, unit) + 1n;
  const inverse = modInverse(unit, R);
  for (const cash of cashes) {
    const hint_quotient = floor(4n * cash, unit) + shift;
    const remainder = 4n * cash + unit * shift - unit * hint_quotient;
    const hint_excess = (5n * remainder) / unit;
    const inputs = lotTicksOf(cash);
    assert.ok(accepts(gadget, { ...inputs, hint_quotient, hint_excess }));
    for (const off of [1n, -1n, 5n, inverse, -inverse]) {
      const other = wrapped(hint_quotient + off, R);
      assertRejects(gadget, { ...inputs, hint_quotient: other, hint_excess }, `${off}`);
      const more = wrapped(hint_excess + off, R);
      assertRejects(gadget, { ...inputs, hint_quotient, hint_excess: more }, `${off}`);
    }
  }
});

/** The number whose product with another is 1 in the field. */
function modInverse(value: bigint, modulus: bigint): bigint {
  let power = 1n;
  let base = value;
  for (let rest = modulus - 2n; rest > 0n; rest >>= 1n) {
    if (rest & 1n) power = (power * base) % modulus;
    base = (base * base) % modulus;
  }
  return power;
}

test("PositionsBought proves 1: sums of net and weights, slot by slot", async () => {
  const gadget = await loadGadget({
    file: "state/Account.circom",
    main: "PositionsBought(2, 2, 256)",
  });
  const weights = [
    [1, -8],
    [7, 0],
  ];
  const witness = assertPinned(gadget, { net: [5, -3], weights });
  assert.deepEqual(readAll(gadget, witness, "bought", 2), [wrapped(-16, R), wrapped(-40, R)]);
});

/** The account before and after a trade batch, as trade.circom puts it together. */
const TRADED = {
  file: "state/Account.circom",
  main: "Traded(8, 16, 256)",
  around: `template Traded(slots, books, fills) {
    signal input positions[slots];
    signal input net[books];
    signal input weights[books][slots];
    signal output leaf;
    signal output leafAfter;
    leaf <== AccountLeaf(slots)(77, -5, positions);
    signal bought[slots] <== PositionsBought(slots, books, fills)(net, weights);
    signal after[slots];
    for (var m = 0; m < slots; m++) {
        after[m] <== positions[m] + bought[m];
    }
    leafAfter <== AccountClosed(slots)(77, -5, after);
}`,
};

test("PositionsBought proves 2: no other positions before have the same words", async () => {
  const gadget = await loadGadget(TRADED);
  const positions = [3n, -4n, 0n, 2n ** 22n - 1n, -(2n ** 22n), 1n, 0n, 9n];
  const weights = Array.from({ length: 16 }, (_, b) => positions.map((_, m) => ((b + m) % 16) - 8));
  const idle = { weights, net: new Array<bigint>(16).fill(0n) };
  const leaf = accountLeaf({ owner: 77n, cash: -5, positions: positions.map(Number) });
  const honest = assertPinned(gadget, { positions, ...idle });
  assert.deepEqual([gadget.read(honest, "leaf"), gadget.read(honest, "leafAfter")], [leaf, leaf]);
  const opened = await loadGadget({ ...TRADED, main: "AccountLeaf(8)" });
  for (const moves of sameWords()) {
    const others = positions.map((lots, m) => lots + (moves[m] ?? 0n));
    const witness = opened.witness({ owner: 77, cash: -5, positions: others });
    assert.equal(opened.read(witness, "leaf"), leaf, "the cheat has the same leaf");
    assertRejects(gadget, { positions: others, ...idle }, `${moves}`);
    // Whatever 256 fills buy, all of it in the book where it counts most.
    for (const lots of [2n ** 31n, -(2n ** 31n)]) {
      for (const b of weights.keys()) {
        const bought = { weights, net: idle.net.with(b, lots) };
        assertRejects(gadget, { positions: others, ...bought }, `${moves} and ${lots}`);
      }
    }
  }
  // Steps of an old layout, 23 bits apart, are another leaf.
  for (const off of [2n ** 23n, -(2n ** 23n)]) {
    const others = [positions[0]! + off, positions[1]! - 1n, ...positions.slice(2)];
    const witness = opened.witness({ owner: 77, cash: -5, positions: others });
    assert.notEqual(opened.read(witness, "leaf"), leaf);
  }
});

/** By what positions can differ and leave the first word as it is, modulo the field. */
function sameWords(): bigint[][] {
  const places = Array.from({ length: POSITIONS_PER_WORD - 1 }, (_, place) => place);
  const carried = places.flatMap((place) =>
    [1n, -1n, 2n ** 13n].map((times) => {
      const moves = new Array<bigint>(POSITIONS_PER_WORD).fill(0n);
      return moves.with(place, times * LANE).with(place + 1, -times);
    }),
  );
  const modulus = [...places, POSITIONS_PER_WORD - 1].map((place) => {
    const rest = R >> BigInt(place * POSITION_STRIDE_BITS);
    return place === POSITIONS_PER_WORD - 1 ? rest : rest % LANE;
  });
  return [...carried, modulus, modulus.map((digit) => -digit)];
}

test("PositionsBought proves 2: a lane is wider than what the most fills can buy", async () => {
  const main = (fills: number) => `PositionsBought(1, 1, ${fills})`;
  const file = "state/Account.circom";
  await loadGadget({ file, main: main(1023) });
  await assert.rejects(loadGadget({ file, main: main(1024) }), /assert/i);
});

test("AccountClosed proves: leaf as AccountLeaf says; cash, positions within range", async () => {
  const gadget = await loadGadget({ file: "state/Account.circom", main: "AccountClosed(2)" });
  const witness = assertPinned(gadget, account);
  assert.equal(gadget.read(witness, "leaf"), accountLeaf(account));
  const edge = 2 ** 22;
  for (const lots of [edge - 1, -edge]) {
    assert.ok(accepts(gadget, { ...account, positions: [lots, 0] }));
  }
  for (const lots of [edge, -edge - 1]) {
    assertRejects(gadget, { ...account, positions: [lots, 0] }, `${lots} lots`);
  }
  for (const cash of [2n ** 52n, -(2n ** 52n) - 1n]) assertRejects(gadget, { ...account, cash });
});
