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

/** Packs equally wide values, `perWord` to a word, lowest first; the last word may be short. */
export function packMany(values: readonly number[], bits: number, perWord: number): bigint[] {
  const words: bigint[] = [];
  for (let start = 0; start < values.length; start += perWord) {
    let word = 0n;
    for (const [index, value] of values.slice(start, start + perWord).entries()) {
      if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** bits) {
        throw new CodecRangeError(`values[${start + index}]`, value, bits);
      }
      word += BigInt(value) << BigInt(index * bits);
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
