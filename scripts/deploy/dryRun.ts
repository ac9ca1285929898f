/**
 * What a deployment would send and cost, with nothing sent: each creation is executed by the node
 * against the code that the ones before it would have left. Calls are taken at their most: the
 * storage that they work on is nowhere yet.
 */
import {
  type Address,
  encodeDeployData,
  encodeFunctionData,
  getAddress,
  getContractAddress,
  type Hex,
  hexToBigInt,
  type PublicClient,
  type StateOverride,
  size,
  slice,
} from "viem";
import { estimateL1Fee } from "viem/op-stack";
import { DeployError } from "../deployVerifiers.ts";
import type { Sender } from "./deployer.ts";

/** Would be sent. Amounts in wei. */
export interface PlannedTransaction {
  readonly action: "create" | "call";
  readonly name: string;
  readonly nonce: number;
  readonly address: Address;
  readonly bytes: number;
  readonly gas: bigint;
  /** At present fees, with layer one's share where the chain charges it apart. */
  readonly cost: bigint;
  readonly dataFee: bigint;
}

export interface DryRun extends Sender {
  readonly planned: () => readonly PlannedTransaction[];
}

export interface DryRunOptions {
  readonly publicClient: PublicClient;
  readonly from: Address;
  readonly hasDataFee: boolean;
}

/** Gas of a transaction that does nothing, and of a byte of its data. */
const GAS = { transaction: 21_000n, zeroByte: 4n, otherByte: 16n, floorToken: 10n } as const;
/** The most that a transaction may take on layer one (EIP-7825). */
const CALL_GAS = 2n ** 24n;
/** Enough for the node to let an account without money ask. */
const FUNDED = 10n ** 24n;
const SCRATCH = "0x00000000000000000000000000000000000c0de5";
/**
 * Creates its calldata and returns (address, gas used):
 * CALLDATACOPY, GAS, CREATE, GAS, MSTORE address, MSTORE difference, RETURN.
 */
const METER: Hex = "0x365f5f375a365f5ff05a905f52900360205260405ff3";

/** Creates its calldata and returns the code that is left: EXTCODESIZE, EXTCODECOPY, RETURN. */
const READER: Hex = "0x365f5f37365f5ff0803b805f5f843c5ff3";

export function createDryRun(options: DryRunOptions): DryRun {
  const { publicClient, from } = options;
  const planned: PlannedTransaction[] = [];
  const overrides: { address: Address; code: Hex }[] = [];
  let firstNonce: number | undefined;
  const nextNonce = async (): Promise<number> => {
    firstNonce ??= await publicClient.getTransactionCount({ address: from, blockTag: "pending" });
    return firstNonce + planned.length;
  };
  const plan = async (item: Omit<PlannedTransaction, Priced>, data: Hex): Promise<void> => {
    const { maxFeePerGas } = await publicClient.estimateFeesPerGas();
    const dataFee = options.hasDataFee ? await layerOneFee(options, data, item) : 0n;
    planned.push({ ...item, bytes: size(data), dataFee, cost: item.gas * maxFeePerGas + dataFee });
  };
  return {
    planned: () => planned,
    async deploy(name, { abi, bytecode }, args) {
      const data = encodeDeployData({ abi, bytecode, args });
      const nonce = await nextNonce();
      const address = getAddress(getContractAddress({ from, nonce: BigInt(nonce) }));
      const gas = await creationGas(options, { name, data, overrides });
      await plan({ action: "create", name, nonce, address, gas }, data);
      overrides.push({ address, code: await runtimeCode(options, data, overrides) });
      return { address, block: 0 };
    },
    async call({ address, artifact, functionName, args, gasMax: gas }) {
      const data = encodeFunctionData({ abi: artifact.abi, functionName, args });
      const name = `${artifact.contractName}.${functionName}`;
      await plan({ action: "call", name, nonce: await nextNonce(), address, gas }, data);
    },
  };
}

type Priced = "bytes" | "cost" | "dataFee";

interface Creation {
  readonly name: string;
  readonly data: Hex;
  readonly overrides: StateOverride;
}

async function creationGas(options: DryRunOptions, creation: Creation): Promise<bigint> {
  const { publicClient, from } = options;
  const { data, overrides } = creation;
  const stateOverride = [...overrides, { address: from, balance: FUNDED }];
  try {
    return await publicClient.estimateGas({ account: from, data, stateOverride });
  } catch {
    // Not every node takes overrides in an estimate; all that matter take them in a call.
    return meteredGas(options, creation);
  }
}

/** Measured by a contract that creates it, plus what the transaction itself costs. */
async function meteredGas(
  { publicClient, from }: DryRunOptions,
  { name, data, overrides }: Creation,
): Promise<bigint> {
  const stateOverride = [...overrides, { address: SCRATCH, code: METER } as const];
  const request = { account: from, to: SCRATCH, data, gas: CALL_GAS, stateOverride } as const;
  const { data: answer = "0x" } = await publicClient.call(request);
  if (size(answer) !== 64 || hexToBigInt(slice(answer, 0, 32)) === 0n) {
    throw new DeployError(`the creation of \`${name}\` would revert`);
  }
  const created = hexToBigInt(slice(answer, 32, 64));
  const bytes = Buffer.from(data.slice(2), "hex");
  const zeros = BigInt(bytes.filter((byte) => byte === 0).length);
  const others = BigInt(bytes.length) - zeros;
  const used = GAS.transaction + zeros * GAS.zeroByte + others * GAS.otherByte + created;
  const floor = GAS.transaction + (zeros + 4n * others) * GAS.floorToken;
  return used > floor ? used : floor;
}

async function runtimeCode(
  { publicClient, from }: DryRunOptions,
  data: Hex,
  overrides: StateOverride,
): Promise<Hex> {
  // Not a call without `to`: nodes differ in what they answer to one with overrides.
  const stateOverride = [...overrides, { address: SCRATCH, code: READER } as const];
  const request = { account: from, to: SCRATCH, data, gas: CALL_GAS, stateOverride } as const;
  const { data: code } = await publicClient.call(request);
  if (code === undefined) throw new DeployError("the node does not say what a creation leaves");
  return code;
}

async function layerOneFee(
  { publicClient, from }: DryRunOptions,
  data: Hex,
  { gas, nonce }: Pick<PlannedTransaction, "gas" | "nonce">,
): Promise<bigint> {
  const request = { account: from, data, gas, nonce, chain: publicClient.chain };
  return estimateL1Fee(publicClient as never, request as never);
}
