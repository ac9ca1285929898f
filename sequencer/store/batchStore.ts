/** Sealed batches, their proofs and signatures. Inputs, the bulk, stand apart to be forgotten. */
import { isDeepStrictEqual } from "node:util";
import type { ProofWords, SealedBatch } from "../batch/sealedBatch.ts";
import type { Attestation, BatchStore } from "../ports.ts";
import {
  type Database,
  decodeValue,
  encodeText,
  encodeValue,
  readText,
  readValue,
  writeValue,
} from "./database.ts";
import { numberedKey, rangeFrom, rangeTo } from "./keys.ts";

/** A batch or proof that contradicts what is stored under its number. */
export class BatchConflictError extends Error {
  override name = "BatchConflictError";
}

type BatchPart = Omit<SealedBatch, "inputs">;

export function createBatchStore(database: Database): BatchStore {
  async function putSealed(batch: SealedBatch, inputs?: string): Promise<void> {
    const { inputs: _, ...part } = batch;
    const key = numberedKey("batch", batch.number);
    const stored = (await readValue(database, key)) as BatchPart | undefined;
    // A restart seals the tail of the log again: the same batch, or something is badly wrong.
    if (stored !== undefined && stored.commitment !== batch.commitment) {
      throw new BatchConflictError(`batch \`${batch.number}\` was sealed with other contents`);
    }
    const changes = [{ type: "put" as const, key, value: encodeValue(part) }];
    if (inputs !== undefined) {
      const inputsKey = numberedKey("inputs", batch.number);
      changes.push({ type: "put", key: inputsKey, value: encodeText(inputs) });
    }
    await database.batch(changes, { sync: true });
  }

  async function sealed(number: number): Promise<SealedBatch | undefined> {
    const part = await readValue(database, numberedKey("batch", number));
    return part === undefined ? undefined : { ...(part as BatchPart), inputs: {} };
  }

  async function* sealedAfter(number: number): AsyncGenerator<SealedBatch> {
    for await (const [key, value] of database.iterator(rangeFrom("batch", number + 1))) {
      yield { ...(decodeValue(key, value) as BatchPart), inputs: {} };
    }
  }

  async function proof(number: number): Promise<ProofWords | undefined> {
    return (await readValue(database, numberedKey("proof", number))) as ProofWords | undefined;
  }

  return {
    putSealed,
    sealed,
    inputs: (number) => readText(database, numberedKey("inputs", number)),
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
