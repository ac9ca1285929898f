import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { pack, unpack } from "../../../sequencer/protocol/codec.ts";
import {
  ACCOUNT_BITS,
  AMOUNT_BITS,
  BOOK_BITS,
  FIELD_MODULUS,
  LOTS_BITS,
  MESSAGE_KINDS,
  SEQ_BITS,
  SLOT_BITS,
  TIME_BITS,
} from "../../../sequencer/protocol/constants.ts";
import { LEDGER_MESSAGE, layoutBits, TRADE_MESSAGE } from "../../../sequencer/protocol/layout.ts";
import {
  type BackstopMessage,
  firstHead,
  isWellFormed,
  type Message,
  messageFromWord,
  messageWord,
  nextHead,
  type PlaceMessage,
} from "../../../sequencer/protocol/messages.ts";
import { runs } from "../../property/runs.ts";

function below(bits: number, min = 0) {
  const max = 2 ** bits - 1;
  return fc.oneof(fc.constantFrom(min, max), fc.integer({ min, max }));
}

const PRICE_MIN = 1 - 2 ** 23;
const PRICE_MAX = 2 ** 23 - 2;
const price = fc.oneof(
  fc.constantFrom(PRICE_MIN, 0, PRICE_MAX),
  fc.integer({ min: PRICE_MIN, max: PRICE_MAX }),
);
const kindOf = <K extends Message["kind"]>(kind: K) => fc.constant(kind);
const deadline = below(TIME_BITS);
const place = fc.record({
  kind: kindOf("place"),
  book: below(BOOK_BITS),
  isSell: fc.boolean(),
  price,
  lots: below(LOTS_BITS, 1),
  timeInForce: fc.constantFrom("gtc", "ioc", "fok"),
  postOnly: fc.boolean(),
  reduceOnly: fc.boolean(),
  deadline,
});
const message: fc.Arbitrary<Message> = fc.oneof(
  place,
  fc.record({
    kind: kindOf("cancel"),
    book: below(BOOK_BITS),
    isSell: fc.boolean(),
    price,
    seq: below(SEQ_BITS),
    deadline,
  }),
  fc.record({ kind: kindOf("cancelAll"), deadline }),
  fc.record({ kind: kindOf("withdraw"), amount: below(AMOUNT_BITS, 1), deadline }),
  fc.record({
    kind: kindOf("transfer"),
    amount: below(AMOUNT_BITS, 1),
    to: below(ACCOUNT_BITS),
    deadline,
  }),
  fc.record({
    kind: kindOf("backstop"),
    from: below(ACCOUNT_BITS),
    slot: below(SLOT_BITS),
    lots: below(LOTS_BITS, 1),
    amount: below(AMOUNT_BITS),
    deadline,
  }),
);

test("word and well-formed message determine each other", () => {
  fc.assert(
    fc.property(message, (subject) => {
      const decoded = messageFromWord(messageWord(subject));
      assert.deepEqual(decoded, isWellFormed(subject) ? { ...subject } : undefined);
    }),
    runs(300),
  );
});

test("a word that decodes is the word of what it decodes to", () => {
  fc.assert(
    fc.property(message, fc.nat({ max: layoutBits(TRADE_MESSAGE) + 1 }), (subject, bit) => {
      const word = messageWord(subject) ^ (1n << BigInt(bit));
      const decoded = messageFromWord(word);
      if (decoded !== undefined) assert.equal(messageWord(decoded), word);
    }),
    runs(300),
  );
});

test("bits above the layout, unknown kinds and non-words do not decode", () => {
  const above = 1n << BigInt(layoutBits(TRADE_MESSAGE));
  const order: PlaceMessage = {
    kind: "place",
    book: 1,
    isSell: true,
    price: 5,
    lots: 1,
    timeInForce: "gtc",
    postOnly: false,
    reduceOnly: false,
    deadline: 9,
  };
  const word = messageWord(order);
  assert.deepEqual(messageFromWord(word), order);
  for (const bad of [0n, 4n, 15n, word + above, word + FIELD_MODULUS, -1n]) {
    assert.equal(messageFromWord(bad), undefined);
  }
});

const BACKSTOP: BackstopMessage = {
  kind: "backstop",
  from: 3,
  slot: 2,
  lots: 5,
  amount: 0,
  deadline: 9,
};

test("a backstop needs lots, not an amount, and payments have neither slot nor lots", () => {
  assert.deepEqual(messageFromWord(messageWord(BACKSTOP)), BACKSTOP);
  assert.ok(!isWellFormed({ ...BACKSTOP, lots: 0 }));
  assert.equal(messageFromWord(messageWord({ ...BACKSTOP, lots: 0 })), undefined);
  const { kind, ...takeover } = unpack(LEDGER_MESSAGE, messageWord(BACKSTOP));
  assert.equal(kind, MESSAGE_KINDS.backstop);
  assert.deepEqual(takeover, { amount: 0, to: 3, deadline: 9, slot: 2, lots: 5 });
  for (const payment of ["withdraw", "transfer"] as const) {
    const rest = { to: 0, amount: 1, deadline: 9, kind: MESSAGE_KINDS[payment] };
    const word = (slot: number, lots: number) => pack(LEDGER_MESSAGE, { ...rest, slot, lots });
    assert.equal(messageFromWord(word(0, 0))?.kind, payment);
    assert.equal(messageFromWord(word(1, 0)), undefined);
    assert.equal(messageFromWord(word(0, 1)), undefined);
  }
});

test("no signed word is one of a liquidation", () => {
  const rest = { isSell: 1, price: 2 ** 23, lots: 1, timeInForce: 1, postOnly: 0, reduceOnly: 0 };
  const fields = { ...rest, book: 0, deadline: 0, seq: 1 };
  const word = pack(TRADE_MESSAGE, { ...fields, kind: MESSAGE_KINDS.liquidate });
  assert.equal(messageFromWord(word), undefined);
});

const ORDER = { kind: "place", book: 0, isSell: false, price: 0, lots: 1, deadline: 0 } as const;
const FLAGS: readonly (readonly [PlaceMessage["timeInForce"], boolean, boolean, boolean])[] = [
  ["gtc", false, false, true],
  ["gtc", true, false, true],
  ["gtc", false, true, false],
  ["gtc", true, true, false],
  ["ioc", false, false, true],
  ["ioc", true, false, false],
  ["ioc", false, true, true],
  ["ioc", true, true, false],
  ["fok", false, false, true],
  ["fok", true, false, false],
  ["fok", false, true, true],
  ["fok", true, true, false],
];
for (const [timeInForce, postOnly, reduceOnly, expected] of FLAGS) {
  test(`${timeInForce}, post-only ${postOnly}, reduce-only ${reduceOnly}: ${expected}`, () => {
    assert.equal(isWellFormed({ ...ORDER, timeInForce, postOnly, reduceOnly }), expected);
  });
}

const PRICES: readonly (readonly [number, boolean])[] = [
  [PRICE_MIN - 1, false],
  [PRICE_MIN, true],
  [PRICE_MAX, true],
  [PRICE_MAX + 1, false],
  [0.5, false],
  [Number.NaN, false],
];
for (const [subject, expected] of PRICES) {
  test(`price ${subject} is in range: ${expected}`, () => {
    const flags = { timeInForce: "gtc", postOnly: false, reduceOnly: false } as const;
    assert.equal(isWellFormed({ ...ORDER, ...flags, price: subject }), expected);
    const name = { kind: "cancel", book: 0, isSell: true, seq: 1, deadline: 0 } as const;
    assert.equal(isWellFormed({ ...name, price: subject }), expected);
  });
}

test("D5: chains of different keys, versions, accounts and domains never meet", () => {
  const base = { domain: 1n, account: 2, keyIndex: 3, version: 4 };
  const heads = [
    firstHead(base),
    firstHead({ ...base, domain: 2n }),
    firstHead({ ...base, account: 3 }),
    firstHead({ ...base, keyIndex: 2 }),
    firstHead({ ...base, version: 5 }),
    nextHead(firstHead(base), 6n),
    nextHead(firstHead(base), 7n),
  ];
  assert.equal(new Set(heads).size, heads.length);
});
