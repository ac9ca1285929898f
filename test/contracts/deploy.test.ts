// Deployment: what comes out works, and what is unsafe is refused before it costs anything.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import { network } from "hardhat";
import { type Address, getAddress } from "viem";
import StraddleModule from "../../contracts/ignition/Straddle.ts";
import { DeployError, deployStraddle, genesisRoot, instanceSizes } from "../../scripts/deploy.ts";
import { outOfDate } from "../../scripts/generate.ts";
import { decryptKeystore, KeystoreError } from "../../scripts/keystore.ts";
import { publicKeyOf } from "../../sequencer/protocol/eddsa.ts";
import { oracleSetHash } from "../../sequencer/protocol/snapshot.ts";

const oracles = [1n, 2n, 3n].map(publicKeyOf);
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
    onProgress: (line) => lines.push(line),
  });
  const rollup = await clients.chain.viem.getContractAt("Rollup", deployment.rollup);
  const { trade, ledger } = instanceSizes("tiny");
  assert.equal(await rollup.read.token(), deployment.token);
  assert.equal(await rollup.read.vault(), deployment.vault);
  assert.equal(await rollup.read.operator(), getAddress(deployment.operator));
  assert.equal(await rollup.read.stateRoot(), genesisRoot(trade));
  assert.equal(await rollup.read.oracleSetHash(), oracleSetHash(oracles));
  assert.equal(`${await rollup.read.domain()}`, deployment.domain);
  assert.equal(await rollup.read.forcedDeadline(), 3600n);
  assert.equal(await rollup.read.minimumDeposit(), 5n);
  assert.deepEqual(await rollup.read.sizes(), {
    slots: trade.slots,
    tradeSteps: trade.steps,
    ledgerSteps: ledger.steps,
    accountLevels: trade.accountLevels,
  });
  assert.deepEqual(
    lines.map((line) => line.split(" ")[0]),
    ["TestToken", "AcceptingVerifier", "Rollup"],
  );
  assert.deepEqual(JSON.parse(JSON.stringify(deployment)), deployment);
});

test("mocks and test tokens stay on local chains", async () => {
  const clients = await clientsOn(10);
  const options = optionsFor(clients);
  const token = "0x0000000000000000000000000000000000000001" as const;
  await assert.rejects(deployStraddle({ ...options, token }), DeployError);
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
        slots: 16,
        tradeSteps: 6,
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
  assert.match(run("--help").stdout, /--keystore <file>/);
  const missing = run("--rpc", "http://127.0.0.1:1");
  assert.equal(missing.status, 1);
  assert.equal(missing.stderr, "deploy: `--instance` is missing; see --help\n");
  const address = run("--rpc", "http://127.0.0.1:1", "--instance", "tiny", "--operator", "0x1");
  assert.match(address.stderr, /`--operator` is no address. Got `0x1`/);
});

// The two test vectors of the web3 secret storage definition.
const SECRET = "0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
const PBKDF2 = {
  cipher: "aes-128-ctr",
  cipherparams: { iv: "6087dab2f9fdbbfaddc31a909735c1e6" },
  ciphertext: "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
  kdf: "pbkdf2",
  kdfparams: {
    c: 262144,
    dklen: 32,
    prf: "hmac-sha256",
    salt: "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
  },
  mac: "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
};
const SCRYPT = {
  cipher: "aes-128-ctr",
  cipherparams: { iv: "83dbcc02d8ccb40e466191a123791e0e" },
  ciphertext: "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
  kdf: "scrypt",
  kdfparams: {
    dklen: 32,
    n: 262144,
    p: 8,
    r: 1,
    salt: "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
  },
  mac: "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
};

test("key files open with their password and no other", () => {
  for (const crypto of [PBKDF2, SCRYPT]) {
    const text = JSON.stringify({ version: 3, id: "3198bc9c", crypto });
    assert.equal(decryptKeystore(text, "testpassword"), SECRET);
    assert.throws(() => decryptKeystore(text, "testpasswort"), KeystoreError);
  }
  const old = JSON.stringify({ version: 1, crypto: PBKDF2 });
  assert.throws(() => decryptKeystore(old, "x"), /`version`/);
  assert.throws(() => decryptKeystore("{", "x"), /not JSON/);
});

test("generated constants and ABIs are those of the sources", () => {
  assert.deepEqual(outOfDate(), []);
});
