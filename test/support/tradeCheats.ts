/** Inputs of trade batches with something changed, for tests of cheating. */
import type { SignalValues } from "../../circuits/adversary/calculator.ts";
import type { SealedBatch } from "../../sequencer/batch/sealedBatch.ts";
import { pack, unpack } from "../../sequencer/protocol/codec.ts";
import { TRADE_MESSAGE } from "../../sequencer/protocol/layout.ts";
import { changed, set, withPublicInputs } from "./circuit.ts";

export type Inputs = ReturnType<typeof withPublicInputs>;
type Fields = ReturnType<typeof unpack<typeof TRADE_MESSAGE>>;

/** The inputs with fields of a step's word changed; its signature is what it was. */
export function reworded(inputs: Inputs, step: number, change: Partial<Fields>): SignalValues {
  return changed(inputs, ["word", step], (word) =>
    pack(TRADE_MESSAGE, { ...unpack(TRADE_MESSAGE, BigInt(word as string)), ...change }),
  );
}

/** Several changes at once. */
export function all(inputs: Inputs, edits: Readonly<Record<string, readonly [number, bigint][]>>) {
  return Object.entries(edits).reduce<Inputs>(
    (result, [name, places]) =>
      places.reduce<Inputs>(
        (copy, [at, value]) => changed(copy, [name, at], set(value.toString())) as Inputs,
        result,
      ),
    inputs,
  );
}

/** The inputs with another outcome of a step's meeting: so many lots fill, or none. */
export function foretold(inputs: Inputs, lots: Readonly<Record<number, bigint>>): Inputs {
  const fills: [number, bigint][] = [];
  const filledLots: [number, bigint][] = [];
  for (const [step, filled] of Object.entries(lots)) {
    fills.push([Number(step), filled > 0n ? 1n : 0n]);
    filledLots.push([Number(step), filled]);
  }
  return all(inputs, { fills, filledLots });
}

/** The public words with that of one fill unit changed. */
export function tell(batch: SealedBatch, unit: number, change: (word: bigint) => bigint): Inputs {
  const start = firstFill(batch);
  const words = batch.words.map((word, at) => (at === start + unit ? change(word) : word));
  return withPublicInputs(batch, words);
}

/** Where the words of a batch's fill units begin. */
export function firstFill(batch: SealedBatch): number {
  return batch.words.length - (batch.inputs.scenario as string[]).length;
}
