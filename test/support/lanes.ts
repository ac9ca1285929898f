/** Lanes as circuits take them, written down anew: 5 signed numbers to a word, 50 bits apart. */
import { FIELD_MODULUS } from "../../sequencer/protocol/constants.ts";
import { wrapped } from "./cheat.ts";

export function laneWords(numbers: readonly number[]): bigint[] {
  return Array.from({ length: Math.ceil(numbers.length / 5) }, (_, word) => {
    const lanes = numbers.slice(5 * word, 5 * word + 5);
    const sum = lanes.reduceRight((rest, number) => rest * 2n ** 50n + BigInt(number), 0n);
    return wrapped(sum, FIELD_MODULUS);
  });
}
