// `npm run deploy` against chains of their own: Hardhat's, and anvil where it is installed. What a
// dry run says is what happens; a deployment that is interrupted anywhere goes on, once.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import {
  type Address,
  createPublicClient,
  createWalletClient,
  http,
  type PublicClient,
  parseAbi,
} from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { hardhat } from "viem/chains";
import { createSender, type SendOptions } from "../../scripts/deploy/deployer.ts";
import { readDeployments, recordDeployment } from "../../scripts/deploy/deploymentFile.ts";
import { createDryRun } from "../../scripts/deploy/dryRun.ts";
import { openJournal } from "../../scripts/deploy/journal.ts";
import { deployStraddle } from "../../scripts/deploy.ts";
import { DeployError } from "../../scripts/deployVerifiers.ts";
import { developmentAccount } from "../../sequencer/l1/developmentAccount.ts";
import { encryptKey } from "../../sequencer/l1/keystore.ts";
import { publicKeyOf } from "../../sequencer/protocol/eddsa.ts";
import { ANVIL_ABSENT, startAnvil } from "../support/anvil.ts";
import { type LocalNode, localNode, startHardhat, stopNodes } from "../support/localNode.ts";

const root = path.join(import.meta.dirname, "../..");
const folder = mkdtempSync(path.join(tmpdir(), "straddle-deploy-"));
const at = (name: string): string => path.join(folder, name);
const oracles = [1n, 2n, 3n].map(publicKeyOf);
const oraclesFile = at("oracles.json");
writeFileSync(oraclesFile, JSON.stringify(oracles.map(({ x, y }) => ({ x: `${x}`, y: `${y}` }))));
const operator = developmentAccount(5, 31337).address;
const deployer = mnemonicToAccount("test test test test test test test test test test test junk", {
  addressIndex: 9,
});
const [proposer, guardian, ...signers] = [10, 11, 12, 13].map((index) => {
  return developmentAccount(index, 31337).address;
}) as [Address, Address, Address, Address];

after(() => {
  stopNodes();
  rmSync(folder, { recursive: true, force: true });
});

let hardhatNode: Promise<LocalNode> | undefined;
function onHardhat(): Promise<LocalNode> {
  hardhatNode ??= startHardhat();
  return hardhatNode;
}

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...args: string[]): Promise<Ran> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, ["scripts/deploy.ts", ...args], { cwd: root, env });
  const ran = { status: null as number | null, stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    ran.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    ran.stderr += chunk;
  });
  return new Promise((resolve) => {
    child.on("close", (status) => resolve({ ...ran, status }));
  });
}

const TERMS = ["--instance", "tiny", "--operator", operator, "--oracles", oraclesFile];
const GOVERNED = [
  ...["--proposer", proposer, "--guardian", guardian],
  ...["--validators", signers.join(",")],
];

async function keystore(): Promise<string[]> {
  const [file, passwordFile] = [at("deployer.json"), at("password")];
  if (!existsSync(file)) {
    const key = `0x${Buffer.from(deployer.getHdKey().privateKey!).toString("hex")}` as const;
    writeFileSync(file, await encryptKey(key, "correct horse"));
    writeFileSync(passwordFile, "correct horse\n");
  }
  return ["--keystore", file, "--password-file", passwordFile];
}

/** The lines of a dry run: nonce, name, address and gas. */
function planned(text: string, action: "create" | "call"): RegExpMatchArray[] {
  const line = `nonce (\\d+) +${action} ([\\w.]+) at (0x\\w{40}).* (\\d+) gas`;
  return [...text.matchAll(new RegExp(line, "g"))];
}

async function membersOf(client: PublicClient, { registry }: { readonly registry: Address }) {
  const abi = parseAbi(["function members() view returns (address[])"]);
  return client.readContract({ address: registry, abi, functionName: "members" });
}

/** Dry run, deployment, second deployment: on any chain the same. */
async function deployOn(network: string, { rpc, client }: LocalNode): Promise<void> {
  const where = ["--network", network, "--rpc", rpc, "--deployments", at(`on-${network}`)];
  const what = [...where, ...TERMS, ...GOVERNED, "--test-token", ...(await keystore())];
  const before = await client.getTransactionCount({ address: deployer.address });
  const block = await client.getBlockNumber();
  const dry = await run(...what, "--dry-run");
  assert.equal(dry.status, 0, dry.stderr);
  assert.match(dry.stdout, /dry run: nothing was sent/);
  assert.equal(await client.getBlockNumber(), block);
  assert.ok(!existsSync(at(`on-${network}/${network}.json`)));
  const lines = planned(dry.stdout, "create");
  const names = lines.map((line) => line[2]);
  const prefix = "InsecureDev";
  const verifiers = ["Trade", "Ledger", "Exit"].map((name) => `${prefix}${name}TinyVerifier`);
  assert.deepEqual(names, ["TestToken", ...verifiers, "Governance", "Rollup"]);
  const calls = planned(dry.stdout, "call");

  const done = await run(...what);
  assert.equal(done.status, 0, done.stderr);
  const { current, history } = readDeployments(at(`on-${network}/${network}.json`))!;
  assert.deepEqual(history, []);
  for (const [index, [, nonce, name, address, gas]] of lines.entries()) {
    const contract = current.contracts[index]!;
    assert.equal(Number(nonce), before + index);
    assert.deepEqual([contract.name, contract.address], [name, address]);
    const off = Math.abs(Number(contract.gasUsed) - Number(gas)) / Number(contract.gasUsed);
    assert.ok(off < 0.03, `${name}: ${gas} gas expected, ${contract.gasUsed} used`);
    const receipt = await client.getTransactionReceipt({ hash: contract.transaction as never });
    assert.equal(receipt.contractAddress?.toLowerCase(), contract.address.toLowerCase());
  }
  assert.match(dry.stdout, new RegExp(`vault would be at ${current.vault}`));
  const owed = ["mint", "approve"].map((name) => [`TestToken.${name}`, current.token]);
  const bonds = signers.map(() => ["ValidatorRegistry.bond", current.registry]);
  assert.deepEqual(
    calls.map(([, , name, address]) => [name, address]),
    [...owed, ...bonds],
  );
  for (const [index, [, nonce, name, , gas]] of calls.entries()) {
    assert.equal(Number(nonce), before + lines.length + index);
    const [, used] = new RegExp(`${name} at \\w+ \\((\\d+) gas\\)`).exec(done.stdout)!;
    assert.ok(Number(used) <= Number(gas), `${name}: at most ${gas} gas, ${used} used`);
  }
  assert.deepEqual(await membersOf(client, current), signers);
  assert.ok(!existsSync(at(`on-${network}/${network}.pending.json`)));
  const request = `${at(`on-${network}/${network}-sources`)}/Rollup-${current.rollup}`;
  const form = JSON.parse(readFileSync(`${request}.json`, "utf8"));
  assert.equal(form.contract, "project/contracts/Rollup.sol:Rollup");
  const input = JSON.parse(readFileSync(`${request}.input.json`, "utf8"));
  assert.ok("project/contracts/Rollup.sol" in input.sources);
  const { input: sent } = await client.getTransaction({
    hash: current.contracts.at(-1)!.transaction as never,
  });
  assert.ok(sent.endsWith(form.constructorArguments));

  const again = await run(...what);
  assert.equal(again.status, 0, again.stderr);
  const second = readDeployments(at(`on-${network}/${network}.json`))!;
  assert.deepEqual(second.history, [current]);
  assert.notEqual(second.current.rollup, current.rollup);
}

test("a keystore deploys on Hardhat's chain what the dry run said", async () => {
  await deployOn("hardhat", await onHardhat());
});

test("a keystore deploys on anvil what the dry run said", {
  skip: ANVIL_ABSENT,
}, async (context) => {
  const { rpcUrl, stop } = await startAnvil(31337);
  context.after(stop);
  await deployOn("anvil", localNode(rpcUrl));
});

type Stage = Parameters<NonNullable<SendOptions["onStage"]>>[0];

/** Deploys, with one crash at `crashAt` of every contract, and of every function called. */
async function crashingDeployment(
  node: LocalNode,
  { isLocal, crashAt }: { readonly isLocal: boolean; readonly crashAt: Stage },
  file: string,
) {
  const { rpc } = node;
  // Remembers the chain's head for longer than all attempts take, as clients do for some seconds.
  const publicClient = createPublicClient({
    ...{ chain: hardhat, transport: http(rpc), pollingInterval: 50, cacheTime: 60_000 },
  });
  const [first] = await createWalletClient({ transport: http(rpc) }).getAddresses();
  const account = isLocal ? deployer : first!;
  const from = typeof account === "string" ? account : account.address;
  const walletClient = createWalletClient({ chain: hardhat, transport: http(rpc), account });
  const before = await publicClient.getTransactionCount({ address: from });
  const crashed = new Set<string>();
  const onStage = (stage: Stage, name: string): void => {
    if (stage !== crashAt || crashed.has(name)) return;
    crashed.add(name);
    throw new Error(`crash: ${name} ${stage}`);
  };
  for (let attempt = 0; attempt < 100; attempt++) {
    const journal = openJournal(file, { chainId: 31337, from });
    const sender = createSender({ publicClient, walletClient, journal, onStage });
    try {
      const deployment = await deployStraddle({
        ...{ publicClient, walletClient, instance: "tiny", token: "test-token", oracles },
        ...{ operator, treasury: deployer.address, insurance: operator, sender },
        ...{ mockVerifiers: true, governance: { proposer, guardian }, validators: { signers } },
      });
      const sent = (await publicClient.getTransactionCount({ address: from })) - before;
      journal.remove();
      return { deployment, sent, crashed };
    } catch (error) {
      assert.match(String(error), /crash: /);
    }
  }
  throw new Error("it never ends");
}

const STAGES: readonly Stage[] = ["noted", "signed", "sent", "mined"];
for (const isLocal of [true, false]) {
  const who = isLocal ? "a keystore's key" : "the node's own account";
  for (const crashAt of STAGES) {
    test(`crashes when ${crashAt} send nothing twice, by ${who}`, async () => {
      const node = await onHardhat();
      const file = at(`journal-${isLocal}-${crashAt}.json`);
      const done = await crashingDeployment(node, { isLocal, crashAt }, file);
      assert.equal(done.sent, 8, "four contracts, mint, approve and two bonds, each once");
      assert.equal(done.crashed.size, 7);
      assert.deepEqual(await membersOf(node.client, done.deployment), signers);
      assert.ok(await node.client.getCode({ address: done.deployment.rollup }));
      assert.ok(!existsSync(file));
    });
  }
}

test("an interrupted deployment goes on with the same terms only", async () => {
  const { client: publicClient, rpc } = await onHardhat();
  const walletClient = createWalletClient({
    ...{ chain: hardhat, transport: http(rpc), account: deployer },
  });
  const file = at("terms.json");
  const from = deployer.address;
  const attempt = (minimumDeposit: bigint, crash: boolean) => {
    const journal = openJournal(file, { chainId: 31337, from });
    const onStage: SendOptions["onStage"] = (stage, name) => {
      if (crash && name === "Rollup" && stage === "sent") throw new Error("crash");
    };
    const sender = createSender({ publicClient, walletClient, journal, onStage });
    return deployStraddle({
      ...{ publicClient, walletClient, instance: "tiny", token: "test-token", oracles },
      ...{ operator, treasury: from, insurance: operator, minimumDeposit, sender },
      mockVerifiers: true,
    });
  };
  await assert.rejects(attempt(1n, true), /crash/);
  await assert.rejects(attempt(2n, false), /another `Rollup` in this place/);
  await attempt(1n, false);
  const other = { chainId: 31337, from: operator };
  assert.throws(() => openJournal(file, other), /unfinished deployment by/);
  writeFileSync(file, "{");
  assert.throws(() => openJournal(file, { chainId: 31337, from }), /damaged/);
});

test("a creation that would revert is found out by the dry run", async () => {
  const { client: publicClient, rpc } = await onHardhat();
  const from = deployer.address;
  const run = createDryRun({ publicClient, from, hasDataFee: false });
  const walletClient = createWalletClient({ account: deployer, transport: http(rpc) });
  const terms = { publicClient, walletClient, instance: "tiny", oracles, operator };
  const venue = { treasury: from, insurance: operator, mockVerifiers: true, isDryRun: true };
  // A token without code has no decimals.
  const token = "0x00000000000000000000000000000000000000ee";
  const deploy = { ...terms, ...venue, token, sender: run } as const;
  await assert.rejects(deployStraddle(deploy), /creation of `Rollup` would revert/);
});

test("public networks take no mocks, development keys or bare keys", async () => {
  const { rpc } = await onHardhat();
  const wrong = await run("--network", "sepolia", "--rpc", rpc, ...TERMS, "--test-token");
  assert.match(wrong.stderr, /--treasury` is missing; chain `11155111` is not local/);
  const owners = ["--treasury", operator, "--insurance", deployer.address];
  const terms = [...TERMS, "--token", operator, ...owners, "--minimum-deposit", "1000000"];
  const sepolia = ["--network", "sepolia", ...terms];
  const mismatch = await run(...sepolia, "--rpc", rpc);
  assert.match(mismatch.stderr, /is of chain `31337`; `sepolia` is `11155111`/);
  const lying = await startLiar(rpc, "0xaa36a7");
  const bare = await run(...sepolia, "--rpc", lying);
  assert.match(bare.stderr, /`--keystore` is missing; `sepolia` is not local/);
  const unlocked = await run(...sepolia, "--rpc", lying, ...(await keystore()));
  assert.match(unlocked.stderr, /anybody can forge proofs for the key of `InsecureDevTradeTiny/);
  const mocked = await run(...sepolia, "--rpc", lying, ...(await keystore()), "--mock-verifiers");
  assert.match(mocked.stderr, /mock verifiers accept every proof/);
  for (const { status } of [wrong, mismatch, bare, unlocked, mocked]) assert.equal(status, 1);
  const half = await run(
    "--network",
    "hoodi",
    "--rpc",
    rpc,
    ...sepolia.slice(2),
    "--proposer",
    operator,
  );
  assert.match(half.stderr, /both `--proposer` and `--guardian`, or neither/);
  const nowhere = await run("--network", "hoodi");
  assert.match(nowhere.stderr, /`--rpc` is missing/);
});

/** Says that it is of another chain, and passes everything else on. */
async function startLiar(rpc: string, chainId: string): Promise<string> {
  const server = createServer(async (request, response) => {
    const text = await new Response(request as never).text();
    const call = JSON.parse(text) as { id: number; method: string };
    if (call.method === "eth_chainId") {
      response.end(JSON.stringify({ jsonrpc: "2.0", id: call.id, result: chainId }));
      return;
    }
    const headers = { "content-type": "application/json" };
    const answer = await fetch(rpc, { method: "POST", body: text, headers });
    response.end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // It must not keep the test's process alive.
  server.unref();
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a file of addresses that is damaged, or of another chain, is refused", () => {
  const source = at("on-hardhat/hardhat.json");
  const file = at("changed.json");
  const whole = JSON.parse(readFileSync(source, "utf8"));
  const lies: ((data: typeof whole) => void)[] = [
    (data) => {
      data.version = 2;
    },
    (data) => {
      data.current.rollup = "0x12";
    },
    (data) => {
      data.current.chainId = 1;
    },
    (data) => {
      data.history[0].chainId = 1;
    },
    (data) => {
      delete data.current.verifiers.exit;
    },
  ];
  for (const lie of lies) {
    const data = structuredClone(whole);
    lie(data);
    writeFileSync(file, JSON.stringify(data));
    assert.throws(() => readDeployments(file), DeployError);
  }
  writeFileSync(file, JSON.stringify(whole));
  assert.throws(() => recordDeployment(file, "anvil", whole.current), /is of `hardhat`, not/);
});
