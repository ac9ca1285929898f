// Deployment: what comes out works, and what is unsafe is refused before it costs anything.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { network } from "hardhat";
import { type Address, getAddress, zeroAddress } from "viem";
import StraddleModule from "../../contracts/ignition/Straddle.ts";
import { deployStraddle, instanceSizes, VENUE_OWNERS } from "../../scripts/deploy.ts";
import { outOfDate } from "../../scripts/generate.ts";
import { developmentAccount } from "../../sequencer/l1/developmentAccount.ts";
import { FIELD_MODULUS } from "../../sequencer/protocol/constants.ts";
import { type PublicKey, publicKeyOf } from "../../sequencer/protocol/eddsa.ts";
import { oracleSetHash } from "../../sequencer/protocol/snapshot.ts";
import { genesisRoot } from "../../sequencer/state/genesis.ts";

const oracles = [1n, 2n, 3n].map(publicKeyOf);
const treasury = developmentAccount(VENUE_OWNERS.treasury, 31337).address;
const insurance = developmentAccount(VENUE_OWNERS.insurance, 31337).address;
const root = path.join(import.meta.dirname, "../..");

async function clientsOn(chainId: number) {
  const chain = await network.create({ network: "default", override: { chainId } });
  const [walletClient] = await chain.viem.getWalletClients();
  const publicClient = await chain.viem.getPublicClient();
  return { chain, walletClient: walletClient!, publicClient };
}

type Clients = Awaited<ReturnType<typeof clientsOn>>;

function optionsFor({ walletClient, publicClient }: Clients) {
  return {
    walletClient,
    publicClient,
    instance: "tiny",
    token: "test-token" as const,
    oracles,
    operator: walletClient.account.address,
    treasury,
    insurance,
    mockVerifiers: true,
  };
}

test("a deployment says everything that a node must know, and the chain agrees", async () => {
  const clients = await clientsOn(31337);
  const lines: string[] = [];
  const deployment = await deployStraddle({
    ...optionsFor(clients),
    forcedDeadline: 3600,
    minimumDeposit: 5n,
    governance: { proposer: treasury, guardian: insurance },
    onProgress: (line) => lines.push(line),
  });
  const rollup = await clients.chain.viem.getContractAt("Rollup", deployment.rollup);
  const { trade, ledger } = instanceSizes("tiny");
  assert.equal(await rollup.read.token(), deployment.token);
  assert.equal(await rollup.read.vault(), deployment.vault);
  assert.equal(await rollup.read.validators(), deployment.registry);
  assert.equal(await rollup.read.governance(), deployment.governance);
  assert.equal(await rollup.read.operator(), getAddress(deployment.operator));
  assert.equal(await rollup.read.ownerOf([1n]), deployment.treasury);
  assert.equal(await rollup.read.ownerOf([2n]), deployment.insurance);
  assert.deepEqual([deployment.treasury, deployment.insurance], [treasury, insurance]);
  assert.equal(await rollup.read.stateRoot(), genesisRoot(trade));
  assert.equal(await rollup.read.oracleSetHash(), oracleSetHash(oracles));
  assert.equal(`${await rollup.read.domain()}`, deployment.domain);
  assert.equal(await rollup.read.forcedDeadline(), 3600n);
  assert.equal(await rollup.read.minimumDeposit(), 5n);
  assert.deepEqual(await rollup.read.sizes(), {
    slots: trade.slots,
    tradeFills: trade.fills,
    ledgerSteps: ledger.steps,
    accountLevels: trade.accountLevels,
  });
  assert.deepEqual(
    lines.map((line) => line.split(" ")[0]),
    ["TestToken", "AcceptingVerifier", "Governance", "Rollup"],
  );
  assert.deepEqual(JSON.parse(JSON.stringify(deployment)), deployment);
});

test("mocks and test tokens stay on local chains", async () => {
  const clients = await clientsOn(10);
  const options = optionsFor(clients);
  const token = "0x0000000000000000000000000000000000000001" as const;
  const terms = { ...options, token, minimumDeposit: 1_000_000n };
  await assert.rejects(deployStraddle(terms), /mock verifiers accept every proof/);
  assert.equal(await clients.publicClient.getBlockNumber(), 0n);
});

test("A4: a public network takes days, and a deposit that was chosen", async () => {
  const clients = await clientsOn(10);
  const token = "0x0000000000000000000000000000000000000001" as const;
  const options = { ...optionsFor(clients), token, minimumDeposit: 1_000_000n };
  for (const [change, reason] of [
    [{ forcedDeadline: 7 }, /--forced-deadline` is 259200 to 2592000 seconds .* Got `7`/],
    [{ forcedDeadline: 31 * 86_400 }, /--forced-deadline` is/],
    [{ claimWindow: 6 * 86_400 }, /--claim-window` is 604800 to 7776000 seconds/],
    [{ claimWindow: 91 * 86_400 }, /--claim-window` is/],
    [{ minimumDeposit: undefined }, /--minimum-deposit` is missing.* fills every account/],
  ] as const) {
    const failed = deployStraddle({ ...options, ...change });
    await assert.rejects(failed, { name: "DeployError", message: reason });
  }
  assert.equal(await clients.publicClient.getBlockNumber(), 0n);
});

test("A6: oracles that anybody could sign for, or that are one, are refused", async () => {
  const clients = await clientsOn(31337);
  const [first, second, third] = oracles as [PublicKey, PublicKey, PublicKey];
  const modulus = FIELD_MODULUS;
  for (const [set, reason] of [
    [Array(3).fill({ x: 0n, y: 1n }), /a point of large order. Got `0, 1`/],
    [[first, second, { x: 0n, y: modulus - 1n }], /a point of large order/],
    [[first, { x: second.x + 1n, y: second.y }, third], /a point of large order/],
    [[first, second, { x: third.x + modulus, y: third.y }], /a point of large order/],
    [[first, second, first], /its own key. Got `\d+, \d+` twice/],
  ] as const) {
    const failed = deployStraddle({ ...optionsFor(clients), oracles: set });
    await assert.rejects(failed, { name: "DeployError", message: reason });
  }
  assert.equal(await clients.publicClient.getBlockNumber(), 0n);
});

test("fees and the insurance fund need an owner each", async () => {
  const clients = await clientsOn(31337);
  const options = optionsFor(clients);
  for (const change of [
    { treasury: zeroAddress },
    { insurance: zeroAddress },
    { insurance: treasury },
  ]) {
    await assert.rejects(deployStraddle({ ...options, ...change }), /an owner each/);
  }
  assert.equal(await clients.publicClient.getBlockNumber(), 0n);
});

test("governance and validators that the contracts would refuse cost nothing", async () => {
  const clients = await clientsOn(31337);
  const options = optionsFor(clients);
  const [proposer, guardian] = [treasury, insurance];
  for (const [change, reason] of [
    [{ governance: { proposer, guardian: proposer } }, /proposer and guardian are two/],
    [{ governance: { proposer, guardian, delay: 35 * 86_400 } }, /more than 3024000 s/],
    [{ validators: { signers: [proposer], owner: insurance } }, /fund's owner: not back/],
    [{ validators: { signers: Array(17).fill(proposer) } }, /at most 16 validators. Got `17`/],
  ] as const) {
    await assert.rejects(deployStraddle({ ...options, ...change }), reason);
  }
  assert.equal(await clients.publicClient.getBlockNumber(), 0n);
});

test("what does not fit the circuits is refused", async () => {
  const options = optionsFor(await clientsOn(31337));
  await assert.rejects(
    deployStraddle({ ...options, oracles: oracles.slice(1) }),
    /`tiny` takes 3 oracles. Got `2`/,
  );
  await assert.rejects(deployStraddle({ ...options, instance: "huge" }), /no instance `huge`/);
});

test("the Ignition module creates the same rollup", async () => {
  const { chain, walletClient } = await clientsOn(31337);
  const token = await chain.viem.deployContract("TestToken");
  const verifier = await chain.viem.deployContract("AcceptingVerifier");
  const { rollup, vault } = await chain.ignition.deploy(StraddleModule, {
    parameters: {
      Straddle: {
        token: token.address,
        tradeVerifier: verifier.address,
        ledgerVerifier: verifier.address,
        exitVerifier: verifier.address,
        genesisRoot: 5n,
        oracleSetHash: 6n,
        operator: walletClient.account.address,
        treasury,
        insurance,
        slots: 16,
        tradeFills: 4,
        ledgerSteps: 6,
        accountLevels: 4,
      },
    },
  });
  assert.equal(await rollup.read.vault!(), getAddress(vault.address));
  assert.equal(await vault.read.rollup!(), getAddress(rollup.address as Address));
  assert.equal(await rollup.read.claimWindow!(), 28n * 86_400n);
});

test("the command explains itself, and what is missing", () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, ["scripts/deploy.ts", ...args], { cwd: root, encoding: "utf8" });
  const help = run("--help").stdout;
  for (const option of ["keystore", "dry-run", "proposer", "guardian", "validators"]) {
    assert.ok(help.includes(`--${option} `), option);
  }
  const missing = run("--rpc", "http://127.0.0.1:1");
  assert.equal(missing.status, 1);
  assert.equal(missing.stderr, "deploy: `--network` is missing; see --help\n");
  const unknown = run("--network", "mainnet");
  assert.match(unknown.stderr, /no network `mainnet`; there are `sepolia`, `base-sepolia`/);
  const terms = ["--network", "hardhat", "--test-token"];
  assert.match(run(...terms).stderr, /`--instance` is missing/);
  const address = run(...terms, "--instance", "tiny", "--operator", "0x1", "--oracles", "none");
  assert.match(address.stderr, /`--operator` is no address. Got `0x1`/);
  const both = run(...terms, "--token", insurance);
  assert.match(both.stderr, /either `--token` or `--test-token`/);
});

test("generated constants and ABIs are those of the sources", () => {
  assert.deepEqual(outOfDate(), []);
});
