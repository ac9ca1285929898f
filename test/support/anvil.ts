/**
 * Foundry's local chain. The npm package of the platform holds the binary; where there is none, it
 * is the one on the path.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const require = createRequire(import.meta.url);
const START_MS_MAX = 30_000;
const POOL_MS_MAX = 10_000;
const BINARY = findBinary();
/** For a test's `skip`: the reason where there is no anvil. */
export const ANVIL_ABSENT =
  BINARY === undefined && "anvil is absent: its npm package is optional, and of Linux on x64";

export async function startAnvil(
  chainId: number,
): Promise<{ rpcUrl: string; stop(): Promise<void> }> {
  const args = ["--port", "0", "--chain-id", `${chainId}`, "--hardfork", "osaka"];
  if (BINARY === undefined) throw new Error(`${ANVIL_ABSENT}`);
  const child = spawn(BINARY, args, { stdio: ["ignore", "pipe", "pipe"] });
  // Whatever else happens, it must not outlive the test.
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  const stop = async (): Promise<void> => {
    process.off("exit", kill);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    await ended;
  };
  let said = "";
  const address = await new Promise<string>((resolve, reject) => {
    const fail = (): void => reject(new Error(`anvil does not listen; it said:\n${said}`));
    const timer = setTimeout(fail, START_MS_MAX);
    const hear = (chunk: Buffer): void => {
      said += chunk.toString("utf8");
      const found = /Listening on (\S+:\d+)/.exec(said)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    child.once("exit", fail);
    child.once("error", reject);
  });
  return { rpcUrl: `http://${address}`, stop };
}

/**
 * Replaces the newest `depth` blocks by empty ones. Anvil takes a mined transaction out of its pool
 * after its receipt is there; one that a reorg finds in the pool would count for its sender's next
 * nonce, and what comes next would wait behind a gap for ever.
 */
export async function reorg(client: object, depth: number): Promise<void> {
  const { request } = client as { request(call: object): Promise<unknown> };
  const deadline = Date.now() + POOL_MS_MAX;
  for (;;) {
    const { pending } = (await request({ method: "txpool_status" })) as { pending: string };
    if (BigInt(pending) === 0n) break;
    if (Date.now() > deadline) throw new Error(`${BigInt(pending)} transactions stay in the pool`);
    await sleep(2);
  }
  await request({ method: "anvil_reorg", params: [depth, []] });
}

function findBinary(): string | undefined {
  try {
    return require.resolve("@foundry-rs/anvil-linux-amd64/bin/anvil");
  } catch {
    const folders = (process.env.PATH ?? "").split(path.delimiter);
    return folders.map((folder) => path.join(folder, "anvil")).find((file) => existsSync(file));
  }
}
