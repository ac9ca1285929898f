/** What a batch's gas goes to, from a trace of its transaction: the parts add up to all of it. */
import { type Hash, isAddressEqual, pad, toHex } from "viem";
import type { World } from "./gasWorld.ts";

/** Sums by what the chain charges for; what is left of each contract is its own computing. */
export interface GasParts {
  readonly transaction: number;
  readonly calldata: number;
  /** Precompiles: the pairing, and the points of the public inputs. */
  readonly curve: number;
  /** Precompile: the validators' signatures. */
  readonly signatures: number;
  readonly storage: number;
  /** The first touch of an account in the transaction. */
  readonly accounts: number;
  readonly event: number;
  readonly rollup: number;
  readonly verifier: number;
  readonly registry: number;
}

interface TraceStep {
  readonly op: string;
  readonly gas: number | string;
  readonly gasCost: number | string;
  readonly depth: number;
  readonly stack: readonly string[];
}

const TRANSACTION_GAS = 21_000;
const CALLDATA_GAS = { zero: 4, other: 16 } as const;
/** A first touch of an account, above the 100 of every later one. */
const COLD_ACCOUNT_GAS = 2_500;
const ECRECOVER = 1n;
/** Addition, multiplication and pairing on BN254. */
const CURVE_PRECOMPILES = [6n, 7n, 8n];
const STORAGE = new Set(["SLOAD", "SSTORE", "TLOAD", "TSTORE"]);
const ACCOUNT = new Set(["STATICCALL", "CALL", "EXTCODECOPY", "EXTCODESIZE"]);

export async function gasParts(world: World, hash: Hash): Promise<GasParts> {
  const { publicClient, chain } = world;
  const [{ input }, { gasUsed }] = await Promise.all([
    publicClient.getTransaction({ hash }),
    publicClient.getTransactionReceipt({ hash }),
  ]);
  const { structLogs } = (await chain.provider.request({
    method: "debug_traceTransaction",
    params: [hash, { disableMemory: true, disableStorage: true }],
  } as never)) as { structLogs: readonly TraceStep[] };
  const bytes = Buffer.from(input.slice(2), "hex");
  const zeros = bytes.filter((byte) => byte === 0).length;
  const calldata = zeros * CALLDATA_GAS.zero + (bytes.length - zeros) * CALLDATA_GAS.other;
  const parts = { transaction: TRANSACTION_GAS, calldata, ...executionParts(world, structLogs) };
  const sum = Object.values(parts).reduce((total, gas) => total + gas, 0);
  if (sum === Number(gasUsed)) return parts;
  throw new Error(`the parts add up to \`${sum}\` of \`${gasUsed}\` gas`);
}

type ExecutionParts = Omit<GasParts, "transaction" | "calldata">;

function executionParts({ registry }: World, steps: readonly TraceStep[]): ExecutionParts {
  const parts: Record<keyof ExecutionParts, number> = {
    ...{ curve: 0, signatures: 0, storage: 0, accounts: 0, event: 0 },
    ...{ rollup: 0, verifier: 0, registry: 0 },
  };
  const contracts: (keyof ExecutionParts)[] = ["rollup"];
  for (const [index, step] of steps.entries()) {
    const isCall = (steps[index + 1]?.depth ?? 0) > step.depth;
    const cost = ownCost(steps, index);
    const here = contracts[step.depth - 1]!;
    const part = partOf(step, isCall) ?? here;
    const isCold = ACCOUNT.has(step.op) && part === here && cost >= COLD_ACCOUNT_GAS;
    if (isCold) parts.accounts += COLD_ACCOUNT_GAS;
    parts[part] += cost - (isCold ? COLD_ACCOUNT_GAS : 0);
    if (isCall) contracts[step.depth] = calledBy(step, registry.address);
  }
  return parts;
}

/** What the step itself took: of a call, without what the called contract used. */
function ownCost(steps: readonly TraceStep[], index: number): number {
  const { depth, gas, gasCost } = steps[index]!;
  const next = steps[index + 1];
  if (next === undefined || next.depth < depth) return Number(gasCost);
  if (next.depth === depth) return Number(gas) - Number(next.gas);
  let end = index + 1;
  while (steps[end]!.depth > depth) end += 1;
  const last = steps[end - 1]!;
  const inside = Number(next.gas) - (Number(last.gas) - Number(last.gasCost));
  return Number(gas) - Number(steps[end]!.gas) - inside;
}

function partOf({ op, stack }: TraceStep, isCall: boolean): keyof ExecutionParts | undefined {
  if (STORAGE.has(op)) return "storage";
  if (op.startsWith("LOG")) return "event";
  if (op !== "STATICCALL" || isCall) return undefined;
  const callee = BigInt(word(stack.at(-2)!));
  if (callee === ECRECOVER) return "signatures";
  return CURVE_PRECOMPILES.includes(callee) ? "curve" : undefined;
}

function calledBy({ stack }: TraceStep, registry: `0x${string}`): "registry" | "verifier" {
  const callee = pad(toHex(BigInt(word(stack.at(-2)!))), { size: 20 });
  return isAddressEqual(callee, registry) ? "registry" : "verifier";
}

/** Nodes write the stack's words with or without their prefix. */
function word(text: string): string {
  return text.startsWith("0x") ? text : `0x${text}`;
}
