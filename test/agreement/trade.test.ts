// The trade circuit and the engine agree: every batch that the executor seals has a witness for
// the executor's root and public words. Directed sequences first, then random ones.
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import type { Liquidation } from "../../sequencer/engine/records.ts";
import { runs } from "../property/runs.ts";
import { loadCircuit, withPublicInputs } from "../support/circuit.ts";
import { lockedMarket } from "../support/distressBatches.ts";
import {
  copyMarket,
  createMarket,
  EXPIRY,
  FAR,
  FEES,
  type Market,
  order,
} from "../support/market.ts";
import {
  CASH,
  distressMarket,
  fundMarket,
  restingOf,
  runTrade,
  topUp,
  tradeCommand,
} from "./commands.ts";
import { Coverage } from "./coverage.ts";

const circuit = await loadCircuit("trade");
const coverage = new Coverage();

/** Seals what is open and asserts that every trade batch so far has its witness. */
function assertAgreement(market: Market): void {
  if (market.executor.current() !== undefined) market.seal();
  for (const batch of market.sealed.splice(0)) {
    if (batch.kind === "trade") circuit.check(withPublicInputs(batch));
  }
}

function funded(cash: readonly number[] = CASH): Market {
  const market = createMarket();
  fundMarket(market, cash);
  return market;
}

function trade(market: Market, account: number, changes: Parameters<typeof order>[0]): void {
  coverage.steps(market.trade(account, order(changes)));
}

const BUY = { book: 0, price: 200, lots: 2 };
const SELL = { ...BUY, isSell: true };
const IOC = { timeInForce: "ioc" } as const;
const FOK = { timeInForce: "fok" } as const;

test("rows 1 to 8 of SPEC section 6, for buyers and sellers", () => {
  const market = funded();
  trade(market, 1, { ...SELL, lots: 3 }); // rested
  trade(market, 4, { ...BUY, postOnly: true }); // postOnlyWouldCross
  trade(market, 4, BUY); // filled, the entry stays
  trade(market, 1, { ...BUY, ...IOC }); // self trade, then killed
  trade(market, 2, { ...BUY, price: 190, lots: 5 }); // rested
  trade(market, 4, { ...SELL, price: 190, lots: 9, ...IOC, reduceOnly: true }); // capped, killed
  trade(market, 4, { ...SELL, price: 190, ...FOK, reduceOnly: true }); // abort of reduce-only
  trade(market, 1, { ...SELL, price: 195, lots: 1, ...FOK }); // not fillable
  trade(market, 4, { ...SELL, price: 190, lots: 4, ...FOK }); // fills 3 of 4, aborts
  trade(market, 4, { ...SELL, price: 190, lots: 3, ...FOK }); // filled
  assertAgreement(market);
});

test("cancels, cancel-all, void orders and purges", () => {
  const market = funded();
  trade(market, 1, SELL);
  trade(market, 1, { ...SELL, price: 201 });
  const [first, second] = restingOf(market);
  const cancel = { kind: "cancel", deadline: FAR } as const;
  const named = (entry: typeof first) => {
    const { book, isSell, price, seq } = entry!;
    return { book, isSell, price, seq };
  };
  coverage.steps(market.trade(4, { ...cancel, ...named(first) }));
  coverage.steps(market.trade(1, { ...cancel, ...named(first), seq: first!.seq + 9 }));
  coverage.steps(market.trade(1, { ...cancel, ...named(first) }));
  coverage.steps(market.trade(1, { kind: "cancelAll", deadline: FAR }));
  trade(market, 1, { ...SELL, price: 202 });
  trade(market, 4, { ...BUY, price: 202, lots: 1 }); // meets the void one first
  trade(market, 1, { ...SELL, price: 203 });
  coverage.steps(market.trade(1, { kind: "cancelAll", deadline: FAR }));
  coverage.steps([market.purge(restingOf(market).at(-1)!)]);
  assert.ok(second !== undefined);
  assertAgreement(market);
});

test("full sides: the last order is evicted, or a worse one refused", () => {
  const market = funded();
  const { depth } = market.sizes.trade;
  for (let index = 0; index < depth; index++) {
    trade(market, 1 + (index % 2), { ...SELL, price: 300 - index, lots: 1 });
  }
  assertAgreement(market);
  trade(market, 4, { ...SELL, price: 301, lots: 1 });
  trade(market, 4, { ...SELL, price: 296, lots: 1 });
  trade(market, 4, { ...SELL, price: 200, lots: 1 });
  assertAgreement(market);
});

test("margin: makers without it lose their orders, takers without it get nothing", () => {
  const market = funded([40_000_000, 300_000, 300_000, 20_000_000]);
  trade(market, 2, { ...SELL, lots: 100 });
  trade(market, 3, { ...BUY, price: 199, lots: 90 });
  trade(market, 1, { ...BUY, lots: 50 }); // maker 2 cannot bear it; the rest rests
  trade(market, 3, { ...SELL, lots: 50 }); // taker 3 cannot
  trade(market, 3, { ...SELL, lots: 50, ...FOK });
  trade(market, 3, { ...SELL, lots: 1 });
  assertAgreement(market);
});

test("combinations trade at credits, and change what plain books reduce", () => {
  const market = funded();
  const spread = { book: 4, price: -100, lots: 3 };
  trade(market, 1, { ...spread, isSell: true });
  trade(market, 4, spread);
  trade(market, 2, { ...BUY, lots: 2 });
  trade(market, 4, { ...SELL, lots: 5, ...IOC, reduceOnly: true });
  assertAgreement(market);
});

test("orders that outlast their batch are carried on, also past a ledger batch", () => {
  const market = funded();
  for (let index = 0; index < market.sizes.trade.depth; index++) {
    trade(market, 1, { ...SELL, price: 200 + index, lots: 1 });
  }
  trade(market, 4, { ...BUY, price: 210, lots: 20 });
  assertAgreement(market);
  trade(market, 4, { ...SELL, price: 220, lots: 1 });
  assertAgreement(market);
  trade(market, 1, { ...SELL, book: 1, price: 300, lots: 1 });
  for (let index = 0; index < 4; index++) {
    trade(market, 1, { ...SELL, book: 1, price: 300 + index, lots: 1 });
  }
  trade(market, 4, { ...BUY, book: 1, price: 310, lots: 20 });
  market.seal();
  market.operate({
    kind: "openBook",
    book: 5,
    weights: weights(16, { 2: 1, 3: -2 }),
    fees: FEES,
  });
  market.seal();
  // Past the expiry of its series the carried order is killed.
  market.time = EXPIRY * 1000;
  coverage.steps(market.openBatch("trade"));
  assertAgreement(market);
});

test("a fill-or-kill order that needs more steps than it may use aborts in the last", () => {
  const market = funded();
  for (let index = 0; index < 7; index++) {
    trade(market, 1, { ...SELL, price: 200 + index, lots: 1 });
  }
  trade(market, 4, { ...BUY, price: 210, lots: 3, ...FOK });
  trade(market, 4, { ...BUY, price: 210, lots: 4, ...FOK });
  assertAgreement(market);
});

function weights(slots: number, legs: Readonly<Record<number, number>>): number[] {
  return Array.from({ length: slots }, (_, slot) => legs[slot] ?? 0);
}

const LIQUIDATE = {
  ...{ isSell: false, book: 0, account: 2, lots: 1 },
  ...{ reduceOnly: true, scenario: 16 },
} as const;

/** One lot of account 2 in book 0, by default, at the worst limit that is allowed there. */
function liquidate(market: Market, changes: Partial<Liquidation> = {}): void {
  const { book, isSell, scenario } = { ...LIQUIDATE, ...changes };
  const { mark, changes: moves } = market.slots[book]!;
  const edge = mark + moves[scenario]! / 4;
  const price = isSell ? Math.floor(edge) + 1 : Math.ceil(edge) - 1;
  coverage.steps([market.liquidate({ ...LIQUIDATE, price, ...changes })]);
}

test("liquidations: what one step of each kind does, and the lock", () => {
  const market = createMarket();
  distressMarket(market);
  market.sealed.splice(0);
  trade(market, 2, { ...SELL, price: 380, lots: 1 }); // its own, void as soon as it is liquidated
  trade(market, 1, { ...SELL, price: 382, lots: 2 });
  trade(market, 1, { ...SELL, price: 390, lots: 2 });
  liquidate(market); // meets its own order
  liquidate(market); // filled, the entry stays
  liquidate(market, { lots: 3 }); // filled in part, the rest ends
  liquidate(market); // nothing left below the limit
  trade(market, 1, { ...BUY, book: 1, price: 199, lots: 5 });
  liquidate(market, { account: 3, book: 1, isSell: true, scenario: 0, lots: 2 });
  coverage.steps(market.trade(2, { kind: "cancelAll", deadline: FAR }));
  assertAgreement(market);
  assert.ok(market.state.session(2).lockedSince > 0);
  // A later one keeps the time of the lock.
  liquidate(market);
  assertAgreement(market);
  // Locked accounts do not place, released ones do.
  assert.throws(() => market.trade(2, order(BUY)), /accountLocked/);
  topUp(market, 2, 3_000_000);
  market.operate({ kind: "release", account: 2 });
  trade(market, 2, { ...BUY, price: 350 });
  assertAgreement(market);
  assert.equal(market.state.openOrdersOf(2).length, 1);
});

test("liquidations meet makers without margin", () => {
  const market = createMarket();
  // The equity of account 3 does not cover even a small step back, and a sale costs a fee.
  distressMarket(market, [40_000_000, 2_500_000, 1_500_000, 20_000_000]);
  market.sealed.splice(0);
  const poor = 5;
  market.deposit(poor, 1);
  trade(market, poor, { ...SELL, price: 370, lots: 3 });
  liquidate(market, { lots: 2 });
  trade(market, 1, { ...BUY, book: 1, price: 199, lots: 5 });
  liquidate(market, { account: 3, book: 1, isSell: true, scenario: 0, lots: 2 });
  assertAgreement(market);
});

test("liquidations end where another scenario would fall below the exhibited one", () => {
  const market = lockedMarket({ straddle: true });
  market.sealed.splice(0);
  trade(market, 5, { ...SELL, price: 290, lots: 20 });
  const limit = { account: 3, price: 290 };
  liquidate(market, { ...limit, lots: 6 });
  liquidate(market, { ...limit, lots: 5, reduceOnly: false }); // not admissible
  liquidate(market, { ...limit, lots: 5 });
  liquidate(market, { ...limit, lots: 1 });
  assertAgreement(market);
  assert.equal(market.state.account(3).positions[0], -95);
});

/** A hundred thousand steps. */
const LONG_RUNS = 14_000;

test("C7 random sequences", (t) => {
  const arbitrary = fc.array(tradeCommand, { minLength: 8, maxLength: 12 });
  const starts = [funded(), createMarket()] as const;
  distressMarket(starts[1]);
  for (const start of starts) if (start.executor.current() !== undefined) start.seal();
  let transitions = 0;
  const property = fc.property(arbitrary, fc.constantFrom(...starts), (commands, start) => {
    const market = copyMarket(start);
    for (const command of commands) {
      const steps = runTrade(market, command);
      coverage.steps(steps);
      transitions += steps.length;
    }
    assertAgreement(market);
  });
  const seed = Number(process.env.FC_SEED ?? randomInt(2 ** 31));
  t.diagnostic(`seed ${seed}`);
  fc.assert(property, { ...runs(2, LONG_RUNS), seed, endOnFailure: true });
  assert.ok(transitions > 0);
  t.diagnostic(`C7: engine and circuit agree on ${transitions} random steps`);
});

const EVERYTHING = [
  ...["place", "proceed", "cancel", "cancelAll", "purge"],
  ...["noCross", "makerVoid", "postOnly", "selfTrade", "nothingToReduce"],
  ...["makerMargin", "takerMargin", "fill"],
  ...["cancelled", "notFound", "notOwner", "allCancelled"],
  ...["gtc rested", "gtc filled", "gtc sideFull", "gtc takerMargin", "gtc postOnlyWouldCross"],
  ...["gtc killed", "ioc killed", "fok fokNotFillable", "fok takerMargin", "fok filled"],
  ...["void", "evicted", "interrupted", "abort after fills", "abort out of steps"],
  ...["abort of reduce-only", "fill by seller", "fill by buyer", "fill of a combination"],
  ...["fill at a credit", "fill capped by reduce-only", "fill that goes on"],
  ...["liquidate", "liquidate fill filled", "liquidate fill killed", "liquidate noCross killed"],
  ...["liquidate makerVoid killed", "liquidate makerMargin killed"],
  "liquidate takerMargin takerMargin",
  ...["liquidation by a sale", "liquidation by a purchase"],
  ...["taker's fee", "maker's fee", "rebate", "rebate of the whole fee", "capped fee"],
];

test("the sequences above reached every case", (t) => {
  t.diagnostic(coverage.table());
  coverage.assertComplete(EVERYTHING);
});
