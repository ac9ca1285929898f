/**
 * Runs the WebAssembly that circom writes. (The calculator beside the file is CommonJS, and knows
 * nothing of hints.)
 */
import { readFileSync } from "node:fs";
import { reduce } from "./field.ts";
import { createHintFrames, type HintHook } from "./hintFrames.ts";

/** A signal's value, nested as its arrays and buses are. */
export type SignalValue =
  | string
  | number
  | bigint
  | readonly SignalValue[]
  | { readonly [field: string]: SignalValue };
export type SignalValues = { readonly [signal: string]: SignalValue };

/** An assertion does not hold; `trace` names the templates around it, innermost first. */
export class AssertionFailed extends Error {
  override name = "AssertionFailed";
  readonly trace: readonly string[];
  constructor(reason: string, trace: readonly string[]) {
    super(`${reason} in ${trace.join(" < ") || "the main component"}`);
    this.trace = trace;
  }
}

/** The compiler's library for Node does not declare it. */
declare const WebAssembly: {
  compile(code: Uint8Array): Promise<object>;
  instantiate(compiled: object, imports: object): Promise<{ readonly exports: unknown }>;
};

export interface Calculator {
  /** Every wire. Throws AssertionFailed where the circuit refuses the inputs. */
  run(inputs: SignalValues): bigint[];
  /** The same without reading the wires. */
  check(inputs: SignalValues): void;
}

export interface CalculatorExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly getMessageChar: () => number;
  readonly getFieldNumLen32: () => number;
  readonly getRawPrime: () => void;
  readonly getWitnessSize: () => number;
  readonly getWitness: (index: number) => void;
  readonly getSharedRWMemoryStart: () => number;
  readonly writeSharedRWMemory: (index: number, word: number) => void;
  readonly getInputSignalSize: (high: number, low: number) => number;
  readonly setInputSignal: (high: number, low: number, index: number) => void;
  readonly getInputSize: () => number;
  readonly init: (sanityCheck: number) => void;
}

const REASONS: Readonly<Record<number, string>> = { 1: "signal not found", 4: "assertion" };

/**
 * Loads a circuit that circom compiled with `--wasm`. `onHint` is asked about each hint of a
 * circuit that was compiled from sources of `instrument`.
 */
export async function loadCalculator(wasmFile: string, onHint?: HintHook): Promise<Calculator> {
  const compiled = await WebAssembly.compile(readFileSync(wasmFile));
  let lines: string[] = [];
  let exports: CalculatorExports;
  let atLog = (): void => {};
  const message = (): string => {
    let text = "";
    for (let c = exports.getMessageChar(); c !== 0; c = exports.getMessageChar()) {
      text += String.fromCharCode(c);
    }
    return text;
  };
  const runtime = {
    exceptionHandler(code: number) {
      throw new AssertionFailed(REASONS[code] ?? `error ${code}`, lines.map(templateOf));
    },
    printErrorMessage: () => lines.push(message()),
    writeBufferMessage: message,
    showSharedRWMemory: () => atLog(),
  };
  const instance = await WebAssembly.instantiate(compiled, { runtime });
  exports = instance.exports as CalculatorExports;
  exports.getRawPrime();
  const prime = readShared(exports);
  if (onHint !== undefined) atLog = createHintFrames(exports, prime, onHint);
  const check = (inputs: SignalValues): void => {
    lines = [];
    exports.init(1);
    feed(exports, inputs, prime);
  };
  return {
    run(inputs) {
      check(inputs);
      return readWitness(exports);
    },
    check,
  };
}

/** `Error in template InRange_12 line: 9` becomes `InRange:9`. */
function templateOf(line: string): string {
  const match = /template (\w+?)_\d+ line: (\d+)/.exec(line);
  return match === null ? line : `${match[1]}:${match[2]}`;
}

function feed(exports: CalculatorExports, inputs: SignalValues, prime: bigint): void {
  let given = 0;
  for (const [name, values] of flattened("", inputs)) {
    const [high, low] = fnvHash(name);
    const size = exports.getInputSignalSize(high, low);
    if (size !== values.length) {
      throw new Error(`\`${name}\` takes ${size} values. Got \`${values.length}\`.`);
    }
    for (const [index, value] of values.entries()) {
      write(exports, reduce(value, prime));
      exports.setInputSignal(high, low, index);
      given++;
    }
  }
  if (given < exports.getInputSize()) {
    throw new Error(`the circuit takes ${exports.getInputSize()} inputs. Got \`${given}\`.`);
  }
}

/** Signals by their full names: fields of buses by `.`, arrays of plain values in one piece. */
export function flattened(prefix: string, value: SignalValue): [string, bigint[]][] {
  if (typeof value !== "object") return [[prefix, [BigInt(value)]]];
  if (!Array.isArray(value)) {
    const dot = prefix === "" ? "" : ".";
    return Object.entries(value).flatMap(([name, item]) =>
      flattened(`${prefix}${dot}${name}`, item),
    );
  }
  const items = (value as SignalValue[]).flat(9) as SignalValue[];
  if (items.every((item) => typeof item !== "object")) {
    return [[prefix, items.map((item) => BigInt(item as bigint))]];
  }
  return value.flatMap((item: SignalValue, index) => flattened(`${prefix}[${index}]`, item));
}

function write(exports: CalculatorExports, value: bigint): void {
  let rest = value;
  for (let word = 0; word < exports.getFieldNumLen32(); word++) {
    exports.writeSharedRWMemory(word, Number(rest & 0xffffffffn));
    rest >>= 32n;
  }
}

function readWitness(exports: CalculatorExports): bigint[] {
  return Array.from({ length: exports.getWitnessSize() }, (_, wire) => {
    exports.getWitness(wire);
    return readShared(exports);
  });
}

/** The number that the circuit has put into the memory it shares. */
function readShared(exports: CalculatorExports): bigint {
  const view = new DataView(exports.memory.buffer, exports.getSharedRWMemoryStart());
  let value = 0n;
  for (let word = exports.getFieldNumLen32() - 2; word >= 0; word -= 2) {
    value = (value << 64n) + view.getBigUint64(4 * word, true);
  }
  return value;
}

/** FNV-1a, 64 bits, in two halves: how circom names input signals. */
function fnvHash(name: string): [number, number] {
  let hash = 0xcbf29ce484222325n;
  for (const character of name) {
    hash = ((hash ^ BigInt(character.charCodeAt(0))) * 0x100000001b3n) & 0xffffffffffffffffn;
  }
  return [Number(hash >> 32n), Number(hash & 0xffffffffn)];
}
