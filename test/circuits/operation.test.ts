// Cheating in single operations of a ledger batch: for each line of what LedgerOperation proves.
import { test } from "node:test";
import { pack, unpack } from "../../sequencer/protocol/codec.ts";
import { LEDGER_OP, SERIES_TERMS } from "../../sequencer/protocol/layout.ts";
import { carryWord, feesWord, lastBookWords, weightWords } from "../../sequencer/protocol/state.ts";
import { assertRefused, changed, loadCircuit, set, withPublicInputs } from "../support/circuit.ts";
import { payingBatch, refusingBatch, settlingBatch } from "../support/ledgerBatches.ts";
import { EXPIRY } from "../support/market.ts";
import { edited, refielded, restated, stated, wordsOf } from "../support/restated.ts";

const circuit = await loadCircuit("ledger");
const paying = payingBatch();
const refusing = refusingBatch();
const settling = settlingBatch();

type Inputs = ReturnType<typeof withPublicInputs>;

test("the batches to cheat with have witnesses", () => {
  for (const made of [paying, refusing, settling]) circuit.witness(withPublicInputs(made.batch));
});

test("LedgerOperation proves 1: the first word is a kind with its fields, the rest is 0", () => {
  assertRefused(circuit, refielded(paying, 0, { kind: 19 }), "SelectById");
  const unused = [
    [refielded(paying, 0, { slot: 1 }), "(1 - op.hasSlot) * op.slot"],
    [refielded(paying, 0, { book: 1 }), "(1 - op.isOpenBook) * op.book"],
    [refielded(paying, 0, { to: 2 }), "(1 - op.hasTo) * op.to"],
    [refielded(paying, 0, { lots: 1 }), "(1 - op.isTakeover - op.isClose) * op.lots"],
    [refielded(paying, 0, { isSubsidy: 1 }), "(1 - op.isInsure - op.isDeleverage)"],
    [refielded(paying, 0, { isLong: 1 }), "(1 - op.isRank) * op.isLong"],
    [refielded(paying, 0, { keyIndex: 1 }), "(1 - hasKeyWords) * (op.keyIndex"],
    [refielded(paying, 2, { keyExpiry: 1 }), "(1 - hasKeyWords) * (op.keyIndex"],
    [refielded(paying, 4, { amount: 1 }), "(1 - hasAmount) * op.amount"],
    [refielded(paying, 5, { account: 1 }), "(1 - op.hasAccount) * op.account"],
    [restated(paying, 1, 1, 1n), "(1 - op.hasOwner - op.isList - op.isOpenBook - op.isClose)"],
    [restated(paying, 0, 2, 1n), "(1 - hasKeyWords - op.isOpenBook) * words[2]"],
    [restated(paying, 0, 3, 1n), "(1 - hasKeyWords - op.isOpenBook) * words[3]"],
  ] as const;
  for (const [inputs, constraint] of unused) {
    assertRefused(circuit, inputs, `OperationWord: ${constraint}`);
  }
  assertRefused(circuit, restated(paying, 0, 0, 1n << 174n), "OperationWord");
});

test("LedgerOperation proves 2: withdraw and transfer extend a chain of the account", () => {
  assertRefused(circuit, refielded(paying, 0, { amount: 1001 }), "Signer");
  assertRefused(circuit, refielded(paying, 1, { to: 1 }), "Signer");
  assertRefused(circuit, edited(paying, ["deadline", 0], 2 ** 47), "Signer");
  const others = "SignedOperation: op.isSigned * (op.account - signersAccount)";
  assertRefused(circuit, edited(paying, ["operationSigner", 0], 1), others);
  assertRefused(circuit, refielded(paying, 1, { account: 1 }), others);
});

test("LedgerOperation proves 2: a signer that is not enabled signs for nobody", () => {
  const others = "SignedOperation: op.isSigned * (op.account - signersAccount)";
  assertRefused(circuit, edited(paying, ["signerEnabled", 1], 0), others);
});

test("LedgerOperation proves 2: before their deadline", () => {
  const time = BigInt(paying.batch.inputs.time as string);
  const late = edited(paying, ["deadline", 0], time - 1n);
  assertRefused(circuit, late, "SignedOperation: InRange(TIME_BITS())(timeLeft)");
});

test("LedgerOperation proves 3: executed exactly if account and recipient allow it", () => {
  const verdict = "LedgerOperation: op.executed ===";
  assertRefused(circuit, refielded(paying, 0, { executed: 0 }), verdict);
  assertRefused(circuit, refielded(paying, 1, { executed: 0 }), verdict);
  assertRefused(circuit, refielded(paying, 2, { executed: 1 }), verdict);
  assertRefused(circuit, refielded(paying, 3, { executed: 0 }), verdict);
  for (const at of [0, 1, 2]) {
    assertRefused(circuit, refielded(refusing, at, { executed: 1 }), verdict);
  }
});

test("LedgerOperation proves 4: a deposit adds its amount to an account of its owner", () => {
  assertRefused(circuit, restated(paying, 3, 1, 0x1001n), "LedgerOperation: op.isDeposit *");
  assertRefused(circuit, refielded(paying, 3, { account: 1 }), "LedgerOperation: op.isDeposit *");
  // The amount is in the account's leaf and so in the root.
  assertRefused(circuit, refielded(paying, 3, { amount: 8 }), "Ledger: accounts.leafAfter");
});

test("LedgerOperation proves 5: owners that are named are the account's owner", () => {
  const named = "LedgerOperation: (op.hasOwner - op.isDeposit) * (owner - words[1])";
  for (const at of [0, 2, 4]) assertRefused(circuit, restated(paying, at, 1, 0x1009n), named);
});

test("LedgerOperation proves 6: a slot is listed only when free, empty and ahead of time", () => {
  const list = refielded(settling, 3, { slot: 2 });
  assertRefused(circuit, list, "LedgerOperation: op.isList * slot.fields.listed");
  const [settle, first, second, listing, ...rest] = wordsOf(settling);
  const early = stated(settling, [settle!, listing!, second!, first!, ...rest]);
  assertRefused(circuit, early, "LedgerOperation: op.isList * slot.fields.holders");
  const terms = { isCall: 0, strike: 7, expiry: EXPIRY };
  const past = restated(settling, 3, 1, pack(SERIES_TERMS, terms));
  assertRefused(circuit, past, "LedgerOperation: InRange(SERIES_EXPIRY_BITS())");
  const other = pack(SERIES_TERMS, { ...terms, expiry: 2 * EXPIRY + 1 });
  assertRefused(circuit, restated(settling, 3, 1, other), "PublicData");
});

test("LedgerOperation proves 6: a book opens only where none is open, and with weights", () => {
  const isThere = refielded(paying, 5, { book: 1 });
  assertRefused(
    circuit,
    isThere,
    "LedgerOperation: op.isOpenBook * (key.rootBefore - before.booksRoot)",
  );
  const book = paying.market.state.book(1)!;
  const old = {
    oldBookExists: "1",
    oldBookWeights: weightWords(book.weights).map(String),
    oldBookGeneration: String(book.generation),
    oldBookFees: String(feesWord(book.fees)),
    oldBookSides: lastBookWords(book, 8).slice(0, -4).map(String),
  };
  const open = Object.entries(old).reduce(
    (inputs, [name, value]) => changed(inputs, [name, 5], set(value)) as Inputs,
    isThere,
  );
  assertRefused(circuit, open, "OpenBook: enabled * wasOpen");
  const empty = restated(paying, 5, 1, weightWords(new Array<number>(16).fill(0))[0]);
  assertRefused(circuit, empty, "OpenBook: enabled * isEmpty");
  const other = restated(paying, 5, 1, weightWords(new Array<number>(16).fill(1))[0]);
  assertRefused(circuit, other, "PublicData");
  const fees = restated(paying, 5, 3, feesWord({ taker: 1000, maker: 1000 }));
  assertRefused(circuit, fees, "PublicData");
  assertRefused(circuit, restated(paying, 5, 3, feesWord({ taker: 1, maker: -2 })), "BookFees");
});

test("LedgerOperation proves 6: a series settles when expired, at the final mark", () => {
  const listed = refielded(settling, 0, { slot: 9 });
  assertRefused(circuit, listed, "LedgerOperation: op.isSettle * (1 - slot.fields.listed)");
  const final = refielded(settling, 5, { slot: 2, amount: 400 });
  assertRefused(circuit, final, "LedgerOperation: op.isSettle * (1 - slot.final)");
  const { amount } = unpack(LEDGER_OP, BigInt(wordsOf(settling)[0]![0]!));
  const mark = refielded(settling, 0, { amount: amount + 1 });
  assertRefused(circuit, mark, "LedgerOperation: op.isSettle * (slot.fields.mark - op.amount)");
  const early = edited(settling, ["time"], BigInt(EXPIRY) * 1000n - 1n);
  assertRefused(circuit, early, "LedgerOperation: InRange(39)(op.isSettle");
});

test("LedgerOperation proves 6: positions are paid out once, in settled slots", () => {
  const slot = refielded(settling, 1, { slot: 1 });
  assertRefused(circuit, slot, "LedgerOperation: op.isPayOut * (1 - slot.fields.settled)");
  const twice = refielded(settling, 2, { account: 1 });
  assertRefused(circuit, twice, "LedgerOperation: (op.isPayOut + op.isRank) * move.heldNothing");
});

test("LedgerOperation proves 6: a key takes the place of the key that was there", () => {
  for (const path of [
    ["oldMeta", 4],
    ["oldHead", 4],
    ["oldKey", 4, 0],
  ]) {
    assertRefused(
      circuit,
      edited(paying, path, 1),
      "RegisterKey: enabled * hashes.oldHash === found",
    );
  }
  assertRefused(circuit, refielded(paying, 4, { keyExpiry: 5 }), "Ledger: sessions.leafAfter");
  assertRefused(circuit, restated(paying, 4, 2, 5n), "Ledger: sessions.leafAfter");
});

test("LedgerOperation proves 6: no book is opened in the place of a carried order's", () => {
  const carried = (book: number): bigint =>
    carryWord({
      ...{ account: 1, book, isSell: false, price: 5, lots: 3, timeInForce: "gtc", seq: 1 },
      ...{ postOnly: false, reduceOnly: false },
    });
  const taken = edited(settling, ["carryBefore"], carried(0));
  assertRefused(circuit, taken, "LedgerOperation: op.isOpenBook * takesCarriedBook");
  // An order elsewhere is no obstacle: only the root before is another one then.
  assertRefused(circuit, edited(settling, ["carryBefore"], carried(1)), "PublicData");
});
