// The README's figures for gas are those that the benchmark measures, and the parts of a batch that
// the chain itself charges for leave no more room than DECISIONS says.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { before, test } from "node:test";
import type { BenchLine } from "../../scripts/benchmarks/benchLine.ts";
import { gasBenchmarks, INSTANCES } from "../../scripts/benchmarks/gas.ts";
import { comparisonTable, PEERS } from "../../scripts/benchmarks/gasComparison.ts";
import { GROUP_SIZES } from "../../scripts/benchmarks/gasGroups.ts";

/** Signatures, proofs and addresses have more or fewer zero bytes, which cost less. */
const TOLERANCE = 0.005;
/** In gas: what a fill adds is two batches' difference by 32 fills, 16 zero bytes more or fewer. */
const LEAST_TOLERANCE = (16 * 12) / 32;
const readme = readFileSync(path.join(import.meta.dirname, "../../README.md"), "utf8");
let lines: readonly BenchLine[] = [];

before(async () => {
  lines = await gasBenchmarks();
});

function measured(name: string): number {
  const line = lines.find((candidate) => candidate.name === name);
  assert.ok(line, `\`${name}\` was not measured`);
  return line.value;
}

/** Numbers in a text, thousands by commas. */
function numbersIn(text: string): number[] {
  return [...text.matchAll(/\d[\d,]*/g)].map(([digits]) => Number(digits.replaceAll(",", "")));
}

function assertClose(stated: number, actual: number, what: string): void {
  const off = Math.abs(stated - actual);
  const most = Math.max(TOLERANCE * actual, LEAST_TOLERANCE);
  assert.ok(off <= most, `the README says ${stated} for ${what}, measured ${actual}`);
}

function rowOf(start: string): string {
  const row = readme.split("\n").find((line) => line.startsWith(start));
  assert.ok(row, `the README has no row \`${start}\``);
  return row;
}

test("the README's gas of batches is what is measured", () => {
  const batches = numbersIn(rowOf("| gas of a full trade batch").split("|").slice(2).join("|"));
  const fills = numbersIn(rowOf("| gas for each fill in it").split("|").slice(2).join("|"));
  assert.deepEqual([batches.length, fills.length], [INSTANCES.length, INSTANCES.length]);
  for (const [index, instance] of INSTANCES.entries()) {
    assertClose(batches[index]!, measured(`gas.batch.${instance}`), instance);
  }
  const trades = lines.filter(({ name }) => name.startsWith("gas.trade.straddle."));
  assert.equal(trades.length, INSTANCES.length);
  for (const [index, { name, value }] of trades.entries()) assertClose(fills[index]!, value, name);
});

/** Of `submitBatches`, what each batch may cost: a little more than it does. */
const EACH_MAX = {
  certified: [312_000, 222_000, 166_000, 138_000],
  alone: [292_000, 204_000, 148_000, 120_000],
};

test("the gas of each batch falls with the number in a transaction, as the README says", () => {
  for (const [name, what, most] of [
    ["gas.group.large.certified", "four validators' certificates included", EACH_MAX.certified],
    ["gas.group.large", "without certificates", EACH_MAX.alone],
  ] as const) {
    const all = numbersIn(rowOf(`| gas of all, ${what}`));
    const start = what.startsWith("without") ? "without" : "with";
    const each = numbersIn(rowOf(`| gas of each, ${start} certificates`));
    assert.deepEqual([all.length, each.length], [GROUP_SIZES.length, GROUP_SIZES.length]);
    for (const [index, size] of GROUP_SIZES.entries()) {
      const gas = measured(`${name}.${size}.each`);
      assertClose(all[index]!, measured(`${name}.${size}`), `${size} batches`);
      assertClose(each[index]!, gas, `each of ${size} batches`);
      assert.ok(gas <= most[index]!, `each of ${size} costs ${gas}, at most ${most[index]}`);
    }
  }
  // One more of the same key is a pairing and two multiplications, not four pairings and three.
  const added = (measured("gas.group.large.8") - measured("gas.group.large.4")) / 4;
  assert.ok(added <= 92_000, `one batch more costs ${added}`);
  // A second key costs two pairs more, and the sums of its points.
  const mixed = measured("gas.group.large.mixed");
  assert.ok(mixed <= measured("gas.group.large.certified.4") + 100_000, `of two keys: ${mixed}`);
});

test("the README's gas of owners' calls is what is measured", () => {
  const [first, forced, withdrawal, freeze, exit] = numbersIn(rowOf("First deposit"));
  assertClose(first!, measured("gas.deposit"), "the first deposit");
  assertClose(forced!, measured("gas.forcedWithdraw"), "a forced withdrawal");
  assertClose(withdrawal!, measured("gas.withdraw"), "a withdrawal");
  assertClose(freeze!, measured("gas.freeze"), "a freeze");
  assertClose(exit!, measured("gas.exit"), "an exit");
});

test("the README compares with others as the benchmark does", () => {
  const rows = comparisonTable(lines);
  const own = rows.filter((row) => row.startsWith("| Straddle |"));
  assert.equal(own.length, INSTANCES.length);
  for (const row of own) {
    const stated = numbersIn(rowOf(row.split("|").slice(0, 3).join("|")));
    const actual = numbersIn(row);
    assert.equal(stated.length, actual.length);
    for (const [index, value] of stated.entries()) assertClose(value, actual[index]!, row);
  }
  const others = rows.filter((row) => PEERS.some(({ name }) => row.startsWith(`| ${name} |`)));
  assert.equal(others.length, PEERS.length);
  for (const row of others) assert.ok(readme.includes(row), row);
});

test("a batch's parts are all of it, and most of it is the chain's own price", () => {
  const part = (name: string): number => measured(`gas.part.${name}`);
  const charged = [
    "transaction",
    "calldata",
    "curve",
    "signatures",
    "storage",
    "accounts",
    "event",
  ];
  const computing = ["rollup", "verifier", "registry"].reduce((sum, name) => sum + part(name), 0);
  const sum = charged.reduce((total, name) => total + part(name), 0) + computing;
  assertClose(sum, measured("gas.batch.large"), "the sum of a batch's parts");
  assert.ok(computing <= 20_000, `the contracts' own computing takes ${computing}`);
  const certified = measured("gas.batchOverhead.wide.certified");
  assert.ok(certified <= 264_000, `a certified batch's overhead is ${certified}`);
});
