// The adversary against circuits that are known to be broken, and against the same without the bug:
// restatements, in a few lines each, of cases from collections of real ones.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Attack, attackCircuit, type Finding } from "../../circuits/adversary/attack.ts";
import type { SignalValues } from "../../circuits/adversary/calculator.ts";
import { loadTarget } from "../../circuits/adversary/target.ts";
import { ROOT } from "../../scripts/keys/circom.ts";

const FIXTURES = join(ROOT, "circuits", "adversary", "fixtures");
const MAINS = join(ROOT, "build", "adversary", "fixtures");
const SHARE_MIN = 80;
/** A remainder is taken for the sum that it is equal to, and the dividend for an operand. */
const FALSE_ALARMS = ["modulo: range main.in"];
/** circomlib's IsZero: its inverse is free at 0. */
const HARMLESS = /\.inv$/;

interface Fixture {
  readonly name: string;
  readonly foundBy: Attack | "nothing";
  readonly inputs: SignalValues;
  readonly fixedInputs: SignalValues;
}

const fixtures = readdirSync(FIXTURES).map((file): Fixture => {
  const text = readFileSync(join(FIXTURES, file), "utf8");
  const said = (key: string): string => new RegExp(`^// ${key}: (.*)$`, "m").exec(text)![1]!;
  return {
    name: file.replace(".circom", ""),
    foundBy: said("Found by") as Attack,
    inputs: JSON.parse(said("Inputs")) as SignalValues,
    fixedInputs: JSON.parse(said("Fixed inputs")) as SignalValues,
  };
});

async function findingsIn(
  fixture: Fixture,
  template: "Bug" | "Fixed",
): Promise<readonly Finding[]> {
  mkdirSync(MAINS, { recursive: true });
  const mainFile = join(MAINS, `${fixture.name}${template}.circom`);
  const include = `circuits/adversary/fixtures/${fixture.name}.circom`;
  writeFileSync(
    mainFile,
    `pragma circom 2.2.0;\ninclude "${include}";\ncomponent main = ${template}();\n`,
  );
  const target = await loadTarget(mainFile, {
    libraries: [ROOT, join(ROOT, "node_modules")],
    cacheFolder: join(ROOT, "build", "adversary", "targets"),
  });
  const inputs = template === "Bug" ? fixture.inputs : fixture.fixedInputs;
  const { findings } = attackCircuit(target, [inputs], { callsMax: 4, inputsMax: 60 });
  return findings.filter(({ signal }) => !signal.split(" = ").every((one) => HARMLESS.test(one)));
}

test("C10 the adversary sees known bugs, and nothing odd where they are fixed", async (context) => {
  const missed: string[] = [];
  const alarms: string[] = [];
  for (const fixture of fixtures) {
    const [bug, fixed] = await Promise.all([
      findingsIn(fixture, "Bug"),
      findingsIn(fixture, "Fixed"),
    ]);
    alarms.push(...fixed.map(({ attack, signal }) => `${fixture.name}: ${attack} ${signal}`));
    if (bug.length === 0) missed.push(fixture.name);
    const attacks: string[] = bug.length === 0 ? ["nothing"] : bug.map(({ attack }) => attack);
    assert.ok(
      attacks.includes(fixture.foundBy),
      `${fixture.name} should be found by ${fixture.foundBy}, was by ${attacks.join(", ")}`,
    );
  }
  const found = fixtures.length - missed.length;
  const share = (100 * found) / fixtures.length;
  context.diagnostic(
    `C10: ${found} of ${fixtures.length} known bugs flagged (${share.toFixed(0)} %), missed ` +
      `${missed.join(", ")}, ${alarms.length} false alarms`,
  );
  assert.deepEqual(alarms, FALSE_ALARMS);
  assert.ok(share >= SHARE_MIN, `${share} %`);
});
