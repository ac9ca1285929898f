/**
 * Poseidon of many rows, and signatures: two at a time where the host multiplies and adds in one
 * rounding, which takes less than half as long, and one by one elsewhere. Hashes and verdicts are
 * the same.
 *
 * WebAssembly leaves it to the host whether `relaxed_madd` rounds once, and asks only that it
 * always does the same. Pairs are right where it does, so a host is asked: whoever rounds twice
 * or has no such instruction is found by hashes that come out wrong, and hashes one by one.
 */
import { PAIRED_BASE64 } from "./generated/pairedAssembly.ts";
import { type Assembly, assembly, ELEMENT_BYTES, instantiate, openMemory } from "./wasm.ts";

/** The part of {@link Assembly} that hashes rows, in a memory of its own. */
export type RowAssembly = Pick<
  Assembly,
  | "memory"
  | "wordBuffer"
  | "wordBufferLength"
  | "reserve"
  | "elementsFromWords"
  | "elementsToWords"
  | "hashRows"
  | "chains"
>;

/** Signatures too, in the same memory; claims are six words each, as for `verifies`. */
export interface PairAssembly extends RowAssembly {
  /**
   * Whether the first claim in the word buffer holds (1) and the second behind it (2), by tables of
   * their keys if both have one, else 0.
   */
  verifiesPair(first: number, second: number): number;
  /** Whether the first holds, alone. */
  verifiesAlone(table: number): number;
  /** Fills a table for the key in the third and fourth word; 0 if it can have no signatures. */
  fillPairTable(table: number): number;
  pairTableBytes(): number;
}

interface PairedAssembly extends PairAssembly {
  hashRowsInPairs: RowAssembly["hashRows"];
  chainsInPairs: RowAssembly["chains"];
}

/** Hashes that are compared before pairs are used. */
const TRIED = 8;

/** Undefined where there are no pairs. */
export const pairAssembly = openPaired(PAIRED_BASE64);
/** Whether rows are hashed and signatures verified in pairs on this host. */
export const IS_PAIRED = pairAssembly !== undefined;
export const rowAssembly: RowAssembly = pairAssembly ?? assembly;
export const rowMemory = openMemory(rowAssembly);

/** The module with its rows in pairs, or undefined where this host cannot have it so. */
export function openPaired(base64: string): PairAssembly | undefined {
  const module = instantiate(base64) as PairedAssembly | undefined;
  if (module === undefined || !isRoundedOnce(module)) return undefined;
  return { ...module, hashRows: module.hashRowsInPairs, chains: module.chainsInPairs };
}

/** Each hash multiplies thousands of times: rounded twice, none of them would come out right. */
function isRoundedOnce(module: PairedAssembly): boolean {
  const { writeWord, readWord } = openMemory(module);
  const elements = module.reserve(2 * TRIED * ELEMENT_BYTES);
  const results = elements + TRIED * ELEMENT_BYTES;
  const hashes = (hash: RowAssembly["hashRows"]): bigint[] => {
    for (let index = 0; index < TRIED; index++) writeWord(index, 3n ** BigInt(20 * index));
    module.elementsFromWords(elements, module.wordBuffer(), TRIED);
    hash(results, elements, 1, TRIED);
    module.elementsToWords(module.wordBuffer(), results, TRIED);
    return Array.from({ length: TRIED }, (_, index) => readWord(index));
  };
  const wanted = hashes(module.hashRows);
  return hashes(module.hashRowsInPairs).every((hash, index) => hash === wanted[index]);
}
