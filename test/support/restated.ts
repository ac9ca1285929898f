/** Ledger batches whose operations say something else, to the circuit and to the public. */
import { pack, unpack } from "../../sequencer/protocol/codec.ts";
import { MARKS_PER_WORD } from "../../sequencer/protocol/constants.ts";
import { HEADER, LEDGER_OP } from "../../sequencer/protocol/layout.ts";
import { changed, set, withPublicInputs } from "./circuit.ts";
import type { Made } from "./ledgerBatches.ts";

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

/** Another value of an input. */
export function edited(
  made: Made,
  path: readonly (string | number)[],
  value: string | bigint | number,
): Inputs {
  return changed(withPublicInputs(made.batch), path, set(value)) as Inputs;
}
