/**
 * Hints while they are computed. Instrumented sources pass each through a function
 *
 *   function adversary_hint(site, value, mark) { log(mark); return value; }
 *
 * The log calls back while the function's three arguments lie beside each other in the circuit's
 * memory: the mark finds them, and what is written over the value is what the function returns.
 */
import type { CalculatorExports } from "./calculator.ts";
import { inverse, reduce } from "./field.ts";

/** Told of each hint in the order of computation; what it returns is taken in its place. */
export type HintHook = (site: number, value: bigint) => bigint;

/** Below every prime that circom knows but goldilocks, and nobody else's number. */
export const HINT_MARK = 0x5eed_0bad_c0de_7a1e_1ead_face_d1ce_d00d_5eed_0bad_c0de_7a1en;

const HEADER_BYTES = 8;
const IS_LONG = 0x8000_0000;
const IS_MONTGOMERY = 0x4000_0000;

/** Returns what is to be called at each log. */
export function createHintFrames(
  exports: CalculatorExports,
  prime: bigint,
  onHint: HintHook,
): () => void {
  const words = exports.getFieldNumLen32();
  const size = HEADER_BYTES + 4 * words;
  const radix = 1n << BigInt(32 * words);
  const inverseRadix = inverse(reduce(radix, prime), prime);
  const toBytes = (value: bigint): Buffer => {
    const bytes = Buffer.alloc(4 * words);
    for (let word = 0; word < words; word++) {
      bytes.writeUInt32LE(Number((value >> BigInt(32 * word)) & 0xffffffffn), 4 * word);
    }
    return bytes;
  };
  const patterns = [HINT_MARK, reduce(HINT_MARK * radix, prime)].map(toBytes);
  const placesOf = (memory: Buffer): number[] =>
    patterns.flatMap((pattern) => {
      const places: number[] = [];
      for (let at = memory.indexOf(pattern); at >= 0; at = memory.indexOf(pattern, at + 1)) {
        places.push(at);
      }
      return places;
    });
  const isMarked = (memory: Buffer, at: number): boolean =>
    patterns.some(
      (pattern) => memory.compare(pattern, 0, pattern.length, at, at + 4 * words) === 0,
    );
  const numberAt = (memory: Buffer, at: number): bigint => {
    const type = memory.readUInt32LE(at + 4);
    if (type < IS_LONG) return reduce(BigInt(memory.readInt32LE(at)), prime);
    let value = 0n;
    for (let word = words - 1; word >= 0; word--) {
      value = (value << 32n) + BigInt(memory.readUInt32LE(at + HEADER_BYTES + 4 * word));
    }
    return (type & IS_MONTGOMERY) === 0 ? value : reduce(value * inverseRadix, prime);
  };
  // Where the mark lies for good: among the constants, and where a log puts what it prints.
  const fixed = new Set(placesOf(Buffer.from(exports.memory.buffer)));
  fixed.add(exports.getSharedRWMemoryStart());
  const known = new Set<number>();
  return () => {
    const memory = Buffer.from(exports.memory.buffer);
    let mark = [...known].find((at) => isMarked(memory, at));
    if (mark === undefined) {
      mark = placesOf(memory).find((at) => !fixed.has(at));
      if (mark === undefined) throw new Error("a log that is none of the instrumented hints");
      known.add(mark);
    }
    const value = mark - HEADER_BYTES - size;
    const old = numberAt(memory, value);
    const taken = onHint(Number(numberAt(memory, value - size)), old);
    if (taken !== old) {
      memory.writeUInt32LE(IS_LONG, value + 4);
      toBytes(reduce(taken, prime)).copy(memory, value + HEADER_BYTES);
    }
    // Gone, so that no later hint takes this frame for its own.
    memory.fill(0, mark, mark + 4 * words);
  };
}
