/**
 * Cash and positions that nobody has to be believed: a node's ledger proof, computed again here up
 * to a state root that validators have certified, or that layer one has.
 */
import type { PublicClient } from "viem";
import { quorumOf } from "../protocol/certification.ts";
import { CodecRangeError } from "../protocol/codec.ts";
import { type LedgerProof, ledgerProofRoot } from "../protocol/ledgerProof.ts";
import { checkBatch, type Deployment } from "./batchCheck.ts";
import type { BatchFile } from "./batchWords.ts";
import type { Methods } from "./generated/api.ts";
import { ROLLUP_ABI } from "./rollupAbi.ts";

/** As `straddle/get_ledger_proof` answers it. */
export type LedgerProofAnswer = Methods["straddle/get_ledger_proof"]["result"];

/** Sizes of the deployment: `straddle/get_info` has them, and so has the rollup. */
export interface LedgerShape {
  readonly accountLevels: number;
  readonly slots: number;
}

export function ledgerProofFromAnswer(answer: LedgerProofAnswer): LedgerProof {
  const { batch_number, root, account, owner, cash, positions, siblings, fees } = answer;
  return {
    ...{ number: batch_number, root: BigInt(root), account, owner: BigInt(owner), cash, positions },
    siblings: siblings.map((level) => level.map(BigInt)),
    seriesRoot: BigInt(answer.series_root),
    ...{ fees, privateRoot: BigInt(answer.private_root) },
  };
}

/**
 * What is wrong with the proof; empty: at the end of batch `number` the account had just this, if
 * `root` was the state root then. `root` must come from elsewhere than the proof.
 */
export function ledgerProofFaults(
  proof: LedgerProof,
  { root, shape }: { readonly root: bigint; readonly shape: LedgerShape },
): string[] {
  const { account, siblings, positions } = proof;
  const faults: string[] = [];
  if (siblings.length !== shape.accountLevels || siblings.some(({ length }) => length !== 3)) {
    faults.push(`the path must have \`${shape.accountLevels}\` levels of 3 siblings`);
  }
  // A number beyond the tree would stand at the place of another one.
  if (!Number.isInteger(account) || account < 0 || account >= 4 ** shape.accountLevels) {
    faults.push(`\`account\` must be an integer below ${4 ** shape.accountLevels}`);
  }
  if (positions.length !== shape.slots) {
    faults.push(`there must be \`${shape.slots}\` positions`);
  }
  // Halves would be lost in the sums of which the leaf is made.
  if (![proof.cash, proof.fees, ...positions].every(Number.isSafeInteger)) {
    faults.push("cash, fees and positions must be integers");
  }
  if (proof.root !== root) faults.push("its root is not that of the batch");
  if (faults.length > 0) return faults;
  return rootOf(proof) === root ? [] : ["account and path do not lead to the root"];
}

/** Undefined where no leaf can hold what it says. */
function rootOf(proof: LedgerProof): bigint | undefined {
  try {
    return ledgerProofRoot(proof);
  } catch (error) {
    if (error instanceof CodecRangeError || error instanceof RangeError) return undefined;
    throw error;
  }
}

export interface CertifiedRoot {
  readonly number: number;
  readonly root: bigint;
  /** Lower-case addresses of those whose attestation of it holds. */
  readonly signers: readonly string[];
  /** What does not fit together in the batch, and what is missing to a certificate. */
  readonly faults: readonly string[];
}

/** A batch's root by its certificate. `validators`: whose word counts; absent: whoever signed. */
export async function certifiedRoot(
  batch: BatchFile,
  deployment: Deployment,
  validators: readonly string[] = [],
): Promise<CertifiedRoot> {
  const { number, faults, signers } = await checkBatch(batch, deployment);
  const members = validators.map((address) => address.toLowerCase());
  const known = members.length === 0 ? signers : signers.filter((one) => members.includes(one));
  const missing = quorumOf(members.length) - known.length;
  const lacks =
    members.length > 0 && missing > 0
      ? [`\`${known.length}\` of \`${members.length}\` validators are no certificate`]
      : [];
  return {
    ...{ number, root: BigInt(batch.root_after), signers: known },
    faults: [...faults, ...lacks],
  };
}

/** Layer one has no such batch, or its endpoint does not tell of it. */
export class NotAnchoredError extends Error {
  override name = "NotAnchoredError";
}

export interface LayerOneQuery {
  readonly client: Pick<PublicClient, "readContract" | "getContractEvents">;
  readonly rollup: `0x${string}`;
  /** Where events are looked for: the rollup's creation, or later. */
  readonly fromBlock: bigint;
}

/** What the rollup says of a batch that it has anchored. */
export interface AnchoredBatch {
  readonly root: bigint;
  readonly commitment: bigint;
  /** keccak256 of the public words. */
  readonly wordsHash: `0x${string}`;
}

/** The state root of an anchored batch as the rollup has it. Throws {@link NotAnchoredError}. */
export async function anchoredRoot(query: LayerOneQuery, number: number): Promise<bigint> {
  return (await anchoredBatch(query, number)).root;
}

/** Throws {@link NotAnchoredError}. */
export async function anchoredBatch(
  { client, rollup: address, fromBlock }: LayerOneQuery,
  number: number,
): Promise<AnchoredBatch> {
  const contract = { address, abi: ROLLUP_ABI } as const;
  const count = await client.readContract({ ...contract, functionName: "batchCount" });
  if (count < BigInt(number)) {
    throw new NotAnchoredError(`layer one has \`${count}\` batches, not yet batch \`${number}\`.`);
  }
  const [event] = await client.getContractEvents({
    ...{ ...contract, eventName: "BatchAnchored", strict: true },
    ...{ args: { number: BigInt(number) }, fromBlock, toBlock: "latest" },
  });
  if (event !== undefined) {
    const { stateRoot: root, commitment, wordsHash } = event.args;
    return { root, commitment, wordsHash };
  }
  const place = `from block \`${fromBlock}\` on`;
  throw new NotAnchoredError(`the endpoint tells no batch \`${number}\` ${place}.`);
}
