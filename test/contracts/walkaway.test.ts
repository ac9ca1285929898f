// A3: sequencer, validators and governance are gone for good. Owners with one endpoint of layer one
// and this repository recover their money, to the unit, on Hardhat's chain and on anvil.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { type Address, createPublicClient, http, type PublicClient } from "viem";
import { hardhat } from "viem/chains";
import { readDeployments } from "../../scripts/deploy/deploymentFile.ts";
import { wordsHash } from "../../sequencer/batch/publicInputs.ts";
import { main } from "../../sequencer/cli/straddle.ts";
import { createOwner } from "../../sequencer/client/l1.ts";
import { TOKEN_ABI } from "../../sequencer/client/rollupAbi.ts";
import { effectiveRisk } from "../../sequencer/engine/risk.ts";
import { attesterOf } from "../../sequencer/l1/attestation.ts";
import { developmentAccount } from "../../sequencer/l1/developmentAccount.ts";
import { encryptKey } from "../../sequencer/l1/keystore.ts";
import { createSettlementLayer } from "../../sequencer/l1/settlementLayer.ts";
import { equityOf } from "../../sequencer/market/riskReport.ts";
import { publicKeyOf } from "../../sequencer/protocol/eddsa.ts";
import { ANVIL_ABSENT, startAnvil } from "../support/anvil.ts";
import { startHardhat, stopNodes } from "../support/localNode.ts";
import {
  createMarket,
  keySecret,
  type Market,
  oracleKeys,
  sizesOf,
  slotRisk,
} from "../support/market.ts";
import { type ProvenBatch, proveBatches, QUIET } from "../support/provenBatches.ts";
import { fill, openMarket, price } from "./provenMarket.ts";

const CHAIN_ID = 31337;
const DEADLINE = 7 * 86_400;
const WINDOW = 28 * 86_400;
const ROOT = path.join(import.meta.dirname, "../..");
/** Ahead of the chains' clocks, so that both can come to it. */
const START = Date.now() + 3_600_000;
const EXPIRY = Math.floor(START / 1000) + 90 * 86_400;
const person = (index: number) => developmentAccount(index, CHAIN_ID);
const [alice, bob, carol, stranger, operator, deployer] = [
  ...[person(1), person(2), person(3), person(4)],
  ...[person(5), person(9)],
] as const;
/** They only sign, or never act at all. */
const [proposer, guardian] = [person(10).address, person(11).address];
const validators = [12, 13, 14, 15].map(person);
/** Layer one opens 1 and 2 for the venue; then in the order of first deposits. */
const ACCOUNTS = { alice: 3, bob: 4, carol: 5 } as const;
const DEPOSITS = { alice: 700_000_003, bob: 650_000_001, bobLater: 77_000_000, carol: 5_000_001 };

const scratch = mkdtempSync(path.join(tmpdir(), "straddle-walkaway-"));
const at = (...names: string[]): string => path.join(scratch, ...names);

before(async () => {
  const oracles = oracleKeys(sizesOf("tiny")).map(({ x, y }) => ({ x: `${x}`, y: `${y}` }));
  writeFileSync(at("oracles.json"), JSON.stringify(oracles));
  writeFileSync(at("password"), "correct horse\n");
  for (const [name, account] of Object.entries({ deployer, alice, carol, stranger })) {
    const key = Buffer.from(account.getHdKey().privateKey!).toString("hex");
    writeFileSync(at(`${name}.json`), await encryptKey(`0x${key}`, "correct horse"));
  }
});

after(() => {
  stopNodes();
  rmSync(scratch, { recursive: true, force: true });
});

/** The command, as an operator runs it; gives the folder of what it wrote. */
async function deploy(network: string, rpc: string): Promise<string> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const folder = at(`deployments-${network}`);
  const payer = ["--keystore", at("deployer.json"), "--password-file", at("password")];
  const members = validators.map(({ address }) => address).join(",");
  const args = [
    ...["scripts/deploy.ts", "--network", network, "--rpc", rpc, "--deployments", folder],
    ...["--instance", "tiny", "--oracles", at("oracles.json"), "--operator", operator.address],
    ...["--proposer", proposer, "--guardian", guardian, "--validators", members],
    ...["--test-token", ...payer],
  ];
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      said += chunk;
    });
  }
  const status = await new Promise((resolve) => child.once("close", resolve));
  assert.equal(status, 0, said);
  return path.join(folder, `${network}.json`);
}

/** Two deposits, two series, and fills at prices that are not the marks. */
function tradedMarket(domain: bigint): Market {
  const market = createMarket("tiny", { domain, time: START });
  const deposits = (["alice", "bob"] as const).map((name) => {
    const { address: owner } = { alice, bob }[name];
    return { account: ACCOUNTS[name], owner, amount: DEPOSITS[name], keyExpiry: EXPIRY };
  });
  openMarket(market, { deposits, risks: [slotRisk(200, 80), slotRisk(300, 60)], expiry: EXPIRY });
  price(market, [slotRisk(231, 80), slotRisk(287, 60)]);
  const deadline = EXPIRY * 1000;
  fill(market, 3, 4, { book: 0, price: 215, lots: 40, deadline });
  fill(market, 4, 3, { book: 1, price: 290, lots: 7, deadline });
  market.seal();
  assert.deepEqual(market.state.account(3).positions.slice(0, 2), [-40, 7]);
  return market;
}

interface Traded {
  readonly domain: bigint;
  readonly market: Market;
  readonly proven: readonly ProvenBatch[];
}

/** Both chains have a rollup of the same name, so the same proofs hold on both. */
let traded: Promise<Traded> | undefined;
async function proveOnce(domain: bigint): Promise<Traded> {
  traded ??= (async () => {
    const market = tradedMarket(domain);
    return { domain, market, proven: await proveBatches(market.sealed) };
  })();
  const made = await traded;
  assert.equal(made.domain, domain);
  return made;
}

interface Chain {
  readonly rpc: string;
  readonly client: PublicClient;
}

async function wake(rpc: string): Promise<Chain> {
  return { rpc, client: createPublicClient({ transport: http(rpc), pollingInterval: 50 }) };
}

async function travelTo({ client }: Chain, seconds: number): Promise<void> {
  const { timestamp } = await client.getBlock();
  assert.ok(Number(timestamp) < seconds, "clocks only go forward");
  const request = (method: string, params: unknown[]) =>
    client.request({ method, params } as never);
  await request("evm_setNextBlockTimestamp", [seconds]);
  await request("evm_mine", []);
}

type Deployed = NonNullable<ReturnType<typeof readDeployments>>["current"];
type Person = typeof alice;

async function put({ rpc }: Chain, { rollup }: Deployed, account: Person, amount: number, id = 0) {
  const owner = createOwner({ transport: http(rpc), chain: hardhat, account, rollup });
  await owner.mint(amount);
  const key = id === 0 ? undefined : { index: 0, key: publicKeyOf(keySecret(id)), expiry: EXPIRY };
  return owner.deposit({ amount, ...(key && { key }) });
}

/** What an operator's node does with proven batches: certificates of the validators included. */
async function anchor(chain: Chain, { rollup }: Deployed, proven: readonly ProvenBatch[]) {
  const layer = createSettlementLayer({
    ...{ rpcUrl: chain.rpc, chainId: CHAIN_ID, rollup, account: operator },
    ...{ confirmations: 0, pollMs: 50, logger: QUIET },
  });
  await travelTo(chain, Math.ceil(START / 1000) + 60);
  for (const { batch, proof } of proven) {
    const { number, rootAfter: root } = batch;
    const logHash = `${number}`.padStart(64, "0");
    const content = { number, root, wordsHash: wordsHash(batch.words), logHash };
    const attestations = await Promise.all(
      validators.map((key) => attesterOf(key, { chainId: CHAIN_ID, rollup }).attest(content)),
    );
    await layer.submitBatch(batch, proof, attestations);
  }
}

/** The command line in a folder of its own, which at first has what `files` names and no more. */
async function commandLine(rpc: string, files: readonly string[]) {
  const folder = mkdtempSync(at("owner-"));
  for (const file of files) copyFileSync(file, path.join(folder, path.basename(file)));
  const trap = await startTrap();
  const run = async (line: string) => {
    let [out, err] = ["", ""];
    const code = await main(`--rpc ${rpc} ${line}`.split(" "), {
      stdout: (text) => {
        out += text;
      },
      stderr: (text) => {
        err += text;
      },
      env: { STRADDLE_URL: trap.url },
      folder,
    });
    return { code, out, err };
  };
  return { folder, run, nodeCalls: trap.calls };
}

/** Where a node would be: counts who asks it. */
async function startTrap() {
  let calls = 0;
  const server = createServer((_, response) => void response.end());
  server.on("connection", () => {
    calls++;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, calls: () => calls };
}

async function balances({ client }: Chain, { token, vault }: Deployed) {
  const of = async (address: Address) => {
    const call = { address: token, abi: TOKEN_ABI, functionName: "balanceOf" } as const;
    return Number(await client.readContract({ ...call, args: [address] }));
  };
  return {
    ...{ alice: await of(alice.address), bob: await of(bob.address) },
    ...{ carol: await of(carol.address), stranger: await of(stranger.address) },
    vault: await of(vault),
  };
}

const GONE = [operator, deployer, bob, person(7), person(8), ...validators];

/** Transactions of everybody who is gone. */
async function activity({ client }: Chain): Promise<number[]> {
  const addresses = [...GONE.map(({ address }) => address), proposer, guardian];
  return Promise.all(addresses.map((address) => client.getTransactionCount({ address })));
}

async function walkAway(network: string, rpc: string): Promise<void> {
  const chain = await wake(rpc);
  const file = await deploy(network, rpc);
  const deployment = readDeployments(file)!.current;
  for (const [id, owner, amount] of [
    [ACCOUNTS.alice, alice, DEPOSITS.alice] as const,
    [ACCOUNTS.bob, bob, DEPOSITS.bob] as const,
  ]) {
    assert.equal((await put(chain, deployment, owner, amount, id)).account, id);
  }
  const { market, proven } = await proveOnce(BigInt(deployment.domain));
  await anchor(chain, deployment, proven);
  await put(chain, deployment, bob, DEPOSITS.bobLater);
  assert.equal((await put(chain, deployment, carol, DEPOSITS.carol)).account, ACCOUNTS.carol);

  // From here on there is nobody but owners, a stranger, and layer one.
  const before = await activity(chain);
  await recover(chain, file);
  assert.deepEqual(await activity(chain), before);
  assert.deepEqual(before.slice(-2), [0, 0], "governance has never acted");

  const risk = effectiveRisk(market.state.series(), market.snapshot());
  const equity = (id: number) => equityOf(market.state.account(id), risk, market.state.unit);
  assert.notEqual(equity(3), market.state.account(3).cash);
  assert.deepEqual(await balances(chain, deployment), {
    alice: equity(ACCOUNTS.alice),
    bob: equity(ACCOUNTS.bob) + DEPOSITS.bobLater,
    carol: DEPOSITS.carol,
    stranger: 0,
    vault: market.state.fees(),
  });
  assert.equal(equity(3) + equity(4) + market.state.fees(), DEPOSITS.alice + DEPOSITS.bob);
}

/** Everything that owners do, each knowing a keystore, the deployment's file and one endpoint. */
async function recover(chain: Chain, file: string): Promise<void> {
  const name = path.basename(file);
  const keystores = ["alice", "carol", "stranger"].map((who) => at(`${who}.json`));
  const { folder, run, nodeCalls } = await commandLine(chain.rpc, [
    ...[file, at("password"), ...keystores],
  ]);
  assert.equal(readdirSync(folder).length, 5);
  const as = async (who: string, line: string, code = 0) => {
    const wallet = `--keystore ${who}.json --password-file password`;
    const ran = await run(`--config ${name} ${wallet} ${line}`);
    assert.equal(ran.code, code, `${line}: ${ran.err}`);
    return `${ran.err}${ran.out}`;
  };

  const forced = await as("alice", "force withdraw 100");
  assert.match(forced, /withdrawal of 100 USDC queued as 4 in 0x/);
  assert.match(forced, /must be served by .* UTC; if it is not, `straddle exit --freeze`/);
  assert.match(await as("alice", "force withdraw 100"), /waits already, as 4/);
  assert.match(await as("alice", "exit --freeze", 2), /the rollup has until .* to serve its queue/);
  const { timestamp } = await chain.client.getBlock();
  await travelTo(chain, Number(timestamp) + DEADLINE);
  const overdue = await as("alice", "status --layer-one");
  assert.match(overdue, /overdue since .*waiting +withdrawal 4 of 100 USDC/s);
  assert.match(overdue, /next step +`straddle exit --freeze`/);

  const forBob = await as("stranger", "exit --account 4 --freeze");
  assert.match(forBob, /freezing.*taking back the deposit 2.*claimed 65\d\.\d+ USDC in 0x/s);
  const rebuilt = await run(`--config ${name} rebuild --out state.json`);
  assert.equal(rebuilt.code, 0, rebuilt.err);
  assert.match(rebuilt.out, /batches +2, each with its root/);
  const state = JSON.parse(readFileSync(path.join(folder, "state.json"), "utf8"));
  assert.equal(state.accounts.length, 2);
  assert.match(await as("alice", "exit --state state.json"), /claimed \d+\.\d+ USDC in 0x/);
  assert.match(await as("alice", "exit"), /it is paid after .* UTC/);
  assert.match(await as("carol", "exit"), /took back 5\.000001 USDC.*nothing to claim/s);

  await travelTo(chain, Number((await chain.client.getBlock()).timestamp) + WINDOW);
  assert.match(await as("alice", "exit"), /paid \d+\.\d+ USDC in 0x/);
  assert.match(await as("alice", "exit"), /has been paid already/);
  assert.match(await as("stranger", "exit --account 4"), /paid \d+\.\d+ USDC in 0x/);
  assert.match(await as("alice", "status --layer-one"), /next step +none: the claim has been paid/);
  assert.equal(nodeCalls(), 0, "no node was asked");
}

test("A3 owners recover everything from Hardhat's chain alone", async () => {
  const { rpc } = await startHardhat();
  await walkAway("hardhat", rpc);
});

test("A3 owners recover everything from anvil alone", { skip: ANVIL_ABSENT }, async (context) => {
  const { rpcUrl, stop } = await startAnvil(CHAIN_ID);
  context.after(stop);
  await walkAway("anvil", rpcUrl);
});
