/**
 * INSECURE DEVELOPMENT KEYS. Anybody can forge proofs for a key made here.
 *
 * Computes a Groth16 proving key straight from an .r1cs file with published secrets
 * (`devSecrets.ts`): seconds where a ceremony takes hours, and the same bytes on every machine.
 * The file is an ordinary snarkjs .zkey; its circuit hash starts with DEV_KEY_MARK, by which
 * `keyOrigin` tells it from a key that may guard money. Those come from `ceremony.ts`.
 */
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, renameSync, rmSync } from "node:fs";
import { DEV_KEY_MARK, DEV_SECRETS } from "./devSecrets.ts";
import { createKeyWriter, type KeyWriter } from "./keyWriter.ts";
import { lagrangeAt } from "./lagrange.ts";
import { createPointPool, type PointJob, type PointPool } from "./pointPool.ts";
import { publicSignalCount, type R1cs, readR1cs } from "./r1cs.ts";
import {
  AFFINE_BYTES,
  BASE_FIELD,
  createWasmCurve,
  FIELD_BYTES,
  FIELD_TWO_ADICITY,
  type Group,
  invert,
  SCALAR_FIELD,
  toBytes,
  toMontgomery,
  type WasmCurve,
} from "./wasmCurve.ts";
import { evaluateWires, type WirePolynomials } from "./wirePolynomials.ts";

const SECTIONS = 10;
const PROTOCOL_GROTH16 = 1;

/** How far a key has come. `done` and `total` count constraints, then points. */
export type KeyProgress = {
  readonly stage: "evaluating" | "multiplying";
  readonly done: number;
  readonly total: number;
};

/** What to make a key of, and where. */
export type DevKeyRequest = {
  readonly r1csFile: string;
  readonly zkeyFile: string;
  readonly onProgress?: ((progress: KeyProgress) => void) | undefined;
};

/** Makes an insecure development key. The file appears whole or not at all. */
export async function makeDevKey(request: DevKeyRequest): Promise<void> {
  const r1cs = readR1cs(request.r1csFile);
  const temporary = `${request.zkeyFile}.${process.pid}.tmp`;
  const input = openSync(request.r1csFile, "r");
  const output = openSync(temporary, "w");
  const pool = createPointPool();
  try {
    await writeKey({ r1cs, input, pool, writer: createKeyWriter(output, SECTIONS), ...request });
    renameSync(temporary, request.zkeyFile);
  } finally {
    closeSync(input);
    closeSync(output);
    rmSync(temporary, { force: true });
    await pool.close();
  }
}

type KeyJob = DevKeyRequest & {
  readonly r1cs: R1cs;
  readonly input: number;
  readonly pool: PointPool;
  readonly writer: KeyWriter;
};

async function writeKey(job: KeyJob): Promise<void> {
  const { r1cs, pool, writer } = job;
  const publics = publicSignalCount(r1cs);
  const power = domainPower(r1cs);
  const domainSize = 2 ** power;
  // Half of the G1 scalars are often zero; a table a little too large costs next to nothing.
  const tables = Promise.all([
    pool.prepare("G1", 3 * r1cs.wires + domainSize),
    pool.prepare("G2", r1cs.wires),
  ]);
  // The tables may fail while this thread is busy; `await tables` reports it.
  tables.catch(() => undefined);

  const curve = await createWasmCurve();
  const basis = lagrangeAt(curve, { power, isOdd: false }, DEV_SECRETS.tau, 1n);
  beginKey(writer, r1cs, domainSize);
  const header = writer.reserveSection(2, headerBytes());
  writer.writeAt(header, headerNumbers(r1cs, domainSize));
  writer.beginSection(4);
  const wires = evaluateWires({
    curve,
    descriptor: job.input,
    r1cs,
    basis,
    writer,
    onConstraint: (done) => {
      job.onProgress?.({ stage: "evaluating", done, total: r1cs.constraints });
    },
  });
  writer.endSection();
  combine(curve, wires, r1cs);
  const quotient = quotientScalars(curve, power);
  await tables;

  const first = publics + 1;
  const at = (array: number, wire: number): number => array + wire * FIELD_BYTES;
  const g1 = { curve, writer, group: "G1" } as const;
  const jobs: PointJob[] = [
    ...headerJobs(writer, header),
    section(g1, 3, wires.c, first),
    section(g1, 5, wires.a, r1cs.wires),
    section(g1, 6, wires.b, r1cs.wires),
    section({ curve, writer, group: "G2" }, 7, wires.b, r1cs.wires),
    section(g1, 8, at(wires.c, first), r1cs.wires - first),
    section(g1, 9, quotient, domainSize),
  ];
  const total = jobs.reduce((sum, { count }) => sum + count, 0);
  await pool.run(jobs, (done) => job.onProgress?.({ stage: "multiplying", done, total }));
  writeMark(writer, job.input);
}

function domainPower(r1cs: R1cs): number {
  // One row per constraint, per public signal and for the constant wire, as snarkjs counts.
  const rows = r1cs.constraints + publicSignalCount(r1cs) + 1;
  const power = Math.max(1, Math.ceil(Math.log2(rows)));
  if (power >= FIELD_TWO_ADICITY) {
    throw new Error(`\`${rows}\` rows need a domain beyond 2^${FIELD_TWO_ADICITY - 1}`);
  }
  return power;
}

function beginKey(writer: KeyWriter, r1cs: R1cs, domainSize: number): void {
  if (r1cs.wires <= publicSignalCount(r1cs)) throw new Error("the circuit has too few wires");
  if (domainSize < r1cs.constraints) throw new Error("the domain is smaller than the circuit");
  writer.beginSection(1);
  const protocol = Buffer.alloc(4);
  protocol.writeUInt32LE(PROTOCOL_GROTH16);
  writer.append(protocol);
  writer.endSection();
}

const HEADER_NUMBERS_BYTES = 2 * (4 + FIELD_BYTES) + 3 * 4;

/** The points of the header in the order of the file. */
const HEADER_POINTS: readonly { readonly group: Group; readonly scalar: bigint }[] = [
  { group: "G1", scalar: DEV_SECRETS.alpha },
  { group: "G1", scalar: DEV_SECRETS.beta },
  { group: "G2", scalar: DEV_SECRETS.beta },
  { group: "G2", scalar: DEV_SECRETS.gamma },
  { group: "G1", scalar: DEV_SECRETS.delta },
  { group: "G2", scalar: DEV_SECRETS.delta },
];

function headerBytes(): number {
  return HEADER_POINTS.reduce((sum, { group }) => sum + AFFINE_BYTES[group], HEADER_NUMBERS_BYTES);
}

function headerNumbers(r1cs: R1cs, domainSize: number): Uint8Array {
  const bytes = Buffer.alloc(HEADER_NUMBERS_BYTES);
  let offset = 0;
  for (const prime of [BASE_FIELD, SCALAR_FIELD]) {
    offset = bytes.writeUInt32LE(FIELD_BYTES, offset);
    bytes.set(toBytes(prime), offset);
    offset += FIELD_BYTES;
  }
  offset = bytes.writeUInt32LE(r1cs.wires, offset);
  offset = bytes.writeUInt32LE(publicSignalCount(r1cs), offset);
  bytes.writeUInt32LE(domainSize, offset);
  return bytes;
}

function headerJobs(writer: KeyWriter, header: number): PointJob[] {
  let position = header + HEADER_NUMBERS_BYTES;
  return HEADER_POINTS.map(({ group, scalar }) => {
    const at = position;
    position += AFFINE_BYTES[group];
    return {
      group,
      count: 1,
      scalars: () => toBytes(scalar),
      onPoints: (_first, points) => writer.writeAt(at, points),
    };
  });
}

/** Folds a, b and c into (beta a + alpha b + c) / gamma or, for private wires, / delta. */
function combine(curve: WasmCurve, wires: WirePolynomials, r1cs: R1cs): void {
  const constants = curve.allocate(5 * FIELD_BYTES);
  const place = (index: number, value: bigint): number => {
    curve.bytes(constants + index * FIELD_BYTES, FIELD_BYTES).set(toMontgomery(value));
    return constants + index * FIELD_BYTES;
  };
  const alpha = place(0, DEV_SECRETS.alpha);
  const beta = place(1, DEV_SECRETS.beta);
  const publicDivisor = place(2, invert(DEV_SECRETS.gamma));
  const privateDivisor = place(3, invert(DEV_SECRETS.delta));
  const product = constants + 4 * FIELD_BYTES;
  const multiply = curve.call("frm_mul");
  const add = curve.call("frm_add");
  const publics = publicSignalCount(r1cs);
  for (let wire = 0; wire < r1cs.wires; wire++) {
    const offset = wire * FIELD_BYTES;
    const sum = wires.c + offset;
    multiply(wires.a + offset, beta, product);
    add(sum, product, sum);
    multiply(wires.b + offset, alpha, product);
    add(sum, product, sum);
    multiply(sum, wire <= publics ? publicDivisor : privateDivisor, sum);
  }
}

/** The scalars of the quotient section: the odd coset's basis at tau, divided by delta. */
function quotientScalars(curve: WasmCurve, power: number): number {
  const { tau, delta } = DEV_SECRETS;
  const scalars = lagrangeAt(curve, { power, isOdd: true }, tau, invert(delta));
  curve.call("frm_batchFromMontgomery")(scalars, 2 ** power, scalars);
  return scalars;
}

type SectionTarget = {
  readonly curve: WasmCurve;
  readonly writer: KeyWriter;
  readonly group: Group;
};

function section(target: SectionTarget, id: number, scalars: number, count: number): PointJob {
  const { curve, writer, group } = target;
  const pointBytes = AFFINE_BYTES[group];
  const position = writer.reserveSection(id, count * pointBytes);
  return {
    group,
    count,
    // A copy, because what is posted to a worker must not be the whole memory.
    scalars: (first, length) =>
      curve.bytes(scalars + first * FIELD_BYTES, length * FIELD_BYTES).slice(),
    onPoints: (first, points) => writer.writeAt(position + first * pointBytes, points),
  };
}

/** Ends the key with its circuit hash, which carries the mark, and no contributions. */
function writeMark(writer: KeyWriter, input: number): void {
  const hash = createHash("sha256");
  const chunk = Buffer.alloc(1 << 20);
  for (let position = 0; ; ) {
    const read = readSync(input, chunk, 0, chunk.length, position);
    if (read === 0) break;
    hash.update(chunk.subarray(0, read));
    position += read;
  }
  writer.beginSection(10);
  writer.append(DEV_KEY_MARK);
  writer.append(hash.digest());
  writer.append(Buffer.alloc(4));
  writer.endSection();
}
