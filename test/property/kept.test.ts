// What is kept instead of computed anew (engine/kept.ts, state/openOrders.ts) is what a plain sum
// or search gives, whatever has happened in between: positions that change, other risks,
// rollbacks, books that are put anew and states that are imported.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bookRates, followedValues, SCENARIO_ROWS } from "../../sequencer/engine/kept.ts";
import { effectiveRisk, type Risk } from "../../sequencer/engine/risk.ts";
import { MARGIN_INITIAL_FACTOR, MARGIN_VALUE_FACTOR } from "../../sequencer/protocol/constants.ts";
import {
  type Book,
  type Entry,
  emptySeries,
  type Series,
  type Shape,
} from "../../sequencer/protocol/state.ts";
import { createMemoryState, type MemoryState } from "../../sequencer/state/memoryState.ts";
import { createChance } from "../simulation/random.ts";
import { runs } from "./runs.ts";

const SLOTS = 12;

const lots = fc.integer({ min: -(2 ** 22) + 1, max: 2 ** 22 - 1 });
const risks = fc
  .array(
    fc.record({
      mark: fc.integer({ min: 0, max: 2 ** 20 - 1 }),
      changes: fc.array(fc.integer({ min: -(2 ** 20) + 1, max: 2 ** 20 - 1 }), {
        ...{ minLength: SCENARIO_ROWS - 1, maxLength: SCENARIO_ROWS - 1 },
      }),
    }),
    { minLength: SLOTS, maxLength: SLOTS },
  )
  .map((slots): Risk => {
    return { marks: slots.map(({ mark }) => mark), changes: slots.map(({ changes }) => changes) };
  });

/** `sum quantity (value mark + change change_s)` with integers that never round. */
function plain(quantities: readonly number[], risk: Risk, [value, change]: [number, number]) {
  return Array.from({ length: SCENARIO_ROWS }, (_, row) =>
    quantities.reduce((sum, quantity, slot) => {
      const { marks, changes } = risk;
      const rate = value * marks[slot]! + change * (changes[slot]![row] ?? 0);
      return sum + BigInt(quantity) * BigInt(rate);
    }, 0n),
  );
}

const INITIAL: [number, number] = [MARGIN_VALUE_FACTOR, MARGIN_INITIAL_FACTOR];

test("values that follow positions are those of plain sums, exactly", () => {
  const edits = fc.array(
    fc.record({ slot: fc.nat(SLOTS - 1), lots, risk: fc.nat(2), asks: fc.boolean() }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(fc.tuple(risks, risks, risks), edits, (given, changes) => {
      const positions = new Array<number>(SLOTS).fill(0);
      for (const { slot, lots: next, risk: which, asks } of changes) {
        positions[slot] = next;
        if (!asks) continue;
        const risk = given[which]!;
        const values = Array.from(followedValues(positions, risk), BigInt);
        assert.deepEqual(values, plain(positions, risk, INITIAL));
      }
    }),
    runs(100),
  );
});

test("a book's rates are those of plain sums under whichever risk", () => {
  const weights = fc.array(fc.integer({ min: -8, max: 7 }), { minLength: SLOTS, maxLength: SLOTS });
  fc.assert(
    fc.property(weights, risks, risks, (of, first, second) => {
      for (const risk of [first, second, first]) {
        const { rates, values, lowest, highest } = bookRates(of, risk);
        assert.deepEqual(rates.map(BigInt), plain(of, risk, INITIAL));
        assert.deepEqual(values.map(BigInt), plain(of, risk, [1, 1]));
        assert.deepEqual([lowest, highest], [Math.min(...rates), Math.max(...rates)]);
      }
    }),
    runs(100),
  );
});

test("a snapshot's risk is another one as soon as a slot settles, or its mark is another", () => {
  const slots = [7, 8].map((mark) => ({ ...{ terms: null, mark, isFinal: false }, changes: [1] }));
  const snapshot = { slots } as unknown as Parameters<typeof effectiveRisk>[1];
  const series: Series[] = [0, 1].map(() => ({ ...emptySeries(), status: "listed" }));
  const first = effectiveRisk(series, snapshot);
  assert.equal(effectiveRisk(series, snapshot), first);
  assert.deepEqual(first.marks, [7, 8]);
  series[1] = { ...series[1]!, status: "settled", mark: 3 };
  const second = effectiveRisk(series, snapshot);
  assert.deepEqual(second.marks, [7, 3]);
  assert.equal(second.changes[1]![0], 0);
  series[1] = { ...series[1], mark: 4 };
  assert.deepEqual(effectiveRisk(series, snapshot).marks, [7, 4]);
});

const SHAPE: Shape = { slots: 4, depth: 8, accountLevels: 2, bookLevels: 1, unit: 1000 };
const ACCOUNTS = 5;
const BOOKS = 3;

function emptyBook(): Book {
  const fees = { taker: 1, maker: 0 };
  return { weights: [1, 0, 0, 0], generation: 1, fees, bids: [], asks: [] };
}

/** Every side of every book is searched. */
function searched(state: MemoryState, account: number): string[] {
  const found = state.bookIds().flatMap((book) => {
    const { bids, asks } = state.book(book)!;
    const own = (side: readonly Entry[], isSell: boolean) =>
      side
        .filter((entry) => entry.account === account)
        .filter(({ seq }) => seq >= state.session(account).watermark)
        .map((entry) => JSON.stringify({ ...entry, book, isSell }));
    return [...own(bids, false), ...own(asks, true)];
  });
  return found.sort();
}

test("open orders are those that a search of all books finds", () => {
  for (let seed = 0; seed < runs(100).numRuns; seed++) {
    const chance = createChance(seed);
    let state = createMemoryState(SHAPE);
    for (let id = 0; id < BOOKS; id++) state.putBook(id, emptyBook());
    let point: number | undefined;
    for (let seq = 1; seq < 120; seq++) {
      const book = chance.pick(BOOKS);
      const what = chance.pick(20);
      if (what === 0) state.putBook(book, emptyBook());
      else if (what === 1) point = state.checkpoint();
      else if (what === 2 && point !== undefined) state.rollback(point);
      else if (what === 3) {
        state.commit();
        point = undefined;
      } else if (what === 4) state.editSession(chance.pick(ACCOUNTS)).watermark = seq;
      else if (what === 5) {
        const exported = state.exportState();
        if (chance.happens(50)) state = createMemoryState(SHAPE);
        state.importState(exported);
        point = undefined;
      } else editSide(state.editBook(book), seq, chance);
      const account = chance.pick(ACCOUNTS);
      const found = state.openOrdersOf(account).map((order) => {
        const { account: owner, seq: number, price, lots: rest, book: id, isSell } = order;
        return JSON.stringify({
          ...{ account: owner, seq: number, price, lots: rest, book: id, isSell },
        });
      });
      assert.deepEqual(found.sort(), searched(state, account), `seed ${seed}, step ${seq}`);
    }
  }
});

function editSide(book: Book, seq: number, chance: ReturnType<typeof createChance>): void {
  const side = chance.happens(50) ? book.bids : book.asks;
  const entry = { account: chance.pick(ACCOUNTS), seq, price: 5, lots: 1 + chance.pick(9) };
  const place = chance.pick(side.length + 1);
  if (side.length < SHAPE.depth && chance.happens(60)) side.splice(place, 0, entry);
  else if (side.length > 0 && chance.happens(50)) side.splice(place, 1);
  else if (side[0] !== undefined) side[0] = { ...side[0], lots: 1 + chance.pick(9) };
}
