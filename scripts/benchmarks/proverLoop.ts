/**
 * A prover's process for the throughput benchmark: `proverLoop.ts WASM ZKEY INPUTS COUNT THREADS`.
 * Proves once to be warm, says so, waits for its parent's word, and proves COUNT times. THREADS is
 * `one` or `all`.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { groth16, wtns } from "snarkjs";
import { stopSnarkjs } from "../keys/snarkjsThreads.ts";

const [wasmFile, zkeyFile, inputFile, count, threads] = process.argv.slice(2) as [
  ...[string, string, string],
  ...[string, "one" | "all"],
];
const inputs = JSON.parse(readFileSync(inputFile, "utf8"));

async function proveOnce(): Promise<void> {
  const witness = { type: "mem" as const, data: new Uint8Array() };
  await wtns.calculate(inputs, wasmFile, witness as never);
  const singleThread = threads === "one";
  await groth16.prove(zkeyFile, witness as never, undefined, { singleThread });
}

await proveOnce();
console.log("ready");
await once(process.stdin, "data");
for (let done = 0; done < Number(count); done++) await proveOnce();
console.log("done");
process.stdin.destroy();
await stopSnarkjs();
