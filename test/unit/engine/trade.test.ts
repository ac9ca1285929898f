import assert from "node:assert/strict";
import { test } from "node:test";
import {
  proceed,
  publishedFills,
  publishedRemovals,
  purge,
  sequenceMessage,
} from "../../../sequencer/engine/trade.ts";
import {
  type CancelMessage,
  nextHead,
  type TradeMessage,
} from "../../../sequencer/protocol/messages.ts";
import { createStateTrees } from "../../../sequencer/state/stateTrees.ts";
import {
  contextsOf,
  createMarket,
  EXPIRY,
  KEY_EXPIRY,
  type Market,
  NOW,
  placeOf,
  SHAPE,
  SNAPSHOT,
  send,
  signedBy,
} from "./market.ts";

const RICH = 1_000_000_000;
const CANCEL_ALL: TradeMessage = { kind: "cancelAll", deadline: NOW };

function rootOf({ state }: Market): bigint {
  const trees = createStateTrees(SHAPE);
  const ids = { accounts: new Set(state.accountIds()), books: new Set(state.bookIds()) };
  trees.sync(state, { ...ids, sessions: ids.accounts });
  return trees.root(state);
}

test("every message extends its key's chain and takes the next seq", () => {
  const market = createMarket([RICH, RICH]);
  const { state } = market;
  const headOf = (account: number) => state.session(account).keys[0]!.head;
  const messages: TradeMessage[] = [
    placeOf({ isSell: true }),
    placeOf({ timeInForce: "fok", lots: 2, price: 99 }),
    { kind: "cancel", book: 0, isSell: true, price: 1, seq: 1, deadline: NOW },
    CANCEL_ALL,
  ];
  const other = headOf(2);
  for (const [index, message] of messages.entries()) {
    const expected = nextHead(headOf(1), signedBy(1, message).word);
    const [record] = send(market, 1, message);
    assert.ok(record !== undefined && "seq" in record && record.kind === message.kind);
    assert.equal(record.seq, index + 1);
    assert.equal(headOf(1), expected);
    assert.equal(state.nextSeq(), index + 2);
  }
  assert.equal(headOf(2), other);
});

const NAME: CancelMessage = {
  kind: "cancel",
  book: 0,
  isSell: true,
  price: 100,
  seq: 1,
  deadline: NOW,
};
const CANCELS: readonly (readonly [string, number, Partial<CancelMessage>, string])[] = [
  ["its own order", 1, {}, "cancelled"],
  ["another's order", 2, {}, "notOwner"],
  ["an unknown seq", 1, { seq: 2 }, "notFound"],
  ["another price", 1, { price: 101 }, "notFound"],
  ["the other side", 1, { isSell: false }, "notFound"],
  ["another book", 1, { book: 1 }, "notFound"],
];
for (const [name, account, fields, outcome] of CANCELS) {
  test(`cancelling ${name}: ${outcome}`, () => {
    const market = createMarket([RICH, RICH]);
    send(market, 1, placeOf({ isSell: true }));
    const [record] = send(market, account, { ...NAME, ...fields });
    assert.ok(record !== undefined && record.kind === "cancel");
    assert.equal(record.outcome, outcome);
    assert.equal(market.state.book(0)!.asks.length, outcome === "cancelled" ? 0 : 1);
  });
}

test("cancel-all voids what was placed before and nothing else", () => {
  const market = createMarket([RICH, RICH]);
  const { state } = market;
  send(market, 1, placeOf({ isSell: true }));
  send(market, 2, placeOf({ isSell: true }));
  send(market, 1, placeOf({ book: 1, price: 5 }));
  const [record] = send(market, 1, CANCEL_ALL);
  assert.equal(record!.kind === "cancelAll" && record!.outcome, "allCancelled");
  send(market, 1, placeOf({ isSell: true, price: 101 }));
  assert.deepEqual(
    [1, 2].flatMap((account) => state.openOrdersOf(account)).map(({ seq }) => seq),
    [5, 2],
  );
  assert.equal(state.session(1).watermark, 4);
});

test("a void order can still be cancelled by its owner", () => {
  const market = createMarket([RICH]);
  send(market, 1, placeOf({ isSell: true }));
  send(market, 1, CANCEL_ALL);
  const [record] = send(market, 1, NAME);
  assert.equal(record!.kind === "cancel" && record!.outcome, "cancelled");
});

test("purge removes void orders only", () => {
  const market = createMarket([RICH, RICH]);
  const { state } = market;
  send(market, 1, placeOf({ isSell: true }));
  const name = { book: 0, isSell: true, price: 100, seq: 1 };
  assert.throws(() => purge(state, name), /is not void/);
  send(market, 1, CANCEL_ALL);
  assert.throws(() => purge(state, { ...name, seq: 2 }), /There is no order/);
  assert.throws(() => purge(state, { ...name, book: 9 }), /There is no order/);
  assert.deepEqual(purge(state, name), { kind: "purge", ...name, account: 1 });
  assert.deepEqual(state.book(0)!.asks, []);
  assert.equal(state.nextSeq(), 3);
});

test("an order that goes on is carried, and nothing else happens before it ends", () => {
  const market = createMarket([RICH, RICH]);
  const { state, trade } = market;
  send(market, 1, placeOf({ isSell: true, lots: 2 }));
  assert.throws(() => proceed(state, trade), /no interrupted order/);
  const [record] = send(market, 2, placeOf({ lots: 5 }));
  assert.ok(record !== undefined && "order" in record);
  assert.equal(record.order.outcome, undefined);
  assert.deepEqual(record.order.after, state.carry());
  assert.equal(state.carry()!.lots, 3);
  assert.throws(() => send(market, 1, CANCEL_ALL), /goes on before any message/);
  const name = { book: 0, isSell: true, price: 100, seq: 1 };
  assert.throws(() => purge(state, name), /goes on before any purge/);
  const next = proceed(state, trade);
  assert.ok(next.kind === "proceed" && next.order.outcome === "rested");
  assert.deepEqual(next.order.before, record.order.after);
  assert.equal(state.carry(), undefined);
});

test("a carried order is killed once its book has closed", () => {
  const market = createMarket([RICH, RICH]);
  const { state } = market;
  send(market, 1, placeOf({ isSell: true }));
  send(market, 1, placeOf({ isSell: true }));
  send(market, 2, placeOf({ lots: 2 }));
  const { trade } = contextsOf(state, { time: EXPIRY * 1000 });
  const step = proceed(state, trade);
  assert.ok(step.kind === "proceed");
  assert.equal(step.order.outcome, "killed");
  assert.equal(step.order.fill, undefined);
  assert.equal(state.carry(), undefined);
  assert.equal(state.book(0)!.asks.length, 1);
  assert.deepEqual(state.book(0)!.bids, []);
});

test("an aborted FOK restores everything but the chain and its seq", () => {
  const market = createMarket([RICH, RICH, RICH]);
  const { state } = market;
  send(market, 3, placeOf({ isSell: true, lots: 2 }));
  send(market, 1, placeOf({ isSell: true }));
  send(market, 3, CANCEL_ALL);
  const fok = placeOf({ timeInForce: "fok", lots: 2 });
  const root = rootOf(market);
  const head = state.session(2).keys[0]!.head;
  const records = send(market, 2, fok);
  assert.deepEqual(
    records.map((record) => "order" in record && record.order.orderCase),
    ["makerVoid", "fill", "noCross"],
  );
  assert.deepEqual(publishedFills(records), []);
  assert.deepEqual(publishedRemovals(records), []);
  assert.equal(state.carry(), undefined);
  assert.equal(state.nextSeq(), 5);
  assert.equal(state.session(2).keys[0]!.head, nextHead(head, signedBy(2, fok).word));
  state.editSession(2).keys[0]!.head = head;
  state.setNextSeq(4);
  assert.equal(rootOf(market), root);
});

// F = 4 in this market: [entries of one lot, lots of the FOK, its steps, its outcome].
const FOKS: readonly (readonly [number, number, number, string])[] = [
  [3, 3, 3, "filled"],
  [3, 4, 4, "fokNotFillable"],
  [4, 4, 4, "filled"],
  [5, 5, 4, "fokNotFillable"],
];
for (const [entries, lots, steps, outcome] of FOKS) {
  test(`a FOK of ${lots} lots against ${entries} entries: ${steps} steps, ${outcome}`, () => {
    const market = createMarket([RICH, RICH], { ...SHAPE, depth: 8 });
    for (let sent = 0; sent < entries; sent++) send(market, 1, placeOf({ isSell: true }));
    const records = send(market, 2, placeOf({ timeInForce: "fok", lots }));
    assert.equal(records.length, steps);
    const last = records.at(-1)!;
    assert.ok("order" in last);
    assert.equal(last.order.outcome, outcome);
    assert.equal(last.order.aborted, outcome !== "filled");
    assert.equal(last.order.after, undefined);
    const filled = outcome === "filled" ? lots : 0;
    assert.equal(publishedFills(records).length, filled);
    assert.equal(market.state.account(2).positions[0], filled);
    assert.equal(market.state.book(0)!.asks.length, entries - filled);
  });
}

test("publishing drops aborted FOKs from among other records", () => {
  const market = createMarket([RICH, RICH, RICH]);
  const records = [
    ...send(market, 1, placeOf({ isSell: true })),
    ...send(market, 1, placeOf({ isSell: true })),
    ...send(market, 2, placeOf({ timeInForce: "fok", lots: 3 })),
    ...send(market, 2, placeOf({ lots: 1 })),
    ...send(market, 1, placeOf({ timeInForce: "fok", lots: 2 })),
    ...send(market, 3, placeOf({ timeInForce: "ioc", lots: 1 })),
  ];
  assert.deepEqual(
    publishedFills(records).map(({ takerSeq, makerSeq }) => [takerSeq, makerSeq]),
    [
      [4, 1],
      [6, 2],
    ],
  );
  assert.deepEqual(publishedRemovals(records), []);
});

const REFUSED: readonly (readonly [string, (market: Market) => unknown, RegExp])[] = [
  [
    "a word of another message",
    (market) => {
      const signed = { ...signedBy(1, placeOf()), word: signedBy(1, placeOf({ lots: 2 })).word };
      return sequenceMessage(market.state, signed, market.trade);
    },
    /malformed/,
  ],
  [
    "a message of no key",
    (market) => {
      const signed = { ...signedBy(1, placeOf()), author: { account: 1, keyIndex: 1 } };
      return sequenceMessage(market.state, signed, market.trade);
    },
    /unknownKey/,
  ],
  ["a late message", (market) => send(market, 1, placeOf({ deadline: NOW - 1 })), /deadlinePassed/],
  [
    "an expired key's message",
    (market) => {
      const { trade } = contextsOf(market.state, { snapshot: SNAPSHOT, time: KEY_EXPIRY * 1000 });
      const signed = signedBy(1, { kind: "cancelAll", deadline: KEY_EXPIRY * 2000 });
      return sequenceMessage(market.state, signed, trade);
    },
    /keyExpired/,
  ],
  [
    "an order for a closed book",
    (market) => {
      const { trade } = contextsOf(market.state, { snapshot: SNAPSHOT, time: EXPIRY * 1000 });
      const signed = signedBy(1, placeOf({ deadline: EXPIRY * 1000 }));
      return sequenceMessage(market.state, signed, trade);
    },
    /bookClosed/,
  ],
];
for (const [name, act, reason] of REFUSED) {
  test(`the engine does not sequence ${name}`, () => {
    const market = createMarket([RICH]);
    const before = rootOf(market);
    assert.throws(() => act(market), { name: "EngineAssertion", message: reason });
    assert.equal(rootOf(market), before);
  });
}
