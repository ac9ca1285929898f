// A5, the last step: the code on the chain is what a clean build gives, byte for byte.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { buildCleanly } from "../../scripts/keys/cleanBuild.ts";
import { stopSnarkjs } from "../../scripts/keys/snarkjsThreads.ts";
import { compareWithChain } from "../../scripts/reproduce.ts";
import { serveRpc } from "../support/rpcServer.ts";
import { THREE_INPUTS } from "../support/toySetup.ts";
import { chain, clients, networkHelpers } from "./rollupChain.ts";

const folder = mkdtempSync(path.join(tmpdir(), "straddle-deployed-"));
const ADDRESS = `0x${"5a".repeat(20)}` as const;

after(async () => {
  await stopSnarkjs();
  rmSync(folder, { recursive: true, force: true });
});

test("A5 what is deployed is what a clean build gives, and nothing else is", async (context) => {
  const rpc = await serveRpc(context, chain.provider);
  const built = await buildCleanly({
    ...{ source: THREE_INPUTS, folder: path.join(folder, "build") },
    ...{ contractName: "ToyVerifier", header: ["A test."] },
  });
  const file = path.join(folder, "deployment.json");
  const compare = async (exit: string) => {
    writeFileSync(file, JSON.stringify({ current: { verifiers: { exit } } }));
    await compareWithChain(new Map([["exit", built]]), file, rpc);
  };
  const code = built.deployedBytecode;
  await networkHelpers.setCode(ADDRESS, code);
  await compare(ADDRESS);
  const last = Number.parseInt(code.slice(-2), 16);
  const other = `${code.slice(0, -2)}${(last ^ 1).toString(16).padStart(2, "0")}` as const;
  for (const wrong of [other as `0x${string}`, code.slice(0, -2) as `0x${string}`]) {
    await networkHelpers.setCode(ADDRESS, wrong);
    await assert.rejects(compare(ADDRESS), /is not the verifier of `exit`/);
  }
  await assert.rejects(compare(clients[0]!.account.address), /is not the verifier/);
});
