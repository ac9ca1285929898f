// The Quint model of the consensus rules, simulated with the TypeScript backend (the other ones
// download their engines): random runs of sound configurations keep the invariants, and every
// configuration that breaks one rule, or has a liar too many, is caught.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const quint = "node_modules/@informalsystems/quint/dist/src/cli.js";
const { STRADDLE_SEED = "1", STRADDLE_TEST_LONG } = process.env;
const STEPS = 45;
/** Runs of a broken configuration: it was found within 30 of them with each seed tried. */
const BROKEN_RUNS_MAX = 1_000;

interface Simulation {
  readonly isSound: boolean;
  readonly text: string;
  /** Runs in which a witness was seen. */
  seen(witness: string): number;
}

function simulate(module: string, runs: number): Simulation {
  const witnesses = ["aBlockIsFinal", "aFinalBlockCrossesTerms"];
  const args = ["run", "test/quint/simplex.qnt", "--backend=typescript", `--main=${module}`];
  args.push("--invariant=safety", "--witnesses", ...witnesses, `--max-steps=${STEPS}`);
  args.push(`--max-samples=${runs}`, `--seed=${STRADDLE_SEED}`, "--verbosity=1");
  const { stdout, stderr, status } = spawnSync(process.execPath, [quint, ...args], {
    ...{ cwd: root, encoding: "utf8" },
    env: { ...process.env, NO_COLOR: "1" },
  });
  const text = `${stdout}\n${stderr}`;
  const isSound = status === 0 && text.includes("[ok] No violation found");
  const isBroken = status !== 0 && text.includes("Invariant violated");
  // A model that does not run shows nothing either way.
  assert.ok(isSound || isBroken, text);
  const seen = (witness: string): number =>
    Number(text.match(new RegExp(`${witness} was witnessed in (\\d+) trace`))?.[1] ?? 0);
  return { isSound, text, seen };
}

for (const [module, runs] of [
  ["sound", 60],
  ["lyingLeader", 60],
  ["seven", 40],
] as const) {
  test(`the rules are safe in random runs: ${module}`, (context) => {
    const { isSound, text, seen } = simulate(module, STRADDLE_TEST_LONG ? runs * 50 : runs);
    assert.ok(isSound, text);
    // Runs in which nothing becomes final would keep every invariant.
    assert.ok(seen("aBlockIsFinal") > runs / 10, text);
    if (module !== "seven") assert.ok(seen("aFinalBlockCrossesTerms") > 0, text);
    context.diagnostic(text.trim().split("\n")[0] ?? "");
  });
}

for (const module of ["overFaulty", "brokenPromise", "lostVotes", "uncheckedTips"]) {
  test(`the model notices what breaks the rules: ${module}`, (context) => {
    const { isSound, text } = simulate(module, BROKEN_RUNS_MAX);
    assert.ok(!isSound, text);
    context.diagnostic(text.trim().split("\n")[0] ?? "");
  });
}
