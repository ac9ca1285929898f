// A prover with programs in the place of snarkjs. The program here speaks rapidsnark's command line
// and proves by snarkjs in a process of its own; with STRADDLE_RAPIDSNARK the real one is used too.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runCircom } from "../../../scripts/keys/circom.ts";
import { makeDevKey } from "../../../scripts/keys/devKey.ts";
import { readKeyFile } from "../../../scripts/keys/keyFile.ts";
import { ExternalProverError } from "../../../sequencer/prover/external.ts";
import {
  type CircuitKeys,
  createProver,
  type Groth16Prover,
  ProverError,
} from "../../../sequencer/prover/prover.ts";

const SQUARE = `pragma circom 2.2.0;
template Square() {
  signal input square;
  signal input root;
  square === root * root;
}
component main {public [square]} = Square();
`;
const INPUTS = { square: "49", root: "7" };
const LOGGER = { debug() {}, info() {}, warn() {}, error() {} };
const PROGRAM = fileURLToPath(new URL("rapidsnarkLike.ts", import.meta.url));
const FOLDERS = /^straddle-prove-/;

const folder = mkdtempSync(path.join(tmpdir(), "straddle-external-"));
const started: Groth16Prover[] = [];
let keys: { square: CircuitKeys };

before(async () => {
  const main = path.join(folder, "square.circom");
  writeFileSync(main, SQUARE);
  const { wasmFile: wasm, r1csFile } = await runCircom(main, folder);
  const [zkey, vkey] = ["square.zkey", "square.vkey.json"].map((name) => path.join(folder, name));
  await makeDevKey({ r1csFile, zkeyFile: zkey! });
  writeFileSync(vkey!, JSON.stringify(readKeyFile(zkey!).vkey));
  keys = { square: { wasm, zkey: zkey!, vkey: vkey! } };
});

after(async () => {
  for (const prover of started) await prover.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A file that runs the text as a program. */
function program(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o700);
  return file;
}

const like = (mode: string): string =>
  program(`like-${mode.split(" ")[0]}`, `exec "${process.execPath}" "${PROGRAM}" ${mode} "$@"`);

function proverBy(rapidsnark: string, change: Partial<CircuitKeys> = {}): Groth16Prover {
  const own = { square: { ...keys.square, ...change } };
  const prover = createProver({ keys: own, rapidsnark, singleThread: true, logger: LOGGER });
  started.push(prover);
  return prover;
}

const left = (): string[] => readdirSync(tmpdir()).filter((name) => FOLDERS.test(name));

test("another program's proof holds, by another program's witness too", async () => {
  const before = left();
  const prover = proverBy(like("prove"), { witness: like(`witness ${keys.square.wasm}`) });
  const { proof } = await prover.prove("square", INPUTS);
  assert.equal(await prover.verify("square", [49n], proof), true);
  assert.equal(await prover.verify("square", [48n], proof), false);
  assert.deepEqual(left(), before, "no witness is left behind");
});

test("what a program does wrong is said, with its own words", async () => {
  const failing = program("failing", "echo 'out of memory' >&2; exit 3");
  await assert.rejects(proverBy(failing).prove("square", INPUTS), (error: Error) => {
    return error instanceof ExternalProverError && /failed: out of memory/.test(error.message);
  });
  const silent = program("silent", "exit 0");
  const nothing = proverBy(silent).prove("square", INPUTS);
  await assert.rejects(nothing, /`.*silent` wrote no proof/);
  const odd = program("odd", `echo '{"pi_a":[]}' > "$3"; echo '["1"]' > "$4"`);
  await assert.rejects(proverBy(odd).prove("square", INPUTS), /is no Groth16 proof/);
  const missing = proverBy(path.join(folder, "nowhere")).prove("square", INPUTS);
  await assert.rejects(missing, /ENOENT/);
  const dry = proverBy(like("prove"), { witness: silent }).prove("square", INPUTS);
  await assert.rejects(dry, /wrote no witness/);
});

test("a proof that does not hold is not passed on", async () => {
  await assert.rejects(proverBy(like("wrong")).prove("square", INPUTS), (error: Error) => {
    return error instanceof ProverError && /do not hold/.test(error.message);
  });
});

test("an abort ends the program, and nothing is left", async () => {
  const before = left();
  const slow = program("slow", "exec sleep 60");
  const began = performance.now();
  const proving = proverBy(slow).prove("square", INPUTS, AbortSignal.timeout(1500));
  await assert.rejects(proving, /abort/i);
  assert.ok(performance.now() - began < 30_000);
  assert.deepEqual(left(), before);
});

const real = process.env.STRADDLE_RAPIDSNARK;
const absent = "SKIPPED: STRADDLE_RAPIDSNARK names no rapidsnark program";
test("rapidsnark's own proof holds", { skip: real ? false : absent }, async () => {
  const prover = proverBy(real!);
  const { proof } = await prover.prove("square", INPUTS);
  assert.equal(await prover.verify("square", [49n], proof), true);
});
