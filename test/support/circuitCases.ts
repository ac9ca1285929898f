/**
 * Inputs that the circuits' tests have tried on single templates: what was taken and what was
 * refused. Recorded while the tests run if STRADDLE_CIRCUIT_CASES names a folder, kept in
 * recorded/, and used by the adversary's tests (`node test/support/circuitCases.ts` records anew).
 */
import { spawnSync } from "node:child_process";
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import type { SignalValues } from "../../circuits/adversary/calculator.ts";
import { ROOT } from "../../scripts/keys/circom.ts";
import type { GadgetSource } from "./gadget.ts";

export interface CircuitCases {
  readonly source: GadgetSource;
  readonly taken: readonly SignalValues[];
  readonly refused: readonly SignalValues[];
}

const FILE = join(ROOT, "test", "support", "recorded", "circuitCases.json.gz");
const TAKEN_MAX = 20;
const REFUSED_MAX = 300;

type Recorded = { source: GadgetSource; taken: Set<string>; refused: Set<string> };
const recorded = new Map<string, Recorded>();

/** Remembers a case, if cases are recorded. Numbers are kept as decimal texts. */
export function recordCase(
  source: GadgetSource,
  inputs: SignalValues,
  kind: "taken" | "refused",
): void {
  const folder = process.env.STRADDLE_CIRCUIT_CASES;
  if (folder === undefined || source.freeHints === true) return;
  if (recorded.size === 0) process.once("exit", () => writeRecorded(folder));
  const key = JSON.stringify(source);
  const known = recorded.get(key) ?? { source, taken: new Set(), refused: new Set() };
  recorded.set(key, known);
  known[kind].add(JSON.stringify(inputs, (_, value) => asText(value)));
}

/** What has been recorded and is kept. */
export function readCircuitCases(): readonly CircuitCases[] {
  return JSON.parse(gunzipSync(readFileSync(FILE)).toString("utf8")) as CircuitCases[];
}

function asText(value: unknown): unknown {
  return typeof value === "bigint" || typeof value === "number" ? value.toString() : value;
}

function writeRecorded(folder: string): void {
  const cases = [...recorded.values()].map(({ source, taken, refused }) => ({
    source,
    taken: spread([...taken], TAKEN_MAX),
    refused: spread([...refused], REFUSED_MAX),
  }));
  writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify(cases));
}

/** At most `max`, taken evenly from all of them. */
function spread(texts: readonly string[], max: number): unknown[] {
  const step = Math.max(1, texts.length / max);
  const count = Math.min(max, texts.length);
  return Array.from({ length: count }, (_, index) => JSON.parse(texts[Math.floor(index * step)]!));
}

/** Runs the tests of templates and keeps what they tried. */
function record(): void {
  const folder = mkdtempSync(join(tmpdir(), "straddle-cases-"));
  try {
    mkdirSync(folder, { recursive: true });
    const files = globSync("test/circuits/*.test.ts", { cwd: ROOT }).filter((file) =>
      readFileSync(join(ROOT, file), "utf8").includes("loadGadget"),
    );
    const env = { ...process.env, STRADDLE_CIRCUIT_CASES: folder };
    const args = ["--test", "--test-concurrency=2", ...files.sort()];
    const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: [0, 2, 2], env });
    if (status !== 0) throw new Error("the circuits' tests fail; nothing was kept");
    const cases = readdirSync(folder).flatMap(
      (name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as CircuitCases[],
    );
    const merged = mergedCases(cases);
    writeFileSync(FILE, gzipSync(JSON.stringify(merged), { level: 9 }));
    process.stdout.write(`${merged.length} templates in ${FILE}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Several tests may try the same template. */
function mergedCases(cases: readonly CircuitCases[]): CircuitCases[] {
  const bySource = new Map<string, CircuitCases>();
  for (const each of cases) {
    const key = JSON.stringify(each.source);
    const known = bySource.get(key) ?? { ...each, taken: [], refused: [] };
    const taken = [...known.taken, ...each.taken].slice(0, TAKEN_MAX);
    const refused = [...known.refused, ...each.refused].slice(0, REFUSED_MAX);
    bySource.set(key, { source: each.source, taken, refused });
  }
  return [...bySource].sort(([x], [y]) => (x < y ? -1 : 1)).map(([, each]) => each);
}

if (import.meta.main) record();
