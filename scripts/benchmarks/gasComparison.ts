/**
 * Gas of a trade beside what other exchanges with validity proofs state for theirs. Not the same
 * goods: see {@link LEFT_OUT}.
 */
import type { BenchLine } from "./benchLine.ts";

/** Somebody else's own statement, word for word in its figures. */
interface Peer {
  readonly name: string;
  readonly batch: string;
  readonly perBatch: string;
  readonly perTrade: number;
  readonly source: string;
}

export const PEERS: readonly Peer[] = [
  {
    name: "StarkEx perpetual",
    batch: "full, recursive; size not stated",
    perBatch: "not stated",
    perTrade: 426,
    source: "docs.starkware.co, on-chain gas usage, 2023",
  },
  {
    name: "Loopring 3.6",
    batch: "2,048 trades",
    perBatch: "220,000 + 80,000 a block",
    perTrade: 450,
    source: "Loopring/protocols DESIGN.md",
  },
  {
    name: "Loopring 3.6",
    batch: "128 trades",
    perBatch: "220,000 + 80,000 a block",
    perTrade: 1_050,
    source: "Loopring/protocols DESIGN.md",
  },
  {
    name: "DeGate",
    batch: "355 slots of up to 9 netted trades",
    perBatch: "153,000 + 46,000 a block",
    // (153,000 + 46,000) / (355 * 9): every slot filled, one block in the batch.
    perTrade: 62,
    source: "degatedev/protocols, Smart Contract Design.md; a trade computed from it",
  },
];

export const LEFT_OUT =
  "Left out: what each publishes, and where. Straddle: every fill and all marks, as calldata; " +
  "StarkEx: changed positions as calldata, or a committee's signature; Loopring: 28 bytes of " +
  "calldata a trade; DeGate: changed balances, not orders. And what each proves: the others that " +
  "two signed limits were kept, Straddle the book's priority and both portfolios' margin.";

const OWN = "gas.trade.straddle.";

/** A full batch of an instance. */
interface FullBatch {
  readonly fills: number;
  readonly gas: number;
}

/**
 * What a fill adds is the difference between the two larger instances, which publish the same
 * marks; the rest of a batch does not depend on its fills.
 */
function perFillOf(batches: readonly FullBatch[]): number {
  const [before, last] = batches.slice(-2) as [FullBatch, FullBatch];
  return Math.round((last.gas - before.gas) / (last.fills - before.fills));
}

export function comparisonLines(batches: readonly FullBatch[]): BenchLine[] {
  const added = perFillOf(batches);
  return batches.map(({ fills, gas }) => {
    const note = `${gas - added * fills} a batch + ${added} a fill`;
    const figure = {
      value: Math.round(gas / fills),
      unit: "gas a trade",
      better: "lower",
    } as const;
    return { name: `${OWN}${fills}`, ...figure, note };
  });
}

/** The comparison below the figures: the table, and what it does not say. */
export function comparisonText(lines: readonly BenchLine[]): string[] {
  return ["", ...comparisonTable(lines), "", LEFT_OUT];
}

/** The comparison as a table in Markdown, for people and for the README. */
export function comparisonTable(lines: readonly BenchLine[]): string[] {
  const own = lines.filter(({ name }) => name.startsWith(OWN));
  const rows = own.map(({ name, value, note = "" }) => {
    const fills = name.split(".").at(-1);
    const perBatch = note.replace(/ a batch \+ /, " + ").replace(/\d+/g, grouped);
    return ["Straddle", `${fills} fills`, perBatch, grouped(`${value}`), "measured here"];
  });
  for (const { name, batch, perBatch, perTrade, source } of PEERS) {
    rows.push([name, batch, perBatch, grouped(`${perTrade}`), source]);
  }
  const head = ["", "batch", "gas of a batch", "gas a trade", "source"];
  const ruled = head.map(() => "---");
  return [head, ruled, ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}

function grouped(digits: string): string {
  return Number(digits).toLocaleString("en");
}
