// The words of steps, and orders on their way through several steps and batches.
import assert from "node:assert/strict";
import { test } from "node:test";
import { pack } from "../../sequencer/protocol/codec.ts";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { TRADE_MESSAGE } from "../../sequencer/protocol/layout.ts";
import { type Carry, carryWord } from "../../sequencer/protocol/state.ts";
import { assertPinned, assertRejects } from "../support/cheat.ts";
import { type Gadget, loadGadget } from "../support/gadget.ts";

const NOW = 1_800_000_000_000;
const FLAGS = [
  "isPlace",
  "isCancel",
  "isCancelAll",
  "isProceed",
  "isPurge",
  "isLiquidate",
] as const;
type Flag = (typeof FLAGS)[number];
const PLACE = {
  ...{ kind: 1, book: 3, isSell: 1, price: 77, lots: 5, timeInForce: 0, postOnly: 0 },
  ...{ reduceOnly: 0, deadline: NOW, seq: 0 },
};
const CANCEL = { ...PLACE, kind: 2, lots: 0, seq: 9 };
const NOTHING = { book: 0, isSell: 0, price: 0, lots: 0, seq: 0 };
const CANCEL_ALL = { ...PLACE, ...NOTHING, kind: 3 };
const PURGE = { ...CANCEL, kind: 0, deadline: 0 };
/** Of account 9. */
const LIQUIDATE = { ...PLACE, kind: 4, timeInForce: 1, deadline: 0, seq: 9 };

function step(flags: readonly Flag[], fields?: typeof PLACE) {
  const set = Object.fromEntries(FLAGS.map((flag) => [flag, flags.includes(flag) ? 1 : 0]));
  const word = fields === undefined ? 0n : pack(TRADE_MESSAGE, fields);
  return { step: { ...set, signer: 0, word, isDoomed: 0 }, time: NOW };
}

function load(): Promise<Gadget> {
  return loadGadget({ file: "trade/Message.circom", main: "TradeMessage()" });
}

test("TradeMessage proves 1: at most one flag; a step without a word has word 0", async () => {
  const gadget = await load();
  assertPinned(gadget, step([]));
  assertPinned(gadget, step(["isProceed"]));
  assertRejects(gadget, step([], PLACE));
  assertRejects(gadget, step(["isProceed"], PURGE));
  for (const [index, flag] of FLAGS.entries()) {
    for (const other of FLAGS.slice(index + 1)) {
      for (const fields of [PLACE, CANCEL, CANCEL_ALL, PURGE, LIQUIDATE]) {
        assertRejects(gadget, step([flag, other], fields), `${flag} and ${other}`);
      }
    }
    const honest = step([flag], { isPlace: PLACE, isCancel: CANCEL }[flag as "isPlace"]);
    assertRejects(gadget, { ...honest, step: { ...honest.step, [flag]: 2 } }, `${flag} = 2`);
  }
});

test("TradeMessage proves 1: no flags of which one is -1 add up to one", async () => {
  const gadget = await load();
  const { kind: place } = PLACE;
  const { kind: cancel } = CANCEL;
  const { kind: liquidate } = LIQUIDATE;
  const forged = (flags: Readonly<Partial<Record<Flag, number>>>, fields: typeof PLACE) => {
    const honest = step([], fields);
    const set = Object.entries(flags).map(([flag, value]) => [flag, value < 0 ? R - 1n : value]);
    return { ...honest, step: { ...honest.step, ...Object.fromEntries(set) } };
  };
  // Only the one that is no flag is wrong: the kinds fit the sum, the fields each of the others.
  const unsigned = forged(
    { isLiquidate: 1, isPurge: 1, isCancel: -1 },
    { ...LIQUIDATE, kind: liquidate - cancel },
  );
  assertRejects(gadget, unsigned, "a liquidation as a signed cancel's opposite");
  const both = forged({ isPlace: 1, isCancel: 1, isPurge: -1 }, { ...PLACE, kind: place + cancel });
  assertRejects(gadget, both, "an order that cancels");
});

test("TradeMessage proves 2: the kind fits the flag, unused fields are 0", async () => {
  const gadget = await load();
  const honest = {
    ...{ isPlace: PLACE, isCancel: CANCEL, isCancelAll: CANCEL_ALL, isPurge: PURGE },
    isLiquidate: LIQUIDATE,
  };
  for (const [flag, fields] of Object.entries(honest) as [Flag, typeof PLACE][]) {
    assertPinned(gadget, step([flag], fields));
    for (const kind of [0, 1, 2, 3, 4, 8].filter((each) => each !== fields.kind)) {
      assertRejects(gadget, step([flag], { ...fields, kind }), `${flag} as kind ${kind}`);
    }
  }
  assertRejects(gadget, step(["isPlace"], { ...PLACE, seq: 1 }));
  for (const name of ["lots", "timeInForce", "postOnly", "reduceOnly"] as const) {
    for (const flag of ["isCancel", "isCancelAll", "isPurge"] as const) {
      assertRejects(gadget, step([flag], { ...honest[flag], [name]: 1 }), `${flag} with ${name}`);
    }
  }
  for (const name of ["book", "isSell", "price", "seq"] as const) {
    assertRejects(gadget, step(["isCancelAll"], { ...CANCEL_ALL, [name]: 1 }));
  }
});

test("TradeMessage proves 3: price in range, lots above 0, flags that go together", async () => {
  const gadget = await load();
  for (const price of [1, 2 ** 24 - 2])
    assertPinned(gadget, step(["isPlace"], { ...PLACE, price }));
  for (const [flag, fields] of [
    ["isPlace", PLACE],
    ["isCancel", CANCEL],
    ["isPurge", PURGE],
    ["isLiquidate", LIQUIDATE],
  ] as const) {
    for (const price of [0, 2 ** 24 - 1]) assertRejects(gadget, step([flag], { ...fields, price }));
  }
  assertPinned(gadget, step(["isPlace"], { ...PLACE, lots: 2 ** 22 - 1 }));
  assertRejects(gadget, step(["isPlace"], { ...PLACE, lots: 0 }));
  for (const timeInForce of [0, 1, 2, 3]) {
    for (const postOnly of [0, 1]) {
      for (const reduceOnly of [0, 1]) {
        const inputs = step(["isPlace"], { ...PLACE, timeInForce, postOnly, reduceOnly });
        const isResting = timeInForce === 0;
        const isFine = timeInForce < 3 && (isResting ? reduceOnly === 0 : postOnly === 0);
        if (isFine) assertPinned(gadget, inputs);
        else assertRejects(gadget, inputs, `${timeInForce} ${postOnly} ${reduceOnly}`);
      }
    }
  }
  const above = step(["isPlace"], PLACE);
  const word = above.step.word as bigint;
  assertRejects(gadget, { ...above, step: { ...above.step, word: word + (1n << 155n) } });
  assertRejects(gadget, { ...above, step: { ...above.step, word: R - 1n } });
});

test("TradeMessage proves 4: deadline >= time for signed words", async () => {
  const gadget = await load();
  const signed = { isPlace: PLACE, isCancel: CANCEL, isCancelAll: CANCEL_ALL };
  for (const [flag, fields] of Object.entries(signed) as [Flag, typeof PLACE][]) {
    assertPinned(gadget, step([flag], { ...fields, deadline: NOW }));
    assertPinned(gadget, step([flag], { ...fields, deadline: 2 ** 48 - 1 }));
    assertRejects(gadget, step([flag], { ...fields, deadline: NOW - 1 }));
  }
});

test("TradeMessage proves 5: a liquidation is an immediate order with the account", async () => {
  const gadget = await load();
  const witness = assertPinned(gadget, step(["isLiquidate"], LIQUIDATE));
  const fields = ["book", "isSell", "price", "lots", "isIoc", "isFok", "seq"];
  const said = fields.map((name) => Number(gadget.read(witness, `fields.${name}`)));
  assert.deepEqual(said, [3, 1, 77, 5, 1, 0, 9]);
  assertPinned(gadget, step(["isLiquidate"], { ...LIQUIDATE, reduceOnly: 1 }));
  for (const change of [
    { timeInForce: 0 },
    { timeInForce: 2 },
    { timeInForce: 3 },
    { postOnly: 1 },
    { timeInForce: 0, reduceOnly: 1 },
    { timeInForce: 0, postOnly: 1 },
    { deadline: 1 },
    { deadline: NOW },
    { lots: 0 },
  ]) {
    const what = JSON.stringify(change);
    assertRejects(gadget, step(["isLiquidate"], { ...LIQUIDATE, ...change }), what);
  }
});

const ids = [3, 8];
const order: Carry = {
  ...{ account: 8, book: 5, isSell: true, price: -4, lots: 7, timeInForce: "ioc" },
  ...{ postOnly: false, reduceOnly: true, seq: 2 ** 40 - 1 },
};
const NAMES = ["isActive", "book", "isSell", "price", "lots", "isIoc", "isFok", "isPostOnly"];
const LATER = ["isReduceOnly", "seq", "fokSteps", "isDoomed", "account"];

test("CarryOpened proves: carried = the fields of word, all zero if it is 0", async () => {
  const gadget = await loadGadget({ file: "trade/Books.circom", main: "CarryOpened(2)" });
  const read = (word: bigint) => {
    const witness = assertPinned(gadget, { word, accountIds: ids });
    return [...NAMES, ...LATER].map((name) => Number(gadget.read(witness, `carried.${name}`)));
  };
  const price = 2 ** 23 - 4;
  const fields = [1, 5, 1, price, 7, 1, 0, 0, 1, order.seq, 0, 0, 8];
  assert.deepEqual(read(carryWord(order)), fields);
  assert.deepEqual(read(0n), new Array(13).fill(0));
});

test("CarryOpened proves: its account is opened; no fill-or-kill is carried", async () => {
  const gadget = await loadGadget({ file: "trade/Books.circom", main: "CarryOpened(2)" });
  const stranger = carryWord({ ...order, account: 9 });
  assertRejects(gadget, { word: stranger, accountIds: ids });
  const fok = carryWord({ ...order, timeInForce: "fok" });
  assertRejects(gadget, { word: fok, accountIds: ids });
  assertRejects(gadget, { word: carryWord(order) + (1n << 123n), accountIds: ids });
});

function carried(value: Partial<Record<string, number>>) {
  return Object.fromEntries([...NAMES, ...LATER].map((name) => [name, value[name] ?? 0]));
}

const ACTIVE = {
  ...{ isActive: 1, book: 5, isSell: 1, price: 2 ** 23 - 4, lots: 7, isIoc: 1 },
  ...{ isReduceOnly: 1, seq: order.seq, fokSteps: 2, account: 8 },
};

test("CarryClosed proves: word = the packed order, 0 if there is none", async () => {
  const gadget = await loadGadget({ file: "trade/Books.circom", main: "CarryClosed()" });
  const some = assertPinned(gadget, { carried: carried(ACTIVE) });
  assert.equal(gadget.read(some, "word"), carryWord(order));
  const none = assertPinned(gadget, { carried: carried({}) });
  assert.equal(gadget.read(none, "word"), 0n);
});

test("CarryOn proves: order if goesOn; carried if no order step; else all zero", async () => {
  const gadget = await loadGadget({ file: "trade/Step.circom", main: "CarryOn()" });
  const old = carried({ ...ACTIVE, lots: 1, account: 3 });
  const next = carried(ACTIVE);
  const lots = (isOrder: number, goesOn: number) => {
    const witness = assertPinned(gadget, { carried: old, order: next, isOrder, goesOn });
    const names = ["isActive", "lots", "account"];
    return names.map((name) => Number(gadget.read(witness, `after.${name}`)));
  };
  assert.deepEqual(lots(1, 1), [1, 7, 8]);
  assert.deepEqual(lots(1, 0), [0, 0, 0]);
  assert.deepEqual(lots(0, 0), [1, 1, 3]);
});
