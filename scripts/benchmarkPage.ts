/**
 * Makes BENCHMARKS.md and its pictures of what `npm run bench -- NAME --json` has printed into
 * scripts/benchmarks/results/NAME.jsonl, each with the machine in a first line of its own:
 * `node scripts/benchmarkPage.ts NAME` (and what else the benchmark takes) measures one and writes
 * its file, without a name it makes the page of the files that are there.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import path from "node:path";
import type { BenchLine } from "./benchmarks/benchLine.ts";
import { type Chart, type ChartLine, lineChart } from "./benchmarks/lineChart.ts";

const ROOT = path.join(import.meta.dirname, "..");
const FOLDER = path.join(ROOT, "scripts", "benchmarks", "results");
const PAGE = path.join(ROOT, "BENCHMARKS.md");

interface Machine {
  readonly machine: string;
  readonly node: string;
  readonly date: string;
}

const SECTIONS: readonly { readonly name: string; readonly title: string }[] = [
  { name: "end-to-end", title: "A signed order to its durable, signed receipt" },
  { name: "ingest", title: "Letting messages in" },
  { name: "engine", title: "Matching" },
  { name: "hash", title: "Hashes and signatures" },
  { name: "state", title: "State" },
  { name: "scale", title: "An order's cost as accounts and books become more" },
  { name: "memory", title: "Memory over ten minutes" },
  { name: "log", title: "The order log and its validators" },
  { name: "prover", title: "Proving" },
];

const HEAD = `# Benchmarks

What \`npm run bench -- NAME --json\` has measured, each beside its peer in the same run. The
machine has two cores for everything: venue, load and disk. Times differ by a tenth or more from
run to run, ratios less. \`node scripts/benchmarkPage.ts NAME\` measures one again, without a name
it makes this page.
`;

function measure(name: string, others: readonly string[]): void {
  const script = path.join(ROOT, "scripts", "bench.ts");
  const { stdout, status } = spawnSync(process.execPath, [script, name, "--json", ...others], {
    ...{ cwd: ROOT, encoding: "utf8", maxBuffer: 1 << 26 },
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`the benchmark \`${name}\` has failed`);
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const [kernel] = release().split("-");
  const machine = `${cpus().length} cores (${cpu?.model.trim()}), ${memory}, Linux ${kernel}`;
  const first: Machine = {
    ...{ machine, node: process.version },
    date: new Date().toISOString().slice(0, 10),
  };
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(path.join(FOLDER, `${name}.jsonl`), `${JSON.stringify(first)}\n${stdout}`);
}

function read(name: string): { machine: Machine; lines: BenchLine[] } | undefined {
  const file = path.join(FOLDER, `${name}.jsonl`);
  if (!existsSync(file)) return undefined;
  const [first = "", ...rest] = readFileSync(file, "utf8").trim().split("\n");
  const lines = rest.map((line) => JSON.parse(line) as BenchLine);
  return { machine: JSON.parse(first) as Machine, lines };
}

function number(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}

function row({ name, value, unit, target, better, peer, peerValue, ratio, note }: BenchLine) {
  const aim = target === undefined ? "" : `${better === "lower" ? "≤" : "≥"} ${number(target)}`;
  const beside = peer === undefined ? "" : `${peer}: ${number(peerValue ?? Number.NaN)}`;
  const cells = [name, `${number(value)} ${unit}`, aim, beside];
  return `| ${[...cells, ratio === undefined ? "" : number(ratio), note ?? ""].join(" | ")} |`;
}

/** Names `end-to-end/RATE/WHAT`. */
function overLoad(lines: readonly BenchLine[], what: string, ofPeer: boolean) {
  return lines.flatMap(({ name, value, peerValue }): [number, number][] => {
    const [, rate, last] = name.split("/");
    const shown = ofPeer ? peerValue : value;
    return last === what && shown !== undefined ? [[Number(rate), shown]] : [];
  });
}

function loadCharts(lines: readonly BenchLine[]): Record<string, Chart> {
  const latency: ChartLine[] = [
    { name: "p50", color: "#1f77b4", points: overLoad(lines, "p50", false) },
    { name: "p99", color: "#d62728", points: overLoad(lines, "p99", false) },
    { name: "ws echo p50", color: "#1f77b4", isDashed: true, points: overLoad(lines, "p50", true) },
    { name: "ws echo p99", color: "#d62728", isDashed: true, points: overLoad(lines, "p99", true) },
  ];
  const throughput: ChartLine[] = [
    { name: "answered", color: "#2ca02c", points: overLoad(lines, "answered", false) },
    {
      ...{ name: "ws echo", color: "#2ca02c", isDashed: true },
      points: overLoad(lines, "answered", true),
    },
  ];
  const xTitle = "orders a second that are due";
  return {
    latency: { title: "Latency against load", xTitle, yTitle: "ms", lines: latency },
    throughput: { title: "Throughput against load", xTitle, yTitle: "orders/s", lines: throughput },
  };
}

/** Names `scale.accounts.COUNT`, and parts of it `scale.accounts.COUNT.PART`. */
function overSize(lines: readonly BenchLine[], kind: string, part?: string): [number, number][] {
  return lines.flatMap(({ name, value }): [number, number][] => {
    const [, ofKind, count, ofPart] = name.split(".");
    return ofKind === kind && ofPart === part ? [[Number(count), value]] : [];
  });
}

function scaleCharts(lines: readonly BenchLine[]): Record<string, Chart> {
  const chart = (kind: string): Chart => ({
    title: `CPU time of an order against ${kind}`,
    ...{ xTitle: kind, yTitle: "µs" },
    lines: [
      { name: "whole order", color: "#333333", points: overSize(lines, kind) },
      { name: "seal", color: "#1f77b4", points: overSize(lines, kind, "seal") },
      { name: "signature", color: "#2ca02c", points: overSize(lines, kind, "signature") },
      { name: "engine", color: "#d62728", points: overSize(lines, kind, "engine") },
    ],
  });
  return { "scale-accounts": chart("accounts"), "scale-books": chart("books") };
}

/** By the names of sections. */
const CHARTS: Readonly<Record<string, (lines: readonly BenchLine[]) => Record<string, Chart>>> = {
  "end-to-end": loadCharts,
  scale: scaleCharts,
};

function pictures(charts: Readonly<Record<string, Chart>>): string[] {
  return Object.entries(charts).map(([name, chart]) => {
    writeFileSync(path.join(FOLDER, `${name}.svg`), lineChart(chart));
    return `![${chart.title}](scripts/benchmarks/results/${name}.svg)\n`;
  });
}

function section({ name, title }: (typeof SECTIONS)[number]): string[] {
  const found = read(name);
  if (found === undefined) return [];
  const { machine, lines } = found;
  const notesFile = path.join(FOLDER, `${name}.md`);
  return [
    `## ${title}\n`,
    `\`npm run bench -- ${name}\`, ${machine.date}: ${machine.machine}, Node ${machine.node}.\n`,
    ...pictures(CHARTS[name]?.(lines) ?? {}),
    ["| figure | value | target | peer | ratio | |", "| --- | --- | --- | --- | --- | --- |"]
      .concat(lines.map(row))
      .join("\n"),
    "",
    ...(existsSync(notesFile) ? [readFileSync(notesFile, "utf8")] : []),
  ];
}

const HELP = `Usage: node scripts/benchmarkPage.ts [NAME [what the benchmark takes]]

Measures a benchmark and keeps its figures, then makes BENCHMARKS.md of all that are kept.
Without NAME the page is made, and nothing is measured.

NAME: ${SECTIONS.map(({ name }) => name).join(", ")}
`;

/** Exit codes: 0 done, 2 not understood. */
function main([wanted, ...others]: readonly string[]): number {
  if (wanted === "--help" || wanted === "-h") {
    process.stdout.write(HELP);
    return 0;
  }
  if (wanted !== undefined && !SECTIONS.some(({ name }) => name === wanted)) {
    process.stderr.write(`the page has no benchmark \`${wanted}\`\n\n${HELP}`);
    return 2;
  }
  if (wanted !== undefined) measure(wanted, others);
  writeFileSync(PAGE, [HEAD, ...SECTIONS.flatMap(section)].join("\n"));
  return 0;
}

process.exitCode = main(process.argv.slice(2));
