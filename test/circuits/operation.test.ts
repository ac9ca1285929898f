// Cheating in single operations of a ledger batch: for each line of what LedgerOperation proves.
import { test } from "node:test";
import { pack, unpack } from "../../sequencer/protocol/codec.ts";
import { hashVector } from "../../sequencer/protocol/hash.ts";
import { HEADER, LEDGER_OP, SERIES_TERMS } from "../../sequencer/protocol/layout.ts";
import { carryWord, sideWords, weightWords } from "../../sequencer/protocol/state.ts";
import { assertRefused, changed, loadCircuit, set, withPublicInputs } from "../support/circuit.ts";
import { type Made, payingBatch, refusingBatch, settlingBatch } from "../support/ledgerBatches.ts";
import { EXPIRY } from "../support/market.ts";

const circuit = await loadCircuit("ledger");
const paying = payingBatch();
const refusing = refusingBatch();
const settling = settlingBatch();
const MARK_WORDS = 2;

type Inputs = ReturnType<typeof withPublicInputs>;
type Fields = ReturnType<typeof unpack<typeof LEDGER_OP>>;

const wordsOf = ({ batch }: Made) => batch.inputs.operationWords as string[][];

/** The batch with other words of its operations, told to the public as well. */
function stated(made: Made, operations: readonly (readonly (string | bigint)[])[]): Inputs {
  const operationWords = operations.map((words) => words.map(String));
  const start = HEADER.length + MARK_WORDS;
  const words = [...made.batch.words.slice(0, start), ...operationWords.flat().map(BigInt)];
  return withPublicInputs({ words, inputs: { ...made.batch.inputs, operationWords } });
}

/** Another word `word` (1 to 3) of operation `at`. */
function restated(made: Made, at: number, word: number, value: bigint): Inputs {
  return stated(made, wordsOf(made).with(at, wordsOf(made)[at]!.with(word, String(value))));
}

/** Other fields in the first word of operation `at`. */
function refielded(made: Made, at: number, change: Partial<Fields>): Inputs {
  const fields = unpack(LEDGER_OP, BigInt(wordsOf(made)[at]![0]!));
  return restated(made, at, 0, pack(LEDGER_OP, { ...fields, ...change }));
}

const edit = (made: Made, path: (string | number)[], value: string | bigint | number) =>
  changed(withPublicInputs(made.batch), path, set(value)) as Inputs;

test("the batches to cheat with have witnesses", () => {
  for (const made of [paying, refusing, settling]) circuit.witness(withPublicInputs(made.batch));
});

test("LedgerOperation proves 1: the first word is a kind with its fields, the rest is 0", () => {
  assertRefused(circuit, refielded(paying, 0, { kind: 10 }), "SelectById");
  const unused = [
    [refielded(paying, 0, { slot: 1 }), "(1 - hasSlot) * op.fields[4]"],
    [refielded(paying, 0, { book: 1 }), "(1 - isOpenBook) * op.fields[5]"],
    [refielded(paying, 0, { to: 2 }), "(1 - isTransfer) * op.fields[3]"],
    [refielded(paying, 0, { keyIndex: 1 }), "(1 - hasKeyWords) * (op.fields[6]"],
    [refielded(paying, 2, { keyExpiry: 1 }), "(1 - hasKeyWords) * (op.fields[6]"],
    [refielded(paying, 4, { amount: 1 }), "(1 - isTested - isDeposit - isSettle) * amount"],
    [refielded(paying, 5, { account: 1 }), "(1 - hasAccount) * account"],
    [restated(paying, 1, 1, 1n), "(1 - hasOwner - isList - isOpenBook) * words[1]"],
    [restated(paying, 0, 2, 1n), "(1 - hasKeyWords - isOpenBook) * words[2]"],
    [restated(paying, 5, 3, 1n), "(1 - hasKeyWords) * words[3]"],
  ] as const;
  for (const [inputs, constraint] of unused) {
    assertRefused(circuit, inputs, `LedgerOperation: ${constraint}`);
  }
});

test("LedgerOperation proves 2: withdraw and transfer extend a chain of the account", () => {
  assertRefused(circuit, refielded(paying, 0, { amount: 1001 }), "Signer");
  assertRefused(circuit, refielded(paying, 1, { to: 1 }), "Signer");
  assertRefused(circuit, edit(paying, ["deadline", 0], 2 ** 47), "Signer");
  const others = "LedgerOperation: isSigned * (account - signersAccount)";
  assertRefused(circuit, edit(paying, ["operationSigner", 0], 1), others);
  assertRefused(circuit, refielded(paying, 1, { account: 1 }), others);
});

test("LedgerOperation proves 2: a signer that is not enabled signs for nobody", () => {
  const others = "LedgerOperation: isSigned * (account - signersAccount)";
  assertRefused(circuit, edit(paying, ["signerEnabled", 1], 0), others);
});

test("LedgerOperation proves 2: before their deadline", () => {
  const time = BigInt(paying.batch.inputs.time as string);
  const late = edit(paying, ["deadline", 0], time - 1n);
  assertRefused(circuit, late, "LedgerOperation: InRange(TIME_BITS())(timeLeft)");
});

test("LedgerOperation proves 3: executed exactly if account and recipient allow it", () => {
  const verdict = "LedgerOperation: executed ===";
  assertRefused(circuit, refielded(paying, 0, { executed: 0 }), verdict);
  assertRefused(circuit, refielded(paying, 1, { executed: 0 }), verdict);
  assertRefused(circuit, refielded(paying, 2, { executed: 1 }), verdict);
  assertRefused(circuit, refielded(paying, 3, { executed: 0 }), verdict);
  for (const at of [0, 1, 2]) {
    assertRefused(circuit, refielded(refusing, at, { executed: 1 }), verdict);
  }
});

test("LedgerOperation proves 4: a deposit adds its amount to an account of its owner", () => {
  assertRefused(circuit, restated(paying, 3, 1, 0x1001n), "LedgerOperation: isDeposit *");
  assertRefused(circuit, refielded(paying, 3, { account: 1 }), "LedgerOperation: isDeposit *");
  // The amount is in the account's leaf and so in the root.
  assertRefused(circuit, refielded(paying, 3, { amount: 8 }), "Ledger: accountPath");
});

test("LedgerOperation proves 5: owners that are named are the account's owner", () => {
  const named = "LedgerOperation: (hasOwner - isDeposit) * (owner - words[1])";
  for (const at of [0, 2, 4]) assertRefused(circuit, restated(paying, at, 1, 0x1009n), named);
});

test("LedgerOperation proves 6: a slot is listed only when free, empty and ahead of time", () => {
  const list = refielded(settling, 3, { slot: 2 });
  assertRefused(circuit, list, "LedgerOperation: isList * slot.fields.listed");
  const [settle, first, second, listing, ...rest] = wordsOf(settling);
  const early = stated(settling, [settle!, listing!, second!, first!, ...rest]);
  assertRefused(circuit, early, "LedgerOperation: isList * slot.fields.holders");
  const terms = { isCall: 0, strike: 7, expiry: EXPIRY };
  const past = restated(settling, 3, 1, pack(SERIES_TERMS, terms));
  assertRefused(circuit, past, "LedgerOperation: InRange(SERIES_EXPIRY_BITS())");
  const other = pack(SERIES_TERMS, { ...terms, expiry: 2 * EXPIRY + 1 });
  assertRefused(circuit, restated(settling, 3, 1, other), "PublicData");
});

test("LedgerOperation proves 6: a book opens only where none is open, and with weights", () => {
  const isThere = refielded(paying, 5, { book: 1 });
  assertRefused(circuit, isThere, "OpenBook: enabled * (path.rootBefore - booksRoot)");
  const book = paying.market.state.book(1)!;
  const side = hashVector(sideWords(true, book.asks, 8)).toString();
  const old = {
    oldBookExists: "1",
    oldBookWeights: weightWords(book.weights).map(String),
    oldBookGeneration: String(book.generation),
    oldBookSides: [side, side],
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
});

test("LedgerOperation proves 6: a series settles when expired, at the final mark", () => {
  const listed = refielded(settling, 0, { slot: 9 });
  assertRefused(circuit, listed, "LedgerOperation: isSettle * (1 - slot.fields.listed)");
  const final = refielded(settling, 5, { slot: 2, amount: 400 });
  assertRefused(circuit, final, "LedgerOperation: isSettle * (1 - slot.final)");
  const { amount } = unpack(LEDGER_OP, BigInt(wordsOf(settling)[0]![0]!));
  const mark = refielded(settling, 0, { amount: amount + 1 });
  assertRefused(circuit, mark, "LedgerOperation: isSettle * (slot.fields.mark - amount)");
  const early = edit(settling, ["time"], BigInt(EXPIRY) * 1000n - 1n);
  assertRefused(circuit, early, "LedgerOperation: InRange(39)(isSettle");
});

test("LedgerOperation proves 6: positions are paid out once, in settled slots", () => {
  const slot = refielded(settling, 1, { slot: 1 });
  assertRefused(circuit, slot, "LedgerOperation: isPayOut * (1 - slot.fields.settled)");
  const twice = refielded(settling, 2, { account: 1 });
  assertRefused(circuit, twice, "LedgerOperation: isPayOut * holdsNothing");
});

test("LedgerOperation proves 6: a key takes the place of the key that was there", () => {
  for (const path of [
    ["oldMeta", 4],
    ["oldHead", 4],
    ["oldKey", 4, 0],
  ]) {
    assertRefused(circuit, edit(paying, path, 1), "RegisterKey: enabled * oldHash === found");
  }
  assertRefused(circuit, refielded(paying, 4, { keyExpiry: 5 }), "Ledger: sessionPath");
  assertRefused(circuit, restated(paying, 4, 2, 5n), "Ledger: sessionPath");
});

test("LedgerOperation proves 6: no book is opened in the place of a carried order's", () => {
  const carried = (book: number): bigint =>
    carryWord({
      ...{ account: 1, book, isSell: false, price: 5, lots: 3, timeInForce: "gtc", seq: 1 },
      ...{ postOnly: false, reduceOnly: false },
    });
  const taken = edit(settling, ["carryBefore"], carried(0));
  assertRefused(circuit, taken, "LedgerOperation: isOpenBook * takesCarriedBook");
  // An order elsewhere is no obstacle: only the root before is another one then.
  assertRefused(circuit, edit(settling, ["carryBefore"], carried(1)), "PublicData");
});
