/**
 * Debian's Chromium for tests: the machine's own, that of `STRADDLE_CHROMIUM`, or, where packages
 * may be fetched, one that is unpacked below `build/browser` and installed nowhere.
 */
import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";

const folder = fileURLToPath(new URL("../../build/browser", import.meta.url));
const root = path.join(folder, "root");
/** Written last: what is there is whole. */
const ready = path.join(folder, "ready");
const unpacked = path.join(root, "usr", "lib", "chromium", "chromium");
const DOWNLOAD_MS = 300_000;
const WAIT_MS = 500;
const lock = `${folder}.lock`;

export interface Program {
  readonly executablePath: string;
  readonly env: NodeJS.ProcessEnv;
}

function run(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore", timeout: DOWNLOAD_MS }).status === 0;
}

/** Chromium and what it needs besides what this machine has. */
function download(): boolean {
  const archives = path.join(folder, "debs");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.join(archives, "partial"), { recursive: true });
  const fetched = (): boolean =>
    run("apt-get", [
      ...["install", "-y", "--no-install-recommends", "--download-only"],
      ...["-o", `Dir::Cache::archives=${archives}`, "chromium", "fonts-dejavu-core"],
    ]);
  if (!fetched() && !(run("apt-get", ["update"]) && fetched())) return false;
  const packages = globSync("*.deb", { cwd: archives });
  if (!packages.every((name) => run("dpkg", ["-x", path.join(archives, name), root]))) return false;
  writeFileSync(ready, "");
  return existsSync(unpacked);
}

/** Tests run in several processes: the first one fetches, the others wait for it. */
function isFetched(): boolean {
  const end = Date.now() + 2 * DOWNLOAD_MS;
  mkdirSync(path.dirname(lock), { recursive: true });
  while (!existsSync(ready)) {
    try {
      mkdirSync(lock);
    } catch {
      // One that was killed leaves its lock behind.
      const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
      if (Date.now() - since > 2 * DOWNLOAD_MS) rmSync(lock, { recursive: true, force: true });
      if (Date.now() > end) return false;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
      continue;
    }
    try {
      return existsSync(ready) || download();
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
  return true;
}

function find(): Program | undefined {
  const own = process.env.STRADDLE_CHROMIUM ?? "chromium";
  if (spawnSync(own, ["--version"], { stdio: "ignore" }).status === 0) {
    const named = own.includes("/") ? own : spawnSync("which", [own], { encoding: "utf8" }).stdout;
    return { executablePath: named.trim(), env: process.env };
  }
  if (!existsSync(ready) && !(process.getuid?.() === 0 && isFetched())) return undefined;
  const libraries = path.join(root, "usr", "lib", "x86_64-linux-gnu");
  const env = {
    ...process.env,
    LD_LIBRARY_PATH: `${libraries}:${path.join(libraries, "pulseaudio")}`,
    XDG_DATA_DIRS: `${path.join(root, "usr", "share")}:/usr/share`,
  };
  const { status } = spawnSync(unpacked, ["--version"], { stdio: "ignore", env });
  return status === 0 ? { executablePath: unpacked, env } : undefined;
}

const program = find();

/** Throws where there is none. */
export function browserProgram(): Program {
  if (program === undefined) throw new Error("there is no Chromium");
  return program;
}

/** Why tests in a browser cannot run here, or false. */
export const browserMissing: string | false =
  program === undefined
    ? "SKIPPED: there is no Chromium: install Debian's package chromium, or set STRADDLE_CHROMIUM"
    : false;
if (browserMissing !== false) process.stderr.write(`${browserMissing}\n`);

/** Neither a sandbox nor calls home: tests run as root, on machines that reach nobody. */
export const BROWSER_FLAGS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

export async function launchBrowser(): Promise<Browser> {
  const { executablePath, env } = browserProgram();
  const known = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return chromium.launch({ executablePath, args: BROWSER_FLAGS, env: Object.fromEntries(known) });
}
