/**
 * Poseidon and EdDSA-Poseidon, beside circomlibjs (WebAssembly) and poseidon-lite (BigInt), and the
 * signatures of receipts, beside `@noble/curves`: in the same process and run, for each second of
 * the process's own time. Poseidon and EdDSA take and give BigInts, but where the name says memory.
 */
import * as lite from "poseidon-lite";
import { FIELD_MODULUS } from "../../sequencer/protocol/constants.ts";
import {
  type PublicKey,
  publicKeyOf,
  type Signature,
  sign,
  verify,
} from "../../sequencer/protocol/eddsa.ts";
import { poseidon } from "../../sequencer/protocol/hash.ts";
import { KEYS_MAX } from "../../sequencer/protocol/keyTables.ts";
import { IS_PAIRED, type RowAssembly, rowAssembly } from "../../sequencer/protocol/pairedWasm.ts";
import { verifyMany } from "../../sequencer/protocol/verifyMany.ts";
import { assembly, ELEMENT_BYTES, openMemory } from "../../sequencer/protocol/wasm.ts";
import type { BenchLine } from "./benchLine.ts";
import { receiptLines } from "./receiptSigning.ts";
import { type Contestant, cpuClock, itemsPerSecond } from "./risk/throughput.ts";

export const PEER = "circomlibjs@0.1.7";
const LITE = "poseidon-lite@0.3.0";
const WIDTHS = [2, 4, 16];
const HASH_TARGET = 2;
const VERIFY_TARGET = 150;
const HASHES = 1000;
const VERIFICATIONS = 1024;
const SIGNATURES = 200;
/** The peers are slower: they get fewer. */
const HASHES_LITE = 200;
const VERIFICATIONS_PEER = 10;
/** Keys that keep their tables; and more keys in turn than are remembered, so that none has one. */
const KEYS_WITH_TABLE = 64;
const KEYS_WITHOUT = KEYS_MAX + 1;

type Element = Uint8Array;
type Point = [Element, Element];

/** circomlibjs ships no types. */
export interface Eddsa {
  F: { e(value: bigint): Element; toObject(element: Element): bigint };
  poseidon(inputs: readonly bigint[]): Element;
  verifyPoseidon(message: Element, signature: { R8: Point; S: bigint }, key: Point): boolean;
}

export interface Signed {
  readonly key: PublicKey;
  readonly message: bigint;
  readonly signature: Signature;
}

export async function openPeer(): Promise<Eddsa> {
  const name = "circomlibjs";
  const { buildEddsa } = (await import(name)) as { buildEddsa(): Promise<Eddsa> };
  return buildEddsa();
}

export async function hashBenchmarks(): Promise<BenchLine[]> {
  const peer = await openPeer();
  return [
    ...WIDTHS.flatMap((width) => poseidonLines(width, peer)),
    ...eddsaLines(peer),
    ...receiptLines(),
  ];
}

function poseidonLines(width: number, peer: Eddsa): BenchLine[] {
  const inputs = vectors(width);
  const liteHash = (lite as unknown as Record<string, (values: bigint[]) => bigint>)[
    `poseidon${width}`
  ]!;
  const [ours = 0, memory = 0, rows = 0, theirs = 0, bigInts = 0] = itemsPerCpuSecond([
    hashing(inputs, poseidon, HASHES),
    hashingInMemory(inputs, assembly),
    hashingInMemory(inputs, rowAssembly),
    hashing(inputs, (values) => peer.F.toObject(peer.poseidon(values)), HASHES),
    hashing(inputs, (values) => liteHash([...values]), HASHES_LITE),
  ]);
  const target = HASH_TARGET * theirs;
  return [
    { ...line(`hash.poseidon${width}`, ours, PEER, theirs), target },
    {
      ...line(`hash.poseidon${width}.memory`, memory, PEER, theirs),
      note: "no BigInt on our side",
    },
    {
      ...line(`hash.poseidon${width}.rows`, rows, PEER, theirs),
      note: IS_PAIRED ? "the same, two at a time" : "the same, as this host has no fused products",
    },
    line(`hash.poseidon${width}.lite`, ours, LITE, bigInts),
  ];
}

function eddsaLines(peer: Eddsa): BenchLine[] {
  const few = signedBy(KEYS_WITH_TABLE);
  const many = signedBy(KEYS_WITHOUT);
  const [withTable = 0, pairs = 0, theirs = 0] = itemsPerCpuSecond([
    verifying(few, VERIFICATIONS, ({ key, message, signature }) => verify(key, message, signature)),
    verifyingTogether(few, VERIFICATIONS),
    verifying(few, VERIFICATIONS_PEER, (signed) => verifiesByPeer(peer, signed)),
  ]);
  // Afterwards: that many keys take the place of those that have tables.
  const [without = 0, newPairs = 0, signing = 0] = itemsPerCpuSecond([
    verifying(many, KEYS_WITHOUT, ({ key, message, signature }) => verify(key, message, signature)),
    verifyingTogether(many, KEYS_WITHOUT),
    { run: signMany, items: SIGNATURES },
  ]);
  const target = VERIFY_TARGET * theirs;
  const verifyLine = (name: string, value: number, note: string): BenchLine => {
    return { ...line(name, value, PEER, theirs), note };
  };
  const together = IS_PAIRED ? "two at a time" : "one by one, as this host has no fused products";
  const tables = `${KEYS_WITH_TABLE} keys that have tables`;
  return [
    { ...verifyLine("hash.verify", withTable, tables), target },
    verifyLine("hash.verify.pairs", pairs, `the same, ${together}`),
    { ...verifyLine("hash.verify.newKeys", without, "no key has a table"), target },
    verifyLine("hash.verify.newKeys.pairs", newPairs, `the same, ${together}`),
    { name: "hash.sign", value: signing, unit: "1/s", better: "higher", note: "its key included" },
  ];
}

const itemsPerCpuSecond = (contestants: readonly Contestant[]) =>
  itemsPerSecond(contestants, cpuClock);

function signMany(): number {
  let odd = 0;
  for (let i = 0; i < SIGNATURES; i++) odd += Number(sign(7n, BigInt(i)).s & 1n);
  return odd;
}

function line(name: string, value: number, peer: string, peerValue: number): BenchLine {
  return { name, value, unit: "1/s", better: "higher", peer, peerValue, ratio: value / peerValue };
}

function hashing(
  inputs: readonly (readonly bigint[])[],
  hash: (values: readonly bigint[]) => bigint,
  items: number,
): Contestant {
  const run = () => {
    let odd = 0;
    for (let i = 0; i < items; i++) odd += Number(hash(inputs[i % inputs.length]!) & 1n);
    return odd;
  };
  return { run, items };
}

/** Elements that stay in the module's memory, hashed by one call. */
function hashingInMemory(inputs: readonly (readonly bigint[])[], module: RowAssembly): Contestant {
  const { writeWord } = openMemory(module);
  const width = inputs[0]!.length;
  const elements = module.reserve(HASHES * (width + 1) * ELEMENT_BYTES);
  for (let i = 0; i < HASHES; i++) {
    for (const [j, value] of inputs[i % inputs.length]!.entries()) writeWord(j, value);
    const row = elements + i * width * ELEMENT_BYTES;
    module.elementsFromWords(row, module.wordBuffer(), width);
  }
  const results = elements + HASHES * width * ELEMENT_BYTES;
  const run = () => {
    module.hashRows(results, elements, width, HASHES);
    return 0;
  };
  return { run, items: HASHES };
}

function verifying(
  signed: readonly Signed[],
  items: number,
  verifies: (signed: Signed) => boolean,
): Contestant {
  const run = () => {
    for (let i = 0; i < items; i++) {
      if (!verifies(signed[i % signed.length]!)) throw new Error("a good signature was refused");
    }
    return items;
  };
  return { run, items };
}

function verifyingTogether(signed: readonly Signed[], items: number): Contestant {
  const claims = Array.from({ length: items }, (_, i) => signed[i % signed.length]!);
  const run = () => {
    if (verifyMany(claims).includes(false)) throw new Error("a good signature was refused");
    return items;
  };
  return { run, items };
}

export function verifiesByPeer(peer: Eddsa, { key, message, signature }: Signed): boolean {
  const { F } = peer;
  const r8: Point = [F.e(signature.r8x), F.e(signature.r8y)];
  const point: Point = [F.e(key.x), F.e(key.y)];
  return peer.verifyPoseidon(F.e(message), { R8: r8, S: signature.s }, point);
}

function signedBy(count: number): Signed[] {
  return Array.from({ length: count }, (_, i) => {
    const secret = BigInt(i) + 2n ** 200n;
    const message = BigInt(i) ** 7n + 1n;
    return { key: publicKeyOf(secret), message, signature: sign(secret, message) };
  });
}

/** The same in every run, of full size. */
function vectors(width: number): bigint[][] {
  let value = 7n;
  const next = () => {
    value = (value * value + 11n) % FIELD_MODULUS;
    return value;
  };
  for (let i = 0; i < 10; i++) next();
  return Array.from({ length: 64 }, () => Array.from({ length: width }, next));
}
