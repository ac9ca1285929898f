// The planned terms of takeovers are those that the engine takes, to the last unit.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Takeover } from "../../../sequencer/engine/records.ts";
import type { Risk } from "../../../sequencer/engine/risk.ts";
import { checkInsure } from "../../../sequencer/engine/transactions/insure.ts";
import { checkTakeover } from "../../../sequencer/engine/transactions/takeover.ts";
import { INSURANCE_ACCOUNT, SCENARIOS } from "../../../sequencer/protocol/constants.ts";
import { deficitsOf } from "../../../sequencer/roles/bookLiquidation.ts";
import { amountRange, losesIn, type Offer } from "../../../sequencer/roles/takeoverTerms.ts";
import { createMemoryState } from "../../../sequencer/state/memoryState.ts";
import { type Chance, createChance } from "../../simulation/random.ts";

const SHAPE = { slots: 4, depth: 4, accountLevels: 2, bookLevels: 1, unit: 1000 };
const TIME = 1_800_000_000_000;
const FROM = 3;

function randomRisk(chance: Chance): Risk {
  const marks = Array.from({ length: SHAPE.slots }, () => chance.pick(3000));
  const changes = marks.map((mark) => {
    return Array.from({ length: SCENARIOS }, () => Math.max(chance.pick(1001) - 500, -mark));
  });
  return { marks, changes };
}

function randomState(chance: Chance, seconds: number) {
  const state = createMemoryState(SHAPE);
  for (const id of [INSURANCE_ACCOUNT, FROM, 4]) {
    const account = state.editAccount(id);
    account.owner = 1n;
    account.cash = (chance.pick(4_000_000) - (id === FROM ? 2_000_000 : 0)) * 1000;
    account.positions = account.positions.map(() => chance.pick(2001) - 1000);
  }
  state.editSession(FROM).lockedSince = TIME / 1000 - seconds;
  return state;
}

test("every amount in the range is taken, and none beside it", (context) => {
  const seed = Number(process.env.STRADDLE_SEED ?? 11);
  const chance = createChance(seed);
  let [ranges, refusals] = [0, 0];
  for (let round = 0; round < 3000; round++) {
    const seconds = 256 + chance.pick(300);
    const risk = randomRisk(chance);
    const state = randomState(chance, seconds);
    const { unit } = state;
    const from = state.account(FROM);
    const failing = deficitsOf(from, risk, unit).filter(({ scenario }) => scenario < SCENARIOS);
    const slot = chance.pick(SHAPE.slots);
    const worst = failing.find(({ scenario }) => losesIn({ from, slot, risk }, scenario));
    if (worst === undefined) continue;
    const { scenario } = worst;
    const isInsurance = chance.happens(50);
    const id = isInsurance ? INSURANCE_ACCOUNT : 4;
    const taker = state.account(id);
    const offer: Offer = { from, taker, slot, scenario, seconds, isInsurance, risk, unit };
    const lots = 1 + chance.pick(Math.abs(from.positions[slot]!));
    const range = amountRange(offer, lots);
    const reject = (received: bigint): string | undefined => {
      const isSubsidy = received > 0n;
      const amount = Number(isSubsidy ? received : -received);
      const takeover: Takeover = { from: FROM, slot, lots, amount, isSubsidy, scenario };
      const place = { risk, time: TIME };
      return isInsurance
        ? checkInsure(state, { kind: "insure", ...takeover }, place)
        : checkTakeover(state, takeover, id, place);
    };
    if (range === undefined) {
      refusals += 1;
      for (let tried = 0; tried < 5; tried++) {
        assert.notEqual(reject(BigInt(chance.pick(2_000_001) - 1_000_000) * 1000n), undefined);
      }
      assert.notEqual(reject(0n), undefined);
      continue;
    }
    ranges += 1;
    assert.equal(reject(range.low), undefined, `seed ${seed}, round ${round}`);
    assert.equal(reject(range.high), undefined, `seed ${seed}, round ${round}`);
    assert.notEqual(reject(range.low - 1n), undefined, `seed ${seed}, round ${round}`);
    assert.notEqual(reject(range.high + 1n), undefined, `seed ${seed}, round ${round}`);
  }
  context.diagnostic(`${ranges} ranges, ${refusals} refused`);
  assert.ok(ranges > 200 && refusals > 200);
});
