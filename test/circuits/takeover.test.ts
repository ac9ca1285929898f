// Conditions of takeovers: how long the lock is, which way lots go, T1 to T5, and who can bear it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { accepts, assertPinned, assertRejects } from "../support/cheat.ts";
import { loadGadget } from "../support/gadget.ts";

const TAKEOVER = "ledger/Takeover.circom";
const NOW = 1_800_000_000;

test("LockAge proves: the time since the lock, at most 256 s, and what it allows", async () => {
  const gadget = await loadGadget({ file: TAKEOVER, main: "LockAge()" });
  const read = (elapsed: number) => {
    const inputs = { enabled: 1, seconds: NOW, lockedSince: NOW - elapsed };
    const witness = assertPinned(gadget, inputs);
    const names = ["elapsed", "isAuctionOver", "isDeleverageTime"];
    return names.map((name) => Number(gadget.read(witness, name)));
  };
  for (const [elapsed, ...told] of [
    [0, 0, 0, 0],
    [255, 255, 0, 0],
    [256, 256, 1, 0],
    [511, 256, 1, 0],
    [512, 256, 1, 1],
    [1023, 256, 1, 1],
    [NOW - 1, 256, 1, 1],
  ]) {
    assert.deepEqual(read(elapsed!), told);
  }
  assertRejects(gadget, { enabled: 1, seconds: NOW, lockedSince: 0 }, "an unlocked account");
  assertRejects(gadget, { enabled: 1, seconds: NOW, lockedSince: NOW + 1 }, "a lock to come");
  const idle = gadget.witness({ enabled: 0, seconds: NOW, lockedSince: NOW + 7 });
  assert.equal(gadget.read(idle, "elapsed"), 0n);
});

const reduction = { file: "gadgets/Reduction.circom", main: "Reduction(22)" };

test("Reduction proves 1: lots of 1 to |position|, against the position's direction", async () => {
  const gadget = await loadGadget(reduction);
  const read = (position: number, lots: number) => {
    const witness = assertPinned(gadget, { enabled: 1, position, lots });
    return [gadget.read(witness, "isShort"), gadget.read(witness, "direction")];
  };
  assert.deepEqual(read(-7, 7), [1n, 1n]);
  assert.deepEqual(read(7, 1), [0n, R - 1n]);
  const largest = 2 ** 22 - 1;
  assert.deepEqual(read(-largest, largest), [1n, 1n]);
  for (const [position, lots] of [
    [7, 0],
    [7, 8],
    [-7, 8],
    [0, 1],
    [0, 0],
    [-7, largest],
  ]) {
    assertRejects(gadget, { enabled: 1, position: position!, lots: lots! }, `${lots}, ${position}`);
  }
});

test("Reduction proves 1: no hint turns a long position into a short one", async () => {
  const gadget = await loadGadget({ ...reduction, freeHints: true });
  for (const [position, honest] of [
    [5, 0n],
    [-5, 1n],
  ] as const) {
    for (const hint_isShort of [0n, 1n, 2n, R - 1n]) {
      const inputs = { enabled: 1, position, lots: 3, hint_isShort };
      assert.equal(accepts(gadget, inputs), hint_isShort === honest);
    }
  }
});

test("Reduction proves 2: where it is not enabled, nothing is said", async () => {
  const gadget = await loadGadget({ ...reduction, freeHints: true });
  const idle = { enabled: 0, position: -5, lots: 0 };
  const witness = gadget.witness({ ...idle, hint_isShort: 0 });
  assert.equal(gadget.read(witness, "direction"), 0n);
  assertRejects(gadget, { ...idle, hint_isShort: 1 });
});

/**
 * Two scenarios, changes of -3 and +20 ticks. The account is short 10 lots, has 30 of headroom
 * in the first scenario, -120 in the second and 40 (equity 10) unchanged; locked for 300 s.
 */
const honest = {
  ...{ isTakeover: 1, isInsure: 0, isDeleverage: 0, isAbsorb: 0, isSubsidy: 0, scenario: 1 },
  ...{ lots: 1, amount: 5, gain: 5, position: -10, lockedSince: NOW - 300, seconds: NOW },
  ...{ change5: [-15, 100], room: [30, -120, 40] },
};
// maintenance in 1/20: 4 * -120 + 40 = -440, so -22; a lot spares 20.
const rules = { file: TAKEOVER, main: "Takeover(2, 1)" };
const idle = {
  ...{ ...honest, isTakeover: 0, scenario: 0, lots: 0, amount: 0, gain: 0 },
  ...{ position: 0, lockedSince: 0 },
};

test("Takeover proves 1: T1, the account is locked and below maintenance", async () => {
  const gadget = await loadGadget(rules);
  const witness = assertPinned(gadget, honest);
  assert.equal(gadget.read(witness, "direction"), 1n);
  assert.equal(gadget.read(witness, "isShort"), 1n);
  assertRejects(gadget, { ...honest, lockedSince: 0 }, "an unlocked account");
  // At -10 headroom, 4 * -10 + 40 = 0: exactly at maintenance. One lot more than none is needed.
  const unpaid = { ...honest, amount: 0, gain: 0 };
  gadget.witness({ ...unpaid, room: [30, -11, 40] });
  assertRejects(gadget, { ...unpaid, room: [30, -10, 40] }, "a healthy account");
  assertRejects(gadget, { ...honest, scenario: 0 }, "a scenario that it survives");
  assertRejects(gadget, { ...honest, scenario: 2 }, "no scenario");
});

test("Takeover proves 1: of scenarios that are alike, any may be named", async () => {
  const gadget = await loadGadget(rules);
  const alike = { room: [-120, -120, 40], change5: [100, 100] };
  for (const scenario of [0, 1]) assertPinned(gadget, { ...honest, ...alike, scenario });
  assertRejects(gadget, { ...honest, ...alike, scenario: 2 }, "no scenario");
});

test("Takeover proves 2: T2, lots only reduce what loses in the scenario", async () => {
  const gadget = await loadGadget(rules);
  assertRejects(gadget, { ...honest, lots: 0, amount: 0, gain: 0 }, "no lots");
  assertRejects(gadget, { ...honest, position: 0 }, "no position");
  assertRejects(gadget, { ...honest, position: -1, lots: 2 }, "more than the position");
  gadget.witness({ ...honest, position: -2, lots: 2 });
  assertRejects(gadget, { ...honest, position: 10 }, "a position that gains");
  gadget.witness({ ...honest, position: 10, change5: [15, -100] });
  assertRejects(gadget, { ...honest, amount: 0, gain: 0, change5: [0, 0] }, "no change");
});

test("Takeover proves 3: T3, no lot more than restores initial margin", async () => {
  const gadget = await loadGadget(rules);
  // Headroom of -120 less 4 * 5 that is paid: after one lot -40, after two 60, so no third.
  gadget.witness({ ...honest, lots: 2 });
  assertRejects(gadget, { ...honest, lots: 3 }, "a lot too many");
  // Unpaid and at -100 exactly, one lot is enough.
  const unpaid = { ...honest, amount: 0, gain: 0, room: [30, -100, 40] };
  gadget.witness(unpaid);
  assertRejects(gadget, { ...unpaid, lots: 2 }, "the lot after the last");
});

test("Takeover proves 4: T4, the discount grows to half of the loss that is avoided", async () => {
  const gadget = await loadGadget(rules);
  const paid = (amount: number, elapsed: number) => ({
    ...{ ...honest, amount, gain: amount, lockedSince: NOW - elapsed },
  });
  for (const [amount, elapsed] of [
    [10, 256],
    [10, 1000],
    [5, 128],
    [4, 127],
    [0, 0],
  ] as const) {
    gadget.witness(paid(amount, elapsed));
    assertRejects(gadget, paid(amount + 1, elapsed), `${amount + 1} after ${elapsed} s`);
  }
});

test("Takeover proves 5: T5, only a deficit is paid for, and absorb pays no more", async () => {
  const gadget = await loadGadget(rules);
  const subsidised = (equity4: number, amount: number) => ({
    ...honest,
    ...{ isInsure: 1, isSubsidy: 1, amount, gain: -amount, room: [30, -220, equity4] },
  });
  gadget.witness(subsidised(-20, 5));
  assertRejects(gadget, subsidised(-20, 6), "more than the deficit");
  assertRejects(gadget, subsidised(4, 1), "a subsidy without a deficit");
  const absorbed = (amount: number) => ({
    ...{ ...idle, isAbsorb: 1, amount, gain: -amount, room: [0, 0, -20] },
  });
  gadget.witness(absorbed(5));
  assertRejects(gadget, absorbed(6), "more than the deficit");
});

test("Takeover proves 6: insure waits 256 s, deleverage 512 s from the lock", async () => {
  const gadget = await loadGadget(rules);
  for (const [flag, delay] of [
    ["isInsure", 256],
    ["isDeleverage", 512],
  ] as const) {
    gadget.witness({ ...honest, amount: 0, gain: 0, [flag]: 1, lockedSince: NOW - delay });
    const early = { ...honest, amount: 0, gain: 0, [flag]: 1, lockedSince: NOW - delay + 1 };
    assertRejects(gadget, early, `${flag} before ${delay} s`);
  }
});

test("Takeover says nothing where there is none", async () => {
  const gadget = await loadGadget(rules);
  // A withdrawal: the account that acts pays, and there is no other.
  for (const inputs of [idle, { ...idle, amount: 9, gain: -9, room: [0, 0, 0] }]) {
    const witness = assertPinned(gadget, inputs);
    assert.equal(gadget.read(witness, "direction"), 0n);
  }
});

const bearable = { file: "ledger/Bearable.circom", main: "Bearable(1)" };
const CHOICES = /\.(inv|usesSum\[\d+\]|shown\[\d+\]|isWorst\[\d+\])$/;
const nobody = {
  ...{ isTested: 0, isAbsorb: 0, isTakeover: 0, isInsure: 0, isRelease: 0, isClose: 0 },
  ...{ room: [0, 0], change: [0, 0], cashAfter: 0, cashChange: 0 },
};

test("Bearable proves 1: money leaves exactly if headrooms and cash stay at least 0", async () => {
  const gadget = await loadGadget(bearable);
  const passes = (room: number[], cashAfter: number) => {
    const inputs = { ...nobody, isTested: 1, room, change: [-4, -4], cashAfter };
    return gadget.read(assertPinned(gadget, inputs, { free: CHOICES }), "passes");
  };
  assert.equal(passes([4, 4], 0), 1n);
  assert.equal(passes([3, 4], 0), 0n);
  assert.equal(passes([4, 3], 0), 0n);
  assert.equal(passes([4, 4], -1), 0n);
  // Nothing is withdrawn from an account that is not covered: refused all the same.
  const nothing = { ...nobody, isTested: 1, room: [-1, 5], cashAfter: 9 };
  assert.equal(gadget.read(gadget.witness(nothing), "passes"), 0n);
});

test("Bearable proves 2: absorb leaves the fund covered and with cash", async () => {
  const gadget = await loadGadget(bearable);
  const absorbs = { ...nobody, isAbsorb: 1, room: [4, 4], change: [-4, -4] };
  assert.equal(gadget.read(gadget.witness(absorbs), "passes"), 1n);
  for (const cheat of [{ room: [3, 4] }, { room: [4, 3] }, { cashAfter: -1 }]) {
    assertRejects(gadget, { ...absorbs, ...cheat }, JSON.stringify(cheat));
  }
});

test("Bearable proves 3: T6, no scenario gets worse that is not covered", async () => {
  const gadget = await loadGadget(bearable);
  const takes = { ...nobody, isTakeover: 1, cashAfter: -5 };
  for (const [room, change] of [
    [
      [5, 5],
      [-5, -5],
    ],
    [
      [-9, 5],
      [0, -5],
    ],
    [
      [-9, -9],
      [3, 0],
    ],
  ]) {
    gadget.witness({ ...takes, room: room!, change: change! });
  }
  for (const [room, change] of [
    [
      [5, 5],
      [-6, -5],
    ],
    [
      [5, 5],
      [-5, -6],
    ],
    [
      [-9, 5],
      [-1, -5],
    ],
  ]) {
    assertRejects(gadget, { ...takes, room: room!, change: change! }, `${room} by ${change}`);
  }
});

/** What the fund may do, and what not: two rooms, their changes, cash afterwards, its change. */
const ENGAGED: readonly (readonly [number[], number[], number, number])[] = [
  [[25, 40], [-5, 0], 10, -5],
  [[24, 40], [0, 0], 10, -5],
  [[25, 41], [-5, -1], 10, -5],
  [[25, 40], [-5, 0], 5, -5],
  [[25, 40], [-5, 0], 4, 0],
  [[9, -1], [5, 1], 0, -5],
  [[1, 1], [-1, -1], 0, -5],
];
const OVERENGAGED: readonly (readonly [number[], number[], number, number, string])[] = [
  [[24, 40], [-5, 0], 10, -5, "less than half of the equity is left in a scenario"],
  [[25, 41], [-5, 0], 10, -5, "less than half of the equity is left in a scenario"],
  [[25, 40], [-5, 0], 4, -1, "less than half of the equity is cash"],
  [[9, 0], [0, -1], 9, -5, "no equity"],
  [[9, -1], [0, 0], 9, 5, "no equity, though it has not fallen"],
];

test("Bearable proves 3: T7, half of the fund's equity stays out of it, and in cash", async () => {
  const gadget = await loadGadget(bearable);
  const insures = { ...nobody, isTakeover: 1, isInsure: 1 };
  for (const [room, change, cashAfter, cashChange] of ENGAGED) {
    gadget.witness({ ...insures, room, change, cashAfter, cashChange });
  }
  for (const [room, change, cashAfter, cashChange, why] of OVERENGAGED) {
    assertRejects(gadget, { ...insures, room, change, cashAfter, cashChange }, why);
  }
});

test("Bearable proves 4: release needs maintenance margin in every scenario", async () => {
  const gadget = await loadGadget(bearable);
  const releases = { ...nobody, isRelease: 1 };
  // 4 room_0 + room_1 at least 0, and room_1.
  gadget.witness({ ...releases, room: [-10, 40] });
  gadget.witness({ ...releases, room: [0, 0] });
  assertRejects(gadget, { ...releases, room: [-11, 43] }, "below maintenance");
  assertRejects(gadget, { ...releases, room: [5, -1] }, "no equity");
});

test("Bearable proves 5: a close passes exactly if the fund could insure it (F4)", async () => {
  const gadget = await loadGadget(bearable);
  for (const [all, expected] of [
    [ENGAGED, 1n],
    [OVERENGAGED, 0n],
  ] as const) {
    for (const [room, change, cashAfter, cashChange] of all) {
      const inputs = { ...nobody, isClose: 1, room, change, cashAfter, cashChange };
      const witness = assertPinned(gadget, inputs, { free: CHOICES });
      assert.equal(gadget.read(witness, "passes"), expected, `${room} by ${change}`);
    }
  }
});

test("Bearable proves 6: nothing passes that is not asked", async () => {
  const gadget = await loadGadget(bearable);
  const witness = assertPinned(gadget, { ...nobody, room: [-7, -7] }, { free: CHOICES });
  assert.equal(gadget.read(witness, "passes"), 0n);
});
