/**
 * `npm run bench -- memory`: what the venue has in memory while signed orders come over WebSockets
 * at one rate, minute for minute, with batches proven, anchored and checkpointed on their way. The
 * live heap is what is left after a full collection of garbage, resident memory has its threads in
 * it, and the pages of files that are mapped, which are told apart. All are taken between two
 * minutes, where no order waits and all batches are stored.
 */
import { once } from "node:events";
import type { BenchLine } from "./benchLine.ts";
import { createTraders, openLoop, ordersOf, startVenue, type Venue } from "./endToEnd/load.ts";
import { type Memory, TRADERS } from "./endToEnd/plan.ts";
import { percentile } from "./percentile.ts";

const MINUTES = 10;
const PER_SECOND = 300;
const PER_MINUTE = 60 * PER_SECOND;
/** The first minute warms up: compiled code and buffers come. */
const FIRST_MINUTE = 2;
const SAMPLES_MIN = 3;
const MIB = 2 ** 20;

/** After so many minutes. */
interface Sample extends Memory {
  readonly minute: number;
}

type Figure = "heapUsed" | "rss" | "rssFiles";
const NAMES: Readonly<Record<Figure, string>> = {
  heapUsed: "memory.heap",
  rss: "memory.rss",
  rssFiles: "memory.rss.files",
};

export async function memoryBenchmarks(
  options: { readonly minutes?: number | undefined } = {},
): Promise<BenchLine[]> {
  const { minutes = MINUTES } = options;
  const args = ["--anchoring"];
  const venue = await startVenue({ args, execArgv: [...process.execArgv, "--expose-gc"] });
  try {
    const traders = createTraders();
    console.error(`signing ${minutes * PER_MINUTE} orders`);
    const lists = Array.from({ length: minutes }, () =>
      ordersOf(traders, PER_MINUTE, venue.deadline),
    );
    const samples: Sample[] = [];
    const ms: number[] = [];
    let refused = 0;
    for (const [index, list] of lists.entries()) {
      const run = await openLoop(venue.socketUrl, list, PER_SECOND);
      const missing = list.length - run.ms.length;
      if (missing > 0) throw new Error(`orders without an answer: \`${missing}\``);
      ms.push(...run.ms);
      refused += run.refused;
      const sample = { minute: index + 1, ...(await askMemory(venue)) };
      samples.push(sample);
      const [heap, rss] = [sample.heapUsed, sample.rss].map((bytes) => (bytes / MIB).toFixed(1));
      console.error(`minute ${sample.minute}: live heap ${heap} MiB, resident ${rss} MiB`);
      console.error(`  ${sample.waiting} batches waited, ${refused} orders refused so far`);
    }
    return [...linesOf(samples, refused), waitingLine(samples), ...latencyLines(ms)];
  } finally {
    if (venue.child.connected) venue.child.disconnect();
  }
}

async function askMemory({ child }: Venue): Promise<Memory> {
  const answer = once(child, "message");
  child.send("memory");
  const [memory] = (await answer) as [Memory];
  return memory;
}

function linesOf(samples: readonly Sample[], refused: number): BenchLine[] {
  const load = `${PER_SECOND} orders/s, ${TRADERS} connections; refused ${refused}`;
  const figures = (Object.keys(NAMES) as Figure[]).filter(
    (name) => !Number.isNaN(samples[0]![name]),
  );
  return figures.flatMap((figure): BenchLine[] => [
    ...samples.map((sample): BenchLine => {
      const name = `${NAMES[figure]}.minute${sample.minute}`;
      const line = { name, value: sample[figure] / MIB, unit: "MiB", better: "lower" } as const;
      return sample.minute === 1 ? { ...line, note: load } : line;
    }),
    ...growthLines(samples, figure),
    ...growthLines(samples.slice(Math.floor(samples.length / 2)), figure, ".later"),
  ]);
}

/** Of a short trial all minutes. `suffix`: of the name, for a part of the time. */
function growthLines(samples: readonly Sample[], figure: Figure, suffix = ""): BenchLine[] {
  const settled = samples.filter(({ minute }) => minute >= FIRST_MINUTE);
  const used = settled.length < SAMPLES_MIN ? samples : settled;
  if (used.length < 2) return [];
  const bytes = slope(used.map((sample) => [sample.minute, sample[figure]]));
  const name = `${NAMES[figure]}.growth${suffix}`;
  const note = `least squares over minutes ${used[0]!.minute} to ${used.at(-1)!.minute}`;
  return [
    { name, value: bytes / MIB, unit: "MiB/min", better: "lower", note },
    { name: `${name}.order`, value: bytes / PER_MINUTE, unit: "bytes/order", better: "lower" },
  ];
}

/** Of the straight line with the least squares. */
function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map(([at]) => at)), mean(points.map(([, value]) => value))];
  const covariance = mean(points.map(([at, value]) => (at - x) * (value - y)));
  return covariance / mean(points.map(([at]) => (at - x) ** 2));
}

function waitingLine(samples: readonly Sample[]): BenchLine {
  const value = Math.max(...samples.map(({ waiting }) => waiting));
  const note = "at most, at the end of a minute: sealed, and not yet stored and proven";
  return { name: "memory.waiting", value, unit: "batches", better: "lower", note };
}

function latencyLines(ms: readonly number[]): BenchLine[] {
  return [50, 99].map((share) => {
    const value = percentile(ms, share);
    return { name: `memory.p${share}`, value, unit: "ms", better: "lower" };
  });
}
