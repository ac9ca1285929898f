/**
 * Judges mutants in several lanes and writes down each verdict at once, so that an interrupted
 * campaign goes on where it stopped. Verdicts hold for the sources and tests they were found with.
 */
import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, existsSync, globSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Task, Verdict } from "./lane.ts";
import { allMutants, type Mutant } from "./mutants.ts";
import { createSandbox, endWithSandboxes, ROOT, removeSandbox, type Sandbox } from "./sandbox.ts";
import { buildSandbox, type Change } from "./sandboxBuild.ts";

const FUZZ_RUNS = 16;
const RESULTS = join(ROOT, "build", "mutation");
/** How many times longer than on the original the tests may take; and at least this long, ms. */
const PATIENCE = 8;
const MILLISECONDS_MIN = 180_000;
/** Mutants that one process judges: compiler and test runner keep what they once took. */
const LANE_LIFE = 20;
const LANE = join("scripts", "mutation", "lane.ts");

export interface Result extends Verdict {
  readonly id: string;
  readonly seconds: number;
}

type OnResult = (mutant: Mutant, result: Result) => void;

export interface Campaign {
  readonly mutants: readonly Mutant[];
  /** Verdicts found before with the same sources and tests. */
  readonly known: ReadonlyMap<string, Result>;
  judge(mutants: readonly Mutant[], lanes: number, onResult: OnResult): Promise<void>;
  close(): void;
}

export function openCampaign(): Campaign {
  const file = join(RESULTS, `${fingerprint()}.jsonl`);
  const sandbox = createSandbox(FUZZ_RUNS);
  const input = buildSandbox(sandbox.folder);
  const [sourceName, { content }] = Object.entries(input.sources)[0]!;
  const original = { sourceName, content };
  mkdirSync(RESULTS, { recursive: true });
  return {
    mutants: allMutants(input),
    known: readResults(file),
    judge: async (mutants, count, onResult) => {
      if (mutants.length === 0) return;
      const queue = [...mutants];
      const record: OnResult = (mutant, result) => {
        appendFileSync(file, `${JSON.stringify(result)}\n`);
        onResult(mutant, result);
      };
      const others = Array.from({ length: Math.min(count, queue.length) - 1 }, () =>
        createSandbox(sandbox),
      );
      const sandboxes = [sandbox, ...others];
      await Promise.all(sandboxes.map((own) => runLane(own, original, queue, record)));
      others.forEach(removeSandbox);
    },
    close: () => removeSandbox(sandbox),
  };
}

/** Of everything that a verdict depends on. */
function fingerprint(): string {
  const hash = createHash("sha256");
  const patterns = ["contracts/**/*.sol", "test/contracts/*.{sol,ts}", "scripts/mutation/*.ts"];
  for (const file of globSync(patterns, { cwd: ROOT }).sort()) {
    hash.update(file).update(readFileSync(join(ROOT, file)));
  }
  return hash.digest("hex").slice(0, 16);
}

function readResults(file: string): Map<string, Result> {
  if (!existsSync(file)) return new Map();
  // The last line may be half of one.
  const lines = readFileSync(file, "utf8").split("\n");
  const results = lines.filter((line) => line.endsWith("}")).map((line) => JSON.parse(line));
  return new Map((results as Result[]).map((result) => [result.id, result]));
}

async function runLane(
  sandbox: Sandbox,
  original: Change,
  queue: Mutant[],
  record: OnResult,
): Promise<void> {
  const start = Date.now();
  let lane = await startCheckedLane(sandbox, original);
  const patience = Math.max(MILLISECONDS_MIN, PATIENCE * (Date.now() - start));
  let judged = 0;
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    const begun = Date.now();
    const change = { sourceName: mutant.sourceName, content: mutant.mutate() };
    const verdict = await lane.ask(change, patience);
    if (verdict.outcome === "endless") {
      lane.end();
      // Or the machine is to blame, and the verdict is none.
      lane = await startCheckedLane(sandbox, original);
    } else if (++judged % LANE_LIFE === 0) {
      lane.end();
      lane = startLane(sandbox);
    }
    const seconds = Math.round((Date.now() - begun) / 1000);
    record(mutant, { id: mutant.id, ...verdict, seconds });
  }
  lane.end();
}

/** Throws unless the contracts as they are pass their tests. */
async function startCheckedLane(sandbox: Sandbox, original: Change) {
  const lane = startLane(sandbox);
  const { outcome, by } = await lane.ask(original, 10 * MILLISECONDS_MIN);
  if (outcome !== "survived") throw new Error(`the tests fail without a mutant: \`${by}\``);
  return lane;
}

function startLane({ folder, nodeTests }: Sandbox) {
  const lane = fork(join(folder, LANE), [], { cwd: folder, stdio: ["ignore", "ignore", 2, "ipc"] });
  const ask = (change: Change, millisecondsMax: number) =>
    new Promise<Verdict>((resolve) => {
      const settle = (verdict: Verdict) => {
        clearTimeout(timer);
        lane.removeAllListeners();
        resolve(verdict);
      };
      const give = (by: string) => settle({ outcome: "endless", by });
      const timer = setTimeout(() => give("no end"), 1.5 * millisecondsMax);
      lane.once("exit", (code) => give(`the runner ended with code ${code}`));
      lane.once("message", (verdict) => settle(verdict as Verdict));
      lane.send({ ...change, nodeTests, millisecondsMax } satisfies Task);
    });
  const kill = () => lane.kill("SIGKILL");
  const forget = endWithSandboxes(kill);
  return {
    ask,
    end: () => {
      forget();
      kill();
    },
  };
}
