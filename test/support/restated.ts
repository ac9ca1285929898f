/** Ledger batches whose operations say something else, to the circuit and to the public. */
import type { SealedBatch } from "../../sequencer/batch/sealedBatch.ts";
import { pack, unpack } from "../../sequencer/protocol/codec.ts";
import { MARKS_PER_WORD } from "../../sequencer/protocol/constants.ts";
import { sign } from "../../sequencer/protocol/eddsa.ts";
import { HEADER, LEDGER_OP } from "../../sequencer/protocol/layout.ts";
import {
  NO_TERMS,
  type SlotRisk,
  slotRiskWords,
  snapshotHash,
  type Terms,
} from "../../sequencer/protocol/snapshot.ts";
import { assertRefused, type Circuit, changed, set, withPublicInputs } from "./circuit.ts";
import type { Made } from "./ledgerBatches.ts";
import { type Market, secretOf, TEST_DOMAIN } from "./market.ts";

type Inputs = ReturnType<typeof withPublicInputs>;
type Fields = ReturnType<typeof unpack<typeof LEDGER_OP>>;

/** The public words of each operation. */
export function wordsOf({ batch }: Made): string[][] {
  return batch.inputs.operationWords as string[][];
}

/** The batch with other words of its operations, told to the public as well. */
export function stated(
  { market, batch }: Made,
  operations: readonly (readonly (string | bigint)[])[],
): Inputs {
  const operationWords = operations.map((words) => words.map(String));
  const start = HEADER.length + Math.ceil(market.sizes.ledger.slots / MARKS_PER_WORD);
  const words = [...batch.words.slice(0, start), ...operationWords.flat().map(BigInt)];
  return withPublicInputs({ words, inputs: { ...batch.inputs, operationWords } });
}

/** Another word `word` (0 to 3) of operation `at`. */
export function restated(made: Made, at: number, word: number, value: bigint): Inputs {
  return stated(made, wordsOf(made).with(at, wordsOf(made)[at]!.with(word, String(value))));
}

/** Other fields in the first word of operation `at`. */
export function refielded(made: Made, at: number, change: Partial<Fields>): Inputs {
  const fields = unpack(LEDGER_OP, BigInt(wordsOf(made)[at]![0]!));
  return restated(made, at, 0, pack(LEDGER_OP, { ...fields, ...change }));
}

/** The batch of another snapshot, at the same time, that the same oracles have signed. */
export function resigned(
  { words, inputs }: Pick<SealedBatch, "words" | "inputs">,
  slots: readonly SlotRisk[],
): Inputs {
  const time = Number(inputs.snapshotTime);
  const hash = snapshotHash(TEST_DOMAIN, { time, slots });
  const signers = inputs.oracleSigner as readonly string[];
  const signatures = signers.map((signer) => sign(secretOf(`oracle ${signer}`), hash));
  const snapshot = {
    riskWords: slots.flatMap(slotRiskWords).map(String),
    oracleR8: signatures.map(({ r8x, r8y }) => [String(r8x), String(r8y)]),
    oracleS: signatures.map(({ s }) => String(s)),
  };
  return withPublicInputs({ words, inputs: { ...inputs, ...snapshot } });
}

/** Risk words, 5 to a slot, and what to add to them: nobody has signed the outcome. */
export const OTHER_WORDS: readonly (readonly [word: number, off: bigint])[] = [
  // Mark and finality of slot 0, a change, one moved into its neighbour, beyond the last lane.
  ...[[0, 1n] as const, [0, 2n ** 20n] as const, [1, 1n] as const, [2, 2n ** 50n - 1n] as const],
  [4, 2n ** 100n],
  // Of a slot in which nothing is listed: head and changes.
  ...[[45, 1n] as const, [46, 1n] as const],
];

/** A snapshot of another series in a listed slot is refused, though the oracles have signed it. */
export function assertOfListed(circuit: Circuit, batch: SealedBatch, market: Market): void {
  const { slots } = market.snapshot();
  const inputs = (slot: number, change: Partial<Terms>): Inputs => {
    const terms = { ...slots[slot]!.terms, ...change };
    return resigned(batch, slots.with(slot, { ...slots[slot]!, terms }));
  };
  circuit.witness(resigned(batch, slots));
  for (const change of [{ isCall: false }, { strike: 20_001 }, { expiry: 1 }, NO_TERMS]) {
    assertRefused(circuit, inputs(0, change), "RiskMatrix: table[m].listed");
  }
  // Of a slot in which nothing is listed the oracles may say what they like.
  circuit.witness(inputs(9, { strike: 20_001 }));
  circuit.witness(resigned(batch, slots.with(9, { ...slots[9]!, mark: 5, isFinal: true })));
}

/** Another value of an input. */
export function edited(
  made: Made,
  path: readonly (string | number)[],
  value: string | bigint | number,
): Inputs {
  return changed(withPublicInputs(made.batch), path, set(value)) as Inputs;
}
