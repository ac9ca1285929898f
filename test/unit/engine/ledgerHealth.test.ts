// The exact arithmetic of takeovers against the same formulas in big integers.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  firstInadmissible,
  firstMarkUnrelieved,
  fundReject,
  hasEquity,
  healthChange,
  isBelowMaintenance,
  isInRange,
} from "../../../sequencer/engine/healthChange.ts";
import type { Risk } from "../../../sequencer/engine/risk.ts";
import { discountLimit } from "../../../sequencer/engine/transactions/takeover.ts";
import { SCENARIOS } from "../../../sequencer/protocol/constants.ts";
import type { Account } from "../../../sequencer/protocol/state.ts";
import { runs } from "../../property/runs.ts";
import { createDistress, LOCKED } from "./ledgerDistress.ts";
import { NOW } from "./market.ts";

const UNIT = 1000;
const SLOTS = 3;

/** Small numbers meet the limits of the tests, extreme ones those of doubles. */
const signed = (limit: number) =>
  fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.integer({ min: 1 - limit, max: limit - 1 }),
    fc.constantFrom(1 - limit, limit - 1),
  );
const atLeastZero = (limit: number) => signed(limit).map(Math.abs);

const arbitraryRisk: fc.Arbitrary<Risk> = fc.record({
  marks: fc.array(atLeastZero(2 ** 20), { minLength: SLOTS, maxLength: SLOTS }),
  changes: fc.array(fc.array(signed(2 ** 20), { minLength: SCENARIOS, maxLength: SCENARIOS }), {
    minLength: SLOTS,
    maxLength: SLOTS,
  }),
});

const sample = fc.record({
  risk: arbitraryRisk,
  positions: fc.array(signed(2 ** 21), { minLength: SLOTS, maxLength: SLOTS }),
  slot: fc.nat({ max: SLOTS - 1 }),
  signedLots: signed(2 ** 21),
  gained: signed(2 ** 50),
  /** Distance of a margin from its limit: the sign of a headroom is decided here. */
  near: fc.oneof(signed(4), signed(2 ** 51)),
  row: fc.nat({ max: SCENARIOS }),
});

function sumOf(positions: readonly number[], risk: Risk, row: number, factors: [bigint, bigint]) {
  const [value, change] = factors;
  return positions.reduce((sum, lots, slot) => {
    const moved = BigInt(risk.changes[slot]![row] ?? 0);
    return sum + BigInt(lots) * (value * BigInt(risk.marks[slot]!) + change * moved);
  }, 0n);
}

/** Cash that puts `4 cash + unit X_row` at most 4 units from 0 (or anywhere where it has none). */
function cashNear(positions: readonly number[], risk: Risk, row: number, near: number): number {
  const needed = (-BigInt(UNIT) * sumOf(positions, risk, row, [4n, 5n])) / 4n;
  const cash = Number(needed) + near;
  return Math.abs(cash) < 2 ** 52 ? cash : near;
}

function rowsOf(account: Account, risk: Risk): bigint[] {
  return Array.from({ length: SCENARIOS + 1 }, (_, row) => {
    const value = sumOf(account.positions, risk, row, [4n, 5n]);
    return 4n * BigInt(account.cash) + BigInt(UNIT) * value;
  });
}

test("admissibility of a trade at the mark is that of the headrooms in big integers", () => {
  fc.assert(
    fc.property(sample, ({ risk, positions, slot, signedLots, gained, near, row }) => {
      const before = { owner: 1n, cash: 0, positions };
      before.cash = cashNear(positions, risk, row, near);
      const options = { risk, unit: UNIT };
      const change = healthChange(before, { slot, signedLots, gained }, options);
      const cost = BigInt(signedLots) * BigInt(risk.marks[slot]!) * BigInt(UNIT);
      const cash = BigInt(before.cash) - cost + BigInt(gained);
      const fits = cash > -(2n ** 52n) && cash < 2n ** 52n;
      assert.equal(isInRange(change.after), fits);
      if (!fits) return;
      assert.equal(BigInt(change.after.cash), cash);
      const [first, after] = [rowsOf(before, risk), rowsOf(change.after, risk)];
      const expected = after.findIndex((headroom, s) => headroom < first[s]! && headroom < 0n);
      const found = firstInadmissible(change, risk, UNIT);
      assert.equal(found ?? -1, expected);
      const equity = after[SCENARIOS]!;
      const engaged = after.findIndex((room, s) => room < first[s]! && 2n * room < equity);
      const reject = fundReject(change, before.cash, options) ?? "";
      if (equity < 0n) assert.match(reject, /no equity/);
      else if (cash < BigInt(before.cash) && 8n * cash < equity) assert.match(reject, /be cash/);
      else if (engaged < 0) assert.equal(reject, "");
      else assert.match(reject, new RegExp(`scenario \`${engaged}\``));
    }),
    runs(300),
  );
});

test("relief by a trade at the mark is that of maintenance in big integers", () => {
  const levelsOf = (account: Account, risk: Risk) =>
    Array.from({ length: SCENARIOS + 1 }, (_, s) => {
      return BigInt(account.cash) + BigInt(UNIT) * sumOf(account.positions, risk, s, [1n, 1n]);
    });
  // Of the exhibited scenario's distance to others, some lots take exactly all.
  const lots = fc.oneof(signed(4), signed(2 ** 21));
  fc.assert(
    fc.property(sample, lots, ({ risk, positions, slot, gained, near, row }, signedLots) => {
      const before = { owner: 1n, cash: near, positions };
      const paid = near % 2 === 0 ? gained : gained % (5 * UNIT);
      const cost = BigInt(signedLots) * BigInt(risk.marks[slot]!) * BigInt(UNIT);
      const cash = Number(BigInt(near) - cost + BigInt(paid));
      if (!Number.isSafeInteger(cash)) return;
      const moved = positions.with(slot, positions[slot]! + signedLots);
      const [first, after] = [before, { ...before, cash, positions: moved }].map((each) => {
        return levelsOf(each, risk);
      });
      const level = first![row]!;
      const expected = after!.findIndex((value, s) => value < first![s]! && value < level);
      const trade = { slot, signedLots, gained: paid };
      const found = firstMarkUnrelieved(before, trade, { scenario: row, risk, unit: UNIT });
      assert.equal(found ?? -1, expected);
    }),
    runs(1000),
  );
});

test("maintenance and equity have the signs that they have in big integers", () => {
  fc.assert(
    fc.property(sample, ({ risk, positions, near, row }) => {
      const value = BigInt(UNIT) * sumOf(positions, risk, row, [1n, 1n]);
      const close = Number(-value) + (near % 4);
      const cash = Math.abs(close) < 2 ** 52 ? close : near;
      const account = { owner: 1n, cash, positions };
      const test = { scenario: row, risk, unit: UNIT };
      assert.equal(isBelowMaintenance(account, test), BigInt(cash) + value < 0n);
      const worth = BigInt(UNIT) * sumOf(positions, risk, SCENARIOS, [1n, 1n]);
      const poor = Number(-worth) + (near % 4);
      const atZero = { ...account, cash: Math.abs(poor) < 2 ** 52 ? poor : near };
      assert.equal(hasEquity(atZero, risk, UNIT), BigInt(atZero.cash) + worth > 0n);
    }),
    runs(300),
  );
});

test("the largest discount is that of T4 in big integers", () => {
  const { state } = createDistress();
  const takeover = { from: LOCKED, slot: 0, amount: 0, isSubsidy: false, scenario: 0 };
  const large = { lots: atLeastZero(2 ** 22), change: atLeastZero(2 ** 20) };
  const seconds = fc.oneof(fc.constant(255), fc.nat({ max: 600 }));
  fc.assert(
    fc.property(large.lots, large.change, seconds, (lots, change, t) => {
      state.editAccount(LOCKED).positions[0] = -lots - 1;
      state.editSession(LOCKED).lockedSince = NOW / 1000 - t;
      const risk = { marks: [0, 0, 0, 0], changes: [[change], [], [], []] };
      const most = discountLimit(state, { ...takeover, lots }, { risk, time: NOW });
      const loss = BigInt(Math.min(t, 256)) * BigInt(state.unit) * BigInt(lots) * BigInt(change);
      assert.equal(BigInt(most), loss / 512n);
    }),
    runs(500),
  );
});
