/** Setups small enough for tests: circuits of a few constraints and powers of tau to the 3rd. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import * as snarkjs from "snarkjs";
import { type CircuitFiles, runCircom } from "../../scripts/keys/circom.ts";

const PTAU_POWER = 3;

/** Three public inputs, as a batch's verifier has, all of them free. */
export const THREE_INPUTS = `pragma circom 2.2.0;
template ThreeInputs() {
  signal input commitment;
  signal input gamma;
  signal input evaluation;
  signal input secret;
  signal first <== commitment * secret;
  signal second <== gamma * first;
  signal third <== evaluation * second;
}
component main {public [commitment, gamma, evaluation]} = ThreeInputs();
`;

export async function compileToy(
  folder: string,
  name: string,
  source: string,
): Promise<CircuitFiles> {
  const file = join(folder, `${name}.circom`);
  writeFileSync(file, source);
  return runCircom(file, folder);
}

/** Writes `0.ptau`, `1.ptau` and, prepared for the second phase, `file`. */
export async function prepareToyPowers(folder: string, file: string): Promise<void> {
  // The types of snarkjs leave its curves out.
  const { curves } = snarkjs as unknown as {
    curves: { getCurveFromName(name: string): Promise<unknown> };
  };
  const curve = await curves.getCurveFromName("bn128");
  const [empty, contributed] = [join(folder, "0.ptau"), join(folder, "1.ptau")];
  await snarkjs.powersOfTau.newAccumulator(curve, PTAU_POWER, empty);
  await snarkjs.powersOfTau.contribute(empty, contributed, "toy", "toy");
  await snarkjs.powersOfTau.preparePhase2(contributed, file);
}
