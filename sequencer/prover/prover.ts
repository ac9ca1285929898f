/**
 * Groth16 by snarkjs, in this process, or by programs beside it. One proof at a time: each takes
 * all the threads it gets.
 */
import { readFile } from "node:fs/promises";
import { type CircuitSignals, groth16, wtns } from "snarkjs";
import type { CircuitInputs, ProofWords } from "../batch/sealedBatch.ts";
import type { Logger, ProofResult, Prover } from "../ports.ts";
import { FIELD_MODULUS } from "../protocol/constants.ts";
import { proveExternally, witnessExternally } from "./external.ts";
import { areProofWords, proofToWords, wordsToProof } from "./proofWords.ts";

/** Files of one circuit. */
export interface CircuitKeys {
  readonly wasm: string;
  readonly zkey: string;
  /** Verification key, JSON. */
  readonly vkey: string;
  /** A native calculator of its witness; without it the WebAssembly one works. */
  readonly witness?: string | undefined;
}

export interface ProverOptions {
  readonly keys: { readonly [circuit: string]: CircuitKeys };
  /** Computes without worker threads: slower, but it leaves the other cores alone. */
  readonly singleThread?: boolean;
  /** rapidsnark's program; without it snarkjs proves. */
  readonly rapidsnark?: string | undefined;
  readonly logger: Logger;
}

export interface Groth16Prover extends Prover {
  /** Waits for the proof under way and ends the worker threads, so that the process can exit. */
  stop(): Promise<void>;
}

/** The inputs do not satisfy the circuit: no retry helps. */
export class WitnessError extends Error {
  override name = "WitnessError";
}

/** The prover has no such circuit, or made a proof that does not hold: its key is wrong. */
export class ProverError extends Error {
  override name = "ProverError";
}

interface VerificationKey {
  readonly nPublic: number;
}

// snarkjs keeps one curve with its threads for the whole process; its last user ends it.
let provers = 0;

export function createProver(options: ProverOptions): Groth16Prover {
  const { keys, singleThread = false, rapidsnark, logger } = options;
  const vkeys = new Map<string, VerificationKey>();
  let turn: Promise<unknown> = Promise.resolve();
  let stopped = false;
  provers += 1;

  function keysOf(circuit: string): CircuitKeys {
    const found = keys[circuit];
    if (found === undefined) throw new ProverError(`there is no key for circuit \`${circuit}\``);
    return found;
  }

  async function vkeyOf(circuit: string): Promise<VerificationKey> {
    const known = vkeys.get(circuit);
    if (known !== undefined) return known;
    const read = JSON.parse(await readFile(keysOf(circuit).vkey, "utf8")) as VerificationKey;
    vkeys.set(circuit, read);
    return read;
  }

  async function prove(
    circuit: string,
    inputs: CircuitInputs,
    signal?: AbortSignal,
  ): Promise<ProofResult> {
    // snarkjs cannot be interrupted: there an abort takes effect between witness and proof.
    signal?.throwIfAborted();
    const start = performance.now();
    const { zkey, ...calculators } = keysOf(circuit);
    const witness = await calculateWitness({ circuit, inputs, ...calculators }, signal);
    signal?.throwIfAborted();
    const witnessSeconds = (performance.now() - start) / 1000;
    const made =
      rapidsnark === undefined
        ? await groth16.prove(zkey, witness, undefined, { singleThread })
        : await proveExternally(rapidsnark, { zkey, witness }, signal);
    const proof = proofToWords(made.proof);
    // Costs next to nothing, and a wrong key or a bit flipped in memory stays in this process.
    if (!(await verifyProof(await vkeyOf(circuit), made.publicSignals.map(BigInt), proof))) {
      throw new ProverError(`the key of circuit \`${circuit}\` makes proofs that do not hold`);
    }
    const seconds = (performance.now() - start) / 1000;
    logger.info("proof made", { circuit, seconds, witnessSeconds });
    return { proof, seconds };
  }

  function inTurn<T>(run: () => Promise<T>): Promise<T> {
    if (stopped) return Promise.reject(new ProverError("the prover has stopped"));
    const result = turn.then(run);
    turn = result.catch(() => undefined);
    return result;
  }

  async function stop(): Promise<void> {
    if (stopped) return;
    stopped = true;
    await turn;
    provers -= 1;
    if (provers === 0) await endThreads();
  }

  return {
    prove: (circuit, inputs, signal) => inTurn(() => prove(circuit, inputs, signal)),
    verify: (circuit, publicSignals, proof) =>
      inTurn(async () => verifyProof(await vkeyOf(circuit), publicSignals, proof)),
    stop,
  };
}

async function calculateWitness(
  given: Pick<CircuitKeys, "wasm" | "witness"> & {
    readonly circuit: string;
    readonly inputs: CircuitInputs;
  },
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { circuit, wasm, witness: program, inputs } = given;
  if (program !== undefined) return witnessExternally(program, inputs, signal);
  const witness: { type: string; data?: Uint8Array } = { type: "mem" };
  try {
    await wtns.calculate(inputs as CircuitSignals, wasm, witness);
  } catch (cause) {
    throw new WitnessError(`the inputs do not satisfy circuit \`${circuit}\``, { cause });
  }
  return witness.data!;
}

async function verifyProof(
  vkey: VerificationKey,
  publicSignals: readonly bigint[],
  proof: ProofWords,
): Promise<boolean> {
  // snarkjs takes missing signals for zeros and reduces coordinates; layer one does neither.
  if (publicSignals.length !== vkey.nPublic || !areProofWords(proof)) return false;
  if (publicSignals.some((word) => word < 0n || word >= FIELD_MODULUS)) return false;
  return groth16.verify(vkey, publicSignals.map(String), wordsToProof(proof));
}

async function endThreads(): Promise<void> {
  const shared = globalThis as { curve_bn128?: { terminate(): Promise<void> } | null };
  await shared.curve_bn128?.terminate();
}
