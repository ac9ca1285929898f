/** Reads the sizes and the constraint section of a circom .r1cs file without loading it whole. */
import { closeSync, openSync, readSync } from "node:fs";
import { FIELD_BYTES, fromBytes, SCALAR_FIELD } from "./wasmCurve.ts";

const SECTION_HEADER = 1;
const SECTION_CONSTRAINTS = 2;

/** What the header of an .r1cs file says, and where its constraints lie. */
export type R1cs = {
  readonly constraints: number;
  /** All wires, the constant one included. */
  readonly wires: number;
  readonly publicOutputs: number;
  readonly publicInputs: number;
  readonly privateInputs: number;
  readonly constraintsOffset: number;
  readonly constraintsBytes: number;
};

/** The public signals of a circuit: outputs first, then public inputs. */
export function publicSignalCount(r1cs: R1cs): number {
  return r1cs.publicOutputs + r1cs.publicInputs;
}

/** Reads the header of an .r1cs file over the bn128 scalar field. */
export function readR1cs(file: string): R1cs {
  const descriptor = openSync(file, "r");
  try {
    return parse(file, (offset, length) => {
      const bytes = Buffer.alloc(length);
      if (readSync(descriptor, bytes, 0, length, offset) !== length) {
        throw new Error(`\`${file}\` ends early; compile the circuit again`);
      }
      return bytes;
    });
  } finally {
    closeSync(descriptor);
  }
}

type ReadAt = (offset: number, length: number) => Buffer;

function parse(file: string, readAt: ReadAt): R1cs {
  const start = readAt(0, 12);
  if (start.toString("latin1", 0, 4) !== "r1cs") {
    throw new Error(`\`${file}\` is not an .r1cs file`);
  }
  const sections = new Map<number, { offset: number; length: number }>();
  let offset = 12;
  for (let i = 0; i < start.readUInt32LE(8); i++) {
    const head = readAt(offset, 12);
    const length = Number(head.readBigUInt64LE(4));
    sections.set(head.readUInt32LE(0), { offset: offset + 12, length });
    offset += 12 + length;
  }
  const headerAt = sections.get(SECTION_HEADER);
  const constraintsAt = sections.get(SECTION_CONSTRAINTS);
  if (headerAt === undefined || constraintsAt === undefined) {
    throw new Error(`\`${file}\` lacks its header or its constraints`);
  }
  const header = readAt(headerAt.offset, headerAt.length);
  const fieldBytes = header.readUInt32LE(0);
  if (fieldBytes !== FIELD_BYTES || fromBytes(header.subarray(4, 36)) !== SCALAR_FIELD) {
    throw new Error(`\`${file}\` is not over the bn128 scalar field; compile with \`-p bn128\``);
  }
  return {
    wires: header.readUInt32LE(36),
    publicOutputs: header.readUInt32LE(40),
    publicInputs: header.readUInt32LE(44),
    privateInputs: header.readUInt32LE(48),
    constraints: header.readUInt32LE(60),
    constraintsOffset: constraintsAt.offset,
    constraintsBytes: constraintsAt.length,
  };
}
