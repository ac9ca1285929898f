/** Whether a verification key is the one that layer one verifies a rollup's batches by. */
import { type BaseError, type PublicClient, parseAbi } from "viem";
import { type KeyPoints, readKeyPoints } from "../node/batchProof.ts";
import type { BatchKind } from "../protocol/constants.ts";

const VERIFIERS_ABI = parseAbi([
  "function tradeVerifier() view returns (address)",
  "function ledgerVerifier() view returns (address)",
]);
/** Verifiers say their whole key, or, older ones, the points that its soundness hangs on. */
const KEY_ABI = parseAbi([
  "function verifyingKey() view returns (uint256[22])",
  "function keyPoints() view returns (uint256[4] gamma, uint256[4] delta)",
]);

/** Empty: it is. Throws FormatError where the file is no such key. */
export async function verifierKeyFaults(
  asked: {
    readonly client: Pick<PublicClient, "readContract">;
    readonly rollup: `0x${string}`;
    readonly kind: BatchKind;
  },
  file: string,
): Promise<string[]> {
  const { client, rollup, kind } = asked;
  const own = await readKeyPoints(file);
  const functionName = kind === "trade" ? "tradeVerifier" : "ledgerVerifier";
  const verifier = await client.readContract({
    ...{ address: rollup, abi: VERIFIERS_ABI, functionName },
  });
  const said = await keySaidBy(client, verifier);
  if (said === undefined) return [`the rollup's verifier \`${verifier}\` does not say its key`];
  const parts = Object.keys(said) as (keyof KeyPoints)[];
  const isSame = parts.every((part) => `${said[part]}` === `${own[part]}`);
  return isSame ? [] : [`the key is not that of the rollup's verifier \`${verifier}\``];
}

async function keySaidBy(
  client: Pick<PublicClient, "readContract">,
  address: `0x${string}`,
): Promise<Partial<KeyPoints> | undefined> {
  const contract = { address, abi: KEY_ABI } as const;
  const all = await orAbsent(client.readContract({ ...contract, functionName: "verifyingKey" }));
  if (all !== undefined) return { all };
  const points = await orAbsent(client.readContract({ ...contract, functionName: "keyPoints" }));
  return points && { gamma: points[0], delta: points[1] };
}

/** Undefined where the contract has no such function; an endpoint that fails is another matter. */
async function orAbsent<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isUnreachable(error)) throw error;
    return undefined;
  }
}

function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error) || !("walk" in error)) return false;
  const cause = (error as BaseError).walk((item) => {
    return item instanceof Error && /^(HttpRequest|Timeout)Error$/.test(item.name);
  });
  return cause !== null && cause !== undefined;
}
