/** A chain behind JSON-RPC with a rollup whose verifiers accept everything, and its batches. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import hre, { network } from "hardhat";
import {
  type Abi,
  type Address,
  createTestClient,
  createWalletClient,
  type Hex,
  http,
  publicActions,
  zeroAddress,
} from "viem";
import type { ProofWords, SealedBatch } from "../../../sequencer/batch/sealedBatch.ts";
import { developmentAccount } from "../../../sequencer/l1/developmentAccount.ts";
import {
  rollupAbi,
  testTokenAbi,
  validatorRegistryAbi,
} from "../../../sequencer/l1/generated/abi.ts";
import { BATCH_KINDS } from "../../../sequencer/protocol/constants.ts";
import { HEADER, type HeaderField } from "../../../sequencer/protocol/layout.ts";
import { sizesOf } from "../../support/market.ts";

export const CHAIN_ID = 31337;
export const GENESIS = 5n;
export const ORACLE_SET = 77n;
export const PROOF: ProofWords = [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n];
export const NO_KEY = { index: 0, expiry: 0, x: 0n, y: 0n };
/** A point of Baby Jubjub. */
export const KEY = {
  index: 1,
  expiry: 2_000_000_000,
  x: 5299619240641551281634865583518297030282874472190772894086521144482721001553n,
  y: 16950150798460657717958625567821834550301663161624707787222815936182638968203n,
};
const { trade, ledger } = sizesOf("tiny");
const SIZES = {
  slots: trade.slots,
  tradeFills: trade.fills,
  ledgerSteps: ledger.steps,
  accountLevels: trade.accountLevels,
};
const MARK_WORDS = 2;

export const operator = developmentAccount(0, CHAIN_ID);
export const trader = developmentAccount(1, CHAIN_ID);
export const guardian = developmentAccount(6, CHAIN_ID);
const proposer = developmentAccount(5, CHAIN_ID);
/** Seconds. */
const GOVERNANCE_DELAY = 1_300_000n;

interface Chain {
  readonly rpcUrl: string;
  stop(): Promise<void>;
}

async function startHardhat(): Promise<Chain> {
  const server = await network.createServer("default", "127.0.0.1", 0);
  const { address, port } = await server.listen();
  return { rpcUrl: `http://${address}:${port}`, stop: () => server.close() };
}

/** `signers` are validators of the rollup, bonded. `isGoverned`: {@link guardian} may pause it. */
export async function startRollupNode({
  start = startHardhat,
  signers = [],
  isGoverned = false,
}: {
  readonly start?: () => Promise<Chain>;
  readonly signers?: readonly Address[];
  readonly isGoverned?: boolean;
} = {}) {
  const { rpcUrl, stop } = await start();
  const transport = http(rpcUrl);
  const test = createTestClient({ mode: "hardhat", transport }).extend(publicActions);
  const wallet = createWalletClient({ transport, account: trader });

  /**
   * Without a look for replacements: while it runs viem does not hear of a block, and where blocks
   * hold one transaction each the next one never comes.
   */
  const receiptOf = (hash: Hex) =>
    test.waitForTransactionReceipt({ hash, pollingInterval: 5, checkReplacement: false });

  async function deploy(name: string, args: readonly unknown[] = []): Promise<Address> {
    const { abi, bytecode } = await hre.artifacts.readArtifact(name);
    const hash = await wallet.deployContract({
      ...{ abi: abi as Abi, bytecode: bytecode as Hex, args, chain: null },
    });
    return (await receiptOf(hash)).contractAddress!;
  }

  const token = await deploy("TestToken");
  const verifier = await deploy("AcceptingVerifier");
  const governance = isGoverned
    ? await deploy("Governance", [GOVERNANCE_DELAY, proposer.address, guardian.address])
    : zeroAddress;
  const config = {
    token,
    tradeVerifier: verifier,
    ledgerVerifier: verifier,
    exitVerifier: verifier,
    genesisRoot: GENESIS,
    oracleSetHash: ORACLE_SET,
    operator: operator.address,
    treasury: developmentAccount(7, CHAIN_ID).address,
    insurance: developmentAccount(8, CHAIN_ID).address,
    sizes: SIZES,
    forcedDeadline: 604_800n,
    claimWindow: 604_800n,
    minimumDeposit: 1n,
    governance,
    validators: {
      candidates: signers.map((signer) => ({ signer, owner: trader.address })),
      ...{ stake: 1n, evidenceWindow: 1n, unbondingDelay: 2n },
    },
  };
  const rollup = await deploy("Rollup", [config]);
  const contract = { address: rollup, abi: rollupAbi, chain: null } as const;
  const vault = await test.readContract({ ...contract, functionName: "vault" });
  const tokenContract = { address: token, abi: testTokenAbi, chain: null } as const;
  const big = 10n ** 12n;
  const mintArgs = [trader.address, big] as const;
  await wallet.writeContract({ ...tokenContract, functionName: "mint", args: mintArgs });
  await wallet.writeContract({ ...tokenContract, functionName: "approve", args: [vault, big] });

  // Anvil answers before it mines.
  const mined = async (sending: Promise<Hex>): Promise<void> => {
    const hash = await sending;
    const { status } = await receiptOf(hash);
    if (status !== "success") throw new Error(`transaction \`${hash}\` reverted`);
  };

  const registry = await test.readContract({ ...contract, functionName: "validators" });
  const registryContract = { address: registry, abi: validatorRegistryAbi, chain: null } as const;
  const registryArgs = [registry, big] as const;
  if (signers.length > 0) {
    await wallet.writeContract({ ...tokenContract, functionName: "approve", args: registryArgs });
  }
  for (const signer of signers) {
    await mined(
      wallet.writeContract({ ...registryContract, functionName: "bond", args: [signer] }),
    );
  }

  const queue = {
    deposit: (amount: bigint, key = NO_KEY) =>
      mined(wallet.writeContract({ ...contract, functionName: "deposit", args: [amount, key] })),
    registerKey: (key: typeof KEY) =>
      mined(wallet.writeContract({ ...contract, functionName: "registerKey", args: [key] })),
    forceWithdraw: (amount: bigint) =>
      mined(wallet.writeContract({ ...contract, functionName: "forceWithdraw", args: [amount] })),
    forceCancelAll: () =>
      mined(wallet.writeContract({ ...contract, functionName: "forceCancelAll" })),
    forceClose: (slot: bigint, lots: bigint) =>
      mined(wallet.writeContract({ ...contract, functionName: "forceClose", args: [slot, lots] })),
    freeze: () => mined(wallet.writeContract({ ...contract, functionName: "freeze" })),
  };
  return { rpcUrl, rollup, verifier, test, queue, stop };
}

export type RollupNode = Awaited<ReturnType<typeof startRollupNode>>;

/** The trade batch after `number - 1` others, with parts of its header replaced. */
export async function tradeBatch(
  { test, rollup }: RollupNode,
  number: number,
  header: { readonly oracleSet?: bigint } = {},
): Promise<SealedBatch> {
  const contract = { address: rollup, abi: rollupAbi } as const;
  const domain = await test.readContract({ ...contract, functionName: "domain" });
  const { timestamp } = await test.getBlock();
  const time = timestamp * 1000n + BigInt(number);
  const rootBefore = GENESIS + BigInt(number - 1);
  const rootAfter = rootBefore + 1n;
  const { oracleSet = ORACLE_SET } = header;
  const fields: Record<HeaderField, bigint> = {
    ...{ kind: BigInt(BATCH_KINDS.trade), number: BigInt(number), time, rootBefore, rootAfter },
    ...{ oracleSet, domain, snapshotTime: time - 1n, privateRoot: 0n },
  };
  const rest = new Array<bigint>(MARK_WORDS + SIZES.tradeFills).fill(0n);
  const words = [...HEADER.map((name) => fields[name]), ...rest];
  const commitment = 1000n + BigInt(number);
  return { number, kind: "trade", rootBefore, rootAfter, words, commitment, inputs: {} };
}

export type RpcMessage = { result?: unknown; error?: unknown };
export type RpcRequest = { method: string; params?: unknown[] };

/** A provider in front of another one that changes answers. */
export async function startProxy(
  target: string,
  change: (request: RpcRequest, answer: RpcMessage) => void,
) {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString("utf8");
    const headers = { "content-type": "application/json" };
    const answer = await fetch(target, { method: "POST", headers, body });
    const message = (await answer.json()) as RpcMessage;
    change(JSON.parse(body) as RpcRequest, message);
    response.writeHead(200, headers).end(JSON.stringify(message));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop };
}
