// Templates under attack one by one, with the inputs that their tests have tried: hints replaced,
// constraints deleted. Everything that is found is in a reviewed table or fails.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import { describe } from "../../circuits/adversary/attack.ts";
import { deleteEach, KILLERS } from "../../circuits/adversary/deletion.ts";
import { attackHints } from "../../circuits/adversary/hints.ts";
import { withoutIndices } from "../../circuits/adversary/symbols.ts";
import { ROOT } from "../../scripts/keys/circom.ts";
import { type CircuitCases, readCircuitCases } from "../support/circuitCases.ts";
import { loadTemplate } from "../support/circuitTargets.ts";
import { isReviewedHint, reviewedSurvivor } from "../support/reviewedFreedom.ts";

const isLong = process.env.STRADDLE_TEST_LONG !== undefined;
/** Not every day: seconds each, and with nothing in them that smaller ones have not got. */
const LARGE = new Set([
  ...["OracleQuorum", "Liquidation", "RegisterKey", "OpenBook", "BooksOpened", "RiskMatrix"],
  ...[
    "MerkleUpdate",
    "MerkleUpdates",
    "SeriesTable",
    "KeyOrPath",
    "BookLeaf",
    "PublicData",
    "MarkWords",
  ],
  ...["SessionOpened", "ForcedClose", "ExpiredClose", "FillVerdict", "Bearable", "Takeover"],
  // Multiples by whole scalars: small instances run every day, with the same hints.
  ...["250, SUBGROUP_ORDER()", "250"].flatMap((sizes) => [
    ...[`FixedBase(${sizes})`, `Multiple(${sizes})`, `SignedMultiple(${sizes})`],
  ]),
  ...["Signature", "Signer"],
]);
const isLargeTemplate = (main: string): boolean =>
  LARGE.has(main) || LARGE.has(/^\w+/.exec(main)?.[0] ?? "");
const TAKEN_MAX = isLong ? 20 : 3;
const CALLS_MAX = isLong ? 40 : 2;
/** Evaluations of constraints with changed hints and inputs, for each template. */
const WORK_MAX = isLong ? 2_000_000 : 400_000;

const all = readCircuitCases();

/** Some of a template's inputs, spread over all of them. */
function some<T>(all: readonly T[], max: number): readonly T[] {
  const step = Math.max(1, all.length / max);
  return Array.from({ length: Math.min(max, all.length) }, (_, at) => all[Math.floor(at * step)]!);
}

/**
 * Not for deletion: a signature's equation says more than is left to choose, so that near an honest
 * witness each constraint before it follows from the others; to forge one takes a logarithm.
 */
const SIGNED = /^(Signature|Signer|OracleQuorum)\(/;

/**
 * Likewise: what it is made of is deleted from template by template. Here a wrong choice has to
 * be carried through headrooms and verdicts to be seen, and what is its own are equations
 * between their outputs, which `FillUnit proves 1` tries with every other outcome.
 */
const COMPOSED = /^FillUnit\(/;

/** Survivors that nobody has reviewed yet, in large templates only; may only become fewer. */
const OPEN_MAX = isLong ? 3 : 0;

/** What runs today: not the large ones, but at least one template for each hint. */
const today = all.filter(({ source: { main } }) => isLong || !isLargeTemplate(main));

/** Of templates after full simplification: `node scripts/templateConstraints.ts` writes them. */
const COUNTS = JSON.parse(
  readFileSync(join(ROOT, "circuits", "templates.json"), "utf8"),
) as Readonly<Record<string, number>>;

test("the table of constraints has every template, and what each costs", async () => {
  assert.deepEqual(Object.keys(COUNTS), all.map(({ source: { main } }) => main).sort());
  const counts: Record<string, number> = {};
  for (const { source } of today) {
    counts[source.main] = (await loadTemplate(source)).r1cs.constraints.length;
  }
  const names = Object.keys(counts);
  const told = Object.fromEntries(names.map((name) => [name, COUNTS[name]]));
  assert.deepEqual(counts, told, "if you meant it: node scripts/templateConstraints.ts");
});

test("C3 no hint can be replaced so that a template's outputs change", async (context) => {
  const tried = new Map<string, number>();
  let free = 0;
  for (const { source, taken } of today) {
    const target = await loadTemplate(source);
    const isLarge = target.r1cs.constraints.length > 1000;
    for (const [seed, inputs] of some(taken, isLarge && !isLong ? 1 : TAKEN_MAX).entries()) {
      const callsMax = isLarge && !isLong ? 1 : CALLS_MAX;
      const report = attackHints(target, inputs, { callsMax, seed });
      for (const [site, count] of report.tried) {
        const name = `${relative(ROOT, site.file)}:${site.line}`;
        tried.set(name, (tried.get(name) ?? 0) + count);
      }
      for (const { site, from, to, outputs } of report.findings) {
        const finding = `${source.main}: ${site.template}.${site.signal} ${from} as ${to}`;
        assert.deepEqual(outputs, [], finding);
        assert.ok(isReviewedHint(site.template, site.signal), `${finding} is taken`);
        free++;
      }
    }
  }
  for (const place of hintsOf(tried.keys())) {
    assert.ok(
      (tried.get(place) ?? 0) >= 100,
      `${place} was replaced ${tried.get(place) ?? 0} times`,
    );
  }
  const count = [...tried.values()].reduce((sum, each) => sum + each, 0);
  context.diagnostic(
    `C3: ${count.toLocaleString("en")} values in place of ${tried.size} hints, at least ` +
      `${Math.min(...tried.values())} each, in ${today.length} templates: 0 other outputs, ` +
      `${free} reviewed choices`,
  );
});

/** Every `<--` of our own sources and every one of circomlib's that a template has reached. */
function hintsOf(reached: Iterable<string>): Set<string> {
  const own = globSync("circuits/{gadgets,state,trade,ledger}/**/*.circom", { cwd: ROOT });
  const places = own.flatMap((file) => {
    const lines = readFileSync(join(ROOT, file), "utf8").split("\n");
    return lines.flatMap((line, at) => (line.includes(" <-- ") ? [`${file}:${at + 1}`] : []));
  });
  return new Set([...places, ...reached]);
}

test("C4 the loss of any constraint is noticed, or it is redundant", async (context) => {
  const killers = new Map<string, number>();
  let constraints = 0;
  const unreviewed: string[] = [];
  let reviewed = 0;
  const isAlone = ({ source: { main } }: CircuitCases): boolean =>
    !SIGNED.test(main) && !COMPOSED.test(main);
  for (const cases of today.filter(isAlone)) {
    const target = await loadTemplate(cases.source);
    const { length } = target.r1cs.constraints;
    const runsMax = Math.max(20, Math.floor(WORK_MAX / length));
    const { killed, survivors, notRefused } = deleteEach(target, cases, { runsMax });
    assert.deepEqual(notRefused, [], `${cases.source.main}: refused by no constraint`);
    constraints += length;
    for (const killer of killed.values()) killers.set(killer, (killers.get(killer) ?? 0) + 1);
    for (const at of survivors) {
      const text = `${cases.source.main}: ${withoutIndices(describe(target, at))}`;
      if (reviewedSurvivor(text) !== undefined) reviewed++;
      else unreviewed.push(text);
    }
  }
  const dead = [...killers.values()].reduce((sum, each) => sum + each, 0);
  const share = (100 * dead) / constraints;
  const by = KILLERS.map((killer) => `${killer} ${killers.get(killer) ?? 0}`).join(", ");
  context.diagnostic(
    `C4: ${share.toFixed(2)} % of ${constraints.toLocaleString("en")} mutants killed (${by}), ` +
      `${reviewed} survivors reviewed, ${unreviewed.length} open`,
  );
  if (process.env.STRADDLE_SHOW_SURVIVORS) for (const text of unreviewed) context.diagnostic(text);
  assert.ok(share >= 95, `${share.toFixed(2)} %`);
  assert.ok(unreviewed.length <= OPEN_MAX, `survivors to be reviewed:\n${unreviewed.join("\n")}`);
});
