/** `npm run deploy`: from the command line to addresses on disk. */
import { existsSync, readFileSync } from "node:fs";
import {
  type Account,
  type Address,
  createPublicClient,
  createWalletClient,
  encodeDeployData,
  formatEther,
  formatGwei,
  http,
  keccak256,
  type PublicClient,
} from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { readKeystore } from "../../sequencer/l1/keystore.ts";
import { type Deployment, deployStraddle } from "../deploy.ts";
import { DeployError } from "../deployVerifiers.ts";
import { stopSnarkjs } from "../keys/snarkjsThreads.ts";
import { passwordOf } from "../password.ts";
import { createSender, type DeployedContract } from "./deployer.ts";
import { type DeploymentRecord, readDeployments, recordDeployment } from "./deploymentFile.ts";
import { createDryRun, type PlannedTransaction } from "./dryRun.ts";
import { openJournal, writeDurably } from "./journal.ts";
import { type CommandOptions, HELP, readOptions } from "./options.ts";
import {
  CREATED_BY_ROLLUP,
  compilerOf,
  createdByRollup,
  ETHERSCAN_URL,
  type Explorer,
  type SourceRequest,
  sourceRequest,
  submitSource,
  writeRequests,
} from "./sourceVerification.ts";

export async function main(args: readonly string[]): Promise<void> {
  const options = readOptions(args);
  if (options === undefined) return void process.stdout.write(HELP);
  if (options.isVerifyOnly) return verifyRecorded(options);
  const terms = options.terms();
  const { chain } = options.network;
  const publicClient: PublicClient = createPublicClient({ chain, transport: http(options.rpc) });
  await assertChain(publicClient, options);
  try {
    if (options.isDryRun) await dryRun(options, publicClient, terms);
    else await deploy(options, publicClient, terms);
  } finally {
    await stopSnarkjs();
  }
}

type Terms = ReturnType<CommandOptions["terms"]>;

/** An endpoint of another chain would take the money, or the key, to a place nobody meant. */
async function assertChain(client: PublicClient, { network, rpc }: CommandOptions): Promise<void> {
  const actual = await client.getChainId();
  if (actual === network.chain.id) return;
  const { name, chain } = network;
  throw new DeployError(`\`${rpc}\` is of chain \`${actual}\`; \`${name}\` is \`${chain.id}\``);
}

async function deploy(options: CommandOptions, publicClient: PublicClient, terms: Terms) {
  const { network, rpc, stem } = options;
  const { chain } = network;
  // Before anything is sent: a damaged file would be found out too late.
  readDeployments(`${stem}.json`);
  const account = await payer(options);
  const walletClient = createWalletClient({ chain, transport: http(rpc), account });
  const from = typeof account === "string" ? account : account.address;
  const journal = openJournal(pendingFile(options), { chainId: chain.id, from });
  const begun = journal.steps().length;
  if (begun > 0) console.log(`going on with a deployment of ${begun} steps`);
  const onProgress = (line: string) => console.log(line);
  const sender = createSender({ publicClient, walletClient, journal, onProgress });
  const deployment = await deployStraddle({
    ...{ ...terms, publicClient, walletClient },
    sender,
  });
  const record = recordOf(deployment, from, sender.deployed());
  recordDeployment(`${stem}.json`, network.name, record);
  if (options.out !== undefined)
    writeDurably(options.out, `${JSON.stringify(deployment, null, 2)}\n`);
  // Last: until the addresses are on disk, the journal is what knows them.
  journal.remove();
  console.log(`wrote ${stem}.json`);
  await verifySources(options, sourcesOf(deployment, sender.deployed()));
}

/** Of every contract that has a source, whoever created it. */
function sourcesOf(
  deployment: Deployment,
  contracts: readonly DeployedContract[],
): SourceRequest[] {
  const rollup = contracts.find(({ address }) => address === deployment.rollup);
  if (rollup === undefined) throw new DeployError("the deployment has created no rollup");
  return [...contracts, ...createdByRollup(rollup, deployment)].map(sourceRequest);
}

function pendingFile({ stem }: CommandOptions): string {
  return `${stem}.pending.json`;
}

function recordOf(
  deployment: Deployment,
  deployer: Address,
  contracts: readonly DeployedContract[],
): DeploymentRecord {
  const last = contracts.at(-1)!;
  return {
    ...deployment,
    oracles: [...deployment.oracles],
    deployedAt: new Date().toISOString(),
    deployer,
    compiler: compilerOf(last.artifact),
    contracts: contracts.map(({ name, artifact, args, address, block, transaction, gasUsed }) => {
      const { abi, bytecode } = artifact;
      const initCodeHash = keccak256(encodeDeployData({ abi, bytecode, args }));
      return { name, address, transaction, block, gasUsed: `${gasUsed}`, initCodeHash };
    }),
  };
}

/** The account that pays: from a key file, or the first of a local node's own. */
async function payer(options: CommandOptions): Promise<Account | Address> {
  const { keystore, passwordFile, network, rpc } = options;
  if (keystore !== undefined) {
    const password =
      passwordFile === undefined
        ? await passwordOf(keystore)
        : readFileSync(passwordFile, "utf8").replace(/\r?\n$/, "");
    return privateKeyToAccount(await readKeystore(keystore, password));
  }
  if (!network.isLocal) {
    throw new DeployError(`\`--keystore\` is missing; \`${network.name}\` is not local`);
  }
  const [first] = await createWalletClient({ transport: http(rpc) }).getAddresses();
  if (first === undefined) throw new DeployError("the node has no account; use `--keystore`");
  return first;
}

async function dryRun(options: CommandOptions, publicClient: PublicClient, terms: Terms) {
  const { network, rpc } = options;
  const account = options.from ?? (await payer(options));
  const from = typeof account === "string" ? account : account.address;
  const run = createDryRun({ publicClient, from, hasDataFee: network.hasDataFee });
  const walletClient = createWalletClient({ chain: network.chain, transport: http(rpc), account });
  const deployment = await deployStraddle({
    ...{ ...terms, publicClient, walletClient },
    ...{ sender: run, isDryRun: true },
  });
  const { maxFeePerGas } = await publicClient.estimateFeesPerGas();
  const balance = await publicClient.getBalance({ address: from });
  for (const line of planText(run.planned(), { from, maxFeePerGas, balance })) console.log(line);
  console.log(`the vault would be at ${deployment.vault}`);
  if (existsSync(pendingFile(options))) {
    console.log(
      `${pendingFile(options)} is of a deployment that was interrupted: without \`--dry-run\` ` +
        "the command goes on with that one, and sends only what is still missing",
    );
  }
  console.log("dry run: nothing was sent");
}

interface Payment {
  readonly from: Address;
  readonly maxFeePerGas: bigint;
  readonly balance: bigint;
}

/** One line for each transaction, then the sum against what the payer has. */
function planText(planned: readonly PlannedTransaction[], payment: Payment): string[] {
  const { from, maxFeePerGas, balance } = payment;
  const lines = planned.map((item) => {
    const { nonce, action, name, address, bytes, gas, cost, dataFee } = item;
    const data = dataFee === 0n ? "" : `, ${formatEther(dataFee)} of it for layer-one data`;
    const what = `nonce ${nonce}  ${action} ${name} at ${address}  ${bytes} bytes`;
    return `${what}  ${gas} gas  ${formatEther(cost)} ETH${data}`;
  });
  const total = planned.reduce((sum, { cost }) => sum + cost, 0n);
  const gas = planned.reduce((sum, item) => sum + item.gas, 0n);
  const enough = balance >= total ? "enough" : `${formatEther(total - balance)} ETH too little`;
  return [
    ...lines,
    `${planned.length} transactions, ${gas} gas, at most ${formatEther(total)} ETH at ` +
      `${formatGwei(maxFeePerGas)} gwei`,
    `${from} has ${formatEther(balance)} ETH: ${enough}`,
  ];
}

/** Sends the sources where there is somebody to send them to, and always leaves them on disk. */
async function verifySources(
  options: CommandOptions,
  requests: readonly SourceRequest[],
): Promise<void> {
  const folder = `${options.stem}-sources`;
  writeRequests(folder, requests);
  console.log(`wrote what explorers ask for to ${folder}`);
  await submitAll(requests, explorersOf(options));
}

/** Each to each: the contracts are there, and an explorer's bad day must not hide the others'. */
async function submitAll(
  requests: readonly SourceRequest[],
  explorers: readonly Explorer[],
): Promise<void> {
  for (const request of requests) {
    for (const explorer of explorers) {
      try {
        console.log(`${request.name}: ${await submitSource(request, explorer)}`);
      } catch (error) {
        console.error(`${request.name}: ${error instanceof Error ? error.message : error}`);
        process.exitCode = 1;
      }
    }
  }
}

function explorersOf({ network, etherscanKey, blockscout }: CommandOptions): Explorer[] {
  const chainId = network.chain.id;
  const etherscan = etherscanKey && { url: ETHERSCAN_URL, chainId, apiKey: etherscanKey };
  return [...(etherscan ? [etherscan] : []), ...(blockscout ? [{ url: blockscout, chainId }] : [])];
}

/** From what was written when the contracts were deployed. */
async function verifyRecorded(options: CommandOptions): Promise<void> {
  const file = `${options.stem}.json`;
  const recorded = readDeployments(file);
  if (recorded === undefined) throw new DeployError(`\`${file}\` is missing: nothing is deployed`);
  const explorers = explorersOf(options);
  if (explorers.length === 0) {
    throw new DeployError("name an explorer: `--etherscan-key-file` or `--blockscout`");
  }
  const { current } = recorded;
  const created = Object.entries(CREATED_BY_ROLLUP).map(([name, place]) => {
    return { name, address: current[place] };
  });
  const requests = [...current.contracts, ...created].map(({ name, address }) => {
    const stem = `${options.stem}-sources/${name}-${address}`;
    const form = JSON.parse(readFileSync(`${stem}.json`, "utf8")) as SourceRequest;
    return { ...form, standardInput: readFileSync(`${stem}.input.json`, "utf8") };
  });
  await submitAll(requests, explorers);
}
