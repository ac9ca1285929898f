/**
 * `npm run bench -- scale`: what an order costs as accounts and books become more, through the
 * executor with real signatures and seals. Each point is a market in a process of its own, and
 * all of them take their rounds in turn, so that a busy moment of the machine meets each alike.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { KEYS_MAX } from "../../sequencer/protocol/keyTables.ts";
import type { BenchLine } from "./benchLine.ts";
import { percentile } from "./percentile.ts";
import type { Besides } from "./scale/besides.ts";
import {
  ACCOUNTS_PER_BATCH,
  BOOKS_PER_BATCH,
  type Cost,
  ORDERS_PER_BATCH,
  ROUNDS,
  type Size,
  WARM_UP_ROUNDS,
  type Wanted,
} from "./scale/plan.ts";

const HEAP_MIB = 12_288;
/** A curve is flat where no point costs so many times as much as its smallest. */
const FLAT = 1.1;
const ACCOUNT_CURVE = [1000, 10_000, 100_000, 1_000_000];
const BOOK_CURVE = [10, 100, 1000];

interface Point extends Size {
  /** `scale.accounts.1000` */
  readonly name: string;
  readonly child: ChildProcess;
  readonly ended: Promise<undefined>;
  readonly costs: Cost[];
  besides: Besides | undefined;
}

export async function scaleBenchmarks(): Promise<BenchLine[]> {
  const curves: Point[][] = [];
  try {
    const accounts = ACCOUNT_CURVE.map((count) => ({ accounts: count, books: 50 }));
    const books = BOOK_CURVE.map((count) => ({ accounts: 10_000, books: count }));
    await openCurve(curves, "accounts", accounts);
    await openCurve(curves, "books", books);
    const points = curves.flat();
    for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
      for (const point of points) {
        const cost = await ask<Cost>(point, "round");
        if (round >= WARM_UP_ROUNDS) point.costs.push(cost);
      }
      console.error(`round ${round + 1} of ${WARM_UP_ROUNDS + ROUNDS}`);
    }
    for (const point of points) point.besides = await ask<Besides>(point, "besides");
    return curves.flatMap((curve) => [...linesOf(curve), ...besideLines(curve)]);
  } finally {
    for (const { child } of curves.flat()) if (child.connected) child.disconnect();
  }
}

/** Adds the curve, with each of its points as soon as there is something to end. */
async function openCurve(
  curves: Point[][],
  kind: keyof Size,
  sizes: readonly Size[],
): Promise<void> {
  const curve: Point[] = [];
  curves.push(curve);
  for (const size of sizes) {
    const point = openPoint(`scale.${kind}.${size[kind]}`, size);
    curve.push(point);
    const { residentBytes } = await told<{ residentBytes: number }>(point);
    const gib = (residentBytes / 2 ** 30).toFixed(1);
    console.error(`${size.accounts} accounts and ${size.books} books stand: ${gib} GiB`);
  }
}

function openPoint(name: string, size: Size): Point {
  const child = fork(path.join(import.meta.dirname, "scale/point.ts"), [JSON.stringify(size)], {
    execArgv: [`--max-old-space-size=${HEAP_MIB}`],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = once(child, "exit").then(() => undefined);
  return { ...size, name, child, ended, costs: [], besides: undefined };
}

type Asked = Pick<Point, "child" | "ended">;

function ask<T>(point: Asked, wanted: Wanted): Promise<T> {
  point.child.send(wanted);
  return told(point);
}

/** What the process says next. */
async function told<T>({ child, ended }: Asked): Promise<T> {
  const got = await Promise.race([once(child, "message"), ended]);
  if (got === undefined) throw new Error("the process of a point has ended");
  return got[0] as T;
}

const PARTS: Readonly<Record<keyof Cost, string>> = {
  signature: `looked at once; the last ${KEYS_MAX} keys have tables`,
  engine: `opening a batch, and ${ORDERS_PER_BATCH} messages by all rules`,
  seal: `${ACCOUNTS_PER_BATCH} accounts, ${BOOKS_PER_BATCH} books; among many, paths share less`,
};

/** The whole first, then its parts. */
function linesOf(curve: readonly Point[]): BenchLine[] {
  const [smallest] = curve;
  return curve.flatMap((point) => {
    const parts = Object.keys(PARTS) as (keyof Cost)[];
    const note = `${point.accounts} accounts, ${point.books} books; CPU of all threads`;
    return [
      { ...lineOf(point, smallest!, total), note },
      ...parts.map((part) => {
        const { target: _, ...line } = lineOf(point, smallest!, (cost) => cost[part]);
        return { ...line, name: `${point.name}.${part}`, note: PARTS[part] };
      }),
    ];
  });
}

function lineOf(point: Point, smallest: Point, costOf: (cost: Cost) => number): BenchLine {
  const value = percentile(point.costs.map(costOf), 50);
  const line = { name: point.name, value, unit: "us/order", better: "lower" } as const;
  if (point === smallest) return line;
  const peerValue = percentile(smallest.costs.map(costOf), 50);
  const beside = { peer: smallest.name, peerValue, ratio: value / peerValue };
  return { ...line, target: FLAT * peerValue, ...beside };
}

/** Not in the whole: how often they are due follows the clock and the configuration. */
const BESIDES: Readonly<Record<keyof Besides, string>> = {
  checkpoint:
    "what 16 batches have changed, as a checkpoint's rows; one every 16 batches by default",
  margins:
    "look for accounts below maintenance, one for each snapshot; all marks have moved by a tick",
};

function besideLines(curve: readonly Point[]): BenchLine[] {
  const [smallest] = curve;
  return (Object.keys(BESIDES) as (keyof Besides)[]).flatMap((figure) =>
    curve.map((point): BenchLine => {
      const value = point.besides![figure];
      const name = `${point.name}.${figure}`;
      const line = { name, value, unit: "CPU ms", better: "lower", note: BESIDES[figure] } as const;
      if (point === smallest) return line;
      const peerValue = smallest!.besides![figure];
      return { ...line, peer: smallest!.name, peerValue, ratio: value / peerValue };
    }),
  );
}

function total({ signature, engine, seal }: Cost): number {
  return signature + engine + seal;
}
