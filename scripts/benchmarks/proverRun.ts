/** One proof, measured: `proverRun.ts WASM ZKEY VKEY INPUTS`; prints one JSON object. */
import { readFileSync } from "node:fs";
import { groth16, wtns } from "snarkjs";
import { stopSnarkjs } from "../keys/snarkjsThreads.ts";

const [wasmFile, zkeyFile, vkeyFile, inputFile] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
];
const inputs = JSON.parse(readFileSync(inputFile, "utf8"));
const vkey = JSON.parse(readFileSync(vkeyFile, "utf8"));

const witness = { type: "mem" as const, data: new Uint8Array() };
const start = performance.now();
await wtns.calculate(inputs, wasmFile, witness as never);
const witnessed = performance.now();
const { proof, publicSignals } = await groth16.prove(zkeyFile, witness as never);
const proven = performance.now();
const valid = await groth16.verify(vkey, publicSignals, proof);
await stopSnarkjs();
const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
console.log(
  JSON.stringify({
    witness: (witnessed - start) / 1000,
    prove: (proven - witnessed) / 1000,
    cpu: (userCPUTime + systemCPUTime) / 1e6,
    memory: maxRSS * 1024,
    valid,
  }),
);
