/** What a campaign's verdicts come to, and contracts/MUTANTS.md, which explains the survivors. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Result } from "./campaign.ts";
import type { Mutant } from "./mutants.ts";
import { ROOT } from "./sandbox.ts";

const FILE = join(ROOT, "contracts", "MUTANTS.md");
const COLUMNS = ["id", "where", "change", "verdict", "why"] as const;
/** `equivalent`: behaves like the original; `unseen`: differs where no promise is made. */
const VERDICTS = ["equivalent", "unseen", "endless"];

export type Judged = readonly [Mutant, Result];

export interface Score {
  readonly killed: number;
  readonly survivors: readonly Judged[];
  /** Killed by tests that do not end, as the table explains. */
  readonly endless: readonly Judged[];
  /** Did not compile, or compiled to the same code: not counted. */
  readonly uncounted: number;
  /** Survivors and endless ones that the table does not explain. */
  readonly unexplained: readonly Judged[];
  /** Of all counted, per cent. */
  readonly ofAll: number;
  /** Of those that the table does not call equivalent, per cent. */
  readonly withoutEquivalents: number;
}

interface Explanation {
  readonly verdict: string;
  readonly why: string;
}

function readExplanations(): Map<string, Explanation> {
  if (!existsSync(FILE)) return new Map();
  const rows = readFileSync(FILE, "utf8")
    .split("\n")
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
    .filter((cells) => /^[0-9a-f]{8}$/.test(cells[1] ?? ""));
  return new Map(rows.map((cells) => [cells[1]!, { verdict: cells[4]!, why: cells[5]! }]));
}

export function scoreOf(judged: readonly Judged[]): Score {
  const explanations = readExplanations();
  const of = (...outcomes: readonly string[]) =>
    judged.filter(([, { outcome }]) => outcomes.includes(outcome));
  const verdictOn = ([{ id }]: Judged) => explanations.get(id)?.verdict;
  // Tests that do not end are no proof of anything until somebody says why they do not.
  const endless = of("endless").filter((one) => verdictOn(one) === "endless");
  const killed = of("killed").length + endless.length;
  const survivors = of("survived", "endless").filter((one) => !endless.includes(one));
  const counted = killed + survivors.length;
  const equivalent = survivors.filter((one) => verdictOn(one) === "equivalent").length;
  const isExplained = (one: Judged) => {
    const { verdict, why } = explanations.get(one[0].id) ?? { verdict: "", why: "" };
    return VERDICTS.includes(verdict) && why.length > 0;
  };
  return {
    killed,
    survivors,
    endless,
    uncounted: of("invalid", "same code").length,
    unexplained: survivors.filter((one) => !isExplained(one)),
    ofAll: (100 * killed) / counted,
    withoutEquivalents: (100 * killed) / (counted - equivalent),
  };
}

const cell = (text: string) => text.replace(/\s+/g, " ").replaceAll("|", "\\|");
const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

function tableRow([mutant]: Judged, explanations: ReadonlyMap<string, Explanation>): string {
  const { id, contract, functionName, operator, original, replacement } = mutant;
  const { verdict, why } = explanations.get(id) ?? { verdict: "", why: "" };
  const change = `\`${cell(original)}\` → \`${cell(replacement) || " "}\``;
  return row([id, `${contract} ${functionName}`, `${operator}: ${change}`, verdict, why]);
}

/** Per contract: counted mutants and how many of them were killed. */
function contractTable(judged: readonly Judged[]): string[] {
  const contracts = [...new Set(judged.map(([{ contract }]) => contract))].sort();
  return contracts.map((contract) => {
    const own = judged.filter(([mutant]) => mutant.contract === contract);
    const { killed, survivors } = scoreOf(own);
    return row([contract, String(killed + survivors.length), String(killed)]);
  });
}

/** Writes the tables anew, with the explanations that the file had. */
export function writeDocument(judged: readonly Judged[], command: string): void {
  const explanations = readExplanations();
  const score = scoreOf(judged);
  const { killed, survivors, uncounted, ofAll, withoutEquivalents } = score;
  const before = readFileSync(FILE, "utf8").split("\n## Figures\n")[0]!;
  const figures = [
    `\`${command}\`: ${judged.length} mutants drawn, ${uncounted} of them not counted because they`,
    "do not compile or compile to the same code.",
    "",
    `Killed: ${killed} of ${killed + survivors.length}, ${ofAll.toFixed(1)} %. Without those that`,
    `behave like the original: ${withoutEquivalents.toFixed(1)} %.`,
  ];
  const rows = [...survivors, ...score.endless].map((one) => tableRow(one, explanations)).sort();
  const line = (columns: readonly string[]) => [row(columns), row(columns.map(() => "---"))];
  const text = [
    ...[before.trimEnd(), "", "## Figures", "", ...figures, ""],
    ...[...line(["contract", "mutants", "killed"]), ...contractTable(judged), ""],
    ...["## Survivors", "", ...line(COLUMNS), ...rows, ""],
  ];
  writeFileSync(FILE, text.join("\n"));
}
