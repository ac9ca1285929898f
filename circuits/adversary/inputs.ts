/** Inputs of which one number is changed. */
import type { SignalValue, SignalValues } from "./calculator.ts";
import { reduce } from "./field.ts";

const POWERS = [8, 20, 22, 32, 40, 48, 52, 64, 106, 128, 160, 250, 252];

/** Copies of the inputs with one number changed each: neighbours, edges, bits that wrap. */
export function* changedInputs(inputs: SignalValues, prime: bigint): Generator<SignalValues> {
  const paths = pathsOf(inputs, []);
  for (const alternatives of [nearby, distant]) {
    for (const path of paths) {
      const from = BigInt(path.reduce(at, inputs as SignalValue) as string);
      const values = new Set(alternatives(from).map((value) => reduce(value, prime)));
      values.delete(reduce(from, prime));
      for (const value of values) yield replaced(inputs, path, value) as SignalValues;
    }
  }
}

type Path = readonly (string | number)[];

const nearby = (from: bigint): bigint[] => [0n, 1n, 1n - from, from + 1n, from - 1n, -1n];

const distant = (from: bigint): bigint[] => [
  ...[2n, -from, from + 2n, from - 2n],
  ...POWERS.flatMap((bits) => [1n << BigInt(bits), from + (1n << BigInt(bits))]),
];

function at(value: SignalValue, key: string | number): SignalValue {
  return (value as Readonly<Record<string | number, SignalValue>>)[key]!;
}

/** Where the plain numbers stand. */
function pathsOf(value: SignalValue, path: Path): Path[] {
  if (typeof value !== "object") return [path];
  return Object.keys(value).flatMap((key) => pathsOf(at(value, key), [...path, key]));
}

function replaced(value: SignalValue, [key, ...rest]: Path, by: bigint): SignalValue {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.with(Number(key), replaced(value[Number(key)], rest, by));
  return { ...(value as object), [key]: replaced(at(value, key), rest, by) };
}
