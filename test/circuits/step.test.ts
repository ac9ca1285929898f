// Cheating in single steps of a trade batch: for each line of what TradeStep proves.
import { test } from "node:test";
import { pack, unpack } from "../../sequencer/protocol/codec.ts";
import { TRADE_MESSAGE } from "../../sequencer/protocol/layout.ts";
import { weightWords } from "../../sequencer/protocol/state.ts";
import { abortingBatch, carryingBatches, expiringBatch, fillingBatch } from "../support/batches.ts";
import {
  assertRefused,
  changed,
  loadCircuit,
  plus,
  set,
  withPublicInputs,
} from "../support/circuit.ts";
import { EXPIRY } from "../support/market.ts";
import type { SignalValues } from "../support/witness.ts";

const circuit = await loadCircuit("trade");
const filling = fillingBatch().batch;
const aborting = abortingBatch().batch;
const carrying = carryingBatches();
const honest = withPublicInputs(filling);
const aborts = withPublicInputs(aborting);
const carries = withPublicInputs(carrying.batch);
const expires = withPublicInputs(expiringBatch().batch);

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
  for (const inputs of [honest, aborts, carries, expires]) circuit.witness(inputs);
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
  assertRefused(circuit, all(honest, { signerEnabled: [[1, 0n]] }), "TradeStep: actors");
  // Nobody at all: without a check account 0 would place, cancel and fill what no one signed.
  const unsigned = all(honest, { stepSigner: [[3, 3n]] });
  assertRefused(circuit, unsigned, "TradeStep: actors");
  const cancel = all(honest, { stepSigner: [[2, 2n]] });
  assertRefused(circuit, cancel, "TradeStep: actors");
});

test("TradeStep proves 1: a message takes the next seq", () => {
  const later = changed(honest, ["nextSeqBefore"], plus(1n));
  assertRefused(circuit, later, "Trade: bookPath");
});

test("TradeStep proves 2: no message or purge while an order is being carried", () => {
  const skipped = all(honest, { isProceed: [[1, 0n]] });
  assertRefused(circuit, skipped, "TradeStep: (isSigned + step.isPurge) * carried.isActive");
  const purging = all(honest, { isProceed: [[1, 0n]], isPurge: [[1, 1n]] });
  assertRefused(circuit, purging, "TradeStep");
});

test("TradeStep proves 2: an order that proceeds is the carried one", () => {
  assertRefused(circuit, all(honest, { isProceed: [[6, 1n]] }), "TradeStep: step.isProceed");
  assertRefused(circuit, all(aborts, { isProceed: [[5, 1n]] }), "TradeStep: step.isProceed");
});

test("TradeStep proves 3: orders go only to open books", () => {
  const late = changed(honest, ["time"], set(BigInt(EXPIRY) * 1000n));
  assertRefused(circuit, late, "TradeStep: (step.isPlace + step.isCancel) * (1 - isOpen)");
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
  assertRefused(circuit, worse, "Trade");
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

test("TradeStep proves 6: the public word tells each fill that stands, and nothing else", () => {
  const start = filling.words.length - (filling.inputs.word as string[]).length;
  const tell = (batch: typeof filling, step: number, change: (word: bigint) => bigint) => {
    const words = batch.words.map((word, at) => (at === start + step ? change(word) : word));
    return withPublicInputs(batch, words);
  };
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
