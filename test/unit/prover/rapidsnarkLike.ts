// `prove ZKEY WTNS PROOF PUBLIC` as rapidsnark takes and gives it, `witness WASM INPUTS WTNS` as
// circom's C++ calculator does, which has its circuit inside: both by snarkjs. `wrong` proves, and
// then writes another point.
import { readFileSync, writeFileSync } from "node:fs";
import { groth16, wtns } from "snarkjs";
import { stopSnarkjs } from "../../../scripts/keys/snarkjsThreads.ts";

const [mode, ...files] = process.argv.slice(2);

async function prove([zkey, witness, proofFile, publicFile]: readonly string[]): Promise<void> {
  const { proof, publicSignals } = await groth16.prove(zkey!, witness!);
  if (mode === "wrong") proof.pi_a = proof.pi_c;
  // rapidsnark's own files end in zero bytes.
  writeFileSync(proofFile!, `${JSON.stringify(proof)}\0\0`);
  writeFileSync(publicFile!, `${JSON.stringify(publicSignals)}\0\0`);
}

async function calculate([wasm, inputs, witness]: readonly string[]): Promise<void> {
  await wtns.calculate(JSON.parse(readFileSync(inputs!, "utf8")), wasm!, witness!);
}

await (mode === "witness" ? calculate(files) : prove(files));
await stopSnarkjs();
