/** `npm run web`: builds the terminal to build/web, unless it is there from the same sources. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { publishFolder } from "./publishFolder.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const TERMINAL = path.join(ROOT, "build", "web");
const VITE = path.join(ROOT, "node_modules", "vite", "bin", "vite.js");
const CONFIG = path.join(ROOT, "sequencer", "web", "vite.config.ts");
/** Whatever the terminal is made of: its own folder, and what it shares with nodes. */
const ZONES = ["web", "client", "protocol", "engine", "market", "pricing", "batch"];

let building: Promise<string> | undefined;

/** The folder that it is in. Throws with Vite's own words where it cannot be built. */
export function buildTerminal(): Promise<string> {
  building ??= publish().catch((error: unknown) => {
    building = undefined;
    throw error;
  });
  return building;
}

function publish(): Promise<string> {
  const hash = sourcesHash();
  return publishFolder(TERMINAL, hash, async (folder) => {
    await runVite(folder);
    if (sourcesHash() === hash) return;
    throw new Error("the terminal's sources have changed while it was built: build it again");
  });
}

function sourcesHash(): string {
  const files = ZONES.flatMap((zone) =>
    globSync(`sequencer/${zone}/**/*.{ts,tsx,css,html,svg,json}`, { cwd: ROOT }),
  );
  const hash = createHash("sha256");
  for (const file of [...files, "sequencer/exchangeService.ts", "package-lock.json"].sort()) {
    hash.update(`${file}\n`).update(readFileSync(path.join(ROOT, file)));
  }
  return hash.digest("hex");
}

async function runVite(folder: string): Promise<void> {
  const child = spawn(process.execPath, [VITE, "build", "--config", CONFIG, "--outDir", folder], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) throw new Error(`the terminal cannot be built:\n${output}`);
}

if (import.meta.main) console.log(await buildTerminal());
