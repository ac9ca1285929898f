/**
 * Many signatures, each judged as `verify` does: two at a time where the host has pairs
 * (`pairedWasm.ts`), which takes half as long, and one by one elsewhere.
 */
import { type PublicKey, type Signature, verify } from "./eddsa.ts";
import { createKeyTables } from "./keyTables.ts";
import { type PairAssembly, pairAssembly } from "./pairedWasm.ts";
import { fitsWord, openMemory } from "./wasm.ts";

export interface Claim {
  readonly key: PublicKey;
  readonly message: bigint;
  readonly signature: Signature;
}

/** A verdict for each claim. Never throws: malformed input is simply not a valid signature. */
export type VerifyMany = (claims: readonly Claim[]) => boolean[];

const CLAIM_WORDS = 6;
/** Bits of the module's verdict. */
const FIRST = 1;
const SECOND = 2;

export const verifyMany: VerifyMany = createVerifyMany(pairAssembly);

/** By a module of pairs, with tables of its own; or by {@link verify}, without one. */
export function createVerifyMany(pairs: PairAssembly | undefined): VerifyMany {
  if (pairs === undefined) {
    return (claims) => claims.map(({ key, message, signature }) => verify(key, message, signature));
  }
  const judge = createJudge(pairs);
  return (claims) => {
    const verdicts = claims.map(() => false);
    const places = [...claims.keys()].filter((place) => fitsWords(claims[place]!));
    for (let at = 0; at < places.length; at += 2) {
      const [first, second] = [places[at]!, places[at + 1]];
      const bits = judge(claims[first]!, second === undefined ? undefined : claims[second]!);
      verdicts[first] = (bits & FIRST) !== 0;
      if (second !== undefined) verdicts[second] = (bits & SECOND) !== 0;
    }
    return verdicts;
  };
}

function createJudge(pairs: PairAssembly): (first: Claim, second: Claim | undefined) => number {
  const { writeWord } = openMemory(pairs);
  const keyTable = createKeyTables({
    reserve: pairs.reserve,
    keyTableBytes: pairs.pairTableBytes,
    fillKeyTable: pairs.fillPairTable,
    writeWord,
  });
  const writeClaim = (claim: Claim, at: number): void => {
    for (const [index, word] of wordsOf(claim).entries()) writeWord(at + index, word);
  };
  return (first, second) => {
    if (second === undefined) {
      const table = keyTable(first.key.x, first.key.y);
      writeClaim(first, 0);
      return pairs.verifiesAlone(table);
    }
    const firstTable = keyTable(first.key.x, first.key.y);
    const secondTable = keyTable(second.key.x, second.key.y);
    writeClaim(first, 0);
    writeClaim(second, CLAIM_WORDS);
    return pairs.verifiesPair(firstTable, secondTable);
  };
}

function fitsWords(claim: Claim): boolean {
  return wordsOf(claim).every(fitsWord);
}

/** In the order that the module reads them. */
function wordsOf({ key, message, signature }: Claim): readonly bigint[] {
  const { r8x, r8y, s } = signature;
  return [r8x, r8y, key.x, key.y, message, s];
}
