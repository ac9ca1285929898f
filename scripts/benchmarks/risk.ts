/** What risk costs in one process, beside packages that do the same in the same run. */
import type { BenchLine } from "./benchLine.ts";
import { impliedVolatilityLines } from "./risk/impliedVolatilities.ts";
import { marginLines } from "./risk/margins.ts";

/** One after the other, so that none disturbs another. */
const MEASURES: readonly (() => BenchLine[] | Promise<BenchLine[]>)[] = [
  impliedVolatilityLines,
  marginLines,
];

export async function riskBenchmarks(): Promise<BenchLine[]> {
  const lines: BenchLine[] = [];
  for (const measure of MEASURES) lines.push(...(await measure()));
  return lines;
}
