// The engine against the naive book: one plain book, margin for everybody.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createNaiveBook, type NaiveResult } from "../../sequencer/engine/book/naiveBook.ts";
import type { StepRecord } from "../../sequencer/engine/records.ts";
import {
  proceed,
  publishedFills,
  publishedRemovals,
  sequenceMessage,
} from "../../sequencer/engine/trade.ts";
import { orderOf } from "../../sequencer/engine/transactions/place.ts";
import { createMarket, type Market, NOW, placeOf, SHAPE, signedBy } from "../unit/engine/market.ts";
import { runs } from "./runs.ts";

const RICH = 2 ** 45;
const ACCOUNTS = [1, 2, 3];
const DEPTH = 5;

const flags = fc.constantFrom(
  ...([{}, {}, {}, { postOnly: true }, { timeInForce: "ioc" }, { timeInForce: "fok" }] as const),
  ...([
    { timeInForce: "ioc", reduceOnly: true },
    { timeInForce: "fok", reduceOnly: true },
  ] as const),
);
const place = fc
  .record({
    isSell: fc.boolean(),
    price: fc.integer({ min: 97, max: 103 }),
    lots: fc.integer({ min: 1, max: 8 }),
    flags,
  })
  .map(({ flags: chosen, ...fields }) => placeOf({ ...fields, ...chosen }));
const message = fc.oneof(
  { weight: 12, arbitrary: place },
  { weight: 2, arbitrary: fc.nat({ max: 30 }).map((back) => ({ kind: "cancel" as const, back })) },
  { weight: 1, arbitrary: fc.constant({ kind: "cancelAll" as const, deadline: NOW }) },
);
const sequence = fc.array(fc.tuple(fc.constantFrom(...ACCOUNTS), message), {
  minLength: 30,
  maxLength: 90,
  size: "max",
});

function runAll({ state, trade }: Market, signed: ReturnType<typeof signedBy>): StepRecord[] {
  const records = sequenceMessage(state, signed, trade);
  while (state.carry() !== undefined) records.push(proceed(state, trade));
  return records;
}

/** What the engine's records say, in the naive book's words. */
function resultOf(records: readonly StepRecord[]): NaiveResult {
  const last = records.at(-1)!;
  assert.ok("order" in last && last.order.outcome !== undefined);
  return {
    outcome: last.order.outcome,
    fills: publishedFills(records).map(({ makerSeq, price, lots }) => {
      return { maker: makerSeq, price, lots };
    }),
    removed: publishedRemovals(records).map(({ seq, reason }) => [seq, reason] as const),
  };
}

test("the engine matches as the naive book does", () => {
  fc.assert(
    fc.property(sequence, (list) => {
      const market = createMarket([RICH, RICH, RICH], { ...SHAPE, depth: DEPTH });
      const { state } = market;
      const naive = createNaiveBook({ depth: DEPTH, stepsMax: market.trade.fokSteps });
      const placed = new Map<number, { isSell: boolean; price: number }>();
      for (const [account, content] of list) {
        const seq = state.nextSeq();
        if (content.kind === "place") {
          placed.set(seq, content);
          const records = runAll(market, signedBy(account, content));
          assert.deepEqual(resultOf(records), naive.place(orderOf(account, content, seq)));
        } else if (content.kind === "cancelAll") {
          runAll(market, signedBy(account, content));
          naive.cancelAll(account, seq);
        } else {
          const target = seq - 1 - content.back;
          const { isSell, price } = placed.get(target) ?? { isSell: true, price: 1 };
          const name = { book: 0, isSell, price, seq: Math.max(0, target) };
          const signed = signedBy(account, { kind: "cancel", ...name, deadline: NOW });
          const [record] = runAll(market, signed);
          assert.ok(record?.kind === "cancel");
          assert.equal(record.outcome, naive.cancel(account, target));
        }
        const { bids, asks } = state.book(0)!;
        const shown = (side: typeof bids) => side.map(({ seq, lots }) => ({ seq, lots }));
        assert.deepEqual(shown(bids), naive.side(false));
        assert.deepEqual(shown(asks), naive.side(true));
        for (const id of ACCOUNTS) {
          assert.equal(state.account(id).positions[0], naive.position(id));
        }
      }
    }),
    runs(40),
  );
});
