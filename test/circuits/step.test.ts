// Cheating in single steps of a trade batch: for each line of what TradeStep proves.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SignalValues } from "../../circuits/adversary/calculator.ts";
import { pack, unpack } from "../../sequencer/protocol/codec.ts";
import { PRICE_OFFSET } from "../../sequencer/protocol/constants.ts";
import { FILL, TRADE_MESSAGE } from "../../sequencer/protocol/layout.ts";
import { feesWord, weightWords } from "../../sequencer/protocol/state.ts";
import {
  abortingBatch,
  carryingBatches,
  expiringBatch,
  fillingBatch,
  LIQUIDATION,
  liquidatingBatch,
} from "../support/batches.ts";
import {
  assertRefused,
  changed,
  loadCircuit,
  plus,
  set,
  withPublicInputs,
} from "../support/circuit.ts";
import { straddleLiquidation } from "../support/distressBatches.ts";
import { EXPIRY, slotRisk } from "../support/market.ts";

const circuit = await loadCircuit("trade");
const filling = fillingBatch().batch;
const aborting = abortingBatch().batch;
const liquidating = liquidatingBatch().batch;
const carrying = carryingBatches();
const honest = withPublicInputs(filling);
const aborts = withPublicInputs(aborting);
const carries = withPublicInputs(carrying.batch);
const expires = withPublicInputs(expiringBatch().batch);
const liquidates = withPublicInputs(liquidating);

type Inputs = ReturnType<typeof withPublicInputs>;
type Fields = ReturnType<typeof unpack<typeof TRADE_MESSAGE>>;

/** The inputs with fields of a step's word changed; its signature is what it was. */
function reworded(inputs: Inputs, step: number, change: Partial<Fields>): SignalValues {
  return changed(inputs, ["word", step], (word) =>
    pack(TRADE_MESSAGE, { ...unpack(TRADE_MESSAGE, BigInt(word as string)), ...change }),
  );
}

/** Several changes at once. */
function all(inputs: Inputs, edits: Readonly<Record<string, readonly [number, bigint][]>>) {
  return Object.entries(edits).reduce<Inputs>(
    (result, [name, places]) =>
      places.reduce<Inputs>(
        (copy, [at, value]) => changed(copy, [name, at], set(value.toString())) as Inputs,
        result,
      ),
    inputs,
  );
}

test("the batches to cheat with have witnesses", () => {
  for (const inputs of [honest, aborts, carries, expires, liquidates]) circuit.witness(inputs);
  circuit.witness(withPublicInputs(carrying.first));
});

test("TradeStep proves 1: a message extends the chain of the key that signs it", () => {
  const other = reworded(honest, 3, { deadline: 2 ** 48 - 1 });
  assertRefused(circuit, other, "Signer");
  assertRefused(circuit, reworded(honest, 3, { lots: 6 }), "Signer");
  assertRefused(circuit, all(honest, { stepSigner: [[2, 1n]] }), "Signer");
  assertRefused(circuit, all(honest, { stepSigner: [[3, 4n]] }), "SelectById");
  const dropped = all(honest, { isCancel: [[2, 0n]], word: [[2, 0n]] });
  assertRefused(circuit, dropped, "Signer");
  assertRefused(circuit, all(honest, { isPlace: [[3, 0n]] }), "TradeMessage");
});

test("TradeStep proves 1: a signer that is not enabled signs nothing, also for account 0", () => {
  assertRefused(circuit, all(honest, { signerEnabled: [[1, 0n]] }), "TradeStep: signal isActor[A]");
  // Nobody at all: without a check account 0 would place, cancel and fill what no one signed.
  const unsigned = all(honest, { stepSigner: [[3, 3n]] });
  assertRefused(circuit, unsigned, "TradeStep: signal isActor[A]");
  const cancel = all(honest, { stepSigner: [[2, 2n]] });
  assertRefused(circuit, cancel, "TradeStep: signal isActor[A]");
});

test("TradeStep proves 1: a message takes the next seq", () => {
  const later = changed(honest, ["nextSeqBefore"], plus(1n));
  assertRefused(circuit, later, "Trade: bookTree.leafAfter");
});

test("TradeStep proves 2: no message or purge while an order is being carried", () => {
  const skipped = all(honest, { isProceed: [[1, 0n]] });
  assertRefused(circuit, skipped, "TradeStep: (isSigned + step.isPurge + step.isLiquidate)");
  const purging = all(honest, { isProceed: [[1, 0n]], isPurge: [[1, 1n]] });
  assertRefused(circuit, purging, "TradeStep");
  const word = BigInt((liquidating.inputs.word as string[])[1]!);
  const seizing = all(honest, {
    isProceed: [[1, 0n]],
    isLiquidate: [[1, 1n]],
    word: [[1, word]],
  });
  assertRefused(circuit, seizing, "TradeStep: (isSigned + step.isPurge + step.isLiquidate)");
});

test("TradeStep proves 2: an order that proceeds is the carried one", () => {
  assertRefused(circuit, all(honest, { isProceed: [[6, 1n]] }), "TradeStep: step.isProceed");
  assertRefused(circuit, all(aborts, { isProceed: [[5, 1n]] }), "TradeStep: step.isProceed");
});

test("TradeStep proves 3: orders go only to open books", () => {
  const late = changed(honest, ["time"], set(BigInt(EXPIRY) * 1000n));
  assertRefused(circuit, late, "TradeStep: (step.isPlace + step.isCancel + step.isLiquidate)");
  assertRefused(circuit, reworded(honest, 3, { book: 2 }), "SelectById");
});

test("TradeStep proves 3: reduce-only orders go only to plain books", () => {
  // Book 0 is made out to be an open combination, before anyone asks for its leaf.
  const [spread] = weightWords(Array.from({ length: 16 }, (_, slot) => [1, -1][slot] ?? 0));
  const bent = all(honest, { bookGeneration: [[0, 2n]] });
  const combination = changed(bent, ["bookWeights", 0, 0], set(spread)) as Inputs;
  const word = reworded(combination, 0, { reduceOnly: 1 });
  assertRefused(circuit, word, "TradeStep: reducesHere * (1 - isPlain)");
});

test("TradeStep proves 4: the best entry trades first, whatever the order of the side", () => {
  const [first, second] = (filling.inputs.asks as string[][])[0]!;
  const asks = [second!, first!, ...(filling.inputs.asks as string[][])[0]!.slice(2)];
  const worse = changed(honest, ["asks", 0], set(asks));
  // The fills are then others than the public words, and the side has another hash.
  assertRefused(circuit, worse, "Trade: accounts.leafAfter");
});

test("TradeStep proves 4: a cancel removes what it names and nothing else", () => {
  const entry = (filling.inputs.asks as string[][])[0]![2]!;
  const price = BigInt(entry) >> 82n;
  const seq = Number((BigInt(entry) >> 42n) & (2n ** 40n - 1n));
  assertRefused(circuit, reworded(honest, 2, { seq: seq + 1 }), "Signer");
  assertRefused(circuit, reworded(honest, 2, { price: Number(price) + 1 }), "Signer");
  assertRefused(circuit, reworded(honest, 2, { isSell: 0 }), "Signer");
});

test("TradeStep proves 4: only void orders are purged, and only those that are there", () => {
  const earlier = all(aborts, {
    isCancelAll: [[0, 0n]],
    isPurge: [
      [0, 1n],
      [4, 0n],
    ],
    word: [
      [0, BigInt((aborting.inputs.word as string[])[4]!)],
      [4, 0n],
    ],
  });
  assertRefused(circuit, earlier, "TradeStep: step.isPurge * isNotVoid");
  const word = unpack(TRADE_MESSAGE, BigInt((aborting.inputs.word as string[])[4]!));
  assertRefused(
    circuit,
    reworded(aborts, 4, { seq: word.seq - 1 }),
    "TradeStep: step.isPurge * (1 - place.isExact)",
  );
  assertRefused(
    circuit,
    reworded(aborts, 4, { seq: word.seq + 1 }),
    "TradeStep: step.isPurge * (1 - place.isExact)",
  );
});

test("TradeStep proves 5: a fill-or-kill order that fills must not be told to abort", () => {
  assertRefused(circuit, all(honest, { isDoomed: [[4, 1n]] }), "TradeStep: isDone * isDoomed");
});

test("TradeStep proves 5: one that aborts must be told so at its beginning", () => {
  assertRefused(circuit, all(aborts, { isDoomed: [[1, 0n]] }), "TradeStep: abort * (1 - isDoomed)");
  const late = all(aborts, {
    isDoomed: [
      [1, 0n],
      [2, 1n],
    ],
  });
  assertRefused(circuit, late, "TradeStep");
});

test("TradeStep proves 5: only fill-or-kill orders abort", () => {
  assertRefused(circuit, all(honest, { isDoomed: [[0, 1n]] }), "TradeStep: step.isDoomed");
  assertRefused(circuit, all(honest, { isDoomed: [[7, 1n]] }), "TradeStep: step.isDoomed");
  assertRefused(circuit, all(honest, { isDoomed: [[4, 2n]] }), "IsBoolean");
});

/** The public words with that of one step changed. */
function tell(batch: typeof filling, step: number, change: (word: bigint) => bigint): Inputs {
  const start = batch.words.length - (batch.inputs.word as string[]).length;
  const words = batch.words.map((word, at) => (at === start + step ? change(word) : word));
  return withPublicInputs(batch, words);
}

test("TradeStep proves 6: the public word tells each fill that stands, and nothing else", () => {
  const start = filling.words.length - (filling.inputs.word as string[]).length;
  assertRefused(
    circuit,
    tell(filling, 0, () => 0n),
    "PublicData",
  ); // a hidden fill
  assertRefused(
    circuit,
    tell(filling, 1, (word) => word + (1n << 81n)),
    "PublicData",
  ); // lots
  assertRefused(
    circuit,
    tell(filling, 1, (word) => word + (1n << 57n)),
    "PublicData",
  ); // price
  assertRefused(
    circuit,
    tell(filling, 1, (word) => word + (1n << 4n)),
    "PublicData",
  ); // taker
  assertRefused(
    circuit,
    tell(filling, 6, () => filling.words[start]!),
    "PublicData",
  ); // invented
  assertRefused(
    circuit,
    tell(aborting, 2, () => filling.words[start]!),
    "PublicData",
  ); // undone
});

test("TradeStep proves 6: a liquidation's fill is told like any other", () => {
  const start = liquidating.words.length - (liquidating.inputs.word as string[]).length;
  const told = unpack(FILL, liquidating.words[start + 1]!);
  assert.deepEqual([told.taker, told.maker, told.takerIsSell, told.lots], [3, 4, 1, 2]);
  assert.equal(told.price - PRICE_OFFSET, 150);
  const hidden = tell(liquidating, 1, () => 0n);
  assertRefused(circuit, hidden, "PublicData");
});

test("TradeStep proves 7: both sides pay the fees of the book", () => {
  // Other rates leave other cash, which other siblings surround.
  for (const fees of [
    { taker: 2, maker: -1 },
    { taker: 3, maker: -2 },
    { taker: 3, maker: 1 },
    { taker: 0, maker: 0 },
    { taker: 2, maker: -3 },
  ]) {
    const cheap = changed(honest, ["bookFees", 0], set(feesWord(fees)));
    assertRefused(circuit, cheap, "Trade: accounts.leafAfter");
  }
  const wide = changed(honest, ["bookFees", 0], plus(1n << 33n));
  assertRefused(circuit, wide, "FeeRates");
});

test("TradeStep proves 5 and 7: an order that aborts has paid no fees", () => {
  // Whatever its steps paid was taken back: only the book itself is another one.
  const dear = changed(aborts, ["bookFees", 0], set(feesWord({ taker: 9, maker: 9 })));
  assertRefused(circuit, dear, "Trade: bookTree.leafAfter");
});

test("TradeStep proves 8: a liquidation meets L1 to L4", () => {
  const edge = LIQUIDATION.price - 1 + PRICE_OFFSET;
  for (const cheat of [
    reworded(liquidates, 1, { seq: 4 }), // L1: an account that is not below maintenance
    reworded(liquidates, 1, { seq: 0 }), // L1: an account without positions
    all(liquidates, { liquidatedScenario: [[1, 16n]] }), // L1: a scenario that it survives
    reworded(liquidates, 1, { price: edge }), // L2: a limit that gives too much away
    reworded(liquidates, 1, { isSell: 0 }), // L2: a purchase
    reworded(liquidates, 1, { lots: 9 }), // L4: one more than the 8 that restore it
  ]) {
    assertRefused(circuit, cheat, "Liquidation");
  }
  // L3: a rate that takes what the limit gains. No leaf has been asked for yet.
  const { mark, changes } = slotRisk(150, 80);
  const gain = LIQUIDATION.price - mark - changes[0]!;
  const rated = (taker: number) =>
    changed(liquidates, ["bookFees", 0], set(feesWord({ taker, maker: 0 })));
  assertRefused(circuit, rated(gain), "Liquidation");
  assertRefused(circuit, rated(gain - 1), "Trade: accounts.leafAfter");
  assertRefused(circuit, all(liquidates, { liquidatedScenario: [[1, 18n]] }), "SelectById");
});

test("TradeStep proves 8: a fill that does not relieve the account is none", () => {
  const [relieved, unrelieved] = [straddleLiquidation(5), straddleLiquidation(6)];
  for (const { batch } of [relieved, unrelieved]) circuit.witness(withPublicInputs(batch));
  assert.equal(relieved.market.state.account(3).positions[0], -95);
  assert.equal(unrelieved.market.state.account(3).positions[0], -100);
  // A lot more of the same order leaves other accounts than the batch says.
  const more = reworded(withPublicInputs(relieved.batch), 1, { lots: 6 });
  assertRefused(circuit, more, "Trade: accounts.leafAfter");
  const sides = { taker: 3, maker: 5, takerIsSell: 0 };
  const fill = pack(FILL, { kind: 1, ...sides, book: 0, price: 290 + PRICE_OFFSET, lots: 6 });
  assertRefused(
    circuit,
    tell(unrelieved.batch, 1, () => fill),
    "PublicData",
  );
  // An order that need not close anything is to be admissible, and this one is not.
  const honestly = withPublicInputs(relieved.batch);
  assertRefused(circuit, reworded(honestly, 1, { reduceOnly: 0 }), "Trade: accounts.leafAfter");
  // Nor does an order in a combination close anything.
  const [spread] = weightWords(Array.from({ length: 16 }, (_, slot) => [1, -1][slot] ?? 0));
  const bent = all(honestly, { bookGeneration: [[0, 2n]] });
  const combined = changed(bent, ["bookWeights", 0, 0], set(spread)) as Inputs;
  assertRefused(circuit, combined, "TradeStep: reducesHere * (1 - isPlain)");
});

test("TradeStep proves 8: of an opened account, in an open book, by nobody's signature", () => {
  assertRefused(circuit, reworded(liquidates, 1, { seq: 1 }), "SelectById");
  assertRefused(circuit, reworded(liquidates, 1, { book: 2 }), "SelectById");
  // The order of account 3 comes later then, which would itself be refused.
  const first = all(liquidates, { isPlace: [[0, 0n]], word: [[0, 0n]] });
  const late = changed(first, ["time"], set(BigInt(EXPIRY) * 1000n));
  assertRefused(circuit, late, "TradeStep: (step.isPlace + step.isCancel + step.isLiquidate)");
  // Told as a message of its own it is signed by nobody.
  const signed = all(liquidates, { isLiquidate: [[1, 0n]], isPlace: [[1, 1n]] });
  assertRefused(circuit, signed, "TradeMessage");
});

test("TradeStep proves 8: what is left of a liquidation is not carried", () => {
  const proceeding = all(liquidates, {
    isLiquidate: [[2, 0n]],
    isProceed: [[2, 1n]],
    word: [[2, 0n]],
  });
  assertRefused(circuit, proceeding, "TradeStep: step.isProceed");
});

test("TradeStep proves 8 and 9: who is liquidated is locked, and places nothing", () => {
  const locked = changed(liquidates, ["lockedSince", 1], set("1"));
  assertRefused(circuit, locked, "TradeStep: step.isPlace * isActorLocked");
  // Liquidated before its own order comes: the flag of this very batch.
  const words = liquidating.inputs.word as string[];
  const swapped = all(liquidates, {
    isPlace: [
      [0, 0n],
      [1, 1n],
    ],
    isLiquidate: [
      [0, 1n],
      [1, 0n],
    ],
    word: [
      [0, BigInt(words[1]!)],
      [1, BigInt(words[0]!)],
    ],
    stepSigner: [[1, BigInt((liquidating.inputs.stepSigner as string[])[0]!)]],
  });
  assertRefused(circuit, swapped, "TradeStep: step.isPlace * isActorLocked");
});
