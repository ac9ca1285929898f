/**
 * Signed batch transactions, on disk before the chain can know of them. What a batch has been
 * signed with stays its own: whatever is sent for it, after a timeout, a restart or a reorg, has
 * the same nonce, so that the chain can include one of them only.
 */
import type { Address, Hash, Hex } from "viem";
import type { DurableValues } from "../ports.ts";
import type { Fees } from "./fees.ts";

/** More than 64 blocks, the deepest reorg that heals by itself, have room for. */
const SUBMISSIONS_KEPT = 256;

export interface Submission {
  readonly batch: number;
  readonly commitment: bigint;
  readonly nonce: number;
  readonly gas: bigint;
  /** Of the newest transaction. */
  readonly fees: Fees;
  readonly raw: Hex;
  /** Of all transactions, the newest last. */
  readonly hashes: readonly Hash[];
}

export interface Submissions {
  of(batch: number): Promise<Submission | undefined>;
  withNonce(nonce: number): Promise<Submission | undefined>;
  /** Resolves when the submission is durable. */
  put(submission: Submission): Promise<void>;
  remove(batch: number): Promise<void>;
}

type Place = readonly [batch: number, nonce: number];

/** Nonces are an account's own: what an operator before this one has signed is no concern here. */
export async function openSubmissions(
  values: DurableValues,
  account: Address,
): Promise<Submissions> {
  const indexName = `layerOne/submissions/${account}`;
  const nameOf = (batch: number): string => `layerOne/submission/${account}/${batch}`;
  let places = ((await values.get(indexName)) ?? []) as readonly Place[];
  const of = async (batch: number): Promise<Submission | undefined> =>
    (await values.get(nameOf(batch))) as Submission | undefined;
  const savePlaces = async (changed: readonly Place[]): Promise<void> => {
    places = changed.slice(-SUBMISSIONS_KEPT);
    await values.set(indexName, places);
    const dropped = changed.slice(0, -SUBMISSIONS_KEPT);
    for (const [batch] of dropped) await values.delete(nameOf(batch));
  };
  const without = (batch: number): Place[] => places.filter(([other]) => other !== batch);
  return {
    of,
    withNonce: async (nonce) => {
      const place = places.findLast(([, other]) => other === nonce);
      return place && of(place[0]);
    },
    put: async (submission) => {
      const { batch, nonce } = submission;
      await values.set(nameOf(batch), submission);
      const isKnown = places.some((place) => place[0] === batch && place[1] === nonce);
      if (!isKnown) await savePlaces([...without(batch), [batch, nonce]]);
    },
    remove: async (batch) => {
      await savePlaces(without(batch));
      await values.delete(nameOf(batch));
    },
  };
}
