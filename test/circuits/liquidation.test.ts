// L1 to L4 of SPEC section 6, against the engine's own conditions.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  bookRisk,
  cashQuotient,
  maintenanceValues,
  type Risk,
  scenarioValues,
} from "../../sequencer/engine/risk.ts";
import { SCENARIOS } from "../../sequencer/protocol/constants.ts";
import { runs } from "../property/runs.ts";
import { accepts, assertPinned, assertRejects } from "../support/cheat.ts";
import { loadGadget } from "../support/gadget.ts";
import { slotRisk } from "../support/market.ts";

const UNIT = 1000;
const source = {
  file: "trade/Liquidation.circom",
  main: `Liquidation(${SCENARIOS})`,
};
const slot = slotRisk(200, 80);
const risk: Risk = { marks: [slot.mark], changes: [slot.changes] };
/** The scenario in which the slot falls most, and that in which it rises most. */
const LOWEST = slot.changes.indexOf(Math.min(...slot.changes));
const HIGHEST = slot.changes.indexOf(Math.max(...slot.changes));
const TAKER_RATE = 3;

interface Case {
  readonly lotsHeld: number;
  /** Equity in the scenario, in 1e-6 USDC. */
  readonly maintenance: number;
  readonly scenario: number;
  readonly price: number;
  readonly lots: number;
  readonly takerRate?: number;
}

function accountOf({ lotsHeld, maintenance, scenario }: Case) {
  const positions = [lotsHeld];
  const value = maintenanceValues({ owner: 1n, cash: 0, positions }, risk)[scenario]!;
  return { owner: 1n, cash: maintenance - UNIT * value, positions };
}

function headroomOf(given: Case): number {
  const { cash, positions } = accountOf(given);
  const change = risk.changes[0]![given.scenario] ?? 0;
  return 4 * cash + UNIT * positions[0]! * (4 * risk.marks[0]! + 5 * change);
}

function inputsOf(given: Case) {
  const account = accountOf(given);
  const quotient = cashQuotient(account.cash, UNIT);
  const headroom = scenarioValues(account, risk).map((value) => quotient + value);
  const excess = Math.floor((5 * (4 * account.cash - UNIT * quotient)) / UNIT);
  const { scenario, price, lots, takerRate = TAKER_RATE } = given;
  const direction = given.lotsHeld > 0 ? -1 : 1;
  const rates = bookRisk([1], risk);
  return { enabled: 1, scenario, headroom, excess, rates, price, lots, direction, takerRate };
}

/** The conditions as SPEC writes them. */
function isAllowed(given: Case): boolean {
  const direction = given.lotsHeld > 0 ? -1 : 1;
  const { scenario, price, lots, maintenance, takerRate = TAKER_RATE } = given;
  const mark = risk.marks[0]!;
  const change = risk.changes[0]![scenario] ?? 0;
  const gain = direction * (mark + change - price);
  const healed = direction * (4 * mark + 5 * change - 4 * price);
  return (
    maintenance < 0 &&
    direction * (4 * mark + change - 4 * price) > 0 &&
    gain > takerRate &&
    healed > 0 &&
    headroomOf(given) + UNIT * (lots - 1) * healed < 0
  );
}

/** A long account whose equity falls short by 3.5 lots' gain in the lowest scenario. */
const LIMIT = slot.mark + Math.floor(slot.changes[LOWEST]! / 4) + 1;
const GAIN = LIMIT - (slot.mark + slot.changes[LOWEST]!);
const LONG: Case = {
  ...{ lotsHeld: 40, scenario: LOWEST, price: LIMIT, lots: 4 },
  maintenance: Math.round(-3.5 * GAIN * UNIT),
};
/** What a lot adds to its headroom, and the lots that restore it. */
const HEALED = 4 * LIMIT - 4 * slot.mark - 5 * slot.changes[LOWEST]!;
const NEEDED = Math.ceil(-headroomOf(LONG) / (UNIT * HEALED));
const SHORT: Case = {
  ...{ lotsHeld: -40, scenario: HIGHEST, maintenance: -1, lots: 1 },
  price: slot.mark + Math.ceil(slot.changes[HIGHEST]! / 4) - 1,
};

test("the test's own conditions tell the cases apart", () => {
  assert.ok(isAllowed(LONG) && isAllowed(SHORT));
  const account = accountOf(LONG);
  const value = maintenanceValues(account, risk)[LOWEST]!;
  assert.equal(account.cash + UNIT * value, LONG.maintenance);
  assert.ok(cashQuotient(account.cash, UNIT) !== 0);
});

test("Liquidation proves 1: L1, the account is below maintenance in that scenario", async () => {
  const gadget = await loadGadget(source);
  assertPinned(gadget, inputsOf({ ...LONG, lots: 1, maintenance: -1 }));
  for (const maintenance of [0, 1, 10 ** 12]) {
    assertRejects(gadget, inputsOf({ ...LONG, lots: 1, maintenance }), `${maintenance}`);
  }
  // Another scenario, in which it is not.
  assertRejects(gadget, { ...inputsOf(LONG), scenario: HIGHEST });
  assertRejects(gadget, { ...inputsOf(LONG), scenario: SCENARIOS });
});

test("Liquidation proves 1: of scenarios that are alike, any may be named", async () => {
  const gadget = await loadGadget(source);
  const price = slot.mark + TAKER_RATE + 1;
  const still = { ...LONG, scenario: SCENARIOS, maintenance: -1, lots: 1, price };
  for (const [given, last] of [
    [LONG, SCENARIOS - 1],
    [still, SCENARIOS],
  ] as const) {
    const inputs = inputsOf(given);
    const alike = (values: readonly number[]) =>
      values.map((value, scenario) => (scenario <= last ? values[given.scenario]! : value));
    const market = { headroom: alike(inputs.headroom), rates: alike(inputs.rates) };
    for (let scenario = 0; scenario <= last; scenario++) {
      assertPinned(gadget, { ...inputs, ...market, scenario });
    }
  }
});

test("Liquidation proves 2: L2, three quarters of the way are left", async () => {
  const gadget = await loadGadget(source);
  assertPinned(gadget, inputsOf(LONG));
  const deep = { ...LONG, maintenance: -(10 ** 9) };
  assertPinned(gadget, inputsOf(deep));
  assertRejects(gadget, inputsOf({ ...deep, price: LIMIT - 1 }), "a sale at the bound or below");
  assertPinned(gadget, inputsOf(SHORT));
  assertRejects(gadget, inputsOf({ ...SHORT, price: SHORT.price + 1 }), "a purchase above");
  // The wrong direction takes the account further.
  assertRejects(gadget, { ...inputsOf(LONG), direction: 1 }, "a purchase of a long account");
});

test("Liquidation proves 3: L3, each lot gains more than the fee", async () => {
  const gadget = await loadGadget(source);
  const one = { ...LONG, lots: 1 };
  assertPinned(gadget, inputsOf({ ...one, takerRate: GAIN - 1 }));
  assertRejects(gadget, inputsOf({ ...one, takerRate: GAIN }));
  // A scenario that does not change: nothing to gain at or beyond the mark.
  const still = { ...one, scenario: SCENARIOS, maintenance: -1 };
  assertPinned(gadget, inputsOf({ ...still, price: slot.mark + TAKER_RATE + 1 }));
  assertRejects(gadget, inputsOf({ ...still, price: slot.mark + TAKER_RATE }));
});

test("Liquidation proves 4: L4, no lot more than restores initial margin", async () => {
  const gadget = await loadGadget(source);
  assertPinned(gadget, inputsOf({ ...LONG, lots: NEEDED }));
  assertRejects(gadget, inputsOf({ ...LONG, lots: NEEDED + 1 }));
  // A headroom of exactly so many lots: 4 cash makes up the difference.
  const missing = headroomOf(LONG) + UNIT * HEALED * NEEDED;
  const exact = { ...LONG, maintenance: LONG.maintenance - missing / 4 };
  assert.equal(headroomOf(exact), -UNIT * HEALED * NEEDED);
  assertPinned(gadget, inputsOf({ ...exact, lots: NEEDED }));
  assertRejects(gadget, inputsOf({ ...exact, lots: NEEDED + 1 }), "it is restored already");
  assertRejects(gadget, inputsOf({ ...exact, lots: 2 ** 22 - 1 }));
});

test("Liquidation proves 5: s is one of 0..S; other steps are asked nothing", async () => {
  const gadget = await loadGadget(source);
  assertRejects(gadget, { ...inputsOf(LONG), scenario: SCENARIOS + 1 });
  assertRejects(gadget, { ...inputsOf(LONG), scenario: -1 });
  const healthy = inputsOf({ ...LONG, maintenance: 10 ** 12, price: 0, lots: 2 ** 22 - 1 });
  assertPinned(gadget, { ...healthy, enabled: 0, scenario: 99 });
});

test("Liquidation proves 1-4: exactly what SPEC's conditions say", async () => {
  const gadget = await loadGadget(source);
  const given = fc.record({
    lotsHeld: fc.constantFrom(-40, 40),
    maintenance: fc.integer({ min: -2_000_000, max: 500_000 }),
    scenario: fc.integer({ min: 0, max: SCENARIOS }),
    price: fc.integer({ min: 120, max: 280 }),
    lots: fc.integer({ min: 1, max: 80 }),
    takerRate: fc.integer({ min: 0, max: 20 }),
  });
  fc.assert(
    fc.property(given, (each) => {
      assert.equal(accepts(gadget, inputsOf(each)), isAllowed(each));
    }),
    runs(300),
  );
});
