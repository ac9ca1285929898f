/**
 * The WebAssembly of `assembly/`: BigInts in and out, and its memory for who keeps elements there.
 * One instance for each thread, calls are synchronous, and no buffer's content outlives a call.
 *
 * An element in that memory is `ELEMENT_BYTES` long and in Montgomery form; a word is a value as
 * 32 bytes, least significant first.
 */
import { ASSEMBLY_BASE64 } from "./generated/assembly.ts";

/** Bytes of an element in Montgomery form: nine limbs of 29 bits. */
export const ELEMENT_BYTES = 36;
/** Elements of 64 bits in a word. */
export const WORDS_EACH = 4;
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
  /** Hash of the vector in the word buffer (SPEC section 3), left in its first word. */
  chain(count: number): void;
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

/** What of the WebAssembly API is used: every host has it, no TypeScript library here does. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

export const assembly: Assembly = instantiate();
export const WORD_BUFFER_LENGTH = assembly.wordBufferLength();
const WORD_BUFFER = assembly.wordBuffer() / BigUint64Array.BYTES_PER_ELEMENT;
let memory = new BigUint64Array(assembly.memory.buffer);
let limbs = new Uint32Array(assembly.memory.buffer);

function instantiate(): Assembly {
  const bytes = Uint8Array.from(atob(ASSEMBLY_BASE64), (character) => character.charCodeAt(0));
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Assembly;
}

/** Memory that grows is another buffer. */
function currentMemory(): BigUint64Array {
  if (memory.length === 0) memory = new BigUint64Array(assembly.memory.buffer);
  return memory;
}

/** The module's memory as the limbs of its elements. Memory that grows is another buffer. */
export function currentLimbs(): Uint32Array {
  if (limbs.length === 0) limbs = new Uint32Array(assembly.memory.buffer);
  return limbs;
}

/** Writes a value of at most 256 bits into the word buffer. */
export function writeWord(index: number, value: bigint): void {
  writeWordAt(currentMemory(), WORD_BUFFER + WORDS_EACH * index, value);
}

export function readWord(index: number): bigint {
  return readWordAt(currentMemory(), WORD_BUFFER + WORDS_EACH * index);
}

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
