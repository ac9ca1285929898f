// What a deployment writes for explorers: the sources of every contract that it leaves on the
// chain, which compile to the very code that is there, with the arguments it was created with.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Address, getContractAddress, type Hex } from "viem";
import { type DeploymentRecord, readDeployments } from "../../scripts/deploy/deploymentFile.ts";
import type { SourceRequest } from "../../scripts/deploy/sourceVerification.ts";
import { developmentAccount } from "../../sequencer/l1/developmentAccount.ts";
import { publicKeyOf } from "../../sequencer/protocol/eddsa.ts";
import { type LocalNode, startHardhat, stopNodes } from "../support/localNode.ts";

const ROOT = path.join(import.meta.dirname, "../..");
const solc = createRequire(import.meta.url)("solc") as { compile(input: string): string };
const folder = mkdtempSync(path.join(tmpdir(), "straddle-sources-"));
const at = (name: string): string => path.join(folder, name);
/** A first byte that stops: what the registry keeps its members in does nothing. */
const STOP = "0x00";

interface Compiled {
  readonly bytecode: string;
  readonly runtime: string;
  /** Places that only the constructor knows, as (start, length). */
  readonly immutables: readonly { readonly start: number; readonly length: number }[];
}

let node: LocalNode;
let record: DeploymentRecord;
let requests: readonly SourceRequest[];
let compiled: ReadonlyMap<SourceRequest, Compiled>;

before(async () => {
  node = await startHardhat();
  const oracles = [1n, 2n, 3n].map(publicKeyOf).map(({ x, y }) => ({ x: `${x}`, y: `${y}` }));
  writeFileSync(at("oracles.json"), JSON.stringify(oracles));
  const [operator, proposer, guardian, ...signers] = [5, 10, 11, 12, 13, 14].map(
    (index) => developmentAccount(index, 31337).address,
  ) as [Address, Address, Address, ...Address[]];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stderr } = spawnSync(
    process.execPath,
    [
      ...["scripts/deploy.ts", "--network", "hardhat", "--rpc", node.rpc, "--test-token"],
      ...["--deployments", folder, "--instance", "tiny", "--oracles", at("oracles.json")],
      ...["--operator", operator, "--proposer", proposer, "--guardian", guardian],
      ...["--validators", signers.join(",")],
    ],
    { cwd: ROOT, env, encoding: "utf8" },
  );
  assert.equal(status, 0, stderr);
  record = readDeployments(at("hardhat.json"))!.current;
  const forms = readdirSync(at("hardhat-sources")).filter((name) => !name.endsWith(".input.json"));
  requests = forms.map((name) => {
    const stem = at(`hardhat-sources/${name.replace(/\.json$/, "")}`);
    const standardInput = readFileSync(`${stem}.input.json`, "utf8");
    return { ...JSON.parse(readFileSync(`${stem}.json`, "utf8")), standardInput };
  });
  compiled = compileAll();
  // The compiler let nothing else run: connections that the node has closed meanwhile are noticed.
  await sleep(100);
});
after(() => {
  stopNodes();
  rmSync(folder, { recursive: true, force: true });
});

/** What each of the written inputs compiles to, by its form: most have the same input. */
function compileAll(): Map<SourceRequest, Compiled> {
  const all = new Map<SourceRequest, Compiled>();
  for (const standardInput of new Set(requests.map((request) => request.standardInput))) {
    const same = requests.filter((request) => request.standardInput === standardInput);
    const input = JSON.parse(standardInput);
    input.settings.outputSelection = {};
    for (const { contract } of same) {
      const [file, name] = contract.split(":") as [string, string];
      const outputs = ["evm.bytecode.object", "evm.deployedBytecode"];
      input.settings.outputSelection[file] = { [name]: outputs };
    }
    const { contracts, errors = [] } = JSON.parse(solc.compile(JSON.stringify(input)));
    const serious = errors.filter(({ severity }: { severity: string }) => severity === "error");
    assert.deepEqual(serious, []);
    for (const request of same) {
      const [file, name] = request.contract.split(":") as [string, string];
      const { bytecode, deployedBytecode } = contracts[file][name].evm;
      const immutables = Object.values(deployedBytecode.immutableReferences ?? {}).flat();
      const runtime = deployedBytecode.object;
      all.set(request, { bytecode: bytecode.object, runtime, immutables } as Compiled);
    }
  }
  return all;
}

/** Code without what the constructor has put into it. */
function blank(code: string, { immutables }: Compiled): string {
  const bytes = Buffer.from(code.replace(/^0x/, ""), "hex");
  for (const { start, length } of immutables) bytes.fill(0, start, start + length);
  return bytes.toString("hex");
}

test("every contract that a deployment leaves on the chain has its sources written", async () => {
  const { client } = node;
  const sourced = new Set(requests.map(({ address }) => address));
  const created = new Map<Address, Address>();
  for (const { address } of record.contracts) created.set(address, record.deployer);
  // Whatever contracts create, from the addresses that their nonces lead to.
  for (const creator of created.keys()) {
    const count = await client.getTransactionCount({ address: creator });
    for (let nonce = 1; nonce < count; nonce++) {
      created.set(getContractAddress({ from: creator, nonce: BigInt(nonce) }), creator);
    }
  }
  for (const part of [record.rollup, record.vault, record.registry, record.token]) {
    assert.ok(created.has(part), part);
  }
  for (const [address, creator] of created) {
    if (sourced.has(address)) continue;
    const code = await client.getCode({ address });
    const isData = creator === record.registry && code?.startsWith(STOP);
    assert.ok(isData, `\`${address}\`, created by \`${creator}\`, has no source`);
  }
  const names = requests.map(({ name }) => name).sort();
  const verifiers = ["Exit", "Ledger", "Trade"].map((name) => `InsecureDev${name}TinyVerifier`);
  const others = ["Rollup", "TestToken", "ValidatorRegistry"];
  assert.deepEqual(names, ["CollateralVault", "Governance", ...verifiers, ...others]);
});

test("the written sources compile to the code that is on the chain", async () => {
  assert.equal(compiled.size, requests.length);
  for (const [{ name, address }, own] of compiled) {
    const code = await node.client.getCode({ address: address as Address });
    assert.equal(blank(code!, own), blank(own.runtime, own), name);
  }
});

test("the written arguments are those that each contract was created with", async () => {
  const { client } = node;
  const byAddress = new Map(record.contracts.map((contract) => [contract.address, contract]));
  for (const [request, { bytecode }] of compiled) {
    const creation = `0x${bytecode}${request.constructorArguments}` as Hex;
    const transaction = byAddress.get(request.address as Address)?.transaction;
    if (transaction) {
      const { input } = await client.getTransaction({ hash: transaction as Hex });
      assert.equal(input, creation, request.name);
      continue;
    }
    // Created by the rollup: created by it once more, the code must be the same to the last byte.
    const params = [{ from: record.rollup, data: creation }, "latest"];
    const again = await client.request({ method: "eth_call", params } as never);
    assert.equal(
      again,
      await client.getCode({ address: request.address as Address }),
      request.name,
    );
  }
});
