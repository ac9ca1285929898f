/** The rally's report: a page with pictures, the pictures by themselves, and the numbers. */
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Chart, lineChart } from "./charts.ts";
import type { Sample } from "./sampling.ts";

export interface Summary {
  readonly title: string;
  /** Rows of two texts. */
  readonly rows: readonly (readonly [string, string])[];
  readonly notes: readonly string[];
}

/** Writes `report.html`, `report.json` and one SVG for each picture; returns the page's path. */
export function writeReport(folder: string, summary: Summary, samples: readonly Sample[]): string {
  mkdirSync(folder, { recursive: true });
  const pictures = Object.entries(charts(samples)).map(([name, chart]) => {
    const svg = lineChart(chart);
    writeFileSync(path.join(folder, `${name}.svg`), `${svg}\n`);
    return svg;
  });
  const page = path.join(folder, "report.html");
  writeFileSync(page, html(summary, pictures));
  const rows = Object.fromEntries(summary.rows);
  const json = JSON.stringify({ ...summary, rows, samples }, undefined, 1);
  writeFileSync(path.join(folder, "report.json"), `${json}\n`);
  return page;
}

const TICKS_PER_USDC = 10;

function charts(samples: readonly Sample[]): Record<string, Chart> {
  const times = samples.map(({ time }) => time);
  const of = (read: (sample: Sample) => number): number[] => samples.map(read);
  const counted = (action: keyof Sample["counts"]) => of(({ counts }) => counts[action]);
  return {
    forward: {
      ...{ title: "Underlying, nearest forward", unit: "USDC", times },
      lines: [
        {
          name: "forward",
          colour: "#1f6feb",
          values: of(({ forward }) => forward / TICKS_PER_USDC),
        },
      ],
    },
    equity: {
      ...{ title: "Equity and initial margin of the traders", unit: "USDC", times },
      lines: [
        { name: "equity", colour: "#1a7f37", values: of(({ tradersEquity }) => tradersEquity) },
        { name: "margin", colour: "#cf222e", values: of(({ tradersMargin }) => tradersMargin) },
      ],
    },
    insurance: {
      ...{ title: "Insurance fund and fees", unit: "USDC", times },
      lines: [
        { name: "fund", colour: "#8250df", values: of(({ insuranceEquity }) => insuranceEquity) },
        { name: "fees", colour: "#9a6700", values: of(({ fees }) => fees) },
        { name: "deficit", colour: "#cf222e", values: of(({ deficit }) => deficit) },
      ],
    },
    liquidations: {
      ...{ title: "Liquidations since the beginning", unit: "count", times },
      lines: [
        { name: "locked", colour: "#57606a", isStepped: true, values: counted("locked") },
        { name: "fills in books", colour: "#1f6feb", isStepped: true, values: counted("order") },
        { name: "backstop", colour: "#1a7f37", isStepped: true, values: counted("backstop") },
        { name: "insurance", colour: "#8250df", isStepped: true, values: counted("insure") },
        { name: "deleveraged", colour: "#cf222e", isStepped: true, values: counted("deleverage") },
      ].map((line) => ({ ...line })),
    },
  };
}

function html({ title, rows, notes }: Summary, pictures: readonly string[]): string {
  const table = rows.map(([name, value]) => `<tr><td>${name}</td><td>${value}</td></tr>`);
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${title}</title>
<style>body{font:15px sans-serif;max-width:880px;margin:2em auto;color:#111}
td{padding:2px 16px 2px 0;vertical-align:top}li{margin:4px 0}</style>
<h1>${title}</h1>
<table>${table.join("\n")}</table>
${pictures.join("\n")}
<ul>${notes.map((note) => `<li>${note}</li>`).join("\n")}</ul>
</html>
`;
}
