// Words that are held act once, when their condition is true, and not otherwise.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HeldCondition } from "../../../sequencer/protocol/heldWord.ts";
import {
  atIndex,
  BUY,
  CANCEL_ALL,
  createHeldMarket,
  DEADLINE,
  hold,
  ordersOf,
  refusedFor,
  SELL,
  signOn,
  submitBy,
  toldOf,
  tryHold,
  wordsOf,
} from "./heldFixture.ts";

const above = (price: number): HeldCondition => ({ type: "index", is: "atOrAbove", price });
const below = (price: number): HeldCondition => ({ type: "index", is: "atOrBelow", price });
const GONE = { type: "filled", orderId: "0-B-490-99", part: "all" } as const;
const FILLED = { type: "filled", orderId: null, part: "all" } as const;

test("a stop acts at the index that it waits for, once", async () => {
  const { world, maker, keys } = await createHeldMarket();
  const [stop] = await hold(world, keys[0], { message: SELL, conditions: [below(19_800)] });
  world.snapshotOptions = atIndex(19_801);
  for (let count = 0; count < 3; count++) await world.step();
  assert.deepEqual(await ordersOf(world, maker.account), []);
  world.snapshotOptions = atIndex(19_800);
  for (let count = 0; count < 5; count++) await world.step();
  assert.deepEqual(await ordersOf(world, maker.account), ["S5@510"]);
  assert.deepEqual(
    toldOf(world, stop!.id).map(([state]) => state),
    ["held", "triggered", "sent"],
  );
  const [ended] = await world.sequencer.service.policy.heldHistory(maker.account);
  const [order] = await world.sequencer.service.orders(maker.account);
  assert.deepEqual([ended?.id, ended?.orderId], [stop!.id, order?.orderId]);
  const receipts = world.events.flatMap((event) =>
    event.type === "held" && event.receipt !== null ? [event.receipt.orderId] : [],
  );
  assert.deepEqual(receipts, [order?.orderId]);
});

test("a mark triggers as the index does, by the book's legs", async () => {
  const { world, maker, keys } = await createHeldMarket();
  const mark = { type: "mark", book: 1, is: "atOrAbove", price: 520 } as const;
  await hold(world, keys[0], { message: BUY, conditions: [mark] });
  world.snapshotOptions = { marks: [530, 519] };
  await world.step();
  await world.step();
  assert.deepEqual(await ordersOf(world, maker.account), []);
  world.snapshotOptions = { marks: [500, 520] };
  await world.step();
  await world.step();
  assert.deepEqual(await ordersOf(world, maker.account), ["B5@490"]);
});

test("of two that extend one head one acts, whichever comes true", async () => {
  for (const index of [19_700, 20_300]) {
    const { world, maker, keys } = await createHeldMarket();
    const [stop, take] = await hold(
      world,
      keys[0],
      { message: { ...SELL, price: 505 }, conditions: [below(19_700)], follows: null },
      { message: { ...SELL, price: 790 }, conditions: [above(20_300)], follows: null },
    );
    world.snapshotOptions = atIndex(index);
    for (let count = 0; count < 4; count++) await world.step();
    world.snapshotOptions = atIndex(index === 19_700 ? 20_300 : 19_700);
    for (let count = 0; count < 4; count++) await world.step();
    const isStop = index === 19_700;
    assert.deepEqual(await ordersOf(world, maker.account), [isStop ? "S5@505" : "S5@790"]);
    const [other] = isStop ? [take] : [stop];
    assert.deepEqual(toldOf(world, other!.id).at(-1), ["dropped", "headUsed"]);
  }
});

test("of two that come true at once the one that was left first acts", async () => {
  const { world, maker, keys } = await createHeldMarket();
  const both = [below(19_900)];
  await hold(world, keys[0], { message: { ...SELL, price: 505 }, conditions: both });
  await hold(world, keys[0], { message: { ...SELL, price: 515 }, conditions: both });
  world.snapshotOptions = atIndex(19_900);
  for (let count = 0; count < 4; count++) await world.step();
  assert.deepEqual(await ordersOf(world, maker.account), ["S5@505"]);
  assert.deepEqual(await world.sequencer.service.policy.held(maker.account), []);
});

test("a list shows one slice at a time, each when the one before is filled", async () => {
  const { world, maker, taker, keys } = await createHeldMarket();
  const slice = { message: SELL, conditions: [FILLED] };
  await hold(world, keys[0], { message: SELL }, slice, slice);
  await world.step();
  const shown: number[] = [];
  for (const lots of [2, 3, 5, 5]) {
    const depth = await world.sequencer.service.book(0, 10);
    shown.push(depth?.asks.reduce((sum, level) => sum + level.lots, 0) ?? 0);
    if (shown.at(-1) === 0) break;
    await world.place(taker, { price: 510, lots, timeInForce: "ioc" });
    await world.step();
    await world.step();
  }
  assert.deepEqual(shown, [5, 3, 5, 5], "never more than one slice");
  const depth = await world.sequencer.service.book(0, 10);
  assert.deepEqual(depth?.asks, [], "three slices and no more");
  assert.deepEqual(await world.sequencer.service.policy.held(maker.account), []);
});

test("a slice does not come when the one before was cancelled", async () => {
  const { world, maker, keys } = await createHeldMarket();
  const [first, next] = await hold(
    world,
    keys[0],
    { message: SELL },
    { message: SELL, conditions: [FILLED] },
  );
  await world.step();
  assert.deepEqual(toldOf(world, first!.id).at(-1), ["sent", null]);
  assert.equal((await world.submit(maker, CANCEL_ALL)).accepted, true);
  for (let count = 0; count < 3; count++) await world.step();
  assert.deepEqual(toldOf(world, next!.id).at(-1), ["dropped", "orderEnded"]);
  assert.deepEqual(await ordersOf(world, maker.account), []);
});

test("an order triggers others, of which one acts", async () => {
  const { world, maker, taker, keys } = await createHeldMarket();
  const after = { type: "filled", orderId: null, part: "any" } as const;
  await hold(
    world,
    keys[0],
    { message: BUY },
    { message: { ...SELL, price: 505 }, conditions: [after, below(19_700)], follows: 0 },
    { message: { ...SELL, price: 515 }, conditions: [after, above(20_300)], follows: 0 },
  );
  world.snapshotOptions = atIndex(20_300);
  await world.step();
  await world.step();
  assert.deepEqual(await ordersOf(world, maker.account), ["B5@490"], "the first waits still");
  world.snapshotOptions = atIndex(20_000);
  await world.step();
  await world.place(taker, { isSell: true, price: 490, lots: 2, timeInForce: "ioc" });
  for (let count = 0; count < 3; count++) await world.step();
  assert.deepEqual(await ordersOf(world, maker.account), ["B3@490"]);
  world.snapshotOptions = atIndex(20_300);
  for (let count = 0; count < 3; count++) await world.step();
  assert.deepEqual(await ordersOf(world, maker.account), ["B3@490", "S5@515"]);
});

test("an order ends at its date, and its cancel goes no earlier", async () => {
  const { world, maker, keys } = await createHeldMarket();
  const receipt = await world.place(maker, { price: 480, lots: 3 });
  const at = world.clock.now() + 1000;
  const place = { book: 0, isSell: false, price: 480, seq: receipt.seq! };
  const cancel = { kind: "cancel", ...place, deadline: DEADLINE } as const;
  await hold(world, keys[0], { message: cancel, conditions: [{ type: "time", at }] });
  await world.step(999);
  await world.step(0);
  assert.deepEqual(await ordersOf(world, maker.account), ["B3@480"]);
  await world.step(1);
  await world.step();
  assert.deepEqual(await ordersOf(world, maker.account), []);
});

test("nothing acts that was withdrawn, whose head was used, or that is too late", async () => {
  const { world, maker, keys } = await createHeldMarket();
  const conditions = [below(19_800)];
  const deadline = world.clock.now() + 5_000;
  const [withdrawn] = await hold(world, keys[0], { message: SELL, conditions });
  const [used] = await hold(world, keys[1], { message: SELL, conditions });
  const [late] = await hold(world, keys[2], { message: { ...SELL, deadline }, conditions });
  const { policy } = world.sequencer.service;
  const ids = [withdrawn!.id];
  assert.deepEqual(await policy.withdraw(4, { ids }), [], "of another account");
  assert.deepEqual(await policy.withdraw(maker.account, { ids }), ids);
  assert.equal((await submitBy(world, keys[1], CANCEL_ALL)).accepted, true);
  for (let count = 0; count < 6; count++) await world.step(1000);
  world.snapshotOptions = atIndex(19_700);
  for (let count = 0; count < 4; count++) await world.step();
  assert.deepEqual(await ordersOf(world, maker.account), []);
  assert.deepEqual(
    [withdrawn, used, late].map((held) => toldOf(world, held!.id).at(-1)),
    [
      ["withdrawn", null],
      ["dropped", "headUsed"],
      ["dropped", "deadlinePassed"],
    ],
  );
});

test("what is refused for margin is told with the reason, and does not come again", async () => {
  const { world, maker, keys } = await createHeldMarket();
  const huge = { ...SELL, lots: 200_000 };
  const [held, next] = await hold(
    world,
    keys[0],
    { message: huge, conditions: [below(19_900)] },
    { message: BUY, conditions: [below(19_900)] },
  );
  world.snapshotOptions = atIndex(19_900);
  for (let count = 0; count < 4; count++) await world.step();
  const [state, reason] = toldOf(world, held!.id).at(-1) ?? [];
  assert.equal(state, "refused");
  assert.ok(reason === "insufficientMargin" || reason === "limitExceeded", String(reason));
  assert.deepEqual(toldOf(world, next!.id).at(-1), ["dropped", "beforeEnded"]);
  assert.deepEqual(await ordersOf(world, maker.account), []);
  assert.equal((await submitBy(world, keys[0], BUY)).accepted, true, "the head is free");
});

test("a trigger that meets a pause waits for the reopening", async () => {
  const { world, maker, keys } = await createHeldMarket();
  const [held] = await hold(world, keys[0], { message: SELL, conditions: [below(17_900)] });
  // More than the breakers let pass between two snapshots.
  world.snapshotOptions = atIndex(17_800);
  for (let count = 0; count < 3; count++) await world.step();
  assert.equal((await world.sequencer.service.status()).trading.mode, "cancelOnly");
  assert.deepEqual(toldOf(world, held!.id).at(-1), ["triggered", null]);
  assert.deepEqual(await ordersOf(world, maker.account), []);
  for (let count = 0; count < 120; count++) await world.step();
  assert.deepEqual(toldOf(world, held!.id).at(-1), ["sent", null]);
  assert.deepEqual(await ordersOf(world, maker.account), ["S5@510"]);
});

test("what could fail for its form is refused when it is left", async () => {
  const { world, maker, keys } = await createHeldMarket();
  const [key] = keys;
  const { policy } = world.sequencer.service;
  const conditions = [below(19_000)];
  const [good] = wordsOf(key, [{ message: SELL, conditions }]);
  const who = { account: maker.account, keyIndex: 1 };
  const past = world.clock.now();
  const wrong = signOn({ secret: 5n }, key.head, SELL);
  const pay = { kind: "withdraw", amount: 5, deadline: DEADLINE } as const;
  const refused: readonly (readonly [string, string, object])[] = [
    ["no words", "malformed", { words: [] }],
    ["too many", "malformed", { words: Array.from({ length: 17 }, () => good!) }],
    ["no word", "malformed", { words: [{ ...good!, word: 7n }] }],
    ["money", "malformed", { words: wordsOf(key, [{ message: pay }]) }],
    ["another account", "unknownAccount", { account: 9 }],
    ["no account", "unknownAccount", { account: 2 ** 21 }],
    ["another key", "badSignature", { keyIndex: 2 }],
    ["no key", "unknownKey", { keyIndex: 7 }],
    ["another signature", "badSignature", { words: [{ ...good!, signature: wrong.signature }] }],
    [
      "later than its deadline",
      "deadlinePassed",
      {
        words: wordsOf(key, [{ message: { ...SELL, deadline: past } }]),
      },
    ],
    [
      "an unknown book",
      "unknownBook",
      { words: wordsOf(key, [{ message: { ...SELL, book: 9 } }]) },
    ],
    ["behind itself", "malformed", { words: [{ ...good!, follows: 0 }] }],
    [
      "for no order",
      "malformed",
      { words: wordsOf(key, [{ message: SELL, conditions: [FILLED] }]) },
    ],
    [
      "for an order that is gone",
      "malformed",
      { words: wordsOf(key, [{ message: SELL, conditions: [GONE] }]) },
    ],
    ["a long label", "malformed", { words: [{ ...good!, label: "x".repeat(65) }] }],
  ];
  for (const [what, code, change] of refused) {
    assert.equal(refusedFor(await policy.hold({ ...who, words: [good!], ...change })), code, what);
  }
  assert.deepEqual(await policy.held(maker.account), []);
  assert.equal(world.accounts.kept.size, 0, "nothing was stored");
  const both = await Promise.all([1, 2].map(() => policy.hold({ ...who, words: [good!] })));
  assert.ok(both.some(({ accepted }) => accepted));
  const third = await policy.hold({ ...who, words: [good!] });
  assert.equal(third.accepted, true, "the same word again is the same word");
  assert.equal((await policy.held(maker.account)).length, 1);
});

test("where the disk refuses a record nothing is acknowledged, and the node halts", async () => {
  const { world, keys } = await createHeldMarket();
  world.accounts.save = () => Promise.reject(new Error("no space left on device"));
  const left = tryHold(world, keys[0], { message: SELL, conditions: [below(19_800)] });
  await assert.rejects(left, /no space left/);
  assert.match(String((await world.sequencer.service.status()).halted), /no space left/);
});

test("whoever cannot sign takes nothing of the account's rate", async () => {
  const { world, keys } = await createHeldMarket({ rate: { perSecond: 1, burst: 4 } });
  const [key] = keys;
  const forged = { ...key, secret: 9n };
  for (let count = 0; count < 10; count++) {
    assert.equal(refusedFor(await tryHold(world, forged, { message: SELL })), "badSignature");
  }
  await hold(world, key, { message: SELL, conditions: [below(100)] });
});

test("10,000 holds stop at the account's bound and leave others room", async () => {
  const rate = { perSecond: 1e6, burst: 1e6 };
  const { world, maker, keys } = await createHeldMarket({ rate });
  const { policy } = world.sequencer.service;
  const words = Array.from({ length: 40 }, (_, index) => {
    const message = { ...SELL, lots: index + 1 };
    return wordsOf(keys[0], [{ message, conditions: [below(100)] }]);
  });
  const codes = new Map<string, number>();
  for (let round = 0; round < 250; round++) {
    const tries = words.map((each) =>
      policy.hold({ account: maker.account, keyIndex: 1, words: each }),
    );
    for (const result of await Promise.all(tries)) {
      const code = result.accepted ? "accepted" : result.code;
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
  }
  assert.deepEqual([...codes.keys()], ["accepted", "heldFull"]);
  assert.equal(codes.get("heldFull"), 250 * 8, "repeats of what is held are answered as such");
  assert.equal((await policy.held(maker.account)).length, 32);
  assert.equal(refusedFor(await tryHold(world, keys[1], { message: CANCEL_ALL })), "heldFull");
});
