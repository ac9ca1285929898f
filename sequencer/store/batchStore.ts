/** Sealed batches, their proofs and signatures. Inputs, the bulk, stand apart to be forgotten. */
import { isDeepStrictEqual } from "node:util";
import type { CircuitInputs, ProofWords, SealedBatch } from "../batch/sealedBatch.ts";
import type { Attestation, BatchStore } from "../ports.ts";
import { type Database, decodeValue, encodeValue, readValue, writeValue } from "./database.ts";
import { numberedKey, rangeFrom, rangeTo } from "./keys.ts";

/** A batch or proof that contradicts what is stored under its number. */
export class BatchConflictError extends Error {
  override name = "BatchConflictError";
}

type BatchPart = Omit<SealedBatch, "inputs">;

export function createBatchStore(database: Database): BatchStore {
  async function putSealed(batch: SealedBatch): Promise<void> {
    const { inputs, ...part } = batch;
    const key = numberedKey("batch", batch.number);
    const stored = (await readValue(database, key)) as BatchPart | undefined;
    // A restart seals the tail of the log again: the same batch, or something is badly wrong.
    if (stored !== undefined && stored.commitment !== batch.commitment) {
      throw new BatchConflictError(`batch \`${batch.number}\` was sealed with other contents`);
    }
    const inputsKey = numberedKey("inputs", batch.number);
    await database.batch(
      [
        { type: "put", key, value: encodeValue(part) },
        { type: "put", key: inputsKey, value: encodeValue(inputs) },
      ],
      { sync: true },
    );
  }

  async function withInputs(part: BatchPart): Promise<SealedBatch> {
    const inputs = await readValue(database, numberedKey("inputs", part.number));
    return { ...part, inputs: (inputs ?? {}) as CircuitInputs };
  }

  async function sealed(number: number): Promise<SealedBatch | undefined> {
    const part = await readValue(database, numberedKey("batch", number));
    return part === undefined ? undefined : withInputs(part as BatchPart);
  }

  async function* sealedAfter(number: number): AsyncGenerator<SealedBatch> {
    for await (const [key, value] of database.iterator(rangeFrom("batch", number + 1))) {
      yield withInputs(decodeValue(key, value) as BatchPart);
    }
  }

  async function proof(number: number): Promise<ProofWords | undefined> {
    return (await readValue(database, numberedKey("proof", number))) as ProofWords | undefined;
  }

  return {
    putSealed,
    sealed,
    sealedAfter,
    proof,
    putProof: async (number, words) => {
      // The first proof stays: it may already be on its way to layer one.
      if ((await proof(number)) !== undefined) return;
      await writeValue(database, numberedKey("proof", number), words);
    },
    prune: (number) => database.clear(rangeTo("inputs", number)),
    putAttestation: async (attestation) => {
      const { number, validator } = attestation;
      const key = `${numberedKey("attestation", number)}/${validator.toLowerCase()}`;
      // Validators repeat themselves until the batch is anchored.
      if (isDeepStrictEqual(await readValue(database, key), attestation)) return;
      await writeValue(database, key, attestation);
    },
    attestations: async function* () {
      for await (const [key, value] of database.iterator(rangeFrom("attestation", 0))) {
        yield decodeValue(key, value) as Attestation;
      }
    },
    // Keys go on after the number: those on `number` itself are below the next one's.
    pruneAttestations: async (number) => {
      if (number >= 0) await database.clear(rangeTo("attestation", number + 1));
    },
  };
}
