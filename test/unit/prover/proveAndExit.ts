// Makes one proof with all threads and stops the prover: the process must then end by itself.
import { createProver } from "../../../sequencer/prover/prover.ts";

const [wasm = "", zkey = "", vkey = "", inputs = ""] = process.argv.slice(2);
const logger = { debug() {}, info() {}, warn() {}, error() {} };
const prover = createProver({ keys: { square: { wasm, zkey, vkey } }, logger });
await prover.prove("square", JSON.parse(inputs));
await prover.stop();
