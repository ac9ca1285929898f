/** A5: two clean builds are the same bytes, with a development key and with a ceremony's. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { contribute, exportKey, setup } from "../../scripts/keys/ceremony.ts";
import { buildCleanly, differences, PRODUCTS } from "../../scripts/keys/cleanBuild.ts";
import { sha256OfFile } from "../../scripts/keys/fileHash.ts";
import { stopSnarkjs } from "../../scripts/keys/snarkjsThreads.ts";
import { setupHashOf } from "../../scripts/keys/transcript.ts";
import { circuitsOf } from "../../scripts/reproduce.ts";
import { compileToy, prepareToyPowers, THREE_INPUTS } from "../support/toySetup.ts";

const folder = mkdtempSync(join(tmpdir(), "straddle-reproduce-"));
const at = (name: string): string => join(folder, name);

const build = (name: string, source = THREE_INPUTS) =>
  buildCleanly({ source, folder: at(name), contractName: "ToyVerifier", header: ["A test."] });

test("A5 two clean builds with a development key are the same bytes", async (context) => {
  const [first, second] = [await build("first"), await build("second")];
  assert.deepEqual(differences(first.hashes, second.hashes), []);
  for (const name of PRODUCTS) assert.match(first.hashes[name], /^[0-9a-f]{64}$/);
  assert.equal(first.deployedBytecode, second.deployedBytecode);
  context.diagnostic(`A5: ${PRODUCTS.map((name) => `${name} ${first.hashes[name].slice(0, 8)}`)}`);
});

test("A5 another circuit is other bytes throughout", async () => {
  const changed = THREE_INPUTS.replace("commitment * secret", "gamma * secret").replace(
    "gamma * first",
    "commitment * first",
  );
  const [first, second] = [await build("first"), await build("changed", changed)];
  assert.deepEqual(differences(first.hashes, second.hashes), [...PRODUCTS]);
});

test("A5 a transcript fixes key, verifier and bytecode", async () => {
  const { r1csFile } = await compileToy(folder, "toy", THREE_INPUTS);
  const ptau = at("toy.ptau");
  await prepareToyPowers(folder, ptau);
  await setup(r1csFile, ptau, at("0.zkey"));
  await contribute({ from: at("0.zkey"), out: at("1.zkey"), name: "alice" }, "entropy");
  const inputs = { r1cs: r1csFile, ptau, key: at("1.zkey") };
  await exportKey(inputs, at("setup"), "ToyVerifier");
  const setupHash = setupHashOf(readFileSync(at("setup/transcript.json"), "utf8"));
  const shared = { source: THREE_INPUTS, contractName: "ToyVerifier" };
  const given = { key: at("setup/key.zkey"), setupHash };
  const first = await buildCleanly({ ...shared, folder: at("first"), setup: given });
  const second = await buildCleanly({ ...shared, folder: at("second"), setup: given });
  assert.deepEqual(differences(first.hashes, second.hashes), []);
  assert.equal(first.hashes.r1cs, await sha256OfFile(r1csFile));
  assert.equal(first.hashes.vkey, await sha256OfFile(at("setup/verification_key.json")));
  assert.equal(first.hashes.verifier, await sha256OfFile(at("setup/ToyVerifier.sol")));
  const other = { ...given, setupHash: "00".repeat(32) };
  const third = await buildCleanly({ ...shared, folder: at("third"), setup: other });
  assert.deepEqual(differences(first.hashes, third.hashes), ["verifier", "bytecode"]);
});

test("A5 every verifier of a deployment is built, at the size that it has there", () => {
  assert.deepEqual(circuitsOf("large"), [
    { circuit: "trade", instance: "large" },
    { circuit: "ledger", instance: "medium" },
    { circuit: "exit", instance: "medium" },
  ]);
  assert.deepEqual(circuitsOf("tiny", "exit"), [{ circuit: "exit", instance: "tiny" }]);
  assert.throws(() => circuitsOf("huge"), /no circuit has an instance `huge`/);
  assert.throws(() => circuitsOf("tiny", "trades"), /there is no circuit `trades`/);
});

test("what is in the folder of a build before does not get into it", async () => {
  const clean = await build("dirty");
  writeFileSync(at("dirty/key.zkey"), "rubbish");
  writeFileSync(at("dirty/main.r1cs"), "rubbish");
  assert.deepEqual((await build("dirty")).hashes, clean.hashes);
});

after(async () => {
  await stopSnarkjs();
  rmSync(folder, { recursive: true, force: true });
});
