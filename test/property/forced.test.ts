// B5: whatever an owner, or anybody else, asks layer one for: what the contract's door lets in can
// be sequenced in every state, as an effect or as a no-op, and what it turns away never could.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { applyOperation, checkOperation } from "../../sequencer/engine/ledger.ts";
import type { LedgerOperation } from "../../sequencer/engine/records.ts";
import { unpack } from "../../sequencer/protocol/codec.ts";
import { AMOUNT_BITS, INSURANCE_ACCOUNT, LOTS_BITS } from "../../sequencer/protocol/constants.ts";
import { LEDGER_OP } from "../../sequencer/protocol/layout.ts";
import type { MemoryState } from "../../sequencer/state/memoryState.ts";
import {
  contextsOf,
  createMarket,
  type Market,
  SHAPE,
  slotRisk,
  snapshotOf,
} from "../unit/engine/market.ts";

const ACCOUNTS = [1, 2, 3, 4];
const REQUESTS = 10_000;
const PER_STATE = 50;

/** What reaches the contract: `sender` says who, the rest may be anything an ABI word can hold. */
interface Request {
  readonly kind: "forcedWithdraw" | "forcedCancelAll" | "forcedClose";
  readonly sender: number;
  readonly amount: number;
  readonly slot: number;
  readonly lots: number;
}

const edge = (bits: number) =>
  fc.oneof(
    fc.constantFrom(0, 1, 2 ** bits - 1, 2 ** bits, 2 ** 53 - 1),
    fc.integer({ min: 0, max: 2 ** bits }),
    fc.integer({ min: 0, max: 60 }),
  );

const request: fc.Arbitrary<Request> = fc.record({
  kind: fc.constantFrom("forcedWithdraw", "forcedCancelAll", "forcedClose", "forcedClose"),
  sender: fc.constantFrom(...ACCOUNTS, 9),
  amount: edge(AMOUNT_BITS),
  slot: fc.oneof(fc.integer({ min: 0, max: SHAPE.slots }), fc.constantFrom(255, 256, 2 ** 40)),
  lots: edge(LOTS_BITS),
});

interface Situation {
  readonly cash: readonly number[];
  readonly lots: readonly (readonly number[])[];
  readonly marks: readonly number[];
  readonly later: number;
  readonly isFinal: boolean;
}

const cash = fc.oneof(
  fc.integer({ min: -(2 ** 30), max: 2 ** 32 }),
  fc.constantFrom(0, 2 ** 51 - 1, -(2 ** 51), 2 ** 52 - 1, 1 - 2 ** 52),
);
const lots = fc.oneof(
  fc.integer({ min: -50, max: 50 }),
  fc.constantFrom(0, 2 ** 21, -(2 ** 21), 2 ** 22 - 1, 1 - 2 ** 22),
);
const listOf = <T>(each: fc.Arbitrary<T>, length: number) =>
  fc.array(each, { minLength: length, maxLength: length });

const situation: fc.Arbitrary<Situation> = fc.record({
  cash: listOf(cash, ACCOUNTS.length),
  lots: listOf(listOf(lots, SHAPE.slots), ACCOUNTS.length),
  marks: listOf(fc.constantFrom(0, 1, 100, 3000, 2 ** 20 - 1), SHAPE.slots),
  later: fc.constantFrom(0, 3_599_999, 3_600_000),
  isFinal: fc.boolean(),
});

/** A state that need not be reachable: every word in its range is enough for the rules to hold. */
function marketIn({ cash, lots, marks, later, isFinal }: Situation): Market {
  const { state, ledger } = createMarket(ACCOUNTS.map(() => 0));
  for (const [index, id] of ACCOUNTS.entries()) {
    const account = state.editAccount(id);
    account.cash = cash[index]!;
    account.positions = [...lots[index]!];
  }
  for (const slot of state.series().keys()) {
    const held = ACCOUNTS.filter((id) => state.account(id).positions[slot] !== 0);
    state.editSeries(slot).holders = held.length;
  }
  const slots = marks.map((mark, slot) => slotRisk(mark, Math.min(mark, 20 * slot), isFinal));
  const time = ledger.time + later;
  return { state, ...contextsOf(state, { snapshot: snapshotOf(slots, time), time }) };
}

/** The contract's conditions, beside those that concern the queue alone. */
function isLetIn({ kind, sender, amount, slot, lots }: Request): boolean {
  if (!ACCOUNTS.includes(sender)) return false;
  if (kind === "forcedCancelAll") return true;
  if (kind === "forcedWithdraw") return amount >= 1 && amount < 2 ** AMOUNT_BITS;
  const isLots = lots >= 1 && lots < 2 ** LOTS_BITS;
  return slot < SHAPE.slots && isLots && sender !== INSURANCE_ACCOUNT;
}

function operationOf({ kind, sender: account, amount, slot, lots }: Request): LedgerOperation {
  const owner = BigInt(100 + account);
  if (kind === "forcedWithdraw") return { kind, account, owner, amount };
  if (kind === "forcedCancelAll") return { kind, account, owner };
  return { kind, account, owner, slot, lots };
}

/** The fields that the contract compares; the others only the proof knows. */
function assertStated(word: bigint, asked: Request): void {
  const { account, to, slot, lots, amount, executed } = unpack(LEDGER_OP, word);
  if (asked.kind === "forcedClose") {
    const known = [INSURANCE_ACCOUNT, asked.sender, asked.slot, asked.lots];
    assert.deepEqual([account, to, slot, lots], known);
    return;
  }
  const stated = asked.kind === "forcedWithdraw" ? asked.amount : 0;
  assert.deepEqual([account, to, slot, lots, amount], [asked.sender, 0, 0, 0, stated]);
  if (asked.kind === "forcedCancelAll") assert.equal(executed, 1);
}

function wordsInRange(state: MemoryState): boolean {
  return ACCOUNTS.every((id) => {
    const { cash, positions } = state.account(id);
    return Math.abs(cash) < 2 ** 52 && positions.every((lots) => Math.abs(lots) < 2 ** 22);
  });
}

test("B5: 10,000 forced requests, each an effect or a no-op, or never in the queue", (t) => {
  const counts = new Map<string, number>();
  const count = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  const numRuns = REQUESTS / PER_STATE;
  fc.assert(
    fc.property(situation, listOf(request, PER_STATE), (where, requests) => {
      const { state, ledger } = marketIn(where);
      for (const asked of requests) {
        const operation = operationOf(asked);
        const reason = checkOperation(state, operation, ledger);
        if (!isLetIn(asked)) {
          // Nothing moves for an amount of 0: the contract need not let it in, and does not.
          const isIdle = asked.kind === "forcedWithdraw" && asked.amount === 0;
          if (!isIdle) assert.notEqual(reason, undefined, JSON.stringify(asked));
          count("turned away");
          continue;
        }
        assert.equal(reason, undefined, JSON.stringify(asked));
        const before = JSON.stringify(state.exportState());
        const { outcome, publicWords } = applyOperation(state, operation, ledger);
        assertStated(publicWords[0]!, asked);
        assert.ok(wordsInRange(state));
        if (outcome === "refused") assert.equal(JSON.stringify(state.exportState()), before);
        count(`${asked.kind} ${outcome}`);
      }
    }),
    { numRuns },
  );
  t.diagnostic(`B5: ${[...counts].map(([name, times]) => `${name} ${times}`).join(", ")}`);
  const all = [...counts.values()].reduce((sum, times) => sum + times, 0);
  assert.equal(all, REQUESTS);
  assert.equal(counts.size, 6, [...counts.keys()].join());
});
