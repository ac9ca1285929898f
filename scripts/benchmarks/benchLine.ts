/** What every benchmark prints: one JSON object a line, or a table for people. */
import Table from "cli-table3";

/** One measured figure. `ratio` is value over peerValue of the same run. */
export interface BenchLine {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly better: "lower" | "higher";
  readonly target?: number;
  readonly peer?: string;
  readonly peerValue?: number;
  readonly ratio?: number;
  readonly note?: string;
}

export function printLines(lines: readonly BenchLine[], asJson: boolean): void {
  if (asJson) {
    for (const line of lines) console.log(JSON.stringify(line));
    return;
  }
  const head = ["name", "value", "unit", "target", "peer", "ratio", "note"];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  for (const line of lines) {
    const { name, value, unit, target, peer, peerValue, ratio, note } = line;
    table.push([
      name,
      { content: format(value), hAlign: "right" },
      unit,
      target === undefined ? "" : `${line.better === "lower" ? "<=" : ">="} ${format(target)}`,
      peer === undefined ? "" : `${peer}: ${format(peerValue ?? Number.NaN)}`,
      ratio === undefined ? "" : ratio.toFixed(2),
      note ?? "",
    ]);
  }
  console.log(table.toString());
}

function format(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 2 : 0 });
}
