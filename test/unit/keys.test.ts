/** Development keys prove, the same bytes each time; keys without a contribution are refused. */
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import * as snarkjs from "snarkjs";
import {
  assertManyContributed,
  assertProductionKey,
  beacon,
  contribute,
  exportKey,
  setup,
} from "../../scripts/keys/ceremony.ts";
import {
  assertKeyIsSound,
  forgeProof,
  type ProofJson,
  UnsoundKeyError,
  verifyProof,
} from "../../scripts/keys/checkKey.ts";
import type { CircuitFiles } from "../../scripts/keys/circom.ts";
import { makeDevKey } from "../../scripts/keys/devKey.ts";
import { exportSolidityVerifier } from "../../scripts/keys/exportVerifier.ts";
import { sha256OfFile } from "../../scripts/keys/fileHash.ts";
import { readKeyFile, type VerificationKey } from "../../scripts/keys/keyFile.ts";
import { readR1cs } from "../../scripts/keys/r1cs.ts";
import { stopSnarkjs } from "../../scripts/keys/snarkjsThreads.ts";
import { setupHashOf, TranscriptError } from "../../scripts/keys/transcript.ts";
import { verifySetup } from "../../scripts/keys/verifySetup.ts";
import { compileToy, prepareToyPowers } from "../support/toySetup.ts";

const PREIMAGE = `pragma circom 2.2.0;
include "circomlib/circuits/poseidon.circom";
template Preimage() {
  signal input hash;
  signal input sum;
  signal input left;
  signal input right;
  signal poseidon <== Poseidon(2)([left, right]);
  hash === poseidon;
  sum === left + right;
}
component main {public [hash, sum]} = Preimage();
`;

const PRODUCT = `pragma circom 2.2.0;
template Product() {
  signal input left;
  signal input right;
  signal output product <== left * right;
}
component main = Product();
`;

// circomlib's own test vector: Poseidon(1, 2).
const POSEIDON_1_2 = "7853200120776062878684798364095072458815029376092732009249414926327459813530";
const INPUT = { hash: POSEIDON_1_2, sum: "3", left: "1", right: "2" };

const CONTRIBUTORS = 20;
const folder = mkdtempSync(join(tmpdir(), "straddle-keys-"));
const at = (name: string): string => join(folder, name);

const compile = (name: string, source: string): Promise<CircuitFiles> =>
  compileToy(folder, name, source);

after(async () => {
  await stopSnarkjs();
  rmSync(folder, { recursive: true, force: true });
});

describe("a development key", () => {
  const zkey = at("preimage.zkey");
  let files: CircuitFiles;
  let vkey: VerificationKey;

  before(async () => {
    files = await compile("preimage", PREIMAGE);
    await makeDevKey({ r1csFile: files.r1csFile, zkeyFile: zkey });
    vkey = readKeyFile(zkey).vkey;
  });

  it("proves, and a tampered public signal is refused", async () => {
    const { groth16 } = snarkjs;
    const { proof, publicSignals } = await groth16.fullProve(INPUT, files.wasmFile, zkey);
    assert.deepEqual(publicSignals, [POSEIDON_1_2, "3"]);
    assert.equal(await groth16.verify(vkey, publicSignals, proof), true);
    assert.equal(await groth16.verify(vkey, [POSEIDON_1_2, "4"], proof), false);

    const ours = proof as unknown as ProofJson;
    assert.equal(verifyProof(vkey, [BigInt(POSEIDON_1_2), 3n], ours), true);
    assert.equal(verifyProof(vkey, [BigInt(POSEIDON_1_2), 4n], ours), false);
  });

  it("is the same bytes again", async () => {
    await makeDevKey({ r1csFile: files.r1csFile, zkeyFile: at("again.zkey") });
    assert.deepEqual(readFileSync(at("again.zkey")), readFileSync(zkey));
  });

  it("exports the verification key that snarkjs exports", async () => {
    const { vk_alphabeta_12: _, ...expected } = await snarkjs.zKey.exportVerificationKey(zkey);
    assert.deepEqual(vkey, expected);
  });

  it("withstands the forgery, but is marked and refused as a production key", async () => {
    assertKeyIsSound(zkey);
    assert.equal(readKeyFile(zkey).origin, "insecure-development");
    assert.throws(() => assertProductionKey(zkey), /development key/);
    const request = { from: zkey, out: at("laundered.zkey"), name: "someone" };
    await assert.rejects(contribute(request, ""), /development key/);
    assert.equal(existsSync(request.out), false);
  });

  it("has a verifier that says what it is", async () => {
    const request = { zkeyFile: zkey, contractName: "PreimageVerifier", header: ["A test."] };
    const source = await exportSolidityVerifier(request);
    assert.match(source, /^\/\/ SPDX-License-Identifier: GPL-3.0\n\/\/ GENERATED/);
    assert.match(source, /INSECURE DEVELOPMENT KEY/);
    assert.match(source, /contract PreimageVerifier \{/);
    assert.match(source, /KEY_ORIGIN = "insecure-development";/);
    assert.ok(source.includes(`R1CS_HASH = 0x${await sha256OfFile(files.r1csFile)};`));
    assert.match(source, /SETUP_HASH = 0x[0-9a-f]{64};/);
    assert.match(source, /function keyPoints\(\) external pure/);
    assert.equal(await exportSolidityVerifier(request), source);
  });

  it("needs a whole .r1cs file", async () => {
    const cut = at("cut.r1cs");
    writeFileSync(cut, readFileSync(files.r1csFile).subarray(0, 5_000));
    assert.throws(() => readR1cs(cut), /ends early/);
    await assert.rejects(makeDevKey({ r1csFile: cut, zkeyFile: at("cut.zkey") }), /ends early/);
    assert.equal(existsSync(at("cut.zkey")), false);
  });
});

describe("a ceremony", () => {
  const ptau = at("toy.ptau");
  const first = at("0000.zkey");
  const contributed = at("0001.zkey");
  let files: CircuitFiles;

  before(async () => {
    files = await compile("product", PRODUCT);
    await prepareToyPowers(folder, ptau);
    await setup(files.r1csFile, ptau, first);
    await contribute({ from: first, out: contributed, name: "alice" }, "some entropy");
  });

  it("A6: starts from a key that anybody can forge, which is refused", async () => {
    const vkey: VerificationKey = await snarkjs.zKey.exportVerificationKey(first);
    const forged = forgeProof(vkey, [42n]);
    assert.equal(await snarkjs.groth16.verify(vkey, ["42"], forged), true);
    assert.throws(() => assertKeyIsSound(vkey), UnsoundKeyError);
    assert.throws(() => assertKeyIsSound(first), /gamma equals its delta/);
    // This is why the canary exists: snarkjs finds nothing wrong.
    assert.equal(await snarkjs.zKey.verifyFromR1cs(files.r1csFile, ptau, first), true);
  });

  it("makes a key that cannot be forged once somebody has contributed", async () => {
    const vkey: VerificationKey = await snarkjs.zKey.exportVerificationKey(contributed);
    const forged = forgeProof(vkey, [42n]);
    assert.equal(await snarkjs.groth16.verify(vkey, ["42"], forged), false);
    assertKeyIsSound(vkey);
    assertProductionKey(contributed);
  });

  it("A6: refuses a key with a beacon alone, whose secret is public", async () => {
    const request = { from: first, out: at("beacon.zkey"), name: "beacon" };
    await beacon(request, "00ff", "10");
    assertKeyIsSound(request.out);
    assert.throws(() => assertProductionKey(request.out), /a beacon alone is public/);
  });

  it("exports a verified key with the hashes of its files", async () => {
    const out = at("export");
    const inputs = { r1cs: files.r1csFile, ptau, key: contributed };
    const wrong = { ...inputs, ptauSha256: "00" };
    await assert.rejects(exportKey(wrong, out, "ProductVerifier"), /sha256/);
    assert.equal(existsSync(out), false);

    const ptauSha256 = await sha256OfFile(ptau);
    await exportKey({ ...inputs, ptauSha256 }, out, "ProductVerifier");
    const text = readFileSync(join(out, "transcript.json"), "utf8");
    const transcript = JSON.parse(text);
    assert.deepEqual(transcript.contributions, [{ kind: "participant", name: "alice" }]);
    assert.equal(transcript.sha256.r1cs, await sha256OfFile(files.r1csFile));
    assert.equal(transcript.sha256.ptau, ptauSha256);
    const source = readFileSync(join(out, "ProductVerifier.sol"), "utf8");
    assert.match(source, /KEY_ORIGIN = "ceremony";/);
    assert.ok(source.includes(`R1CS_HASH = 0x${transcript.sha256.r1cs};`));
    assert.ok(source.includes(`SETUP_HASH = 0x${setupHashOf(text)};`));
  });

  it("A6: twenty contributions and a beacon pass every check, in this order only", async (t) => {
    let from = first;
    for (let count = 1; count <= CONTRIBUTORS; count++) {
      const request = { from, out: at(`many${count}.zkey`), name: `member ${count}` };
      await contribute(request, `entropy ${count}`);
      from = request.out;
    }
    const key = at("final.zkey");
    await beacon({ from, out: key, name: "beacon" }, "00ff", "10");
    assertProductionKey(key);
    const [out, contractName] = [at("many"), "ProductVerifier"];
    await exportKey({ r1cs: files.r1csFile, ptau, key }, out, contractName);
    const verifierSource = readFileSync(join(out, "ProductVerifier.sol"), "utf8");
    const request = { folder: out, r1cs: files.r1csFile, ptau, contractName, verifierSource };
    const { contributions } = (await verifySetup(request)).transcript;
    assert.deepEqual(
      contributions.map(({ kind, name }) => `${kind} ${name}`),
      [
        ...Array.from({ length: CONTRIBUTORS }, (_, index) => `participant member ${index + 1}`),
        "beacon beacon",
      ],
    );
    // What public networks ask for; neither fewer, nor one person under one name, nor no beacon.
    const participantsMin = CONTRIBUTORS;
    await verifySetup({ ...request, participantsMin });
    const missing = verifySetup({ ...request, participantsMin: CONTRIBUTORS + 1 });
    await assert.rejects(missing, /`20` participants contributed .* at least 21 must/);
    assert.throws(() => assertManyContributed(from, participantsMin), /no beacon ends/);
    const again = { from: contributed, out: at("twice.zkey"), name: "alice" };
    await contribute(again, "entropy");
    assert.throws(() => assertManyContributed(again.out, 2), /`1` participants contributed/);
    // The chain of contributions is part of the key: a shorter one is another key.
    cpSync(from, join(out, "key.zkey"));
    await assert.rejects(verifySetup(request), TranscriptError);
    t.diagnostic(`A6: ${contributions.length - 1} contributions and a beacon verified`);
  });

  describe("when it is to be deployed", () => {
    const folderOf = (change: (setup: string) => void = () => undefined): string => {
      const copy = mkdtempSync(join(folder, "setup-"));
      cpSync(at("export"), copy, { recursive: true });
      change(copy);
      return copy;
    };
    const request = (setup: string) => ({
      folder: setup,
      r1cs: files.r1csFile,
      ptau,
      contractName: "ProductVerifier",
      verifierSource: readFileSync(join(at("export"), "ProductVerifier.sol"), "utf8"),
    });
    const edit = (name: string, from: string | RegExp, to: string) => (setup: string) => {
      const before = readFileSync(join(setup, name), "utf8");
      assert.notEqual(before.replace(from, to), before);
      writeFileSync(join(setup, name), before.replace(from, to));
    };

    it("is verified from powers and sources", async () => {
      const verified = await verifySetup(request(folderOf()));
      assert.equal(verified.r1csHash, await sha256OfFile(files.r1csFile));
      assert.equal(verified.transcript.contributions.length, 1);
    });

    const lies: [string, (setup: string) => void, RegExp][] = [
      ["names another circuit", edit("transcript.json", /"r1cs": "./, '"r1cs": "0'), /names/],
      ["names another participant", edit("transcript.json", "alice", "bob"), /something else/],
      ["is laid out otherwise", edit("transcript.json", /\n$/, " \n"), /something else/],
      [
        "is no transcript",
        edit("transcript.json", '"version": 1', '"version": 2'),
        /no transcript/,
      ],
      ["has another verification key", edit("verification_key.json", "groth16", "plonk"), /names/],
      ["lacks its key", (setup) => rmSync(join(setup, "key.zkey")), /is missing/],
      ["has nobody's key", (setup) => cpSync(first, join(setup, "key.zkey")), /nobody has contr/],
    ];
    for (const [name, change, expected] of lies) {
      it(`is refused if it ${name}`, async () => {
        await assert.rejects(verifySetup(request(folderOf(change))), expected);
      });
    }

    it("is refused for another circuit, other powers or another contract", async () => {
      const good = request(folderOf());
      const other = await compile("other", PRODUCT.replace("left * right", "left * left"));
      await assert.rejects(verifySetup({ ...good, r1cs: other.r1csFile }), /names/);
      await assert.rejects(verifySetup({ ...good, ptau: at("1.ptau") }), /names/);
      await assert.rejects(verifySetup({ ...good, ptauSha256: "00" }), /sha256 given/);
      const verifierSource = good.verifierSource.replace("deltax1 = ", "deltax1 = 1");
      await assert.rejects(verifySetup({ ...good, verifierSource }), /is not what/);
    });
  });
});
