/** Reads from a .zkey file what its soundness hangs on: its points, its history and its origin. */
import { closeSync, openSync, readSync } from "node:fs";
import { DEV_KEY_MARK } from "./devSecrets.ts";
import { BASE_FIELD, FIELD_BYTES, fromBytes } from "./wasmCurve.ts";

/** A point as snarkjs spells it: projective decimal coordinates, with z 1, or 0 at infinity. */
export type G1Json = readonly string[];

/** A point of G2, each coordinate a pair. */
export type G2Json = readonly (readonly string[])[];

/** The part of snarkjs' verification key that a verifier uses. */
export type VerificationKey = {
  readonly protocol: string;
  readonly curve: string;
  readonly nPublic: number;
  readonly vk_alpha_1: G1Json;
  readonly vk_beta_2: G2Json;
  readonly vk_gamma_2: G2Json;
  readonly vk_delta_2: G2Json;
  readonly IC: readonly G1Json[];
};

/** Where a key comes from. Only a ceremony's key may guard money. */
export type KeyOrigin = "insecure-development" | "ceremony";

/**
 * One step of the second phase. A beacon's secret follows from public numbers: it settles the
 * last bits of the others' randomness, and protects nothing on its own.
 */
export type Contribution = { readonly kind: "participant" | "beacon"; readonly name: string };

/** A .zkey file without its bulk. */
export type KeyFile = {
  readonly vkey: VerificationKey;
  readonly beta1: G1Json;
  readonly delta1: G1Json;
  readonly domainSize: number;
  readonly contributions: readonly Contribution[];
  readonly origin: KeyOrigin;
  /** The sha256 of the .r1cs file, which only a development key carries. */
  readonly r1csHash: string | undefined;
};

const PROTOCOL_GROTH16 = 1;
const G1_BYTES = 2 * FIELD_BYTES;
const G2_BYTES = 4 * FIELD_BYTES;
const MARK_BYTES = 32;
const CIRCUIT_HASH_BYTES = 64;
const SECTIONS_MAX = 64;

/** Reads a Groth16 .zkey file. */
export function readKeyFile(file: string): KeyFile {
  const sections = readSections(file);
  const section = (id: number): Buffer => {
    const found = sections.get(id);
    if (found === undefined) throw new Error(`\`${file}\` lacks section \`${id}\``);
    return found;
  };
  if (section(1).readUInt32LE(0) !== PROTOCOL_GROTH16) {
    throw new Error(`\`${file}\` is not a Groth16 key`);
  }
  const header = section(2);
  if (fromBytes(header.subarray(4, 4 + FIELD_BYTES)) !== BASE_FIELD) {
    throw new Error(`\`${file}\` is not a key over bn128`);
  }
  const nPublic = header.readUInt32LE(76);
  const points = header.subarray(84);
  const beta2At = 2 * G1_BYTES;
  const gamma2At = beta2At + G2_BYTES;
  const delta1At = gamma2At + G2_BYTES;
  const ic = section(3);
  const history = section(10);
  const isDevelopment = history.subarray(0, MARK_BYTES).equals(DEV_KEY_MARK);
  return {
    vkey: {
      protocol: "groth16",
      curve: "bn128",
      nPublic,
      vk_alpha_1: g1At(points, 0),
      vk_beta_2: g2At(points, beta2At),
      vk_gamma_2: g2At(points, gamma2At),
      vk_delta_2: g2At(points, delta1At + G1_BYTES),
      IC: Array.from({ length: ic.length / G1_BYTES }, (_, i) => g1At(ic, i * G1_BYTES)),
    },
    beta1: g1At(points, G1_BYTES),
    delta1: g1At(points, delta1At),
    domainSize: header.readUInt32LE(80),
    contributions: readContributions(history),
    origin: isDevelopment ? "insecure-development" : "ceremony",
    r1csHash: isDevelopment ? history.toString("hex", MARK_BYTES, CIRCUIT_HASH_BYTES) : undefined,
  };
}

/** The sections a verifier needs; the rest of the file is up to gigabytes of points. */
const WANTED_SECTIONS = new Set([1, 2, 3, 10]);

function readSections(file: string): Map<number, Buffer> {
  const descriptor = openSync(file, "r");
  try {
    const readAt = (position: number, length: number): Buffer => {
      const bytes = Buffer.alloc(length);
      if (readSync(descriptor, bytes, 0, length, position) !== length) {
        throw new Error(`\`${file}\` ends early`);
      }
      return bytes;
    };
    const start = readAt(0, 12);
    const count = start.readUInt32LE(8);
    if (start.toString("latin1", 0, 4) !== "zkey" || count > SECTIONS_MAX) {
      throw new Error(`\`${file}\` is not a .zkey file`);
    }
    const sections = new Map<number, Buffer>();
    let position = 12;
    for (let i = 0; i < count; i++) {
      const head = readAt(position, 12);
      const id = head.readUInt32LE(0);
      const length = Number(head.readBigUInt64LE(4));
      if (WANTED_SECTIONS.has(id)) sections.set(id, readAt(position + 12, length));
      position += 12 + length;
    }
    return sections;
  } finally {
    closeSync(descriptor);
  }
}

/** The points and the transcript of a contribution, which precede its type. */
const CONTRIBUTION_POINTS_BYTES = 3 * G1_BYTES + G2_BYTES + CIRCUIT_HASH_BYTES;
const CONTRIBUTION_TYPE_BEACON = 1;
const PARAMETER_NAME = 1;

function readContributions(history: Buffer): Contribution[] {
  const count = history.readUInt32LE(CIRCUIT_HASH_BYTES);
  const contributions: Contribution[] = [];
  let position = CIRCUIT_HASH_BYTES + 4;
  for (let i = 0; i < count; i++) {
    position += CONTRIBUTION_POINTS_BYTES;
    const isBeacon = history.readUInt32LE(position) === CONTRIBUTION_TYPE_BEACON;
    const length = history.readUInt32LE(position + 4);
    const parameters = history.subarray(position + 8, position + 8 + length);
    // Parameters are sorted by their number, and the name's is the first.
    const nameEnd = 2 + (parameters[1] ?? 0);
    const name = parameters[0] === PARAMETER_NAME ? parameters.toString("utf8", 2, nameEnd) : "";
    contributions.push({ kind: isBeacon ? "beacon" : "participant", name });
    position += 8 + length;
  }
  return contributions;
}

function g1At(bytes: Buffer, offset: number): G1Json {
  const x = coordinate(bytes, offset);
  const y = coordinate(bytes, offset + FIELD_BYTES);
  return x === 0n && y === 0n ? ["0", "1", "0"] : [`${x}`, `${y}`, "1"];
}

function g2At(bytes: Buffer, offset: number): G2Json {
  const [x0, x1, y0, y1] = [0, 1, 2, 3].map((i) => coordinate(bytes, offset + i * FIELD_BYTES));
  const isZero = x0 === 0n && x1 === 0n && y0 === 0n && y1 === 0n;
  if (isZero) return [["0", "0"], ["1", "0"], ["0", "0"]]; // biome-ignore format: a row per point
  return [[`${x0}`, `${x1}`], [`${y0}`, `${y1}`], ["1", "0"]]; // biome-ignore format: as above
}

function coordinate(bytes: Buffer, offset: number): bigint {
  const montgomery = fromBytes(bytes.subarray(offset, offset + FIELD_BYTES));
  return (montgomery * INVERSE_OF_MONTGOMERY) % BASE_FIELD;
}

const INVERSE_OF_MONTGOMERY = inverseModulo(1n << 256n, BASE_FIELD);

function inverseModulo(value: bigint, modulus: bigint): bigint {
  let [a, b] = [modulus, value % modulus];
  let [x, y] = [0n, 1n];
  while (b !== 0n) {
    const quotient = a / b;
    [a, b] = [b, a - quotient * b];
    [x, y] = [y, x - quotient * y];
  }
  return ((x % modulus) + modulus) % modulus;
}
