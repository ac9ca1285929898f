// D1: how much of the contracts the contract tests reach.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  coverageTable,
  measureCoverage,
  percent,
  totalOf,
} from "../../scripts/coverage/measure.ts";

const LINES_MIN = 95;
const BRANCHES_MIN = 90;

test("D1: tests reach 95 % of the contracts' lines and 90 % of their branches", (t) => {
  const contracts = measureCoverage();
  const table = coverageTable(contracts);
  for (const line of table) t.diagnostic(line);
  // Nothing measured would be nothing missed.
  assert.ok(contracts.some(({ file }) => file === "contracts/Rollup.sol"));
  assert.ok(contracts.every(({ lines }) => lines.all > 0));
  for (const [kind, least] of [
    ["lines", LINES_MIN],
    ["branches", BRANCHES_MIN],
  ] as const) {
    const reached = percent(totalOf(contracts.map((contract) => contract[kind])));
    t.diagnostic(`D1: ${kind} ${reached.toFixed(1)} %`);
    assert.ok(reached >= least, `${kind}: ${reached.toFixed(1)} %\n${table.join("\n")}`);
  }
});
