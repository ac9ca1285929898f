// Cheating in single steps of a trade batch: for each line of what TradeStep proves.
import { test } from "node:test";
import { unpack } from "../../sequencer/protocol/codec.ts";
import { FIELD_MODULUS as R } from "../../sequencer/protocol/constants.ts";
import { TRADE_MESSAGE } from "../../sequencer/protocol/layout.ts";
import { weightWords } from "../../sequencer/protocol/state.ts";
import {
  abortingBatch,
  carryingBatches,
  expiringBatch,
  fillingBatch,
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
import { EXPIRY } from "../support/market.ts";
import { all, foretold, type Inputs, reworded } from "../support/tradeCheats.ts";

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
  const skipped = foretold(all(honest, { isProceed: [[1, 0n]] }), { 1: 0n });
  assertRefused(circuit, skipped, "TradeStep: (isSigned + step.isPurge + step.isLiquidate)");
  const purging = foretold(all(honest, { isProceed: [[1, 0n]], isPurge: [[1, 1n]] }), { 1: 0n });
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
  // Account 2's two lots go first: what is left for its own fill-or-kill order is account 1's own.
  const fills = foretold(honest, { 0: 2n, 1: 2n, 4: 0n, 5: 3n });
  const worse = changed(fills, ["asks", 0], set(asks));
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

test("TradeStep proves 6 and 7: what fills is handed over, and nothing else fills", () => {
  // Step 3 rests, step 2 cancels.
  for (const step of [2, 3]) {
    assertRefused(
      circuit,
      foretold(honest, { [step]: 1n }),
      "TradeStep: (1 - verdict.isMet) * (outcome.makerFails + outcome.fills)",
    );
    const failing = all(honest, { makerFails: [[step, 1n]] });
    assertRefused(
      circuit,
      failing,
      "TradeStep: (1 - verdict.isMet) * (outcome.makerFails + outcome.fills)",
    );
  }
  const both = all(honest, { makerFails: [[0, 1n]] });
  assertRefused(circuit, both, "TradeStep: outcome.makerFails * outcome.fills");
  const unfilled = all(honest, { filledLots: [[3, 1n]] });
  assertRefused(circuit, unfilled, "TradeStep: (1 - outcome.fills) * outcome.filledLots");
  const negative = all(honest, { filledLots: [[0, R - 1n]] });
  assertRefused(circuit, negative, "InRange");
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
