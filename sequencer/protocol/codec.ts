/** Packing of integers into words by the layouts of `layout.ts`. Twin: circuits/gadgets/unpack. */
import type { Layout } from "./layout.ts";

/** The fields of a layout, by name; each a non-negative safe integer. */
export type Fields<L extends Layout> = { [K in L[number][0]]: number };

/** A value that does not fit where it is to be written. */
export class CodecRangeError extends Error {
  override name = "CodecRangeError";
  readonly field: string;
  readonly value: number | bigint;
  constructor(field: string, value: number | bigint, bits: number) {
    super(`\`${field}\` must be an integer from 0 to 2^${bits} - 1. Got \`${value}\`.`);
    this.field = field;
    this.value = value;
  }
}

/** Bits of integers that a number holds exactly. */
const EXACT_BITS = 53;

/** Packs `fields` from the lowest bit upwards. Throws {@link CodecRangeError}. */
export function pack<L extends Layout>(layout: L, fields: Fields<L>): bigint {
  let word = 0n;
  let shift = 0n;
  for (const [name, bits] of layout) {
    const value = fields[name as keyof Fields<L>] as number;
    if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** bits) {
      throw new CodecRangeError(name, value, bits);
    }
    word += BigInt(value) << shift;
    shift += BigInt(bits);
  }
  return word;
}

/** Unpacks a word. Throws {@link CodecRangeError} where bits stand above the layout. */
export function unpack<L extends Layout>(layout: L, word: bigint): Fields<L> {
  const fields: Record<string, number> = {};
  let rest = word;
  let total = 0;
  for (const [name, bits] of layout) {
    fields[name] = Number(rest & ((1n << BigInt(bits)) - 1n));
    rest >>= BigInt(bits);
    total += bits;
  }
  if (rest !== 0n) throw new CodecRangeError("word", word, total);
  return fields as Fields<L>;
}

/**
 * Packs equally wide values, `perWord` to a word, lowest first and `stride` bits apart; the last
 * word may be short.
 */
export function packMany(
  values: readonly number[],
  bits: number,
  perWord: number,
  stride: number = bits,
): bigint[] {
  const limit = 2 ** bits;
  const step = 2 ** stride;
  // As many as one number holds exactly go into it, before it becomes a BigInt.
  const together = 1 + Math.max(0, Math.floor((EXACT_BITS - bits) / stride));
  const shift = BigInt(together * stride);
  const words: bigint[] = [];
  for (let start = 0; start < values.length; start += perWord) {
    const end = Math.min(start + perWord, values.length);
    let word = 0n;
    let part = 0;
    for (let index = end - 1; index >= start; index--) {
      const value = values[index]!;
      if (!Number.isSafeInteger(value) || value < 0 || value >= limit) {
        throw new CodecRangeError(`values[${index}]`, value, bits);
      }
      part = part * step + value;
      if ((index - start) % together !== 0) continue;
      word = (word << shift) + BigInt(part);
      part = 0;
    }
    words.push(word);
  }
  return words;
}

/** Inverse of {@link packMany} for `count` values. */
export function unpackMany(
  words: readonly bigint[],
  bits: number,
  perWord: number,
  count: number,
): number[] {
  const values: number[] = [];
  for (let index = 0; index < count; index++) {
    const word = words[Math.floor(index / perWord)] ?? 0n;
    const shift = BigInt((index % perWord) * bits);
    values.push(Number((word >> shift) & ((1n << BigInt(bits)) - 1n)));
  }
  return values;
}
