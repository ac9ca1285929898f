// D3: small faults put into the contracts, one at a time, and how many of them the tests notice.
import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { describe } from "../../scripts/mutation/mutants.ts";
import { DEFAULT_COUNT, DEFAULT_SEED, mutate, report } from "../../scripts/mutation/mutate.ts";
import { scoreOf } from "../../scripts/mutation/score.ts";

const KILLED_MIN = 90;
/** It takes most of an hour of a core. */
const skip = process.env.STRADDLE_TEST_LONG ? false : "only in `npm run test:long`";

test("D3: tests kill 90 % of the contracts' mutants, and the rest is explained", {
  skip,
}, async (t) => {
  const lanes = availableParallelism();
  const request = { seed: DEFAULT_SEED, count: DEFAULT_COUNT, lanes, fresh: false };
  const judged = await mutate(request, (line) => t.diagnostic(line));
  report(judged, (line) => t.diagnostic(line));
  assert.equal(judged.length, DEFAULT_COUNT);
  const { killed, survivors, ofAll, unexplained } = scoreOf(judged);
  t.diagnostic(`D3: ${killed} of ${killed + survivors.length} killed, ${ofAll.toFixed(1)} %`);
  // Equivalent ones count as survivors here.
  assert.ok(ofAll >= KILLED_MIN, `${ofAll.toFixed(1)} %`);
  const missing = unexplained.map(([mutant]) => `${mutant.id} ${describe(mutant)}`);
  assert.deepEqual(missing, [], "contracts/MUTANTS.md explains every survivor");
});
