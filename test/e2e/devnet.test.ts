// The whole of it, as a user starts it: deposit, order, fill, certificate, proof, layer one, and
// the money back out. A real chain, real proofs, ten processes.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { freePortBase, portsAreFree } from "./freePorts.ts";

const ROOT = path.join(import.meta.dirname, "..", "..");
/** Building circuits and keys on a slow machine, then the round trip's own limit. */
const TIMEOUT_MS = 30 * 60_000;

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function runDevnet(args: readonly string[], onOutput?: (text: string) => void) {
  const script = path.join(ROOT, "scripts", "devnet.ts");
  const child = spawn(process.execPath, [script, ...args], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const collect = (chunk: Buffer): void => {
    output += chunk.toString("utf8");
    onOutput?.(output);
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code) => resolve({ code, output }));
  });
  return { child, ended };
}

test("npm start -- --once makes the full round trip", { timeout: TIMEOUT_MS }, async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "straddle-devnet-"));
  const base = await freePortBase();
  try {
    const args = ["--once", "--port-base", `${base}`, "--data-dir", directory];
    const { code, output } = await runDevnet(args).ended;
    assert.equal(code, 0, output);
    for (const stage of ["sequenced", "certified", "proven", "anchored", "paid"]) {
      assert.match(output, new RegExp(`^${stage} `, "m"), output);
    }
    assert.match(output, /taker-\d (buys|sells) .*: filled$/m);
    assert.match(output, /^certified .* with all of the log up to \d+$/m);
    // Certified by agreement: four validators are in the set, and each of them has voted.
    const config = readFileSync(path.join(directory, "config", "sequencer.json"), "utf8");
    assert.equal(JSON.parse(config).certification.peers.length, 4);
    for (const index of [0, 1, 2, 3]) {
      const log = readFileSync(path.join(directory, "logs", `validator-${index}.log`), "utf8");
      assert.match(log, /certifying/);
      assert.doesNotMatch(log, /votes no more/);
    }
    assert.ok(await portsAreFree(base), "nothing is left running");
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("Ctrl-C stops everything, also in the middle", { timeout: TIMEOUT_MS }, async () => {
  const directory = mkdtempSync(path.join(tmpdir(), "straddle-devnet-"));
  const base = await freePortBase();
  try {
    const args = ["--port-base", `${base}`, "--data-dir", directory];
    let isStopped = false;
    const devnet = runDevnet(args, (output) => {
      if (isStopped || !/^sequencer /m.test(output)) return;
      isStopped = true;
      devnet.child.kill("SIGINT");
    });
    const { code, output } = await devnet.ended;
    assert.equal(code, 0, output);
    assert.match(output, /^stopping$/m);
    assert.ok(await portsAreFree(base), "nothing is left running");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
