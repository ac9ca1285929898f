/** Hardhat's chain in a process of its own, behind a JSON-RPC port. */
import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { createPublicClient, http, type PublicClient } from "viem";
import { hardhat } from "viem/chains";
import { ownPorts } from "../../scripts/ownPorts.ts";

const root = path.join(import.meta.dirname, "../..");
const children: ChildProcess[] = [];

export function stopNodes(): void {
  for (const child of children) child.kill();
}

export interface LocalNode {
  readonly rpc: string;
  readonly client: PublicClient;
}

export function localNode(rpc: string): LocalNode {
  const transport = http(rpc, { retryCount: 0 });
  return { rpc, client: createPublicClient({ chain: hardhat, transport, pollingInterval: 50 }) };
}

/** Starts the node and waits for its answer. */
export async function startHardhat(): Promise<LocalNode> {
  const [port] = await ownPorts(1);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const cli = path.join(root, "node_modules/hardhat/dist/src/cli.js");
  const args = [cli, "node", "--port", `${port}`];
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: "ignore" });
  children.push(child);
  const node = localNode(`http://127.0.0.1:${port}`);
  for (let attempt = 0; attempt < 240; attempt++) {
    const chainId = await node.client.getChainId().catch(() => undefined);
    if (chainId === 31337) return node;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error("Hardhat's node does not answer");
}
