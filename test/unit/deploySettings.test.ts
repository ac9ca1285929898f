/** Networks and their settings, and how sources go to an explorer. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, type TestContext, test } from "node:test";
import { NETWORKS, readNetworkSettings } from "../../scripts/deploy/networks.ts";
import { submitSource } from "../../scripts/deploy/sourceVerification.ts";
import { DeployError } from "../../scripts/deployVerifiers.ts";

const operator = "0x00000000000000000000000000000000000000aa";
const folder = mkdtempSync(path.join(tmpdir(), "straddle-networks-"));
const at = (name: string): string => path.join(folder, name);
after(() => rmSync(folder, { recursive: true, force: true }));

test("the networks are those of the chains' own definitions", () => {
  const ids = Object.fromEntries(NETWORKS.map(({ name, chain }) => [name, chain.id]));
  assert.deepEqual(ids, {
    ...{ sepolia: 11_155_111, "base-sepolia": 84_532, "arbitrum-sepolia": 421_614 },
    ...{ hoodi: 560_048, hardhat: 31_337, anvil: 31_337 },
  });
});

test("settings by network are checked, and nobody hides a key in them", () => {
  const file = at("networks.json");
  const rpc = "https://rpc.example";
  writeFileSync(file, JSON.stringify({ sepolia: { rpc, etherscanKeyFile: "abc" } }));
  assert.deepEqual(readNetworkSettings(file, "sepolia"), { rpc, etherscanKeyFile: "abc" });
  assert.deepEqual(readNetworkSettings(file, "hoodi"), {});
  assert.deepEqual(readNetworkSettings(at("none.json"), "hoodi"), {});
  writeFileSync(file, JSON.stringify({ sepolia: { privateKey: "0x01" } }));
  assert.throws(() => readNetworkSettings(file, "sepolia"), DeployError);
  writeFileSync(file, JSON.stringify({ sepolia: { rpc: "file:///etc/passwd" } }));
  assert.throws(() => readNetworkSettings(file, "sepolia"), DeployError);
});

/** An explorer that first is busy; `verdict` is its last word. */
async function startExplorer(context: TestContext, verdict: string) {
  const forms: URLSearchParams[] = [];
  const server = createServer(async (request, response) => {
    const query = new URL(request.url ?? "", "http://explorer").searchParams;
    const form = new URLSearchParams(await new Response(request as never).text());
    forms.push(new URLSearchParams([...query, ...form]));
    const checks = forms.filter((one) => one.get("action") === "checkverifystatus").length;
    const result = request.method === "POST" ? "guid-1" : checks < 2 ? "Pending in queue" : verdict;
    const isRefused = form.get("apikey") !== "key" && request.method === "POST";
    const answer = isRefused ? { status: "0", result: "Invalid API Key" } : { status: "1", result };
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/api`;
  return { url, forms };
}

test("sources go to an explorer in its own form, and its verdict is awaited", async (context) => {
  const request = {
    ...{ name: "Rollup", address: operator, contract: "project/contracts/Rollup.sol:Rollup" },
    ...{ compiler: "v0.8.37+commit.f401782d", constructorArguments: "00ff", standardInput: "{}" },
  };
  const { url, forms } = await startExplorer(context, "Pass - Verified");
  const explorer = { url, chainId: 84_532, apiKey: "key", waitMs: 1 };
  assert.equal(await submitSource(request, explorer), "Pass - Verified");
  const [sent, ...checks] = forms;
  assert.equal(sent!.get("chainid"), "84532");
  assert.equal(sent!.get("codeformat"), "solidity-standard-json-input");
  assert.equal(sent!.get("contractname"), request.contract);
  assert.equal(sent!.get("constructorArguements"), "00ff");
  assert.equal(checks.length, 2);
  assert.equal(checks[0]!.get("guid"), "guid-1");
  const other = { ...explorer, apiKey: "wrong" };
  await assert.rejects(submitSource(request, other), /refuses `Rollup`: Invalid API Key/);
  const bad = await startExplorer(context, "Fail - Unable to verify");
  await assert.rejects(submitSource(request, { ...explorer, url: bad.url }), /Fail - Unable/);
});
