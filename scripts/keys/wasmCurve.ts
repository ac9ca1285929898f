/**
 * The bn128 arithmetic of wasmcurves, in one WebAssembly memory, single threaded.
 *
 * Everything here works on byte offsets into that memory. Field elements are 32 bytes, little
 * endian; a function that ends in `m` in WebAssembly multiplies as Montgomery does, so the product
 * of one plain and one Montgomery number is plain. The key generator leans on that.
 */
import { createRequire } from "node:module";

/** The order of the bn128 groups: the field that circuits compute in. */
export const SCALAR_FIELD =
  21888242871839275222246405745257275088548364400416034343698204186575808495617n;

/** The field of the curve's coordinates. */
export const BASE_FIELD =
  21888242871839275222246405745257275088696311157297823662689037894645226208583n;

/** The bytes of one field element, scalar or coordinate. */
export const FIELD_BYTES = 32;

/** The largest power of two that divides SCALAR_FIELD - 1, hence the largest domain. */
export const FIELD_TWO_ADICITY = 28;

const MONTGOMERY = 1n << 256n;
const PAGE_BYTES = 65_536;
const INITIAL_PAGES = 25;

/** The two source groups of the pairing. */
export type Group = "G1" | "G2";

/** The bytes of an affine point, x then y. A G2 coordinate has two field elements. */
export const AFFINE_BYTES: Readonly<Record<Group, number>> = { G1: 64, G2: 128 };

/** The bytes of a projective (Jacobian) point. */
export const JACOBIAN_BYTES: Readonly<Record<Group, number>> = { G1: 96, G2: 192 };

/** One exported WebAssembly function: pointers and sizes in, at most one number out. */
export type WasmFunction = (...args: number[]) => number;

// ffjavascript wraps the same code, but cannot be loaded inside a worker thread. Neither package
// carries types; `require` keeps the compiler from looking for them.
const bn128 = createRequire(import.meta.url)("wasmcurves/build/bn128_wasm.js") as {
  readonly code: string;
  readonly pG1gen: number;
  readonly pG2gen: number;
};

/** The smallest quadratic non-residue: its powers are snarkjs' roots of unity. */
const NON_RESIDUE = 5n;

type Memory = { readonly buffer: ArrayBuffer; readonly grow: (pages: number) => number };

// The type library of the language knows WebAssembly only together with the browser's.
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => Memory;
  readonly instantiate: (
    code: Uint8Array,
    imports: { readonly env: { readonly memory: Memory } },
  ) => Promise<{ readonly instance: { readonly exports: Readonly<Record<string, unknown>> } }>;
};

/** Arithmetic on one memory. Views made before `allocate` are stale after it. */
export type WasmCurve = {
  readonly call: (name: string) => WasmFunction;
  /** Reserves zeroed bytes for good (there is no free) and returns their offset. */
  readonly allocate: (bytes: number) => number;
  /** Makes room for what a WebAssembly function takes for itself while it runs. */
  readonly reserveScratch: (bytes: number) => void;
  readonly bytes: (offset: number, length: number) => Uint8Array<ArrayBuffer>;
  readonly words: (offset: number, length: number) => Uint32Array;
  /** The offset of the affine generator of a group. */
  readonly generator: (group: Group) => number;
};

/** Starts a curve with a memory of its own. */
export async function createWasmCurve(): Promise<WasmCurve> {
  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES });
  const code = Buffer.from(bn128.code, "base64");
  const { instance } = await WebAssembly.instantiate(code, { env: { memory } });
  const functions = instance.exports as Readonly<Record<string, WasmFunction>>;

  // The first word of the memory is the WebAssembly module's own allocation pointer.
  const top = (): Uint32Array => new Uint32Array(memory.buffer, 0, 1);
  const reserveScratch = (bytes: number): void => {
    const missing = (top()[0] ?? 0) + bytes - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE_BYTES));
  };

  return {
    call: (name) => {
      const found = functions[name];
      if (found === undefined) throw new Error(`bn128 has no function \`${name}\``);
      return found;
    },
    allocate: (bytes) => {
      const offset = Math.ceil((top()[0] ?? 0) / 8) * 8;
      reserveScratch(bytes + 8);
      top()[0] = offset + bytes;
      // Scratch space of earlier calls has left its numbers here.
      new Uint8Array(memory.buffer, offset, bytes).fill(0);
      return offset;
    },
    reserveScratch,
    bytes: (offset, length) => new Uint8Array(memory.buffer, offset, length),
    words: (offset, length) => new Uint32Array(memory.buffer, offset, length),
    generator: (group) => (group === "G1" ? bn128.pG1gen : bn128.pG2gen),
  };
}

/** A number as 32 little-endian bytes. */
export function toBytes(value: bigint): Uint8Array {
  const bytes = new Uint8Array(FIELD_BYTES);
  let rest = value;
  for (let i = 0; i < FIELD_BYTES; i++) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** The number that little-endian bytes spell. */
export function fromBytes(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return value;
}

/** A scalar in Montgomery form, multiplied by 2^256 as often as `times` says. */
export function toMontgomery(value: bigint, times = 1): Uint8Array {
  let shifted = value;
  for (let i = 0; i < times; i++) shifted = (shifted * MONTGOMERY) % SCALAR_FIELD;
  return toBytes(shifted);
}

/** The scalar 1 / value. */
export function invert(value: bigint): bigint {
  return powerOf(value, SCALAR_FIELD - 2n);
}

/** The scalar base^exponent. */
export function powerOf(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base % SCALAR_FIELD;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % SCALAR_FIELD;
    square = (square * square) % SCALAR_FIELD;
  }
  return result;
}

/** The primitive 2^power-th root of unity that snarkjs uses. */
export function rootOfUnity(power: number): bigint {
  if (power > FIELD_TWO_ADICITY) throw new Error(`there is no 2^${power}-th root of unity`);
  return powerOf(NON_RESIDUE, (SCALAR_FIELD - 1n) >> BigInt(power));
}
