/**
 * The WebAssembly of `assembly/`: BigInts in and out, and its memory for who keeps elements there.
 * One instance for each thread, calls are synchronous, and no buffer's content outlives a call.
 *
 * An element in that memory is `ELEMENT_BYTES` long and in Montgomery form; a word is a value as
 * 32 bytes, least significant first.
 */
import { FIELD_MODULUS } from "./constants.ts";
import { ASSEMBLY_BASE64 } from "./generated/assembly.ts";

/** Bytes of an element in Montgomery form: nine limbs of 29 bits. */
export const ELEMENT_BYTES = 36;
/** Elements of 64 bits in a word. */
export const WORDS_EACH = 4;
/** Eight bytes are one of them. */
const WORD_PART_SHIFT = 3;
/** The bits that a word has no room for. */
const WORD_BITS = 256n;

export interface Assembly {
  readonly memory: { readonly buffer: ArrayBuffer };
  /** Address of the words that calls from here read and write, and how many there are. */
  wordBuffer(): number;
  wordBufferLength(): number;
  /** Memory for good: the module never gives any back. */
  reserve(bytes: number): number;
  elementsFromWords(elements: number, words: number, count: number): void;
  elementsToWords(words: number, elements: number, count: number): void;
  /** Poseidon of each of `rows` consecutive groups of `count` elements, 1 to 16. */
  hashRows(results: number, elements: number, count: number, rows: number): void;
  /**
   * Hash of each of `rows` vectors of `count` words (SPEC section 3) that fill the word buffer one
   * behind the other, left in its first words.
   */
  chains(count: number, rows: number): void;
  /** Whether the buffer's R8 x, R8 y, key x, key y, message, S verify; 0 for no table. */
  verifies(table: number): number;
  /** Fills a table for the key in the third and fourth word; 0 if it can have no signatures. */
  fillKeyTable(table: number): number;
  keyTableBytes(): number;
  /** Whether the third and fourth word are a point of the subgroup's order. */
  isKey(): number;
  /** Puts the multiple of the generator by the first word, below the order, into the first two. */
  multiplyBase(): void;
}

/** An instance's memory, to be written and read between calls. */
export interface AssemblyMemory {
  /** As the limbs of elements. */
  limbs(): Uint32Array;
  /** Writes a value of at most 256 bits into the word buffer. */
  writeWord(index: number, value: bigint): void;
  readWord(index: number): bigint;
}

/** What of the WebAssembly API is used: every host has it, no TypeScript library here does. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
  validate(bytes: Uint8Array): boolean;
};

/** The exports of a module, or undefined where the host lacks an instruction that it has. */
export function instantiate(base64: string): unknown {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  if (!WebAssembly.validate(bytes)) return undefined;
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
}

export function openMemory({
  memory,
  wordBuffer,
}: Pick<Assembly, "memory" | "wordBuffer">): AssemblyMemory {
  const first = wordBuffer() >> WORD_PART_SHIFT;
  let words = new BigUint64Array(memory.buffer);
  let limbs = new Uint32Array(memory.buffer);
  /** Memory that grows is another buffer. */
  const current = (): BigUint64Array => {
    if (words.length === 0) words = new BigUint64Array(memory.buffer);
    return words;
  };
  return {
    limbs() {
      if (limbs.length === 0) limbs = new Uint32Array(memory.buffer);
      return limbs;
    },
    writeWord: (index, value) => writeWordAt(current(), first + WORDS_EACH * index, value),
    readWord: (index) => readWordAt(current(), first + WORDS_EACH * index),
  };
}

function instantiatePlain(): Assembly {
  const plain = instantiate(ASSEMBLY_BASE64);
  if (plain === undefined) throw new Error("This host's WebAssembly has no SIMD.");
  return plain as Assembly;
}

export const assembly: Assembly = instantiatePlain();
export const WORD_BUFFER_LENGTH = assembly.wordBufferLength();
export const { writeWord, readWord } = openMemory(assembly);

/** A word in any memory, from element `at`; a store keeps the low 64 bits of what it is given. */
export function writeWordAt(words: BigUint64Array, at: number, value: bigint): void {
  words[at] = value;
  words[at + 1] = value >> 64n;
  words[at + 2] = value >> 128n;
  words[at + 3] = value >> 192n;
}

export function readWordAt(words: BigUint64Array, at: number): bigint {
  const high = (words[at + 3]! << 64n) | words[at + 2]!;
  return (high << 128n) | (words[at + 1]! << 64n) | words[at]!;
}

/** Whether a word has room for it. */
export function fitsWord(value: bigint): boolean {
  return value >= 0n && value >> WORD_BITS === 0n;
}

/** A field element as a word: integers that are none stand for their residues. */
export function wordOf(value: bigint): bigint {
  if (fitsWord(value)) return value;
  const rest = value % FIELD_MODULUS;
  return rest < 0n ? rest + FIELD_MODULUS : rest;
}
