// Native calculators give the witness of the WebAssembly ones, and refuse what they refuse: shown
// by a circuit of wide buses. Needs g++ and nasm, and says so where they are not.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { loadCalculator, type SignalValues } from "../../circuits/adversary/calculator.ts";
import { buildCalculator, CalculatorError, mendBuses } from "../../scripts/keys/calculator.ts";
import { ROOT, runCircom } from "../../scripts/keys/circom.ts";

const WORD_BYTES = 32;
const FIELDS = Array.from({ length: 60 }, (_, at) => `f${at}`);
/** Fields of a bus and of one inside it; the first is 0 or 1. */
const WIDE = `pragma circom 2.2.0;
bus Wide() { ${FIELDS.map((name) => `signal ${name};`).join(" ")} }
bus Wider() { ${FIELDS.map((name) => `signal ${name};`).join(" ")} Wide() inner; }
template Sum() {
  input Wider() wide;
  signal output sum;
  wide.f0 * (wide.f0 - 1) === 0;
  sum <== ${FIELDS.map((name) => `wide.${name}`).join(" + ")} + wide.f1 * wide.inner.f2;
}
template Outer() {
  input Wider() wide;
  signal output sum;
  component parts[2];
  for (var i = 0; i < 2; i++) {
    parts[i] = Sum();
    parts[i].wide <== wide;
  }
  sum <== parts[0].sum * parts[1].sum;
}
component main = Outer();
`;

const calculators = join(ROOT, "build", "calculators");
mkdirSync(calculators, { recursive: true });
const folder = mkdtempSync(join(calculators, "test-"));
after(() => rmSync(folder, { recursive: true }));

const isHere = ["g++", "nasm"].every((name) => spawnSync(name, ["--version"]).status === 0);
const skip = isHere ? false : "NO NATIVE CALCULATOR IS TRIED: g++ or nasm is not installed";

/** Undefined: the program has refused the inputs. */
function runNative(program: string, inputs: SignalValues): bigint[] | undefined {
  const [given, wtns] = [join(folder, "inputs.json"), join(folder, "witness.wtns")];
  rmSync(wtns, { force: true });
  writeFileSync(
    given,
    JSON.stringify(inputs, (_, value) => asText(value)),
  );
  const { status } = spawnSync(program, [given, wtns]);
  return status === 0 ? wiresOf(readFileSync(wtns)) : undefined;
}

function asText(value: unknown): unknown {
  return typeof value === "bigint" || typeof value === "number" ? `${value}` : value;
}

/** The file's last section: every wire in 32 bytes, least significant first. */
function wiresOf(file: Buffer): bigint[] {
  const sectionBytes = 12;
  const fieldSection = 8 + WORD_BYTES;
  const from = sectionBytes + sectionBytes + fieldSection + sectionBytes;
  return Array.from({ length: (file.length - from) / WORD_BYTES }, (_, wire) => {
    const at = from + wire * WORD_BYTES;
    const bytes = Buffer.from(file.subarray(at, at + WORD_BYTES)).reverse();
    return BigInt(`0x${bytes.toString("hex")}`);
  });
}

test("a native calculator finds the witnesses of the WebAssembly one", { skip }, async () => {
  const mainFile = join(folder, "main.circom");
  writeFileSync(mainFile, WIDE);
  const program = join(folder, "calculator");
  const stages: string[] = [];
  await buildCalculator(mainFile, program, (stage) => void stages.push(stage));
  assert.deepEqual(stages, ["writing C++", "compiling C++"]);
  const { wasmFile } = await runCircom(mainFile, folder);
  const calculator = await loadCalculator(wasmFile);
  for (const first of [0n, 1n]) {
    const fields = FIELDS.map((name, at) => [name, at === 0 ? first : 2n ** BigInt(4 * at)]);
    const inner = Object.fromEntries(fields) as Record<string, bigint>;
    const inputs = { wide: { ...inner, inner } };
    assert.deepEqual(runNative(program, inputs), calculator.run(inputs));
    assert.equal(runNative(program, { wide: { ...inputs.wide, f0: 2n } }), undefined);
  }
  assert.equal(runNative(program, {}), undefined, "no inputs");
});

test("a bus has room for all of its fields", () => {
  const written = "p.defs = (IOFieldDef*)calloc(10, sizeof(IOFieldDef));";
  assert.equal(mendBuses(written), "p.defs = (IOFieldDef*)calloc(p.len, sizeof(IOFieldDef));");
});

test("what a build lacks is told", async () => {
  const mainFile = join(folder, "square.circom");
  writeFileSync(mainFile, "pragma circom 2.2.0;\ntemplate A() { signal input a; a * a === a; }\n");
  await assert.rejects(buildCalculator(mainFile, join(folder, "none")), /circom could not compile/);
  const { PATH } = process.env;
  writeFileSync(
    mainFile,
    "pragma circom 2.2.0;\ntemplate A() { signal input a; a * a === a; }\ncomponent main = A();\n",
  );
  process.env.PATH = "";
  try {
    await assert.rejects(buildCalculator(mainFile, join(folder, "none")), (error) => {
      assert.ok(error instanceof CalculatorError);
      assert.match(error.message, /`g\+\+` is not here; needed are .*nasm/);
      return true;
    });
  } finally {
    process.env.PATH = PATH;
  }
});
